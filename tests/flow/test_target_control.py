"""Targets as an operator sees them: listed, paused and resumed; breaker, rate and ramp."""
import datetime
import urllib.parse

import pytest
from support.host import run
from support.receiver import PARK
from support.rules import deal, workflow
from support.waiting import until

REASON = "its target is paused by an operator"
HOUR_S = 3600


def path(receiver, verb=""):
    return "/v1/targets/" + urllib.parse.quote(receiver.url, safe="") + verb


def target(host, receiver):
    reply = host.call("GET", path(receiver))
    assert reply.status == 200, reply
    return reply.json()


def say(host, receiver, verb):
    reply = host.call("POST", path(receiver, "/" + verb))
    assert reply.status == 200, reply
    return reply.json()


def states(host):
    return [d["state"] for d in host.deliveries()]


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def ids(answers):
    return [e["deliveries"][0] for e in answers]


# --- listed ------------------------------------------------------------------------------------------

def test_targets_are_listed(serve, receivers):
    busy, idle = receivers(lambda request: PARK), receivers()
    config = f'return {{ targets = {{ ["{busy.url}"] = {{ rate = "600/m" }} }} }}'
    host = serve({"a.lua": workflow(busy.url), "b.lua": workflow(idle.url)}, config=config)
    host.accept(deal(1))
    busy.wait_until(lambda seen: busy.parked, "a request")
    idle.wait(1)
    until(lambda: target(host, idle)["owed"] == 0, "one is delivered")
    assert target(host, busy) == {"target": busy.url, "state": "closed", "in_flight": 1, "owed": 1, "rate": "10/s",
                                  "last_error": None, "failing_since": None}
    assert target(host, idle)["rate"] is None
    first = host.call("GET", "/v1/targets?limit=1").json()
    second = host.call("GET", f"/v1/targets?limit=1&cursor={first['next']}").json()
    assert {first["targets"][0]["target"], second["targets"][0]["target"]} == {busy.url, idle.url}
    assert second["next"] is None
    assert [t["target"] for t in host.call("GET", f"/v1/targets?target={idle.url}").json()["targets"]] == [idle.url]
    for wrong in ("https%3A%2F%2Fnobody.example.com", "nobody", "http%3A%2F%2F127.0.0.1%2Fpath", "%00"):
        assert host.call("GET", f"/v1/targets/{wrong}").status == 404
        assert host.call("POST", f"/v1/targets/{wrong}/pause").status == 404
    busy.release()


# --- paused --------------------------------------------------------------------------------------------

def test_a_paused_target_gets_nothing_until_it_is_resumed(serve, receivers):
    paused, other = receivers(), receivers()
    host = serve({"a.lua": workflow(paused.url), "b.lua": workflow(other.url)})
    host.accept(deal(1))
    paused.wait(1)
    assert say(host, paused, "pause")["state"] == "paused"
    assert host.ndjson([deal(n) for n in range(2, 2503)]).status == 202
    other.wait(2502)
    held = host.deliveries("&workflow=a&state=held")
    assert len(held) == 2501 and {d["reason"] for d in held} == {REASON} and {d["next_attempt_at"] for d in held} == {None}
    assert target(host, paused)["owed"] == 2501
    host.kill9()
    host.start()
    assert target(host, paused)["state"] == "paused"
    told = host.call("GET", "/v1/audit?limit=1").json()["audit"][0]
    assert (told["act"], told["subject"], told["before"], told["after"]) == ("target.pause", paused.url, "not paused", "paused")
    host.accept(deal(3000))
    other.wait(2503)
    assert len(paused.requests) == 1
    refused = host.call("POST", f"/v1/deliveries/{host.deliveries('&workflow=a&state=delivered')[0]['id']}/resend")
    assert refused.status == 409 and "resume" in refused.json()["detail"]
    assert say(host, paused, "resume")["state"] == "closed"
    paused.wait(2503)
    until(lambda: target(host, paused)["owed"] == 0, "all is delivered")
    assert len({r.id for r in paused.requests}) == 2503


