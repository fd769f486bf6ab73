"""What a running host tells: lists with their filters and cursors, one event, one delivery, one workflow."""
import json

import pytest
from support.host import run
from support.receiver import RESET
from support.rules import deal, workflow
from support.waiting import until


@pytest.fixture
def host(serve, receivers):
    receiver = receivers(lambda r: 503 if r.path == "/bad" else 200)
    made = serve({"good.lua": workflow(receiver.url + "/good"), "bad.lua": workflow(receiver.url + "/bad")},
                 test_clock=True)
    made.receiver = receiver
    return made


def settled(host, good, bad):
    until(lambda: len(host.deliveries("&state=delivered")) == good and
          len(host.deliveries("&state=retrying")) == bad, "all first attempts")


def test_a_list_in_pages_newest_first(host):
    host.ndjson([deal(n, event_id=f"e{n}") for n in range(25)])
    settled(host, 25, 25)
    everything = host.deliveries()
    ids = [d["id"] for d in everything]
    assert len(ids) == 50 and ids == sorted(ids, reverse=True) and "attempts" not in everything[0]
    pages, cursor = [], ""
    while cursor is not None:
        page = host.call("GET", "/v1/deliveries?limit=7" + (f"&cursor={cursor}" if cursor else "")).json()
        assert len(page["deliveries"]) <= 7
        pages += [d["id"] for d in page["deliveries"]]
        cursor = page["next"]
    assert pages == ids
    events = host.call("GET", "/v1/events?limit=5").json()
    assert [e["id"] for e in events["events"]] == [f"e{n}" for n in (24, 23, 22, 21, 20)] and events["next"]


def test_the_filters_of_a_list(host):
    host.accept(*[deal(n) for n in range(4)])
    settled(host, 4, 4)
    assert {d["workflow"] for d in host.deliveries("&workflow=good")} == {"good"}
    assert {d["state"] for d in host.deliveries("&workflow=bad")} == {"retrying"}
    assert len(host.deliveries(f"&target={host.receiver.url}")) == 8
    assert host.deliveries("&target=https://elsewhere.example:443") == []
    since = host.deliveries()[0]["created_at"]
    assert len(host.deliveries("&since=2000-01-01T00:00:00Z")) == 8
    assert host.deliveries("&until=2000-01-01T00:00:00Z") == [] and since
    assert host.deliveries("&until=1960-01-01T00:00:00Z") == [], "before 1970 is a time too"
    assert len(host.deliveries("&since=1960-01-01T00:00:00Z")) == 8
    owed = host.deliveries("&state=owed")
    assert [d["id"] for d in owed] == [d["id"] for d in host.deliveries("&state=retrying")] and len(owed) == 4
    assert host.call("POST", "/v1/pause").status == 200
    assert {d["state"] for d in host.deliveries("&state=owed")} == {"held"}
    for query in ("state=lost", "limit=x", "limit=0", "since=yesterday", "cursor=!!"):
        assert host.call("GET", f"/v1/deliveries?{query}").status == 400, query
    for query in ("order=up", "sent=yes"):
        assert host.call("GET", f"/v1/events?{query}").status == 400, query


def test_a_list_says_what_the_last_attempt_came_to(host):
    host.accept(deal(1))
    settled(host, 1, 1)

    def said():
        return {d["workflow"]: d["last_error"] for d in host.deliveries()}
    assert said() == {"good": None, "bad": "503"}
    host.receiver.script = lambda request: 500
    host.advance("20s")
    until(lambda: said() == {"good": None, "bad": "500"}, "the second attempt")
    host.receiver.script = lambda request: RESET
    host.advance("1m")
    until(lambda: said()["bad"].startswith("reset: "), "the third attempt")
    bad = host.deliveries("&state=retrying")[0]
    assert host.delivery(bad["id"])["last_error"] == bad["last_error"]
    done = run("deliveries", "--data", host.data, "--state", "owed", "--type", "deal", "--record", "1")
    title, row = done.stdout.splitlines()
    assert row[title.index("REASON"):] == bad["last_error"], done.stdout
    assert row[title.index("RECORD"):].startswith("deal 1 "), done.stdout
    assert "no deliveries like that" in run("deliveries", "--data", host.data, "--record", "2").stderr


def walk(host, query):
    """The pages of a list of events."""
    pages, cursor = [], ""
    while cursor is not None:
        page = host.call("GET", f"/v1/events?{query}" + (f"&cursor={cursor}" if cursor else "")).json()
        pages.append(page["events"])
        cursor = page["next"]
    return pages


def test_events_as_they_were_sent_from_the_oldest_on(host):
    sent = [deal(n % 3, event_id=f"e{n}", amount=n, note="x" * 200_000) for n in range(12)]
    for event in sent:
        host.accept(event)
    newest = host.call("GET", "/v1/events").json()["events"]
    pages = walk(host, "sent=true&order=oldest&limit=1000")
    events = [e for page in pages for e in page]
    assert [e["id"] for e in events] == [f"e{n}" for n in range(12)]
    assert len(pages) > 2 and all(len(json.dumps(page)) < 1_600_000 for page in pages), "a page is bounded by its bytes"
    for event, whole in zip(events, sent):
        one = host.call("GET", f"/v1/events/{event['id']}?sent=true").json()
        assert event["sent"] == whole and all(event[key] == one[key] for key in ("sent", "compared_with", "compared_with_gone"))
    assert events[3]["compared_with"] == sent[0] and events[0]["compared_with"] is None
    plain = walk(host, "order=oldest&limit=5")
    assert [len(page) for page in plain] == [5, 5, 2] and [e for page in plain for e in page] == newest[::-1]
    assert [e["id"] for page in walk(host, "sent=true&order=newest") for e in page] == [e["id"] for e in newest]
    assert [e["id"] for page in walk(host, "order=oldest&record=1&limit=2") for e in page] == ["e1", "e4", "e7", "e10"]


