"""The rules folder is followed as its files change."""
import os
import subprocess
import threading

import pytest
from support.rules import deal, workflow
from support.waiting import until


def generation(host):
    """What the log says last: the number of the generation, and how many files it has."""
    lines = [line for line in host.log().splitlines() if "generation " in line and "workflow file" in line]
    words = lines[-1].split("generation ")[1].replace(":", "").split()
    return int(words[0]), int(words[1])


def ids(host):
    return sorted(w["id"] for w in host.call("GET", "/v1/workflows").json()["workflows"] if w["error"] is None)


def wait_for(host, wanted):
    until(lambda: ids(host) == wanted, f"the workflows {wanted}")


def replace(path, text):
    """As editors save: a new file takes the old one's name."""
    beside = path.with_name(f".{path.name}.swp")
    beside.write_text(text)
    os.replace(beside, path)


def test_files_that_come_change_and_go(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url)}, test_clock=True)
    (host.rules_dir / "b.lua").write_text(workflow(receiver.url))
    wait_for(host, ["a", "b"])
    replace(host.rules_dir / "b.lua", workflow(receiver.url, wf_id='"other"'))
    wait_for(host, ["a", "other"])
    (host.rules_dir / "a.lua").unlink()
    wait_for(host, ["other"])
    os.rename(host.rules_dir / "b.lua", host.rules_dir / "c.lua.off")
    wait_for(host, [])


def test_folders_that_appear_later(serve, receiver):
    needs = 'local name = require "lib.deep.name"\n' + workflow(receiver.url, wf_id="name")
    host = serve({"a.lua": needs})
    assert ids(host) == []
    (host.rules_dir / "lib/deep").mkdir(parents=True)
    (host.rules_dir / "lib/deep/name.lua").write_text('return "one"')
    wait_for(host, ["one"])
    (host.rules_dir / "lib/deep/name.lua").write_text('return "two"')
    wait_for(host, ["two"])
    os.rename(host.rules_dir / "lib", host.folder / "lib")
    until(lambda: host.call("GET", "/v1/workflows").json()["workflows"][0]["error"], "the fault")
    (host.folder / "lib/deep/name.lua").write_text('return "three"')
    os.rename(host.folder / "lib", host.rules_dir / "lib")
    wait_for(host, ["three"])


def test_a_checkout_of_many_files_is_one_generation(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url)})
    before, _ = generation(host)
    for i in range(1000):
        (host.rules_dir / f"w{i:03}.lua").write_text(workflow(receiver.url))
    until(lambda: generation(host)[1] == 1001, "all the files")
    assert generation(host)[0] <= before + 2, "at most one in the middle, if writing took long"


def test_a_swap_of_the_whole_folder(serve, receiver, folder):
    """`current` is a link to a release, which a deployment replaces at once."""
    for release in ("one", "two", "three"):
        (folder / release / "rules").mkdir(parents=True)
        (folder / release / "rules" / f"{release}.lua").write_text(workflow(receiver.url))
    (folder / "current").symlink_to("one")
    host = serve({}, start=False)
    host.rules_dir = folder / "current/rules"
    host.start()
    assert ids(host) == ["one"]
    (folder / "next").symlink_to("two")
    os.replace(folder / "next", folder / "current")
    wait_for(host, ["two"])
    (folder / "two/rules/more.lua").write_text(workflow(receiver.url))
    wait_for(host, ["more", "two"])
    os.rename(folder / "two/rules", folder / "old")
    os.rename(folder / "three/rules", folder / "two/rules")
    wait_for(host, ["three"])


def test_a_mounted_volume_that_is_swapped(serve, receiver):
    """As Kubernetes does it: the files are links into ..data, itself a link that is replaced."""
    host = serve({}, start=False)
    for name, id in (("..1", '"one"'), ("..2", '"two"')):
        (host.rules_dir / name).mkdir()
        (host.rules_dir / name / "a.lua").write_text(workflow(receiver.url, wf_id=id))
    (host.rules_dir / "..data").symlink_to("..1")
    (host.rules_dir / "a.lua").symlink_to("..data/a.lua")
    host.start()
    assert ids(host) == ["one"]
    (host.rules_dir / "..data_tmp").symlink_to("..2")
    os.replace(host.rules_dir / "..data_tmp", host.rules_dir / "..data")
    wait_for(host, ["two"])


def test_what_is_no_rule_makes_no_generation(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url)})
    before = host.log().count("workflow files")
    (host.rules_dir / ".a.lua.swp").write_text("x")
    (host.rules_dir / "notes.txt").write_text("x")
    (host.rules_dir / "a.lua").write_text(workflow(receiver.url))  # the same text
    (host.rules_dir / "b.lua").write_text(workflow(receiver.url))
    wait_for(host, ["a", "b"])
    assert host.log().count("workflow files") == before + 1


def test_no_watch_leaves_it_to_the_operator(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url)}, args=["--no-watch"])
    assert "inotify" not in subprocess.run(["ls", "-l", f"/proc/{host.process.pid}/fd"],
                                           capture_output=True, text=True).stdout
    (host.rules_dir / "b.lua").write_text(workflow(receiver.url))
    host.accept(deal(1))
    assert ids(host) == ["a"]
    host.call("POST", "/v1/reload")
    assert ids(host) == ["a", "b"]


@pytest.mark.release_only  # the sanitizers' allocators keep what was freed
def test_many_workflows_reloaded_again_and_again_under_load(serve, receiver):
    """None is lost or sent twice, and memory does not grow (tests/bench/reload.py: at full size)."""
    def rules(version):
        for i in range(200):
            when = f'hook.all {{ field "amount":is({5 if i == 0 else 1000 + i}) }}'
            replace(host.rules_dir / f"w{i}.lua", workflow(receiver.url, wf_when=when) + f"-- {version}\n")
    host = serve({}, start=False)
    rules(0)
    host.start()
    accepted, number, is_over = [], 0, threading.Event()

    def load():
        nonlocal number
        while not is_over.is_set():
            number += 1
            reply = host.call("POST", "/v1/events", deal(number, amount=5), fresh=True)
            assert reply.status == 202, reply
            accepted.extend(reply.json()["events"][0]["deliveries"])
    thread = threading.Thread(target=load)
    thread.start()
    memory = []
    for version in range(1, 21):
        rules(version)
        assert host.call("POST", "/v1/reload").json()["errors"] == []
        memory.append(host.memory_kb())
    is_over.set()
    thread.join()
    assert len(accepted) == number
    seen = receiver.wait_until(lambda r: len({x.id for x in r}) >= len(accepted), "all deliveries")
    assert sorted(x.id for x in seen) == sorted(accepted)
    assert max(memory[10:]) < 1.2 * max(memory[:10]), memory
