"""The life of a workflow: how often it fires for a record, and what it does while it is dry."""
import datetime
import itertools

import pytest
from support.host import run
from support.rules import deal, workflow
from support.waiting import until

INVALID = '{ hook.webhook { method = "POST", url = "%s", encoding = "json", content = function() return "{" end } }'


def runs(host, query):
    return host.call("GET", f"/v1/runs?{query}").json()["runs"]


changes = itertools.count()


def changed(number, **keys):
    """An update that is known to have changed something."""
    return deal(number, turn=next(changes), **keys)


def fired(host, number):
    return len(host.accept(changed(number))[0]["deliveries"])


def test_cooldown_counts_from_the_run_that_was_stored(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url, wf_cooldown='"10m"')}, test_clock=True)
    assert fired(host, 1) == 1
    host.advance("9m")
    assert fired(host, 1) == 0, "not again within it"
    assert fired(host, 2) == 1, "another record"
    host.advance("59s")
    assert fired(host, "1") == 0, "the run that did not fire moves nothing"
    host.kill9()
    host.start()
    assert fired(host, 1) == 0, "over a crash"


def test_cooldown_ends(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url, wf_cooldown='"10m"')}, test_clock=True)
    assert [fired(host, 1), fired(host, 1)] == [1, 0]
    host.advance("10m")
    assert [fired(host, 1), fired(host, 1)] == [1, 0]
    receiver.wait(2)


def test_a_run_that_can_send_nothing_takes_no_mark(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url, wf_cooldown='"10m"', wf_actions=INVALID % receiver.url)})
    ids = [host.accept(changed(1))[0]["deliveries"] for _ in range(2)]
    assert [host.delivery(id[0])["state"] for id in ids] == ["invalid", "invalid"]


@pytest.mark.parametrize("trigger", ['hook.once { "created", "updated" }', 'hook.every { "updated" }'])
def test_dry_shows_what_it_would_send_and_sends_nothing(serve, receiver, trigger):
    host = serve({"a.lua": workflow(receiver.url + "/dry", wf_active='"dry"', wf_trigger=trigger),
                  "b.lua": workflow(receiver.url + "/wet")})
    assert host.call("GET", "/v1/workflows/a").json()["active"] == "dry"
    for number in (1, 2):  # no once-mark is taken
        answer = host.accept(changed(1, event_id=f"e{number}"))[0]
        assert len(answer["deliveries"]) == 2
        run = next(r for r in host.event(f"e{number}")["runs"] if r["workflow"] == "a")
        assert run["outcome"] == "dry" and len(run["deliveries"]) == 1
        one = host.delivery(run["deliveries"][0])
        assert one["state"] == "cancelled" and "dry run" in one["reason"] and one["next_attempt_at"] is None
    assert {r["event"] for r in runs(host, "outcome=dry")} == {"e1", "e2"}
    assert [r.path for r in receiver.wait(2)] == ["/wet", "/wet"]
    (host.rules_dir / "a.lua").write_text(workflow(receiver.url + "/dry", wf_trigger=trigger))
    host.call("POST", "/v1/reload")
    assert fired(host, 1) == 2, "the dry runs have left no mark"
    receiver.wait_until(lambda r: any(x.path == "/dry" for x in r))


# --- an operator's start and stop ---------------------------------------------------------------------

def shown(host, id):
    reply = host.call("GET", f"/v1/workflows/{id}")
    assert reply.status == 200, reply
    one = reply.json()
    return one["active"], one["started_by"]


def say(host, id, verb):
    reply = host.call("POST", f"/v1/workflows/{id}/{verb}")
    assert reply.status == 200, reply
    assert reply.json()["id"] == id
    return shown(host, id)


def test_an_operator_wins_over_the_file_until_it_is_cleared(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url), "b.lua": workflow(receiver.url, wf_active="false")})
    assert [shown(host, "a"), shown(host, "b")] == [(True, "file"), (False, "file")]
    assert fired(host, 1) == 1
    assert say(host, "a", "deactivate") == (False, "operator")
    assert say(host, "b", "activate") == (True, "operator")
    for id, words in (("a", "stopped by an operator"), ("b", "started by operator")):
        assert f"\n  {words}\n" in run("workflows", "show", id, "--data", host.data).stdout
    for again in (lambda: None, lambda: host.call("POST", "/v1/reload"), lambda: (host.kill9(), host.start())):
        again()
        assert [shown(host, "a"), shown(host, "b")] == [(False, "operator"), (True, "operator")]
        answer = host.accept(changed(1))[0]
        assert [host.delivery(id)["workflow"] for id in answer["deliveries"]] == ["b"]
    assert say(host, "a", "follow-file") == (True, "file")
    assert say(host, "b", "follow-file") == (False, "file")
    host.kill9()
    host.start()
    assert [shown(host, "a"), shown(host, "b")] == [(True, "file"), (False, "file")]
    assert fired(host, 1) == 1


