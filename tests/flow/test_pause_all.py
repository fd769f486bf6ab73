"""Everything paused, drained and resumed by an operator."""
import datetime
import subprocess
import urllib.parse

import pytest
from support.host import BINARY, run
from support.receiver import PARK
from support.rules import deal, workflow
from support.waiting import until

RETRY = 'hook.retry { { "1m", "10m" } }'


def say(host, verb, status=200):
    reply = host.call("POST", f"/v1/{verb}")
    assert reply.status == status, reply
    return reply.json()


def status(host):
    return host.call("GET", "/v1/status").json()


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def hookline(host, *words):
    done = run(*words, "--data", host.data)
    return done.returncode, done.stdout, done.stderr


def drains(host):
    return [a for a in host.call("GET", "/v1/audit").json()["audit"] if a["act"] == "drain"]


def states(host):
    return sorted({d["state"] for d in host.deliveries()})


# --- paused --------------------------------------------------------------------------------------------

def test_nothing_is_sent_while_everything_is_paused(serve, receivers):
    one, other = receivers(), receivers()
    host = serve({"a.lua": workflow(one.url), "b.lua": workflow(other.url)}, test_clock=True)
    host.accept(deal(1))
    one.wait(1), other.wait(1)
    until(lambda: states(host) == ["delivered"], "both are delivered")
    shown = say(host, "pause")
    assert shown["status"] == "paused" and shown["paused"]["by"] == "admin" and shown["draining"] is None
    assert host.ndjson([deal(n) for n in range(2, 502)]).status == 202
    reason = f"everything is paused by admin since {shown['paused']['since']}"
    held = host.deliveries("&state=held")
    assert len(held) == 1000 and {(d["reason"], d["next_attempt_at"]) for d in held} == {(reason, None)}
    assert host.deliveries("&state=pending") == []
    assert host.delivery(held[0]["id"])["state"] == "held"
    ready = host.call("GET", "/readyz", token=False)
    assert ready.status == 200 and ready.json()["paused"] == reason
    assert {t["state"] for t in host.call("GET", "/v1/targets").json()["targets"]} == {"paused"}
    host.kill9()
    host.start()
    host.advance("1h")
    assert status(host)["paused"] == shown["paused"], "it outlives a crash"
    assert status(host)["owed"] == 1000 and status(host)["in_flight"] == 0
    assert "everything is paused by admin" in host.log()
    host.accept(deal(600))
    done = host.deliveries("&state=delivered")[0]["id"]
    refused = host.call("POST", f"/v1/deliveries/{done}/resend")
    assert refused.status == 409 and "resume" in refused.json()["detail"]
    assert host.call("POST", f"/v1/deliveries/{held[0]['id']}/cancel").json()["state"] == "cancelled"
    assert len(one.requests) == len(other.requests) == 1
    assert say(host, "resume")["status"] == "running"
    until(lambda: status(host)["owed"] == 0, "all is delivered")
    assert len(one.requests) + len(other.requests) == 2 + 1000 + 2 - 1
    assert len({r.id for r in one.requests}) == len(one.requests)
    acts = [(a["act"], a["before"], a["after"]) for a in host.call("GET", "/v1/audit").json()["audit"]]
    assert acts == [("resume", "paused", "running"), ("delivery.cancel", "pending", "cancelled"), ("pause", "running", "paused")]


def test_what_is_under_way_ends_and_what_waits_stays(serve, receivers):
    slow = receivers(lambda request: PARK)
    host = serve({"a.lua": workflow(slow.url)})
    assert host.ndjson([deal(n) for n in range(100)]).status == 202
    slow.wait_until(lambda seen: len(slow.parked) == 2, "what it may have in flight")
    assert say(host, "pause")["in_flight"] == 2
    assert len(host.deliveries("&state=held")) == 100
    slow.release()
    until(lambda: len(host.deliveries("&state=delivered")) == 2, "what was under way ends")
    assert status(host)["in_flight"] == 0 and len(slow.requests) == 2
    slow.script = lambda request: 200
    say(host, "resume"), say(host, "pause"), say(host, "resume")
    until(lambda: status(host)["owed"] == 0, "all is delivered")
    assert len(slow.requests) == 100


