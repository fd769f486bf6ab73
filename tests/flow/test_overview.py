"""GET /v1/overview: what the host does and has done since its start, counted as it happens."""
import pytest
from support.rules import deal, workflow
from support.waiting import until


def overview(host):
    reply = host.call("GET", "/v1/overview")
    assert reply.status == 200, reply
    return reply.json()


@pytest.fixture
def host(serve, receivers):
    receiver = receivers(lambda r: 503 if r.path == "/bad" else 200)
    made = serve({"good.lua": workflow(receiver.url + "/good"), "bad.lua": workflow(receiver.url + "/bad")},
                 test_clock=True)
    made.target = receiver.url
    return made


def settled(host, **by_state):
    """The overview, once so many deliveries are in these states."""
    def look():
        seen = overview(host)
        states = seen["deliveries"]["by_state"]
        return seen if all(states[state] == count for state, count in by_state.items()) else None
    return until(look, f"deliveries {by_state}")


def test_of_a_host_that_did_nothing(serve):
    seen = overview(serve({}))
    assert seen["events"] == {"total": 0, "per_minute": [0] * 60}
    assert set(seen["deliveries"]["by_state"].values()) == {0} and len(seen["deliveries"]["by_state"]) == 8
    assert (seen["owed"], seen["oldest_owed_at"], seen["paused"]) == (0, None, False)
    assert seen["workflows"] == seen["targets"] == []
    assert seen["started_at"] <= seen["at"] and seen["version"] == "0.1.0"


def test_events_runs_and_deliveries(host):
    host.accept(*[deal(n, event_id=f"e{n}") for n in range(3)])
    host.accept(deal(0, event_id="e0"))  # a duplicate
    seen = settled(host, pending=0, delivered=3, retrying=3)
    assert seen["events"]["total"] == 3 and seen["events"]["per_minute"][-1] == 3
    assert seen["deliveries"]["delivered_per_minute"] == [0] * 59 + [3]
    assert seen["deliveries"]["failed_per_minute"] == [0] * 59 + [3]
    assert seen["owed"] == 3
    good, bad = sorted(seen["workflows"], key=lambda w: -w["delivered"])
    assert good == {"id": "good", "events": 3, "runs": 3, "delivered": 3, "failed": 0, "errors": 0}
    assert bad == {"id": "bad", "events": 3, "runs": 3, "delivered": 0, "failed": 3, "errors": 0}
    target, = seen["targets"]
    assert (target["target"], target["state"], target["delivered"], target["failed"]) == (
        host.target, "closed", 3, 3)
    assert 0 <= target["latency_ms"]["p50"] <= target["latency_ms"]["p99"]


def test_how_old_what_is_owed_is(host):
    host.accept(deal(1))
    settled(host, retrying=1, delivered=1)
    oldest = min(d["created_at"] for d in host.deliveries("&state=retrying"))
    until(lambda: overview(host)["oldest_owed_at"] == oldest, "the oldest that is owed")
    until(lambda: overview(host)["targets"][0]["owed"] == 1, "what the target is owed")


def test_what_a_target_is_owed_is_never_older_than_a_second(host):
    host.accept(deal(1))
    settled(host, retrying=1, delivered=1)
    host.stop()
    host.start()
    assert [t["owed"] for t in overview(host)["targets"]] == [1], "at the first look"
    host.advance("30s")
    id = host.deliveries("&state=retrying")[0]["id"]
    assert host.call("POST", f"/v1/deliveries/{id}/cancel").status == 200
    host.stop()
    host.start()
    assert overview(host)["owed"] == 0 and all(t["owed"] == 0 for t in overview(host)["targets"])


def test_a_paused_target_is_shown_as_such_after_a_restart(host):
    host.accept(deal(1))
    settled(host, retrying=1, delivered=1)
    name = host.target.replace(":", "%3A").replace("/", "%2F")
    assert host.call("POST", f"/v1/targets/{name}/pause").status == 200
    assert [t["state"] for t in overview(host)["targets"]] == ["paused"]
    host.stop()
    host.start()
    until(lambda: [(t["state"], t["owed"]) for t in overview(host)["targets"]] == [("paused", 1)], "it is paused")
    assert 'hookline_targets{state="paused"} 1' in host.call("GET", "/metrics").body.decode()


def test_minutes_pass(host):
    host.accept(deal(1))
    settled(host, pending=0)
    host.advance("3m")
    assert overview(host)["events"]["per_minute"][-4:] == [1, 0, 0, 0]
    host.advance("2h")
    assert sum(overview(host)["events"]["per_minute"]) == 0


def test_states_that_operators_make(host):
    """What is owed by state is kept, through every change and a restart, as the list has it."""
    host.accept(*[deal(n) for n in range(4)])
    settled(host, retrying=4, delivered=4)
    one, two = host.deliveries("&state=retrying")[:2]
    assert host.call("POST", f"/v1/deliveries/{one['id']}/cancel").status == 200
    assert settled(host, cancelled=1, retrying=3)["owed"] == 3
    assert host.call("POST", "/v1/targets/" + host.target.replace(":", "%3A").replace("/", "%2F")
                     + "/pause").status == 200
    assert settled(host, held=3, retrying=0)["owed"] == 3
    host.accept(deal(9))
    assert settled(host, held=5, pending=0)["owed"] == 5
    host.stop()
    host.start()
    seen = overview(host)
    states = seen["deliveries"]["by_state"]
    assert (states["held"], states["pending"], states["retrying"], states["cancelled"]) == (5, 0, 0, 0)
    assert host.call("POST", "/v1/targets/" + host.target.replace(":", "%3A").replace("/", "%2F")
                     + "/resume").status == 200
    seen = settled(host, held=0, pending=0, retrying=4)
    assert seen["owed"] == 4 == len(host.deliveries("&state=retrying"))


def test_a_rule_that_fails(serve):
    host = serve({"broken.lua": workflow("https://app.example.com/").replace(
        "actions", "when = function() error('no') end, actions", 1)})
    host.accept(deal(1))
    assert overview(host)["workflows"] == [
        {"id": "broken", "events": 1, "runs": 1, "delivered": 0, "failed": 0, "errors": 1}]


def test_more_workflows_than_are_named(serve, receiver):
    host = serve({f"w{n}.lua": workflow(receiver.url + "/") for n in range(60)})
    host.accept(deal(1))
    seen = settled(host, delivered=60)
    assert len(seen["workflows"]) == 51 and seen["workflows"][-1]["id"] == "other"
    assert sum(w["delivered"] for w in seen["workflows"]) == 60


def test_it_needs_a_token(host):
    assert host.call("GET", "/v1/overview", token=False).status == 401