def test_activate_makes_a_dry_workflow_send(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url, wf_active='"dry"')})
    assert say(host, "a", "activate") == (True, "operator")
    host.until_state(host.accept(changed(1))[0]["deliveries"][0], "delivered")
    assert say(host, "a", "follow-file") == ("dry", "file")


def test_what_is_not_there_is_told(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url)})
    for verb in ("activate", "deactivate", "follow-file", "reset?record=1"):
        assert host.call("POST", f"/v1/workflows/nobody/{verb}").status == 404
        assert host.call("GET", f"/v1/workflows/a/{verb}").status == 405
    assert host.call("POST", "/v1/workflows/a/explode").status == 404
    assert host.call("POST", "/v1/workflows/a/reset").status == 400


def test_reset_forgets_one_record(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url, wf_trigger='hook.once { "created", "updated" }'),
                  "b.lua": workflow(receiver.url, wf_cooldown='"1d"')})
    assert [fired(host, 1), fired(host, 2), fired(host, 1)] == [2, 2, 0]
    for id, marked in (("a", True), ("a", False), ("b", True)):
        reply = host.call("POST", f"/v1/workflows/{id}/reset?record=1")
        assert reply.status == 200 and reply.json() == {
            "workflow": id, "record": {"type": "deal", "id": 1}, "was_marked": marked}
    assert [fired(host, 2), fired(host, 1), fired(host, 1)] == [0, 2, 0]


# --- what a stopped workflow still owes -------------------------------------------------------------

def stop_by_operator(host, rules):
    say(host, "a", "deactivate")


def stop_by_file(host, rules):
    (host.rules_dir / "a.lua").write_text(rules("false"))
    host.call("POST", "/v1/reload")


def stop_by_removal(host, rules):
    (host.rules_dir / "a.lua").unlink()
    host.call("POST", "/v1/reload")


def start_again(host, rules):
    (host.rules_dir / "a.lua").write_text(rules("true"))
    host.call("POST", "/v1/reload")
    say(host, "a", "follow-file")


STOPS = [(stop_by_operator, "by an operator"), (stop_by_file, "active = false"), (stop_by_removal, "removed")]


@pytest.mark.parametrize("stop, words", STOPS)
def test_hold_keeps_what_is_owed_until_the_workflow_is_started_again(serve, receivers, stop, words):
    receiver = receivers(lambda request: 503 if request.path == "/a" and request.number < 3 else 200)

    def rules(active):
        return workflow(receiver.url + "/a", wf_when_stopped='"hold"', wf_active=active)
    host = serve({"a.lua": rules("true"), "b.lua": workflow(receiver.url + "/b")}, test_clock=True)
    a, b = sorted(host.accept(changed(1))[0]["deliveries"], key=lambda id: host.delivery(id)["workflow"])
    host.until_state(a, "retrying")
    host.until_state(b, "delivered")
    due = datetime.datetime.fromisoformat(host.delivery(a)["next_attempt_at"])
    stop(host, rules)
    one = host.until_state(a, "held")
    assert words in one["reason"] and one["next_attempt_at"] is None
    host.kill9()
    host.start()
    assert host.delivery(a)["state"] == "held"
    host.advance("3d")
    sent = len([r for r in receiver.requests if r.path == "/a"])
    start_again(host, rules)
    one = host.until_state(a, "retrying")
    moved = datetime.datetime.fromisoformat(one["next_attempt_at"]) - due
    assert one["reason"] is None and abs(moved.total_seconds() - 3 * 86400) < 60, "the time it was held is added"
    host.advance("1m")
    receiver.wait_until(lambda r: len([x for x in r if x.path == "/a"]) == sent + 1, "the held webhook")


@pytest.mark.parametrize("stop, words", STOPS)
def test_cancel_ends_what_is_owed(serve, receivers, stop, words):
    receiver = receivers(lambda request: 503)

    def rules(active):
        return workflow(receiver.url + "/a", wf_when_stopped='"cancel"', wf_active=active)
    host = serve({"a.lua": rules("true")}, test_clock=True)
    id = host.accept(changed(1))[0]["deliveries"][0]
    host.until_state(id, "retrying")
    stop(host, rules)
    one = host.until_state(id, "cancelled")
    assert words in one["reason"]
    start_again(host, rules)
    host.until_state(host.accept(changed(1))[0]["deliveries"][0], "retrying")
    assert host.delivery(id)["state"] == "cancelled"