def test_what_is_owed_already_is_held_and_let_go(serve, receivers):
    slow = receivers(lambda request: PARK)
    host = serve({"a.lua": workflow(slow.url)})
    assert host.ndjson([deal(n) for n in range(1500)]).status == 202
    slow.wait_until(lambda seen: len(slow.parked) == 2, "what it may have in flight")
    say(host, slow, "pause")
    until(lambda: states(host).count("held") == 1500, "all is held, what is under way too")
    slow.release()
    until(lambda: states(host).count("delivered") == 2, "what was under way ends")
    assert len(slow.requests) == 2
    say(host, slow, "resume")
    say(host, slow, "pause")  # before all is let go
    say(host, slow, "resume")
    slow.script = lambda request: 200
    until(lambda: not slow.release() and states(host).count("delivered") == 1500, "all is delivered")
    assert len(slow.requests) == 1500


def test_the_time_of_a_pause_counts_for_no_window(serve, receivers):
    failing = receivers(lambda request: 500)
    host = serve({"a.lua": workflow(failing.url)}, test_clock=True)
    id = ids(host.accept(deal(1)))[0]
    before = host.until_state(id, "retrying")
    say(host, failing, "pause")
    held = host.until_state(id, "held")
    assert held["reason"] == REASON
    host.advance("72h")
    host.kill9()
    host.start()
    say(host, failing, "resume")
    after = host.until_state(id, "retrying")
    moved = seconds(after["next_attempt_at"]) - seconds(before["next_attempt_at"])
    assert abs(moved - (seconds(host.now()) - seconds(before["attempts"][0]["at"]))) < 5
    host.advance("17s")
    assert until(lambda: len((d := host.delivery(id))["attempts"]) == 2 and d, "the next attempt")["state"] == "retrying"


def test_a_stop_and_a_pause_together(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url, wf_when_stopped='"hold"'), "b.lua": workflow(receiver.url)})
    host.accept(deal(1))
    receiver.wait(2)
    say(host, receiver, "pause")
    host.accept(deal(2))
    assert host.call("POST", "/v1/workflows/a/deactivate").status == 200
    say(host, receiver, "resume")
    receiver.wait(3)
    stopped = until(lambda: [d for d in host.deliveries("&workflow=a&state=held") if d["reason"] != REASON],
                    "the stop holds what the pause held")
    say(host, receiver, "pause")
    assert host.call("POST", "/v1/workflows/a/activate").status == 200
    until(lambda: host.delivery(stopped[0]["id"])["reason"] == REASON, "the pause holds what the stop held")
    assert len(receiver.requests) == 3
    say(host, receiver, "resume")
    receiver.wait(4)
    host.until_state(stopped[0]["id"], "delivered")


def test_targets_on_the_command_line(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url)})
    host.accept(deal(1))
    receiver.wait(1)

    def hookline(*words):
        done = run("targets", *words, "--data", host.data)
        return done.returncode, done.stdout, done.stderr
    code, out, _ = hookline()
    assert code == 0 and receiver.url in out and "closed" in out
    assert hookline("pause", receiver.url)[0] == 0
    assert "paused" in hookline("show", receiver.url)[1]
    assert '"state":"paused"' in hookline("--json")[1].replace(" ", "")
    code, out, _ = hookline("resume", receiver.url)
    assert code == 0 and "closed" in out
    assert hookline("pause", "https://nobody.example.com")[0] == 1
    assert hookline("pause")[0] == 2


# --- the breaker ---------------------------------------------------------------------------------------

@pytest.fixture
def down(receivers):
    return receivers(lambda request: 503)


def test_a_target_that_is_down_is_left_alone(serve, down):
    host = serve({"a.lua": workflow(down.url)}, test_clock=True)
    assert host.ndjson([deal(n) for n in range(300)]).status == 202
    shown = until(lambda: (t := target(host, down))["state"] == "open" and t["in_flight"] == 0 and t, "it is open")
    until(lambda: states(host).count("retrying") == len(down.requests), "the outcomes are stored")
    assert shown["owed"] == 300 and shown["last_error"] == "status 503"
    tried = len(down.requests)
    assert tried in (10, 11)  # two are in flight at once
    pending = host.deliveries("&state=pending")
    assert len(pending) == 300 - tried
    assert {round(seconds(d["next_attempt_at"]) - seconds(host.now())) for d in pending} == {5}
    for open_s in (5, 10, 20, 40, 60, 60):
        host.advance(f"{open_s * 1000 - 100}ms")
        assert len(down.requests) == tried
        host.advance("100ms")
        tried += 1
        down.wait(tried)
        until(lambda: target(host, down) == shown, "the probe has failed")
        assert len(down.requests) == tried
    down.script = lambda request: 200
    host.advance("60s")
    until(lambda: host.advance("1m") and set(states(host)) == {"delivered"}, "all is delivered")
    assert target(host, down)["state"] == "closed" and target(host, down)["last_error"] is None
    assert all(len(host.delivery(d["id"])["attempts"]) <= 3 for d in pending[:20])


