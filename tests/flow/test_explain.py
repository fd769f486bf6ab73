"""explain: on the command line, and of an old event by the rules that were in force then."""
import json
import subprocess

from support.host import BINARY
from support.rules import deal, workflow
from support.waiting import until


def run(*args):
    return subprocess.run([BINARY, *map(str, args)], capture_output=True, text=True, timeout=30)


def above(url, amount):
    return workflow(url, wf_when=f'hook.all {{ field "amount":greater_than({amount}) }}')


def test_a_file_is_explained_here(folder):
    (folder / "big.lua").write_text(above("https://a.example.com/", 1000))
    (folder / "event.json").write_text(json.dumps(deal(1, type="deal.created", amount=999)))
    plain = run("explain", folder / "big.lua", "--event", folder / "event.json", "--data", folder)
    assert plain.returncode == 1 and plain.stderr == "", plain
    assert plain.stdout.splitlines() == [
        "big: does not fire, with the event given: without an id, deal.created",
        "  no  all of",
        "    no  amount greater_than 1000, seen: 999"]
    tree = run("explain", folder / "big.lua", "--event", folder / "event.json", "--json", "--data", folder)
    leaf = json.loads(tree.stdout)["all"][0]
    assert tree.returncode == 1
    assert leaf == {"field": "amount", "operator": "greater_than", "wanted": 1000, "seen": 999,
                    "verdict": False, "note": None}
    sample = run("explain", folder / "big.lua", "--data", folder)
    assert sample.returncode == 0 and "fires, with a sample event" in sample.stdout


def test_an_old_event_is_explained_by_the_rules_of_then(serve, receiver):
    host = serve({"big.lua": above(receiver.url, 1000), "other.lua": above(receiver.url, 5)},
                 args=["--no-watch"])
    first = host.call("POST", "/v1/reload").json()["generation"]
    host.accept(deal(1, event_id="e-1", amount=10))
    host.accept(deal(2, event_id="e-0", amount=1))  # no run tells which generation judged it
    (host.rules_dir / "big.lua").write_text(above(receiver.url, 7))
    (host.rules_dir / "other.lua").unlink()
    host.call("POST", "/v1/reload")
    host.accept(deal(3, event_id="e-2", amount=10))
    for is_restarted in (False, True):
        if is_restarted:
            host.kill9()
            host.start()
        old = host.call("GET", "/v1/events/e-1/explain").json()
        assert old["event"] == "e-1" and old["generation"] == first
        assert [(w["workflow"], w["verdict"]) for w in old["workflows"]] == [("big", False), ("other", True)]
        leaf = old["workflows"][0]["explain"]["all"][0]
        assert (leaf["wanted"], leaf["seen"], leaf["verdict"]) == (1000, 10, False)
        new = host.call("GET", "/v1/events/e-2/explain?workflow=big").json()
        assert new["generation"] == first + 1 and new["workflows"][0]["verdict"] is True
        assert len(new["workflows"]) == 1
        quiet = host.call("GET", "/v1/events/e-0/explain").json()
        assert quiet["generation"] == first, "by the time at which it came"
    gone = host.call("GET", "/v1/events/e-2/explain?workflow=other")
    assert gone.status == 404 and "had no workflow other" in gone.json()["detail"]
    assert host.call("GET", "/v1/events/nothing/explain").status == 404


def test_an_update_without_previous_is_explained_with_what_it_was_compared_with(serve, receiver):
    won = workflow(receiver.url, wf_when='hook.all { field "stage":changed_to("won") }')
    host = serve({"won.lua": won}, args=["--no-watch"])
    for number, stage in enumerate(["open", "won", "lost"]):
        host.accept(deal(1, event_id=f"e-{number}", stage=stage))
    (host.rules_dir / "won.lua").unlink()
    host.call("POST", "/v1/reload")
    shown = [host.call("GET", f"/v1/events/e-{i}/explain").json()["workflows"][0] for i in range(3)]
    assert [w["verdict"] for w in shown] == [False, True, False]
    assert shown[1]["explain"]["all"][0]["note"] == 'was "open"', shown[1]


def test_the_command_asks_the_host(serve, receiver):
    host = serve({"big.lua": above(receiver.url, 1000), "lead.lua": workflow(receiver.url, wf_record='"lead"')})
    host.accept(deal(1, event_id="e-1", amount=10))
    plain = run("explain", "e-1", "--data", host.data)
    assert plain.returncode == 1, plain
    assert plain.stdout.splitlines() == [
        "event e-1, by generation 1", "", "big: does not fire", "  no  all of",
        "    no  amount greater_than 1000, seen: 10"]
    lead = run("explain", "e-1", "--workflow", "lead", "--json", "--data", host.data)
    assert lead.returncode == 1
    assert "another record type" in json.loads(lead.stdout)["workflows"][0]["explain"]["all"][0]["note"]
    assert run("explain", "e-9", "--data", host.data).stderr == "hookline: there is no such event (status 404)\n"
    assert run("explain", "e-1", "--event", "x", "--data", host.data).returncode == 2


def test_many_questions_at_once(serve, receiver):
    import threading
    host = serve({"big.lua": above(receiver.url, 1)}, args=["--no-watch"])
    for i in range(4):
        host.accept(deal(i, event_id=f"e-{i}", amount=10 + i))
        (host.rules_dir / "big.lua").write_text(above(receiver.url, 2 + i))
        host.call("POST", "/v1/reload")
    answers = {}

    def ask(i):
        answers[i] = host.call("GET", f"/v1/events/e-{i % 4}/explain", fresh=True).json()
    threads = [threading.Thread(target=ask, args=(i,)) for i in range(24)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    for i, answer in answers.items():
        leaf = answer["workflows"][0]["explain"]["all"][0]
        assert (leaf["wanted"], leaf["seen"]) == (1 + i % 4, 10 + i % 4)
    until(lambda: host.call("GET", "/readyz").status == 200, "the host is well")
