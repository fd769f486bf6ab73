"""An update without `previous` is compared with the latest stored state of its record."""
import collections
import concurrent.futures
import http.client
import json
import random

import pytest

from support.rules import deal, workflow

SEES = 'function(event) return { id = event.record.id, now = event.record.n, previous = event.previous } end'


def sees(url, **keys):
    """A workflow whose webhook tells what it saw of a change: functions read the whole event."""
    return workflow(url, content=SEES, **keys)


def fired(host, *events):
    """The workflows that fired for each event of one body."""
    return [sorted(host.delivery(id)["workflow"] for id in e["deliveries"]) for e in host.accept(*events)]


def counter(number, n, **keys):
    event = deal(number, n=n, **keys)
    event["record"] = {"id": number, "n": n}
    return event


def bodies(receiver, ids):
    """The bodies of these webhooks, when they have arrived."""
    receiver.wait_until(lambda r: set(ids) <= {x.id for x in r}, "the webhooks")
    by_id = {x.id: x.body for x in receiver.requests}
    return [by_id[id] for id in ids]


def seen_by(receiver, ids):
    return [json.loads(body) for body in bodies(receiver, ids)]


@pytest.fixture
def host(serve, receiver):
    return serve({"changed.lua": workflow(receiver.url, wf_when='hook.all { field "stage":changed_to "Won" }'),
                  "plain.lua": workflow(receiver.url)})


def test_without_a_stored_state_what_changed_is_unknown(host):
    assert fired(host, deal(1, stage="Won")) == [["plain"]]
    assert fired(host, deal(2, type="deal.created", stage="Won")) == [["changed", "plain"]]


def test_it_is_compared_with_the_stored_state(host):
    assert fired(host, deal(1, stage="Lost")) == [["plain"]]
    assert fired(host, deal(1, stage="Won")) == [["changed", "plain"]]
    assert fired(host, deal("1", stage="Won", amount=1)) == [["plain"]], "1 and '1' are one record"
    assert fired(host, deal(1, stage="Won", amount=1.0)) == [[]], "known to change nothing"
    assert fired(host, deal(1)) == [["plain"]], "the field is gone"
    assert fired(host, deal(1, stage="Won")) == [["changed", "plain"]], "a new field was empty before"
    assert fired(host, deal(2, stage="Won")) == [["plain"]], "another record"


def test_a_previous_that_was_sent_counts_and_null_is_none(host):
    host.accept(deal(1, stage="Won"))
    assert fired(host, deal(1, stage="Won", previous={"stage": "Lost"})) == [["changed", "plain"]]
    assert fired(host, deal(1, stage="Won", previous={})) == [[]], "said to have changed nothing"
    assert fired(host, deal(1, stage="Won", previous=None)) == [[]]
    assert fired(host, deal(1, stage="Lost", previous=None)) == [["plain"]]


def test_every_kind_of_event_is_a_state(host):
    host.accept(deal(1, type="deal.created", stage="Lost"))
    assert fired(host, deal(1, stage="Won")) == [["changed", "plain"]]
    host.accept(deal(2, previous={"stage": "x"}, stage="Lost"))
    assert fired(host, deal(2, stage="Won")) == [["changed", "plain"]]
    host.accept(deal(3, type="deal.deleted", stage="Lost"))
    assert fired(host, deal(3, stage="Won")) == [["changed", "plain"]], "what was deleted had a last state"
    host.accept(deal(4, type="deal.deleted", stage="Won"))
    assert fired(host, deal(4, stage="Won")) == [[]]


def test_the_states_of_a_type_that_nobody_wanted_are_kept(serve, receiver):
    host = serve({})
    host.accept(deal(1, stage="Lost"))
    (host.rules_dir / "changed.lua").write_text(
        workflow(receiver.url, wf_when='hook.all { field "stage":changed_to "Won" }'))
    assert host.call("POST", "/v1/reload").status == 200
    assert fired(host, deal(1, stage="Won")) == [["changed"]]


def test_what_a_function_sees_and_what_is_stored(serve, receiver):
    host = serve({"sees.lua": sees(receiver.url)})
    host.accept({"type": "deal.created", "record": json.loads('{"id":1,"n":12500.10,"gone":[1,{"a":null}],"same":1.0}')})
    body = (b'{"id":"e1","type":"deal.updated","previous":null,'
            b'"record":{"id":1,"n":2,"same":1,"new":"\xc3\xa9"}}')
    answer = host.post(body).json()["events"][0]
    text = bodies(receiver, answer["deliveries"])[0].decode()
    assert json.loads(text) == {"id": 1, "now": 2,
                                "previous": {"n": 12500.1, "gone": [1, {"a": None}], "new": None}}
    shown = host.event("e1")
    assert shown["previous"] is None and shown["record"]["new"] == "é", "as it was sent"