def test_one_delivery_has_its_attempts(host):
    answer = host.accept(deal(7, event_id="e7"))[0]
    settled(host, 1, 1)
    shown = {d["workflow"]: d for d in map(host.delivery, answer["deliveries"])}
    bad = shown["bad"]
    assert set(bad) >= {"id", "state", "event", "workflow", "action", "record", "target", "created_at",
                        "next_attempt_at", "reason", "attempts"}
    attempt = bad["attempts"][0]
    assert set(attempt) >= {"number", "at", "elapsed_ms", "error", "request_sent", "response_received"}
    assert attempt["number"] == 1 and attempt["error"] is None
    sent, got = attempt["request_sent"], attempt["response_received"]
    assert (sent["method"], sent["url"]) == ("POST", host.receiver.url + "/bad")
    assert sent["headers"]["webhook-id"] == bad["id"] and sent["body"] == '{"id":7,"name":"Deal 7","amount":12500.5}'
    assert got["status"] == 503 and got["body"] == "ok"
    assert bad["event"] == "e7" and bad["next_attempt_at"] > attempt["at"]
    assert shown["good"]["state"] == "delivered" and shown["good"]["next_attempt_at"] is None


def test_a_large_body_is_shown_once(host):
    large = deal(9)
    large["record"]["name"] = "x" * 700_000
    answer = host.accept(large)[0]
    settled(host, 1, 1)
    host.advance("20s")
    bad = next(d for d in host.deliveries() if d["workflow"] == "bad")["id"]
    assert bad in answer["deliveries"]
    until(lambda: len(host.delivery(bad)["attempts"]) == 2, "the second attempt")
    first, second = (a["request_sent"]["body"] for a in host.delivery(bad)["attempts"])
    assert len(first) > 700_000 and second is None, "the same in every attempt: the answer stays of a size"
    bodies = [r.body for r in host.receiver.requests if r.path == "/bad"]
    assert len(bodies) == 2 and bodies[0] == bodies[1]


def test_one_event_with_its_runs(host):
    answer = host.accept(deal(7, event_id="e 7/x"))[0]
    event = host.event("e%207%2Fx")
    runs = {r["workflow"]: r for r in event["runs"]}
    assert set(runs) == {"good", "bad"} and {r["outcome"] for r in runs.values()} == {"sent"}
    assert sorted(d for r in runs.values() for d in r["deliveries"]) == sorted(answer["deliveries"])
    assert all(r["generation"] for r in runs.values())
    settled(host, 1, 1)


@pytest.mark.parametrize("text,word", [(b"  a-token-of-an-operator \r\n", None), (b"short\n", "too short"),
                                       (b"x" * 300, "over 256 bytes")])
def test_a_token_that_was_written_by_hand(serve, text, word):
    host = serve({})
    host.stop()
    (host.data / "admin.token").write_bytes(text)
    if word is None:
        host.start()
        assert host.call("GET", "/v1/events").status == 200
        return
    host.spawn()
    assert host.wait_end() == 1 and word in host.log(), host.log()
    host.process = None


def test_one_workflow(host):
    shown = host.call("GET", "/v1/workflows/good").json()
    assert set(shown) >= {"id", "name", "description", "record", "file", "active", "started_by", "error"}
    assert shown["id"] == "good" and shown["record"] == "deal" and shown["active"] is True
    assert shown["started_by"] == "file" and shown["error"] is None
    assert host.call("GET", "/v1/workflows/g%6Fod").json() == shown, "an id in a path is percent-encoded"


@pytest.mark.parametrize("path", ["/v1/events/none", "/v1/deliveries/none", "/v1/deliveries/dlv_0000000000000",
                                  "/v1/workflows/none", "/v2/events", "/v1/deliveries/../../etc/passwd"])
def test_what_is_not_there(host, path):
    reply = host.call("GET", path)
    assert reply.status == 404 and reply.headers["content-type"] == "application/problem+json"


def test_an_inactive_workflow_is_listed_and_does_not_run(serve, receiver):
    host = serve({"off.lua": workflow(receiver.url, wf_active="false"), "on.lua": workflow(receiver.url)})
    assert len(host.accept(deal(1))[0]["deliveries"]) == 1
    assert host.call("GET", "/v1/workflows/off").json()["active"] is False


def test_headers_that_are_too_large(host):
    assert host.call("GET", "/healthz", headers={"X-Big": "x" * 200000}, fresh=True).status in (400, 431)
    assert host.call("GET", "/" + "x" * 200000, fresh=True).status in (400, 404, 414, 431)
