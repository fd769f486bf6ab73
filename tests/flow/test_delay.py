"""delay = "10m": the first attempt comes later; with recheck = true the conditions are judged again then."""
import pytest

from support.rules import deal, workflow
from support.waiting import until

WON = 'hook.all { field "stage":is "Won" }'
CHANGED = 'hook.all { field "stage":changed_to "Won" }'
BIG = 'function(event) return event.record.stage == "Won" and event.record.amount > 100 end'


def delayed(url, **keys):
    return workflow(url, **{"wf_delay": '"10m"', "wf_recheck": "true", **keys})


@pytest.fixture
def start(serve):
    return lambda rules, **options: serve(rules, test_clock=True, **options)


def only(answer):
    assert len(answer[0]["deliveries"]) == 1
    return answer[0]["deliveries"][0]


def test_the_first_attempt_comes_later(start, receiver):
    host = start({"w.lua": workflow(receiver.url, wf_delay='"10m"')})
    id = only(host.accept(deal(1, stage="Won", time="2026-11-23T09:15:00Z")))
    shown = host.delivery(id)
    assert shown["state"] == "pending" and shown["attempts"] == []
    created, due = shown["created_at"], shown["next_attempt_at"]
    assert int(due[14:16]) == (int(created[14:16]) + 10) % 60 and due[17:] == created[17:]
    host.advance("599s")
    assert receiver.requests == []
    host.stop()
    host.start()
    assert host.delivery(id)["next_attempt_at"] == due
    # What changes meanwhile does not matter without recheck.
    host.accept(deal(1, stage="Lost", type="deal.deleted"))
    host.advance("600s")
    assert receiver.wait()[0].id == id
    host.until_state(id, "delivered")


# what the record is when it was owed, what comes meanwhile, whether it is sent then
CASES = {
    "nothing comes": (WON, {"stage": "Won"}, [], True),
    "the conditions hold still": (WON, {"stage": "Won"}, [{"stage": "Won", "amount": 3}], True),
    "they hold no longer": (WON, {"stage": "Won"}, [{"stage": "Lost"}], False),
    "they hold again": (WON, {"stage": "Won"}, [{"stage": "Lost"}, {"stage": "Won"}], True),
    "it was deleted": (WON, {"stage": "Won"}, [{"type": "deal.deleted", "stage": "Won"}], False),
    "it was deleted and made again": (
        WON, {"stage": "Won"}, [{"type": "deal.deleted", "stage": "Won"}, {"type": "deal.created", "stage": "Won"}],
        True),
    "a late event is no later state": (
        WON, {"stage": "Won", "time": "2026-11-23T09:15:00Z"},
        [{"stage": "Lost", "time": "2026-11-22T09:15:00Z"}], True),
    "changed_to, still so": (CHANGED, {"stage": "Won", "previous": {"stage": "New"}}, [{"stage": "Won", "n": 1}], True),
    "changed_to, not any more": (CHANGED, {"stage": "Won", "previous": {"stage": "New"}}, [{"stage": "Lost"}], False),
    "changed_to, of a created record": (CHANGED, {"type": "deal.created", "stage": "Won"}, [{"stage": "Won"}], True),
    "changed, and back": ('hook.all { field "stage":changed() }', {"stage": "Won", "previous": {"stage": "New"}},
                          [{"stage": "New"}], False),
    "a function sees the latest record": (BIG, {"stage": "Won", "amount": 200}, [{"stage": "Won", "amount": 50}], False),
    "a function, still so": (BIG, {"stage": "Won", "amount": 200}, [{"stage": "Won", "amount": 101}], True),
    "without conditions": (None, {"stage": "Won"}, [{"stage": "Lost"}], True),
    "without conditions, deleted": (None, {"stage": "Won"}, [{"type": "deal.deleted"}], False),
}


@pytest.mark.parametrize("when, at_first, meanwhile, is_sent", CASES.values(), ids=CASES)
def test_recheck(start, receiver, when, at_first, meanwhile, is_sent):
    host = start({"w.lua": delayed(receiver.url, wf_when=when, wf_trigger='hook.once { "created", "updated" }')})
    id = only(host.accept(deal(1, **at_first)))
    for event in meanwhile:
        host.accept(deal(1, **event))
    host.advance("599s")
    assert host.delivery(id)["state"] == "pending"
    host.advance("1s")
    shown = host.until_state(id, "delivered" if is_sent else "cancelled")
    assert [r.id for r in receiver.requests] == [id] * is_sent
    if not is_sent:
        assert shown["attempts"] == [] and shown["next_attempt_at"] is None
        deleted = meanwhile[-1].get("type") == "deal.deleted"
        assert ("deleted" if deleted else "held no longer") in shown["reason"]