def test_written_forms_of_old_values_are_kept(serve, receiver):
    host = serve({"sees.lua": sees(receiver.url)})
    host.post(b'{"type":"deal.created","record":{"id":1,"n":12500.10,"big":123456789012345678901234567890}}')
    answer = host.post(b'{"type":"deal.updated","record":{"id":1,"n":2,"big":1}}').json()["events"][0]
    text = bodies(receiver, answer["deliveries"])[0].decode()
    assert '"n":12500.10' in text and '"big":123456789012345678901234567890' in text


def test_events_of_one_body_are_compared_with_those_before(host):
    assert fired(host, deal(1, stage="Lost"), deal(1, stage="Won"), deal(1, stage="Won"), deal(2, stage="Lost"),
                 deal(1, stage="Lost", previous={"stage": "x"}), deal(2, stage="Won"), deal("1", stage="Won"),
                 deal(1, type="deal.deleted", stage="Open"), deal(1, stage="Won")) == [
        ["plain"], ["changed", "plain"], [], ["plain"], ["plain"], ["changed", "plain"], ["changed", "plain"],
        [], ["changed", "plain"]]


def test_a_late_event_is_judged_and_does_not_replace(host):
    early, middle, late = (f"2026-11-2{n}T09:00:00Z" for n in (1, 2, 3))
    host.accept(deal(1, stage="Lost", time=late))
    assert fired(host, deal(1, stage="Won", time=early)) == [["changed", "plain"]]
    assert fired(host, deal(1, stage="Won", time=late)) == [["changed", "plain"]], "the late one is no state"
    assert fired(host, deal(1, stage="Lost", time=early), deal(1, stage="Won", time=middle),
                 deal(1, stage="Lost", time=late), deal(1, stage="Won", time=middle)) == [
        ["plain"], [], ["plain"], ["changed", "plain"]], "within a body too"


