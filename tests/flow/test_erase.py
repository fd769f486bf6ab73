"""hookline erase: nothing is left of a record, in no file, and all else goes on."""
import json

import pytest
from support.host import run
from support.receiver import PARK
from support.rules import deal, workflow

NEEDLE = "needle-of-a-payload"


def erase(host, id, **more):
    reply = host.call("POST", "/v1/erase", {"record": {"type": "deal", "id": id}, **more})
    assert reply.status == 200, reply
    return reply.json()["removed"]


def files_with(host, text):
    return [path.name for path in host.data.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def named(number, **keys):
    return deal(number, name=f"{NEEDLE}-{number}-", **keys)


OUTCOMES = '''local hook = require "hookline"
return hook.workflow { record = "webhook", trigger = hook.every "delivered", actions = { hook.webhook {
  method = "POST", url = "%s/told", encoding = "json", content = hook.template [=[{{ webhook | json }}]=] } } }
'''


def test_nothing_is_left_of_it_and_the_rest_is(serve, receivers):
    receiver = receivers(lambda request: 200)
    host = serve({"w.lua": workflow(receiver.url, wf_trigger='hook.once { "created", "updated" }')}, test_clock=True)
    for n in range(60):
        host.accept(*[named(number, event_id=f"e-{number}-{n}", text="x" * (n * 300)) for number in (7, 8)])
    receiver.wait(2)
    for row in host.deliveries():
        host.until_state(row["id"], "delivered")
    would = erase(host, 7, dry_run=True)
    assert would == {"events": 60, "deliveries": 1, "owed": 0, "attempts": 1, "marks": 1}
    assert host.event("e-7-0")["id"] == "e-7-0"
    assert erase(host, 7) == would
    assert files_with(host, f"{NEEDLE}-7-") == []
    assert files_with(host, f"{NEEDLE}-8-") == ["hookline.db"]
    assert host.call("GET", "/v1/events/e-7-0").status == 404 and host.event("e-8-59")["id"] == "e-8-59"
    assert len(host.deliveries()) == 1
    assert erase(host, 7) == dict.fromkeys(would, 0)
    assert len(host.accept(named(7, event_id="e-7-0"))[0]["deliveries"]) == 1, "it is new, and fires again"
    host.kill9()
    host.start()
    assert host.event("e-8-59")["id"] == "e-8-59"


def test_what_is_owed_is_not_sent_and_what_is_under_way_leaves_no_trace(serve, receivers):
    receiver = receivers(lambda request: PARK)
    host = serve({"w.lua": workflow(receiver.url, wf_order='"record"')}, test_clock=True)
    for n in range(3):
        host.accept(named(7, amount=n))
    host.accept(named(8))
    receiver.wait(2)
    assert erase(host, 7)["owed"] == 3
    assert host.call("GET", "/v1/status").json()["owed"] == 1
    receiver.release()
    host.until_state(host.deliveries()[0]["id"], "delivered")
    assert len(receiver.requests) == 2 and len(host.deliveries()) == 1
    assert files_with(host, f"{NEEDLE}-7-") == []


def test_outcomes_of_its_webhooks_go_too(serve, receivers):
    receiver = receivers(lambda request: 200)
    host = serve({"w.lua": workflow(receiver.url), "told.lua": OUTCOMES % receiver.url}, test_clock=True)
    host.accept(named(7))
    host.accept(named(8))
    receiver.wait(4)
    for row in host.deliveries():
        host.until_state(row["id"], "delivered")
    removed = erase(host, 7)
    assert removed["events"] >= 2 and removed["deliveries"] >= 2
    assert files_with(host, f"{NEEDLE}-7-") == [] and files_with(host, f"{NEEDLE}-8-") != []


def test_the_log_keeps_that_it_was_done(serve, receivers):
    host = serve({"w.lua": workflow(receivers(lambda request: 200).url)}, test_clock=True)
    host.accept(named(7))
    refused = run("erase", "deal", "7", "--data", host.data, input="")
    assert refused.returncode == 1 and "add --yes" in refused.stderr and "1 events" in refused.stderr
    counted = run("erase", "deal", "7", "--dry-run", "--json", "--data", host.data)
    assert json.loads(counted.stdout)["dry_run"] is True
    assert host.call("GET", "/v1/audit").json()["audit"] == []
    done = run("erase", "deal", "7", "--yes", "--data", host.data)
    assert done.returncode == 0 and "Erased of deal 7: 1 events" in done.stdout
    rows = host.call("GET", "/v1/audit").json()["audit"]
    assert [(r["act"], r["subject"], r["who"]) for r in rows] == [("record.erase", "deal 7", "admin")] * 2
    assert rows[1]["after"] == "begun" and rows[0]["after"].startswith("removed: 1 events, 1 deliveries")


@pytest.mark.parametrize("body", [b"", {}, {"record": "deal"}, {"record": {"type": "deal"}}, {"record": {"type": 5, "id": 5}},
                                  {"record": {"type": "deal", "id": 5}, "x": 1}, {"record": {"type": "deal", "id": 5}, "dry_run": 1}])
def test_what_is_no_record_is_refused(serve, receivers, body):
    host = serve({"w.lua": workflow("http://127.0.0.1:9/")})
    assert host.call("POST", "/v1/erase", body).status == 400