def test_a_previous_that_the_host_found_counts_at_the_recheck(start, receiver):
    host = start({"w.lua": delayed(receiver.url, wf_when=CHANGED)})
    host.accept(deal(1, stage="New"), deal(2, stage="New"))
    first = only(host.accept(deal(1, stage="Won")))
    second = only(host.accept(deal(2, stage="Won")))
    host.accept(deal(1, stage="Won", amount=3), deal(2, stage="Lost"))
    host.kill9()
    host.start()
    host.advance("11m")
    host.until_state(first, "delivered")
    host.until_state(second, "cancelled")


def test_it_is_rechecked_once_before_the_first_attempt_and_not_before_retries(start, receivers):
    receiver = receivers(lambda r: 503 if r.number == 1 else 200)
    host = start({"w.lua": delayed(receiver.url, wf_when=WON)})
    id = only(host.accept(deal(1, stage="Won")))
    host.advance("10m")
    receiver.wait(1)
    host.until_state(id, "retrying")
    host.accept(deal(1, stage="Lost"))
    host.advance("20s")
    assert host.until_state(id, "delivered")["attempts"][1]["number"] == 2


def test_the_decision_survives_a_kill(start, receivers):
    receiver = receivers()
    host = start({"w.lua": delayed(receiver.url, wf_when=WON)}, start=False)
    host.start("--crash-at", "sent_before_outcome")
    id = only(host.accept(deal(1, stage="Won")))
    other = only(host.accept(deal(2, stage="Won")))
    host.accept(deal(2, stage="Lost"))
    try:
        host.advance("10m")
    except (AssertionError, OSError):
        pass  # it died in it
    host.wait_end()
    assert [r.id for r in receiver.wait()] == [id]
    host.start()
    # It was let through and was sent, perhaps: what comes now does not take it back.
    host.accept(deal(1, stage="Lost"))
    host.advance("11m")
    assert [r.id for r in receiver.wait(2)] == [id, id]
    host.until_state(id, "delivered")
    host.until_state(other, "cancelled")


def test_what_cannot_be_judged_again_is_cancelled_and_says_why(start, receiver):
    host = start({"gone.lua": delayed(receiver.url, wf_when=WON),
                  "changed.lua": delayed(receiver.url),
                  "fails.lua": delayed(receiver.url, wf_when='function(event) return event.record.parts.n > 0 end')})
    event = deal(1, stage="Won", parts={"n": 1})
    ids = host.accept(event)[0]["deliveries"]
    by = {host.delivery(id)["workflow"]: id for id in ids}
    assert len(by) == 3
    (host.rules_dir / "gone.lua").unlink()
    (host.rules_dir / "changed.lua").write_text(delayed(receiver.url, wf_when='hook.all { field "stage":is "Lost" }'))
    assert host.call("POST", "/v1/reload").json()["errors"] == []
    host.accept(deal(1, stage="Won"))  # without parts
    host.advance("10m")
    assert "its workflow is gone" in host.until_state(by["gone"], "cancelled")["reason"]
    assert "held no longer" in host.until_state(by["changed"], "cancelled")["reason"], "by the rules in force then"
    reason = host.until_state(by["fails"], "cancelled")["reason"]
    assert "could not be judged again" in reason and "fails.lua" in reason
    assert receiver.requests == []


def test_many_at_once(start, receivers):
    receiver = receivers()
    host = start({"w.lua": delayed(receiver.url, wf_when=WON)})
    host.accept(*(deal(n, stage="Won") for n in range(400)))
    host.accept(*(deal(n, stage="Lost") for n in range(0, 400, 2)))
    host.advance("10m")
    receiver.wait(200)
    until(lambda: not host.deliveries("&state=pending"), "the end", 60)
    assert len(host.deliveries("&state=cancelled")) == 200 and len(receiver.requests) == 200


def test_the_outcome_of_a_webhook_can_be_delayed_too(start, receivers):
    receiver = receivers()
    host = start({"first.lua": workflow(receiver.url + "/first"),
                  "later.lua": delayed(receiver.url + "/later", wf_record='"webhook"', content='hook.fields { "state" }',
                                       wf_trigger='hook.every { "delivered" }',
                                       wf_when='hook.all { field "workflow":is "first" }')})
    host.accept(deal(1))
    receiver.wait(1)
    until(lambda: host.call("GET", "/v1/events?type=webhook").json()["events"], "the outcome")
    host.advance("10m")
    assert receiver.wait(2)[1].json() == {"state": "delivered"}