def test_the_time_of_the_pause_counts_for_no_window(serve, receivers):
    is_over = False
    failing = receivers(lambda request: 410 if is_over and request.json()["name"] == "first" else 500)
    host = serve({"a.lua": workflow(failing.url, retry=RETRY), "b.lua": workflow(failing.url, retry=RETRY, order='"record"')},
                 test_clock=True)
    first = host.accept(deal(1, name="first"))[0]["deliveries"]
    failing.wait(2)
    second = host.accept(deal(1, name="second"))[0]["deliveries"]  # of b it waits for the first
    until(lambda: len(host.deliveries("&state=retrying")) == 3, "the three have failed")
    (waiting,) = [d["id"] for d in host.deliveries("&state=held")]
    before = {d["id"]: d for d in host.deliveries("&state=retrying")}
    start = seconds(host.now())
    say(host, "pause")
    assert host.delivery(waiting)["reason"].endswith("goes first"), "what holds it is told"
    host.kill9()
    host.start()
    host.advance("72h")
    say(host, "resume")
    after = {d["id"]: d for d in host.deliveries("&state=retrying")}
    moved = seconds(host.now()) - start
    assert after.keys() == before.keys()
    for id, d in after.items():
        assert abs(seconds(d["next_attempt_at"]) - seconds(before[id]["next_attempt_at"]) - moved) < 5
    assert len(failing.requests) == 3
    is_over = True
    until(lambda: host.advance("1m") and states(host) == ["terminated"], "all has ended")
    made = [len(host.delivery(id)["attempts"]) for id in first + second]
    assert made[:3] == [2, 2, 3] and made[3] in (2, 3), "410 ends the first two; the one that waited has not lost its end"


@pytest.mark.parametrize("what", ["target", "workflow"])
def test_two_pauses_at_once_take_the_time_off_once(serve, receivers, what):
    failing = receivers(lambda request: 500)
    host = serve({"a.lua": workflow(failing.url, retry=RETRY, wf_when_stopped='"hold"')}, test_clock=True)
    target = "targets/" + urllib.parse.quote(failing.url, safe="")
    stop, go = {"target": (f"{target}/pause", f"{target}/resume"), "workflow": ("workflows/a/deactivate", "workflows/a/activate")}[what]
    (id,) = host.accept(deal(1))[0]["deliveries"]
    before = host.until_state(id, "retrying")
    for acts in (("pause", stop, go, "resume"), ("pause", stop, "resume", go), (stop, "pause", go, "resume"), (stop, "pause", "resume", go)):
        start = seconds(host.now())
        for n, act in enumerate(acts):
            host.advance("1h" if n else "0s")
            say(host, act)
            if act == stop and acts[0] == stop:
                host.until_state(id, "held")
        after = host.until_state(id, "retrying")
        moved = seconds(after["next_attempt_at"]) - seconds(before["next_attempt_at"])
        assert abs(moved - (seconds(host.now()) - start)) < 2, (acts, moved)
        before = after
    assert len(failing.requests) == 1


def test_schedules_go_on_and_delays_stand_still(serve, receiver):
    rules = {"daily.lua": workflow(receiver.url + "/daily", wf_trigger='hook.daily { at = "09:00" }'),
             "later.lua": workflow(receiver.url + "/later", wf_delay='"10m"', wf_recheck="true",
                                   wf_when='field "amount":at_least(1)')}
    host = serve(rules, test_clock=True)
    host.accept(deal(1))
    say(host, "pause")
    for _ in range(25):
        host.advance("1h")
    until(lambda: len(host.deliveries("&state=held")) >= 2, "the schedule has run")
    assert receiver.requests == []
    host.accept(deal(1, amount=0))
    say(host, "resume")
    until(lambda: status(host)["owed"] == 1, "the schedule's webhook")
    host.advance("10m")
    until(lambda: status(host)["owed"] == 0, "all has ended")
    ended = {d["workflow"]: d["state"] for d in host.deliveries()}
    assert ended == {"daily": "delivered", "later": "cancelled"}, "the second look is at the record as it is then"


# --- drained -------------------------------------------------------------------------------------------

