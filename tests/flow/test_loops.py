"""Workflows that feed one another come to an end, and somebody is told, once."""
import itertools

from support.rules import deal, workflow

MOST = 60
TURNS = itertools.count()
TOLD = "stored and not run"


def changed(number, **keys):
    """An update that changes something each time."""
    return deal(number, turn=next(TURNS), **keys)


def suppressed(host):
    return host.call("GET", "/v1/runs?outcome=suppressed&limit=1000").json()["runs"]


def test_more_than_sixty_runs_for_a_record_in_a_minute(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url)}, test_clock=True)
    events = host.accept(*[changed(1) for _ in range(MOST + 20)])
    assert [len(e["deliveries"]) for e in events] == [1] * MOST + [0] * 20
    assert host.accept(changed(1))[0]["deliveries"] == [], "in bodies of their own too"
    assert len(host.accept(changed(2))[0]["deliveries"]) == 1, "another record"
    rows = suppressed(host)
    assert len(rows) == 21 and all(r["workflow"] == "w" and r["deliveries"] == [] for r in rows)
    assert rows[0]["reason"].startswith("more than 60 runs for the deal 1 in a minute")
    assert host.log().count(TOLD) == 1
    receiver.wait(MOST + 1)
    stored = rows[0]["event"]
    assert host.event(stored)["record"]["id"] == 1
    replayed = host.call("POST", f"/v1/events/{stored}/replay")
    assert replayed.status == 202 and len(replayed.json()["events"][0]["deliveries"]) == 1, "an operator may"
    host.advance("59s")
    assert host.accept(changed(1))[0]["deliveries"] == []
    host.advance("1s")
    assert len(host.accept(changed(1))[0]["deliveries"]) == 1
    assert host.log().count(TOLD) == 1


def test_what_does_not_run_does_not_count(serve, receiver):
    host = serve({"once.lua": workflow(receiver.url, wf_trigger='hook.once { "created", "updated" }'),
                  "won.lua": workflow(receiver.url, wf_when='field "stage":is "Won"')}, test_clock=True)
    (id,) = host.accept(deal(1, event_id="one"))[0]["deliveries"]
    for _ in range(MOST + 10):  # the same event, and others that match nothing any more
        assert host.accept(deal(1, event_id="one"))[0]["deliveries"] == [id]
    host.accept(*[changed(1) for _ in range(MOST + 10)])
    for n in range(MOST + 10):
        assert host.post({**deal(1, stage="Won", event_id=f"won{n % 10}"), "previous": {"stage": "New"}}).status == 202
    assert suppressed(host) == []
    assert len(host.accept(changed(1, stage="Won"))[0]["deliveries"]) == 1


def import_of(count, turn):
    return [deal(n, turn=turn, event_id=f"{turn}-{n}") for n in range(count)]


def test_an_import_does_not_count(serve, receiver):
    """Events of more than 100 records in one body, each record in many such bodies."""
    host = serve({"w.lua": workflow(receiver.url, wf_when='field "id":is_in { 0, 1 }')}, test_clock=True)
    for turn in range(MOST + 10):
        assert [len(e["deliveries"]) for e in host.accept(*import_of(101, turn))[:3]] == [1, 1, 0]
    assert suppressed(host) == []
    events = host.accept(*[changed(0) for _ in range(MOST + 5)])
    assert sum(len(e["deliveries"]) for e in events) == MOST, "and takes nothing from what counts"
    for turn in range(5):  # once more: duplicates
        assert all(e["duplicate"] for e in host.accept(*import_of(101, turn)))
    assert host.accept(changed(0))[0]["deliveries"] == [], "nor does it give any back"


def test_a_body_of_many_events_of_few_records_is_no_import(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url, wf_when='field "id":is(0)')}, test_clock=True)
    body = [deal(n % 100 if n < 1000 else 0, turn=n, event_id=f"e{n}") for n in range(1000 + MOST)]
    assert sum(len(e["deliveries"]) for e in host.accept(*body)) == MOST
    assert all(e["duplicate"] for e in host.accept(*body))
    assert host.accept(changed(0))[0]["deliveries"] == [], "a body that comes twice loosens nothing"
    receiver.wait(MOST)


def test_a_body_that_is_refused_does_not_count(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url)}, test_clock=True)
    host.accept(deal(2, event_id="taken"))
    for _ in range(2):
        refused = host.post([*[changed(1) for _ in range(MOST - 10)], deal(2, event_id="taken", other=True)])
        assert refused.status == 409
    assert [len(e["deliveries"]) for e in host.accept(*[changed(1) for _ in range(MOST + 1)])] == [1] * MOST + [0]
    receiver.wait(MOST + 1)


def circle(receiver):
    """Two workflows, one on deals, one on tickets, whose receiver changes the record of the other."""
    return {"deals.lua": workflow(receiver.url + "/deals"),
            "tickets.lua": workflow(receiver.url + "/tickets", wf_record='"ticket"')}


def run_app(host, receiver, keeps_depth):
    """The app: each webhook makes it post an event on the other record. The number of webhooks until one makes none."""
    answer = host.accept(deal(1))[0]
    sent = 0
    while answer["deliveries"]:
        sent += 1
        request = receiver.wait(sent)[-1]
        event = deal(1, type="ticket.updated" if request.path == "/deals" else "deal.updated", turn=sent)
        if keeps_depth:
            event["depth"] = int(request.headers["hookline-depth"])
        answer = host.accept(event)[0]
        assert sent <= 10 * MOST, "it goes on for ever"
    return sent, answer["id"]


def test_a_circle_through_an_app_that_passes_the_depth_on(serve, receiver):
    host = serve(circle(receiver), test_clock=True)
    sent, last = run_app(host, receiver, keeps_depth=True)
    assert [r.headers["hookline-depth"] for r in receiver.requests] == ["1", "2", "3", "4", "5", "6"] and sent == 6
    assert host.event(last)["runs"] == [] and host.event(last)["record"]["turn"] == 6
    assert host.log().count("through 6 workflows: it is stored and not run") == 1
    assert suppressed(host) == []


def test_a_circle_through_an_app_that_does_not(serve, receiver):
    host = serve(circle(receiver), test_clock=True)
    sent, last = run_app(host, receiver, keeps_depth=False)
    assert sent == 2 * MOST
    (row,) = suppressed(host)
    assert (row["event"], row["workflow"]) == (last, "deals")
    assert host.log().count(TOLD) == 1
