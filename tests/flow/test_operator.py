"""The operator's hand on deliveries: resend and cancel, one by one and in bulk."""
import pytest
from support.host import run
from support.receiver import PARK, Answer
from support.rules import deal, workflow
from support.waiting import until


def act(host, id, verb):
    return host.call("POST", f"/v1/deliveries/{id}/{verb}")


def one(host, event):
    return host.accept(event)[0]["deliveries"][0]


def test_a_terminated_delivery_is_sent_again_with_its_id_and_new_windows(serve, receivers):
    answers = [410, 503, 200]
    receiver = receivers(lambda request: answers[request.number - 1])
    host = serve({"w.lua": workflow(receiver.url)}, test_clock=True)
    id = one(host, deal(1))
    assert "410" in host.until_state(id, "terminated")["reason"]
    host.advance("5d")
    shown = act(host, id, "resend")
    assert shown.status == 200 and shown.json()["state"] == "pending" and shown.json()["reason"] is None
    host.until_state(id, "retrying")
    host.advance("20s")
    shown = host.until_state(id, "delivered")
    assert [a["number"] for a in shown["attempts"]] == [1, 2, 3]
    assert [r.id for r in receiver.wait(3)] == [id] * 3
    assert len({r.body for r in receiver.requests}) == 1


def test_a_delivered_one_and_one_that_waits_for_its_retry(serve, receivers):
    answers = [200, 200, 503, 200]
    receiver = receivers(lambda request: answers[request.number - 1])
    host = serve({"w.lua": workflow(receiver.url)}, test_clock=True)
    first = one(host, deal(1))
    host.until_state(first, "delivered")
    assert act(host, first, "resend").status == 200
    receiver.wait(2)
    host.until_state(first, "delivered")
    second = one(host, deal(2))
    host.until_state(second, "retrying")
    assert act(host, second, "resend").status == 200, "at once, not when it is due"
    host.until_state(second, "delivered")


def test_a_cancelled_one_is_not_sent_and_may_be_resent(serve, receivers):
    receiver = receivers(lambda request: 503 if request.number == 1 else 200)
    host = serve({"w.lua": workflow(receiver.url)}, test_clock=True)
    id = one(host, deal(1))
    host.until_state(id, "retrying")
    shown = act(host, id, "cancel")
    assert shown.status == 200 and shown.json()["state"] == "cancelled" and "operator" in shown.json()["reason"]
    assert shown.json()["next_attempt_at"] is None
    host.kill9()
    host.start()
    host.advance("3d")
    assert len(receiver.requests) == 1 and host.delivery(id)["state"] == "cancelled"
    assert act(host, id, "cancel").status == 409
    assert act(host, id, "resend").status == 200
    host.until_state(id, "delivered")


def test_what_is_under_way_ends_as_it_ends(serve, receivers):
    receiver = receivers(lambda request: PARK)
    host = serve({"w.lua": workflow(receiver.url)}, test_clock=True)
    id = one(host, deal(1))
    receiver.wait(1)
    assert act(host, id, "cancel").json()["state"] == "cancelled"
    receiver.release(Answer(500))
    until(lambda: len(host.delivery(id)["attempts"]) == 1, "the attempt")
    assert host.delivery(id)["state"] == "cancelled", "a failure does not bring it back"


def test_one_that_waits_in_memory_is_not_started(serve, receivers):
    receiver = receivers(lambda request: PARK)
    host = serve({"w.lua": workflow(receiver.url)}, test_clock=True)
    ids = [one(host, deal(n)) for n in range(1, 6)]
    receiver.wait(2)  # a target that is new has two under way
    waiting = [id for id in ids if id not in [r.id for r in receiver.requests]]
    assert len(waiting) == 3
    for id in waiting:
        assert act(host, id, "cancel").status == 200
    receiver.release()
    for id in set(ids) - set(waiting):
        host.until_state(id, "delivered")
    assert len(receiver.requests) == 2 and [host.delivery(id)["state"] for id in waiting] == ["cancelled"] * 3


