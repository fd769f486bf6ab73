"""New rules by SIGHUP and by the API; the last good text of a broken file."""
import os
import re
import signal

import pytest
from support.rules import deal, workflow
from support.waiting import until

BROKEN = 'local hook = require "hookline"\nreturn hook.workflow {\n  nmae = "x",\n}\n'


def write(host, name, text):
    (host.rules_dir / name).write_text(text)


def fires(host):
    return sorted(host.delivery(id)["workflow"] for id in host.accept(deal(1, type="deal.created"))[0]["deliveries"])


def by_signal(host):
    before = host.log().count("generation")
    host.signal(signal.SIGHUP)
    until(lambda: host.log().count("generation") > before, "the reload's line in the log")


def by_api(host):
    reply = host.call("POST", "/v1/reload")
    assert reply.status == 200, reply


@pytest.mark.parametrize("reload", [by_signal, by_api])
def test_added_changed_and_removed_files(serve, receiver, reload):
    host = serve({"a.lua": workflow(receiver.url), "b.lua": workflow(receiver.url)}, args=["--no-watch"])
    assert fires(host) == ["a", "b"]
    (host.rules_dir / "a.lua").unlink()
    write(host, "b.lua", workflow(receiver.url + "/new"))
    write(host, "c.lua", workflow(receiver.url))
    write(host, "d_test.lua", "this is a test, not a workflow")
    assert fires(host) == ["a", "b"], "nothing changes before the reload"
    reload(host)
    until(lambda: fires(host) == ["b", "c"], "the new generation")
    receiver.wait_until(lambda r: any(x.path == "/new" for x in r), "a webhook of the changed file")


def test_a_renamed_file_that_fires_once_is_warned_of(serve, receiver):
    once = workflow(receiver.url, wf_trigger='hook.once "created"')
    host = serve({"a.lua": once, "often.lua": workflow(receiver.url, wf_name='"often"')}, args=["--no-watch"])
    (host.rules_dir / "often.lua").rename(host.rules_dir / "often2.lua")
    write(host, "more.lua", once)
    by_api(host)
    assert "is gone" not in host.log()
    (host.rules_dir / "a.lua").rename(host.rules_dir / "b.lua")
    by_api(host)
    assert re.search(r"b.lua has the name of \S*a.lua, which is gone: what a has fired for is kept by its id, so it "
                     r'fires again; id = \\?"a\\?" in \S*b.lua keeps it', host.log()), host.log()


def test_the_answer_of_a_reload(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url)})
    first = host.call("POST", "/v1/reload").json()
    assert first["workflows"] == 1 and first["errors"] == []
    write(host, "broken.lua", BROKEN)
    second = host.call("POST", "/v1/reload").json()
    assert second["generation"] > first["generation"]
    assert second["workflows"] == len(host.call("GET", "/v1/workflows").json()["workflows"])
    fault = second["errors"][0]
    assert fault["file"].endswith("broken.lua") and fault["line"] == 2, fault
    assert "nmae" in fault["message"] and "name" in fault["message"], "the key and the nearest right one"


def test_a_broken_file_keeps_its_last_good_text_also_over_a_restart(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url + "/good"), "b.lua": workflow(receiver.url)})
    write(host, "a.lua", BROKEN)
    by_api(host)
    for is_restarted in (False, True):
        if is_restarted:
            host.kill9()
            host.start()
        assert fires(host) == ["a", "b"]
        shown = host.call("GET", "/v1/workflows/a").json()
        assert shown["error"]["line"] == 2 and shown["error"]["last_good"] is True, shown
        assert host.call("GET", "/v1/workflows/b").json()["error"] is None
    receiver.wait_until(lambda r: sum(x.path == "/good" for x in r) >= 2, "webhooks of the last good text")
    write(host, "a.lua", workflow(receiver.url + "/mended"))
    by_api(host)
    assert host.call("GET", "/v1/workflows/a").json()["error"] is None
    host.accept(deal(2))
    receiver.wait_until(lambda r: any(x.path == "/mended" for x in r), "a webhook of the mended file")


def test_a_file_that_was_never_good_does_not_stop_the_start(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url), "broken.lua": BROKEN, "syntax.lua": "return {"})
    assert fires(host) == ["a"]
    listed = {w["id"]: w for w in host.call("GET", "/v1/workflows").json()["workflows"]}
    assert set(listed) == {"a", "broken", "syntax"}
    assert listed["broken"]["error"]["line"] == 2 and not listed["broken"]["error"].get("last_good")
    assert "syntax.lua" in host.log() and "broken.lua" in host.log()


def test_a_file_that_cannot_be_read_is_its_own_fault_alone(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url), "large.lua": workflow(receiver.url)})
    (host.rules_dir / "folder.lua").mkdir()
    (host.rules_dir / "gone.lua").symlink_to("nothing")
    (host.rules_dir / "loop.lua").symlink_to("loop.lua")
    os.mkfifo(host.rules_dir / "pipe.lua")
    write(host, "large.lua", workflow(receiver.url) + "-" * (1 << 20))
    by_api(host)
    for is_restarted in (False, True):
        if is_restarted:
            host.kill9()
            host.start()
        assert fires(host) == ["a", "large"]
        shown = host.call("GET", "/v1/workflows").json()["workflows"]
        assert [w["id"] for w in shown] == ["a", "large", "loop", "pipe"]
        assert ["large.lua" in shown[1]["error"]["message"], shown[1]["error"]["last_good"]] == [True, True]
        assert "not a file" in shown[3]["error"]["message"]
    assert "loop.lua" in host.log()


def test_no_event_is_lost_or_seen_twice_while_rules_change(serve, receiver):
    """Each event is judged by one generation: one webhook each, whatever version sent it."""
    import threading
    host = serve({"a.lua": workflow(receiver.url + "/0")})
    asked = threading.Event()
    accepted = []

    def load():
        number = 0
        while not asked.is_set():
            number += 1
            reply = host.call("POST", "/v1/events", deal(number), fresh=True)
            assert reply.status == 202
            accepted.extend(reply.json()["events"][0]["deliveries"])
    thread = threading.Thread(target=load)
    thread.start()
    for version in range(1, 11):
        write(host, "a.lua", workflow(f"{receiver.url}/{version}"))
        by_api(host)
        receiver.wait_until(lambda r: any(x.path == f"/{version}" for x in r), f"version {version}")
    asked.set()
    thread.join()
    seen = receiver.wait_until(lambda r: len({x.id for x in r}) >= len(accepted), "all deliveries")
    assert sorted(x.id for x in seen) == sorted(accepted)
    assert len({x.json()["id"] for x in seen}) == len(seen)


def test_a_delivery_keeps_the_request_it_was_stored_with(serve, receivers):
    receiver = receivers(lambda request: 503 if request.number == 1 else 200)
    host = serve({"a.lua": workflow(receiver.url + "/old")}, test_clock=True)
    id = host.accept(deal(1))[0]["deliveries"][0]
    host.until_state(id, "retrying")
    write(host, "a.lua", workflow(receiver.url + "/new"))
    by_api(host)
    host.advance("1m")
    assert [r.path for r in receiver.wait(2)] == ["/old", "/old"]