@pytest.mark.parametrize("stop, words", STOPS)
def test_finish_goes_on(serve, receivers, stop, words):
    receiver = receivers(lambda request: 503 if request.number == 1 else 200)

    def rules(active):
        return workflow(receiver.url + "/a", wf_active=active)
    host = serve({"a.lua": rules("true")}, test_clock=True)
    id = host.accept(changed(1))[0]["deliveries"][0]
    host.until_state(id, "retrying")
    stop(host, rules)
    host.advance("1m")
    host.until_state(id, "delivered")


# --- replay --------------------------------------------------------------------------------------

BROKEN = '{ hook.webhook { method = "POST", url = "%s", encoding = "json", content = function(event) %s end } }'


def replay(host, id, query=""):
    reply = host.call("POST", f"/v1/events/{id}/replay{query}")
    assert reply.status == 202, reply
    return reply.json()["events"][0]


def rewrite(host, name, text):
    (host.rules_dir / name).write_text(text)
    assert host.call("POST", "/v1/reload").json()["errors"] == []


def test_replay_after_an_error_was_mended(serve, receiver):
    once = 'hook.once { "created", "updated" }'
    host = serve({"a.lua": workflow(receiver.url + "/a", wf_trigger=once,
                                    wf_actions=BROKEN % (receiver.url + "/a", "error('oh')")),
                  "b.lua": workflow(receiver.url + "/b")})
    first = host.accept(changed(1, event_id="e1"))[0]
    assert [(r["workflow"], r["outcome"]) for r in host.event("e1")["runs"]] == [("a", "error"), ("b", "sent")]
    rewrite(host, "a.lua", workflow(receiver.url + "/a", wf_trigger=once))
    again = replay(host, "e1", "?workflow=a")
    assert again["id"] == "e1" and again["duplicate"] is False and len(again["deliveries"]) == 1
    assert [(r["workflow"], r["outcome"], r["replay"]) for r in again["runs"]] == [("a", "sent", True)]
    host.until_state(again["deliveries"][0], "delivered")
    runs_now = host.event("e1")["runs"]
    assert [(r["workflow"], r["outcome"], r["replay"]) for r in runs_now] == [
        ("a", "error", False), ("b", "sent", False), ("a", "sent", True)]
    # The once-mark is taken now, and obeyed.
    none = replay(host, "e1", "?workflow=a")
    assert none["deliveries"] == [] and none["runs"] == [] and none["marked"] == ["a"]
    forced = replay(host, "e1", "?workflow=a&force=true")
    assert len(forced["deliveries"]) == 1 and forced["marked"] == []
    assert len(receiver.wait_until(lambda r: len([x for x in r if x.path == "/a"]) == 2)) >= 3
    # The same event posted again is answered as it was at first.
    host.kill9()
    host.start()
    assert host.event("e1")["runs"][2] == runs_now[2]
    event = host.event("e1")
    posted = host.accept({"id": "e1", "type": event["type"], "record": event["record"]})[0]
    assert posted["duplicate"] is True and posted["deliveries"] == first["deliveries"]


def test_replay_by_all_workflows_and_of_an_event_without_an_id(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url), "b.lua": workflow(receiver.url)})
    id = host.accept(changed(1))[0]["id"]
    again = replay(host, id)
    assert sorted(r["workflow"] for r in again["runs"]) == ["a", "b"] and len(again["deliveries"]) == 2
    assert len(host.event(id)["runs"]) == 4


def test_replay_sees_the_changes_that_a_comparison_found(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url, wf_when='hook.all { field "amount":increased() }')})
    host.accept(deal(1, amount=10))
    assert len(host.accept(deal(1, event_id="up", amount=20))[0]["deliveries"]) == 1
    host.accept(deal(1, event_id="down", amount=5))
    assert len(replay(host, "up")["deliveries"]) == 1, "judged against the state of then, not of now"
    assert replay(host, "down")["deliveries"] == []


def test_replay_that_cannot_be(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url), "off.lua": workflow(receiver.url, wf_active="false")})
    host.accept(changed(1, event_id="e/1"))
    for path, status in (("nobody/replay", 404), ("e%2F1/replay?workflow=nobody", 404),
                         ("e%2F1/replay?workflow=off", 409), ("e%2F1/replay?force=maybe", 400)):
        assert host.call("POST", f"/v1/events/{path}").status == status, path
    assert len(replay(host, "e%2F1", "?force=false")["deliveries"]) == 1


# --- suspension ----------------------------------------------------------------------------------

