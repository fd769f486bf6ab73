"""GET /v1/live: what happens, as it happens, for those who watch."""
import socket

import pytest
from support.live import Live
from support.rules import deal, workflow
from support.waiting import until


@pytest.fixture
def host(serve, receivers):
    receiver = receivers(lambda r: 503 if r.path == "/bad" else 200)
    made = serve({"good.lua": workflow(receiver.url + "/good"), "bad.lua": workflow(receiver.url + "/bad")},
                 test_clock=True)
    made.receiver = receiver
    return made


@pytest.fixture
def watch(host):
    streams = []

    def open_one(query="", **options):
        streams.append(Live(host, query, **options))
        return streams[-1]
    yield open_one
    if host.is_running():  # its receivers go before it does
        until(lambda: not host.deliveries("&state=pending"), "all first attempts")
    for stream in streams:
        stream.close()


def listed(delivery):
    return {k: v for k, v in delivery.items() if k != "attempt"}


def test_an_event_its_runs_and_its_deliveries(host, watch):
    live = watch("?topics=events,runs,deliveries")
    host.accept(deal(7, event_id="e7"))
    event = live.next("event")
    assert event == {"id": "e7", "type": "deal.updated", "record": {"type": "deal", "id": 7},
                     "received_at": host.call("GET", "/v1/events").json()["events"][0]["received_at"]}
    seen = [live.message() for _ in range(6)]
    runs = {d["workflow"]: d for e, d in seen if e == "run"}
    assert runs == {r["workflow"]: r for r in host.call("GET", "/v1/runs").json()["runs"]}
    deliveries = [d for e, d in seen if e == "delivery"]
    assert sorted((d["workflow"], d["state"]) for d in deliveries) == [
        ("bad", "pending"), ("bad", "retrying"), ("good", "delivered"), ("good", "pending")]
    ended = {d["workflow"]: d for d in deliveries if d.get("attempt")}
    assert {w: listed(d) for w, d in ended.items()} == {d["workflow"]: d for d in host.deliveries()}
    assert ended["bad"]["attempt"]["number"] == 1 and ended["bad"]["attempt"]["status"] == 503
    assert ended["good"]["attempt"]["status"] == 200 and ended["good"]["attempt"]["error"] is None
    pending = next(d for d in deliveries if d["state"] == "pending")
    assert set(pending) == set(listed(ended["good"])) and pending["type"] == "deal.updated"


def test_the_topics_that_are_asked_for(host, watch):
    runs, events = watch("?topics=runs"), watch("?topics=events")
    host.accept(deal(1, event_id="e1"))
    host.accept(deal(2, event_id="e2"))
    assert [runs.message()[0] for _ in range(4)] == ["run"] * 4
    assert [events.message()[1]["id"] for _ in range(2)] == ["e1", "e2"]
    for query in ("?topics=", "?topics=lost", "?topics=runs,", "?topics=runs,lost"):
        refused = watch(query)
        assert refused.status == 400 and b"deliveries,runs,events,overview" in refused.response.read()
    assert host.call("HEAD", "/v1/live").status == 200


def test_the_overview_at_once_and_once_a_second(host, watch):
    live = watch("?topics=overview")
    first = live.next("overview")
    assert set(first) == set(host.call("GET", "/v1/overview").json()) and first["events"]["total"] == 0
    host.accept(deal(1))
    until(lambda: live.next("overview")["events"]["total"] == 1, "the next one", 5)
    assert "overview" not in {watch("?topics=runs,events,deliveries").message()[0] for _ in [host.accept(deal(2))]}


def test_a_stream_needs_a_token(host, watch):
    assert watch(token="wrong").status == 401
    assert host.call("GET", "/v1/live", token=False).status == 401


def test_what_an_operator_does_is_seen(host, watch):
    answer = host.accept(deal(3))[0]
    bad = until(lambda: host.deliveries("&state=retrying"), "the first failure")[0]
    live = watch("?topics=deliveries")
    assert host.call("POST", f"/v1/deliveries/{bad['id']}/cancel").status == 200
    assert live.next("delivery", id=bad["id"])["state"] == "cancelled"
    assert bad["id"] in answer["deliveries"]


def test_a_replay_is_seen_as_a_run(host, watch):
    host.accept(deal(3, event_id="e3"))
    live = watch("?topics=events,runs")
    assert host.call("POST", "/v1/events/e3/replay").status == 202
    event, run = live.message()
    assert event == "run" and run["replay"] and run["event"] == "e3" and run["type"] == "deal.updated"


def test_more_than_a_client_may_have_is_sampled(host, watch):
    """A hundred messages a second at most; what is left out is counted, and no message is counted twice."""
    live = watch("?topics=events")
    total = 2000
    host.ndjson([deal(n) for n in range(total)])
    seen, skipped = 0, 0
    while seen + skipped < total:
        event, data = live.message()
        seen += event == "event"
        skipped += data["count"] if event == "skipped" else 0
    assert seen + skipped == total and 100 <= seen < 1000


def test_a_client_that_does_not_read_holds_up_nobody(host, watch):
    slow = socket.create_connection(("127.0.0.1", host.port))
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.sendall(f"GET /v1/live HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {host.token}\r\n\r\n".encode())
    live = watch("?topics=events")
    for n in range(20):
        host.ndjson([deal(100 * n + i) for i in range(100)])
    host.accept(deal(5, event_id="last"))
    until(lambda: host.call("GET", "/v1/events?limit=1").json()["events"][0]["id"] == "last", "the last event")
    assert live.next("event")
    slow.close()


def test_streams_are_bounded(host, watch):
    streams = [watch("?topics=runs") for _ in range(64)]
    assert all(s.status == 200 for s in streams)
    assert watch("?topics=runs").status == 503
    streams[0].close()
    until(lambda: watch("?topics=runs").status == 200, "room for another")
    host.accept(deal(1))
    assert streams[1].next("run") and streams[63].next("run")


def test_the_stream_of_an_old_client(host, watch):
    live = watch("?topics=runs", version="HTTP/1.0")
    host.accept(deal(1))
    assert live.next("run", workflow="good")


def test_a_stream_ends_with_the_host(host, watch):
    live = watch()
    host.stop()
    while live.message():
        pass


@pytest.mark.parametrize("end", ["revoked", "expired"])
def test_a_stream_ends_with_its_token(host, watch, end):
    made = host.call("POST", "/v1/tokens", {"name": "watcher", "role": "read", "expires_in": "1h"}).json()
    live, other = watch("?topics=overview", token=made["token"]), watch("?topics=overview")
    if end == "revoked":
        assert host.call("POST", "/v1/tokens/watcher/revoke").status == 200
    else:
        host.advance("61m")
    while live.message():
        pass
    other.next("overview")