def test_a_drain_sends_what_is_due_and_takes_nothing_new(serve, receivers):
    slow, down = receivers(lambda request: PARK), receivers(lambda request: 503)
    rules = {"a.lua": workflow(slow.url), "b.lua": workflow(down.url),
             "daily.lua": workflow(slow.url, wf_trigger='hook.daily { at = "09:00" }', wf_active="false")}
    host = serve(rules, test_clock=True)
    assert host.ndjson([deal(n) for n in range(30)]).status == 202
    slow.wait(2)
    until(lambda: len(down.requests) >= 10 and len(host.deliveries("&state=retrying")) == len(down.requests), "one is down")
    drain = subprocess.Popen([BINARY, "drain", "--data", host.data], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    shown = until(lambda: (s := status(host))["draining"] and s, "it is drained")
    assert shown["status"] == "draining" and shown["draining"]["by"] == "admin" and not shown["drained"]
    refused = host.post(deal(99))
    assert refused.status == 503 and "retry-after" in refused.headers and "drained" in refused.json()["detail"]
    assert host.call("POST", "/v1/records", deal(99)).status == 503
    ready = host.call("GET", "/readyz", token=False)
    assert ready.status == 503 and ready.json()["draining"] is True
    assert drain.poll() is None
    slow.script = lambda request: 200
    slow.release()
    out, err = drain.communicate(timeout=60)
    assert drain.returncode == 0, err
    assert "Drained" in out and "30 still owed" in out and "the next attempt is due at 20" in out
    assert len(slow.requests) == 30 and status(host)["drained"] is True
    assert host.call("POST", "/v1/workflows/daily/activate").status == 200
    host.advance("25h")
    assert host.deliveries("&workflow=daily") == [], "a time that comes meanwhile waits"
    code, out, _ = hookline(host, "resume")
    assert code == 0 and out.startswith("running")
    until(lambda: host.deliveries("&workflow=daily"), "and runs behind the resume")
    host.accept(deal(100))
    acts = [(a["act"], a["before"], a["after"]) for a in host.call("GET", "/v1/audit").json()["audit"]]
    assert ("resume", "draining", "running") in acts and ("drain", "running", "draining") in acts


def test_a_drain_that_does_not_end(serve, receivers):
    slow = receivers(lambda request: PARK)
    host = serve({"a.lua": workflow(slow.url)})
    host.accept(deal(1))
    slow.wait(1)
    code, out, err = hookline(host, "drain", "--timeout", "300ms")
    assert code == 1 and out == "" and "not drained after 300ms: 1 in flight, 1 owed" in err
    say(host, "resume")
    for n, (end, words) in enumerate((("pause", "paused meanwhile"), ("resume", "ended meanwhile"), ("restart", "")), 2):
        drain = subprocess.Popen([BINARY, "drain", "--data", host.data], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until(lambda: status(host)["draining"] and len(drains(host)) == n, "it is drained")
        if end == "restart":
            host.kill9()
        else:
            say(host, end)
        _, err = drain.communicate(timeout=60)
        assert drain.returncode == 1 and words in err, (end, err)
        if end != "restart":
            say(host, "resume")
    slow.script = lambda request: 200
    host.start()
    assert status(host)["status"] == "running", "a drain is over with the process"
    host.accept(deal(2))
    until(lambda: status(host)["owed"] == 0, "what was in flight is sent again")
    say(host, "pause")
    code, _, err = hookline(host, "drain")
    assert code == 1 and "resume first" in err
    assert hookline(host, "drain", "--timeout", "soon")[0] == 2


def test_on_the_command_line(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url)})
    assert hookline(host, "status")[1].splitlines()[0] == "running"
    code, out, _ = hookline(host, "pause")
    assert code == 0 and out.startswith("paused\n  paused by admin since 20")
    host.accept(deal(1))
    shown = hookline(host, "status")[1].splitlines()
    assert [line.split() for line in shown[2:]] == [["in", "flight", "0"], ["owed", "1"]]
    assert '"status":"paused"' in hookline(host, "status", "--json")[1].replace(" ", "")
    assert "held" in hookline(host, "deliveries")[1]
    assert hookline(host, "resume")[1].startswith("running")
    receiver.wait(1)