def test_five_stops_in_a_minute_suspend_one_workflow(serve, receiver):
    loop = workflow(receiver.url, wf_actions=BROKEN % (receiver.url, "while true do end"))
    host = serve({"a.lua": loop, "b.lua": workflow(receiver.url + "/b")}, test_clock=True)
    for number in range(5):
        host.advance("16s")
        host.accept(changed(1, event_id=f"slow{number}"))
    assert shown(host, "a") == (True, "file"), "five, but not within a minute"
    host.advance("1h")
    for number in range(5):
        host.accept(changed(1, event_id=f"e{number}"))
    host.kill9()
    host.start()
    one = host.call("GET", "/v1/workflows/a").json()
    assert one["active"] is False and one["started_by"] == "file"
    assert "5 times in a minute" in one["suspended"]["reason"] and one["suspended"]["at"]
    assert "suspended" in host.log()
    assert host.call("GET", "/readyz").json()["suspended"] == ["a"]
    assert len(host.accept(changed(1, event_id="e5"))[0]["deliveries"]) == 1, "the other goes on"
    run = next(r for r in host.event("e5")["runs"] if r["workflow"] == "a")
    assert run["outcome"] == "suppressed" and "5 times" in run["reason"] and run["deliveries"] == []
    assert [r["event"] for r in runs(host, "outcome=suppressed")] == ["e5"]
    assert host.call("POST", "/v1/events/e5/replay?workflow=a").status == 409
    host.call("POST", "/v1/reload")
    assert shown(host, "a") == (False, "file"), "the same text is no change"
    rewrite(host, "a.lua", workflow(receiver.url + "/a"))
    assert shown(host, "a") == (True, "file")
    assert host.call("GET", "/readyz").json()["suspended"] == []
    assert len(replay(host, "e5", "?workflow=a")["deliveries"]) == 1
    host.kill9()
    host.start()
    assert shown(host, "a") == (True, "file")


def test_activate_lifts_a_suspension(serve, receiver):
    loop = workflow(receiver.url, wf_actions=BROKEN % (receiver.url, "while event.record.slow do end return {}"))
    host = serve({"a.lua": loop})
    for _ in range(5):
        host.accept(changed(1, slow=True))
    assert shown(host, "a") == (False, "file")
    assert say(host, "a", "activate") == (True, "operator")
    assert host.call("GET", "/v1/workflows/a").json()["suspended"] is None
    assert fired(host, 1) == 1


# --- a large backlog, a crash ---------------------------------------------------------------------

def owe(host, many):
    for start in range(0, many, 5000):
        events = [deal(number, type="deal.created") for number in range(start, min(start + 5000, many))]
        assert host.ndjson(events).status == 202


def count(host, query):
    return len(host.deliveries(query))


def test_a_kill_between_the_steps_of_a_stop_leaves_nothing_behind(serve, receivers):
    receiver = receivers(lambda request: 503)
    host = serve({"a.lua": workflow(receiver.url, wf_when_stopped='"hold"'),
                  "b.lua": workflow(receiver.url)}, test_clock=True)
    owe(host, 6000)
    # The answer comes when the stop itself is stored; most of what is owed is held only then.
    say(host, "a", "deactivate")
    host.kill9()
    host.start()
    until(lambda: count(host, "&state=held") == 6000, "all that a owes is held")
    assert {d["workflow"] for d in host.deliveries("&state=held")} == {"a"}
    say(host, "a", "follow-file")
    host.kill9()
    host.start()
    until(lambda: count(host, "&state=held") == 0, "all of it is let go")
    assert count(host, "&workflow=a") == 6000


# --- the command line -------------------------------------------------------------------------------

def test_the_life_of_a_workflow_on_the_command_line(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url, wf_trigger='hook.once { "created", "updated" }')})
    host.accept(changed(7, event_id="e1"))

    def hookline(*words):
        done = run(*words, "--data", host.data)
        return done.returncode, done.stdout, done.stderr
    code, out, _ = hookline("workflows", "deactivate", "a")
    assert code == 0 and "stopped" in out and "operator" in out
    assert "stopped" in hookline("workflows")[1]
    assert hookline("events", "replay", "e1", "--workflow", "a")[0] == 1
    assert hookline("workflows", "activate", "a")[0] == 0
    assert '"started_by":"file"' in hookline("workflows", "follow-file", "a", "--json")[1]
    code, out, err = hookline("events", "replay", "e1")
    assert code == 0 and out == "" and "--force" in err
    code, out, _ = hookline("events", "replay", "e1", "--workflow", "a", "--force")
    assert code == 0 and "Run of a: sent" in out and "dlv_" in out
    code, out, _ = hookline("workflows", "reset", "a", "--record", "7")
    assert code == 0 and "may fire again" in out
    assert "Run of a: sent" in hookline("events", "replay", "e1")[1]
    for words in (["workflows", "reset", "a"], ["workflows", "activate"], ["workflows", "explode", "a"],
                  ["workflows", "list", "--record", "7"], ["events", "list", "--force"],
                  ["events", "replay", "e1", "--type", "deal"]):
        code, out, err = hookline(*words)
        assert code == 2 and out == "" and err, words
    assert hookline("workflows", "activate", "nobody")[0] == 1