def test_duplicates_move_no_state(host):
    host.accept(deal(1, stage="Lost", event_id="a"))
    host.accept(deal(1, stage="Won", event_id="b"))
    assert fired(host, deal(1, stage="Lost", event_id="a"), deal(1, stage="Won", event_id="c")) == [["plain"], []]
    body = [deal(n // 3, stage=("Lost", "Open", "Won")[n % 3], event_id=f"e{n}") for n in range(300)]
    olds = [e for n, e in enumerate(body) if n % 3 == 1]
    host.accept(*olds)
    answers = host.accept(*body)
    assert [a["duplicate"] for a in answers] == [n % 3 == 1 for n in range(300)]
    wins = [a for n, a in enumerate(answers) if n % 3 == 2]
    assert all(len(a["deliveries"]) == 2 for a in wins), "however many duplicates lie between"
    twice = [deal(n // 3 + 1000, stage=("Lost", "Open", "Lost")[n % 3], event_id=f"t{n - (n % 3 == 2) * 2}")
             for n in range(60)]
    assert [a["duplicate"] for a in host.accept(*twice)] == [n % 3 == 2 for n in range(60)]
    assert fired(host, deal(1000, stage="Open")) == [[]], "the second of one id is no state"


def test_a_conflict_is_found_behind_what_is_stale(host):
    host.accept(deal(1, stage="Lost", event_id="a"))
    host.accept(deal(1, stage="Won", event_id="b"))
    reply = host.post([deal(1, stage="Lost", event_id="a"), deal(1, stage="Won", event_id="c"),
                       deal(1, stage="Open", event_id="b")])
    assert reply.status == 409 and reply.json()["index"] == 2
    assert fired(host, deal(1, stage="Won")) == [[]], "nothing of the body was stored"


def test_it_holds_over_a_restart_and_a_kill(serve, receiver):
    host = serve({"sees.lua": sees(receiver.url)})
    host.accept(counter(1, 1))
    host.stop()
    host.start()
    ids = host.accept(counter(1, 2))[0]["deliveries"]
    host.kill9()
    host.start()
    ids += host.accept(counter(1, 3))[0]["deliveries"]
    assert [s["previous"] for s in seen_by(receiver, ids)] == [{"n": 1}, {"n": 2}]


def test_ten_thousand_events_of_a_body(serve, receiver):
    host = serve({"w.lua": sees(receiver.url, wf_when='hook.all { field "n":changed_to(7) }')})
    one = [counter(1, n % 200) for n in range(10000)]  # 60 runs a minute for a record are not a circle
    fires = [len(a["deliveries"]) for a in host.ndjson(one).json()["events"]]
    assert fires == [n % 200 == 7 for n in range(10000)]
    many = [counter(n, 7) for n in range(10000)]
    host.ndjson([counter(n, n % 2 * 7) for n in range(10000)])
    fires = [len(a["deliveries"]) for a in host.ndjson(many).json()["events"]]
    assert fires == [n % 2 == 0 for n in range(10000)]


def test_a_large_state_and_many_late_events_are_bounded(serve, receiver):
    """8 MB of state that each event of a body would have as its `previous`: refused, not ground through."""
    host = serve({"plain.lua": workflow(receiver.url)})
    host.accept(deal(1, time="2026-11-23T00:00:00Z", big="x" * (7 << 20)))
    reply = host.ndjson([deal(1, time="2026-11-01T00:00:00Z") for _ in range(10000)])
    assert reply.status == 413 and "fewer" in reply.json()["detail"]
    assert host.call("GET", "/readyz").status == 200
    assert len(host.accept(deal(1, time="2026-11-01T00:00:00Z"))[0]["deliveries"]) == 1


class Poster:
    def __init__(self, host):
        self.host = host
        self.connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=60)

    def post(self, event):
        """The answer for an event; tried again where the host says that it is too busy with its record."""
        while True:
            self.connection.request("POST", "/v1/events", json.dumps(event), {
                "Content-Type": "application/json", "Authorization": f"Bearer {self.host.token}"})
            reply = self.connection.getresponse()
            body = json.loads(reply.read())
            if reply.status != 503:
                assert reply.status == 202, body
                return body["events"]
            assert reply.headers["Retry-After"], body


def changes(receiver, ids):
    return [(s["previous"].get("n"), s["now"]) for s in seen_by(receiver, ids)]


UPDATES = 59  # with the created one 60 runs, which are no circle yet


@pytest.mark.parametrize("kinds", [["updated"], ["updated", "told"]], ids=["compared", "with_events_that_tell"])
def test_concurrent_updates_each_see_the_one_before(serve, receiver, kinds):
    """Every change that was seen begins where another ended: they are one path through all values."""
    host, chance = serve({"sees.lua": sees(receiver.url)}), random.Random(4)
    for record in range(1, 9):
        concurrent_updates(host, receiver, record, [(n, chance.choice(kinds)) for n in range(1, UPDATES + 1)],
                           kinds == ["updated"])


def concurrent_updates(host, receiver, record, plan, is_path):
    host.accept(counter(record, 0, type="deal.created"))

    def work(share):
        poster, ids = Poster(host), []
        for n, kind in share:
            known = {"previous": {"told": n}} if kind == "told" else {}
            ids += [(kind, id) for a in poster.post(counter(record, n, **known)) for id in a["deliveries"]]
        poster.connection.close()
        return ids
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        ids = [x for part in pool.map(work, [plan[i::24] for i in range(24)]) for x in part]
    assert len(ids) == UPDATES, "each changed the value"
    compared = changes(receiver, [id for kind, id in ids if kind == "updated"])
    assert len({now for _, now in compared}) == len(compared)
    befores = collections.Counter(before for before, _ in compared)
    assert max(befores.values()) == 1, "no state was judged against twice"
    if is_path:
        ends = set(range(UPDATES + 1)) - set(befores)
        assert len(ends) == 1, "one path through all values"
        assert fired(host, counter(record, ends.pop())) == [[]], "whose end is the stored state"


def test_concurrent_bodies_of_several_records(serve, receiver):
    host = serve({"sees.lua": sees(receiver.url)})
    host.accept(*[counter(r, 0, type="deal.created") for r in range(16)])
    chance = random.Random(5)
    plan = [[counter(r, n * 10 + k) for k, r in enumerate(chance.choices(range(16), k=4))] for n in range(1, 161)]

    def work(share):
        poster = Poster(host)
        found = [a["deliveries"] for body in share for a in poster.post(body)]
        poster.connection.close()
        return found
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        found = [d for part in pool.map(work, [plan[i::16] for i in range(16)]) for d in part]
    assert all(len(d) == 1 for d in found)
    seen = seen_by(receiver, [d[0] for d in found])
    for record in range(16):
        path = [(s["previous"]["n"], s["now"]) for s in seen if s["id"] == record]
        step, at, steps = dict(path), 0, 0
        while at in step:
            at, steps = step[at], steps + 1
        assert steps == len(path) == len(step), f"record {record}: one path through all its values"


def test_workflows_that_want_other_types_cost_nothing_and_change_nothing(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url, wf_record='"lead"')})
    assert fired(host, deal(1, stage="a"), deal(1, stage="b")) == [[], []]
    lead = {**deal(1), "type": "lead.updated"}
    assert len(fired(host, lead)[0]) == 1, "records of two types are two, though the ids are one"
    assert fired(host, lead) == [[]]