def test_a_backlog_comes_back_at_a_ramp(serve, receivers):
    down = receivers(lambda request: 503)
    host = serve({"a.lua": workflow(down.url)}, test_clock=True)
    assert host.ndjson([deal(n) for n in range(400)]).status == 202
    until(lambda: target(host, down)["state"] == "open" and target(host, down)["in_flight"] == 0, "it is open")
    down.script = lambda request: PARK
    before = len(down.requests)
    host.advance("5s")
    most, answered = 1, 0
    while answered < 200:
        down.wait_until(lambda seen: down.parked, "a request")
        now = down.release()
        # One more in flight for each round of successes: n of them need about n * n / 2.
        assert now <= 2 + (2 * answered) ** 0.5 + 1, (now, answered)
        most, answered = max(most, now), answered + now
    assert most > 4 and len(down.requests) - before >= 200
    down.script = lambda request: 200
    until(lambda: not down.release() and host.advance("1m") and set(states(host)) == {"delivered"}, "all is delivered")


def test_a_breaker_moves_no_end(serve, down):
    host = serve({"a.lua": workflow(down.url, retry='hook.retry { { "1m", "10m" } }')}, test_clock=True)
    assert host.ndjson([deal(n) for n in range(300)]).status == 202
    until(lambda: target(host, down)["state"] == "open" and target(host, down)["in_flight"] == 0, "it is open")
    start = seconds(host.now())
    while seconds(host.now()) < start + 9 * 60:
        host.advance("30s")
    assert "terminated" not in states(host)
    until(lambda: host.advance("1m") and set(states(host)) == {"terminated"}, "all has ended")
    assert seconds(host.now()) < start + 20 * 60
    untried = [d for d in map(lambda d: host.delivery(d["id"]), host.deliveries()[:50]) if not d["attempts"]]
    assert untried and all("down" in d["reason"] for d in untried)
    assert target(host, down)["owed"] == 0


# --- the rate ------------------------------------------------------------------------------------------

def test_short_windows_behind_long_ones_end_in_time(serve, receivers):
    is_up = [False]
    receiver = receivers(lambda request: 200 if is_up[0] else 503)
    host = serve({"long.lua": workflow(receiver.url, wf_record='"lead"', wf_retry='hook.retry { { "50h" } }'),
                  "short.lua": workflow(receiver.url, wf_retry='hook.retry { { "1h" } }')}, test_clock=True)

    def is_open():
        return host.call("GET", "/v1/targets").json()["targets"][0]["state"] == "open"
    host.accept(*[deal(n, type="lead.created") for n in range(12)])
    until(is_open, "the breaker")
    host.accept(*[deal(n, type="lead.created") for n in range(100)])
    near = [e["deliveries"][0] for e in host.accept(*[deal(n) for n in range(5)])]
    host.accept(*[deal(n, type="lead.created") for n in range(100, 300)])
    far = [e["deliveries"][0] for e in host.accept(*[deal(n) for n in range(5, 10)])]
    host.advance("59m")
    assert {host.delivery(id)["state"] for id in near + far} == {"pending"}
    host.advance("2m")
    for id in near:
        assert host.until_state(id, "terminated")["attempts"] == [], "it is not the first of those that wait"
    is_up[0] = True
    host.advance("2m")
    until(lambda: not is_open(), "the target is back")
    until(lambda: host.deliveries("&workflow=long&state=pending") == [], "what it was owed")
    for id in far:
        shown = host.until_state(id, "terminated")
        assert shown["attempts"] == [] and "no more got through" in shown["reason"], "its end came while the breaker was open"