def test_what_cannot_be_done_is_told(serve, receivers):
    receiver = receivers(lambda request: 410)
    host = serve({"dry.lua": workflow(receiver.url, wf_active='"dry"'),
                  "held.lua": workflow(receiver.url, wf_when_stopped='"hold"', wf_delay='"1h"'),
                  "bad.lua": workflow(receiver.url, content='hook.template [=[{ "a": {{ deal.name | raw }} }]=]'),
                  "gone.lua": workflow(receiver.url)}, test_clock=True)
    ids = {host.delivery(id)["workflow"]: id for id in host.accept(deal(1))[0]["deliveries"]}
    host.until_state(ids["gone"], "terminated")
    for name in ("held", "gone"):
        assert host.call("POST", f"/v1/workflows/{name}/deactivate").status == 200
    host.until_state(ids["held"], "held")
    for id, verb, status, words in ((ids["dry"], "resend", 409, "dry run"), (ids["bad"], "resend", 409, "never sent"),
                                    (ids["held"], "resend", 409, "is held"), (ids["bad"], "cancel", 409, "owed"),
                                    ("dlv_38gnavfvu0001", "resend", 404, "no such"), ("x", "cancel", 404, "an id is")):
        reply = act(host, id, verb)
        assert reply.status == status and words in reply.json()["detail"], reply
    assert host.call("POST", "/v1/workflows/gone/activate").status == 200
    assert act(host, ids["gone"], "resend").status == 200
    assert act(host, ids["held"], "cancel").json()["state"] == "cancelled"


def cli(host, *args):
    return run("deliveries", *args, "--data", host.data)


def test_many_by_filter_are_counted_first(serve, receivers):
    is_up = [False]
    receiver = receivers(lambda request: 200 if is_up[0] else 410)
    host = serve({"a.lua": workflow(receiver.url), "b.lua": workflow(receiver.url)})
    ids = [id for event in host.accept(*(deal(n) for n in range(1, 1101))) for id in event["deliveries"]]
    until(lambda: not host.deliveries("&state=pending"), "the ends", 60)
    counted = cli(host, "resend", "--workflow", "a", "--state", "terminated")
    assert counted.returncode == 0 and "1100 deliveries would be resent: add --yes" in counted.stderr
    assert len(receiver.requests) == len(ids) == 2200
    is_up[0] = True
    done = cli(host, "resend", "--workflow", "a", "--state", "terminated", "--since", "1h", "--yes")
    assert done.returncode == 0 and done.stdout == "1100 deliveries resent\n", done
    until(lambda: not host.deliveries("&workflow=a&state=terminated"), "the resent", 60)
    receiver.wait(3300)
    assert "no deliveries like that" in cli(host, "cancel", "--state", "retrying", "--yes").stderr
    refused = cli(host, "resend", "--workflow", "a")
    assert refused.returncode == 2 and "--state" in refused.stderr
    last = host.deliveries("&workflow=b")[0]
    shown = cli(host, "resend", last["id"])
    assert shown.returncode == 0 and last["id"] in shown.stdout
    assert cli(host, "cancel", last["id"], "--workflow", "b").returncode == 2


def test_many_are_resent_the_oldest_first(serve, receivers):
    """What was said of one record last arrives last."""
    receiver = receivers(lambda request: 410)
    host = serve({"a.lua": workflow(receiver.url)})
    ids = [one(host, deal(n)) for n in range(5)]
    for id in ids:
        host.until_state(id, "terminated")
    assert cli(host, "resend", "--state", "terminated", "--yes").stdout == "5 deliveries resent\n"
    acts = host.call("GET", "/v1/audit?act=delivery.resend").json()["audit"]
    assert [act["subject"] for act in reversed(acts)] == ids


def test_all_that_is_owed_of_a_record_is_cancelled(serve, receivers):
    receiver = receivers(lambda request: 503)
    host = serve({"a.lua": workflow(receiver.url)}, test_clock=True)
    ids = [one(host, deal(n)) for n in (1, 2)]
    for id in ids:
        host.until_state(id, "retrying")
    done = cli(host, "cancel", "--state", "owed", "--record", "2", "--yes")
    assert done.returncode == 0 and done.stdout == "1 delivery cancelled\n", done
    assert [host.delivery(id)["state"] for id in ids] == ["retrying", "cancelled"]