def test_what_is_not_even_in_memory_ends_in_time(serve, down):
    """More with long windows go before them than the host reads of one target at once, and more end than that."""
    host = serve({"long.lua": workflow(down.url, wf_record='"lead"', wf_retry='hook.retry { { "50h" } }'),
                  "default.lua": workflow(down.url, wf_record='"task"'),
                  "short.lua": workflow(down.url, wf_retry='hook.retry { { "1h" } }')}, test_clock=True)
    host.ndjson([deal(n, type="lead.created") for n in range(300)])
    until(lambda: target(host, down)["state"] == "open" and target(host, down)["in_flight"] == 0, "it is open")
    assert host.ndjson([deal(n) for n in range(300)]).status == 202
    assert host.ndjson([deal(n, type="task.created") for n in range(20)]).status == 202
    start = seconds(host.now())
    host.advance("59m")
    assert host.deliveries("&state=terminated") == []

    def ended(workflow):
        host.advance("10s")
        shown = host.deliveries(f"&workflow={workflow}")
        return {d["state"] for d in shown} == {"terminated"}
    until(lambda: ended("short"), "the short ones have ended")
    assert seconds(host.now()) < start + 62 * 60, "at the breaker's next look, or the one behind it"
    assert {d["workflow"] for d in host.deliveries("&state=terminated")} == {"short"}
    for _ in range(47):
        host.advance("1h")
    assert {d["workflow"] for d in host.deliveries("&state=terminated")} == {"short"}
    until(lambda: ended("default"), "and those by the default windows")
    assert seconds(host.now()) < start + 49 * 3600 + 240
    assert "terminated" not in {d["state"] for d in host.deliveries("&workflow=long")}


def test_why_a_target_fails_is_known_after_a_restart(serve, down):
    host = serve({"a.lua": workflow(down.url)}, test_clock=True)
    host.accept(deal(1))
    until(lambda: states(host) == ["retrying"], "the first attempt")
    first = host.delivery(host.deliveries()[0]["id"])["attempts"][0]["at"]
    down.script = lambda request: 500
    until(lambda: host.advance("1m") and target(host, down)["last_error"] == "status 500", "the second attempt")
    host.stop()
    host.start()
    assert target(host, down)["last_error"] == "status 500" and target(host, down)["failing_since"] == first
    said = run("targets", "show", down.url, "--data", host.data).stdout
    assert f"failing since {first}" in said, said
    down.script = lambda request: 200
    until(lambda: host.advance("1m") and states(host) == ["delivered"], "the third")
    host.stop()
    host.start()
    assert target(host, down)["last_error"] is None is target(host, down)["failing_since"]
    down.script = lambda request: 503
    host.accept(deal(2))
    assert until(lambda: target(host, down)["failing_since"], "another time") > first


def test_a_secret_that_is_missing_says_nothing_of_the_target(serve, receivers):
    receiver = receivers(lambda request: 503)
    host = serve({"w.lua": workflow(receiver.url),
                  "none.lua": workflow(receiver.url, wf_record='"lead"', auth='hook.bearer(hook.secret "NONE")')})
    host.accept(*[deal(n) for n in range(9)])
    until(lambda: len(host.deliveries("&state=retrying")) == 9, "nine failures")
    (id,) = host.accept(deal(1, type="lead.created"))[0]["deliveries"]
    assert host.until_state(id, "retrying")["attempts"][0]["error"] == "secret_missing"
    assert target(host, receiver)["last_error"] == "status 503"
    host.accept(deal(9))
    until(lambda: target(host, receiver)["state"] == "open", "ten in a row")


def test_a_rate_is_kept(serve, receiver):
    config = f'return {{ targets = {{ ["{receiver.url}"] = {{ rate = "2/s" }} }} }}'
    host = serve({"a.lua": workflow(receiver.url)}, config=config, test_clock=True)
    assert host.ndjson([deal(n) for n in range(20)]).status == 202
    receiver.wait(1)
    for sent in range(1, 20):
        until(lambda: states(host).count("delivered") == sent, f"{sent} are delivered")
        host.advance("480ms")
        assert len(receiver.requests) == sent
        host.advance("20ms")
        receiver.wait(sent + 1)
    until(lambda: states(host).count("delivered") == 20, "all is delivered")


def test_a_configuration_of_targets_that_is_wrong(folder):
    for keys, words in (('rate = "fast"', "20/s"), ('rate = "0/s"', "20/s"), ("rate = 20", "20/s"), ('key = "k.pem"', "without cert"),
                        ('proxy = "http://u:p@p.example.com"', "hook.secret")):
        (folder / "hookline.conf.lua").write_text(f'return {{ targets = {{ ["https://a.example.com"] = {{ {keys} }} }} }}')
        done = run("check", cwd=folder)
        assert done.returncode == 1 and words in done.stderr + done.stdout, (keys, done)
