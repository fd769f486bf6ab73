"""What is old goes, what is owed or still needed stays, and what was there is still known."""
import pytest

from support.host import run
from support.rules import deal, workflow

AGES = 'return { retention = { payloads = "2d", attempts = "2d", ids = "30d" } }'


def won(number, id, **keys):
    return deal(number, event_id=id, stage="Won", type="deal.created", **keys)


@pytest.fixture
def start(serve, receiver):
    return lambda config=AGES, **keys: serve({"w.lua": workflow(receiver.url, **keys)}, config=config, test_clock=True)


def only(answer):
    assert len(answer[0]["deliveries"]) == 1
    return answer[0]["deliveries"][0]


def test_an_old_payload_goes_and_its_event_is_still_known(start, receiver):
    host = start()
    first = only(host.accept(won(1, "crm-1")))
    host.until_state(first, "delivered")
    latest = only(host.accept(won(1, "crm-2")))
    host.until_state(latest, "delivered")
    host.advance("47h")
    assert host.event("crm-1")["record"]["stage"] == "Won"
    assert host.delivery(first)["attempts"][0]["response_received"]["status"] == 200
    host.advance("3h")

    event = host.event("crm-1")
    assert event["record"] is None and event["previous"] is None
    assert event["note"] == "retention has removed what was sent with the event"
    assert event["runs"][0]["deliveries"] == [first]
    shown = host.delivery(first)
    assert shown["state"] == "delivered" and shown["attempts"] == []
    assert shown["note"] == "retention has removed the request, its attempts and the answers"
    assert first in [d["id"] for d in host.deliveries()]

    again = host.post(won(1, "crm-1"))
    assert again.status == 202 and again.json()["events"][0]["duplicate"]
    assert again.json()["events"][0]["deliveries"] == [first]
    assert host.post(won(1, "crm-1", amount=9)).status == 409

    resent = host.call("POST", f"/v1/deliveries/{first}/resend")
    assert resent.status == 409 and "its request is kept no longer" in resent.json()["detail"]
    replayed = host.call("POST", "/v1/events/crm-1/replay")
    assert replayed.status == 409 and "payload is kept no longer" in replayed.json()["detail"]
    assert host.call("GET", "/v1/events/crm-1/explain").status == 410
    # The record's latest state stays, whatever its age.
    assert host.event("crm-2")["record"]["stage"] == "Won" and "note" not in host.event("crm-2")
    assert len(receiver.requests) == 2

    host.advance("28d")
    assert host.call("GET", "/v1/events/crm-1").status == 404
    assert host.call("GET", f"/v1/deliveries/{first}").status == 404
    assert host.event("crm-2")["record"]["stage"] == "Won"
    assert "retention removed 0 payloads, the attempts of 0 deliveries, and 1 events with 1 deliveries" in host.log()


def test_what_is_owed_stays_whole(start, receiver):
    host = start(wf_delay='"20d"')
    owed = only(host.accept(won(1, "crm-1")))
    only(host.accept(won(1, "crm-2")))
    host.advance("10d")
    assert host.event("crm-1")["record"]["stage"] == "Won"
    host.stop()
    host.start()  # its clock is back at today
    host.advance("20d")
    host.until_state(owed, "delivered")
    assert len(receiver.wait(2)) == 2


def test_once_holds_when_the_event_is_gone(start, receiver):
    host = start(config=None, wf_trigger='hook.once { "created", "updated" }')
    first = only(host.accept(won(1, "crm-1")))
    host.until_state(first, "delivered")
    assert host.accept(won(1, "crm-2"))[0]["deliveries"] == []
    host.advance("32d")
    assert host.call("GET", "/v1/events/crm-1").status == 404
    assert host.accept(won(1, "crm-3"))[0]["deliveries"] == []
    other = only(host.accept(won(2, "crm-4")))
    host.until_state(other, "delivered")
    assert len(receiver.requests) == 2


def test_a_state_that_is_gone_is_not_taken_for_none(start):
    """An event that was compared with a state cannot be judged again without it."""
    host = start()
    for number, stage in enumerate(["New", "Won", "Won"]):
        host.accept(deal(1, event_id=f"crm-{number}", stage=stage, amount=number))
        if number == 0:
            host.advance("40h")
    host.advance("20h")
    assert host.event("crm-0")["record"] is None
    assert host.event("crm-1")["record"]["stage"] == "Won"
    answer = host.call("POST", "/v1/events/crm-1/replay")
    assert answer.status == 409 and "compared with is kept no longer" in answer.json()["detail"]


@pytest.mark.parametrize("text, words", [
    ('ids = "7d"', 'retention.ids: wants a duration from "30d"'),
    ('payloads = "1m"', 'retention.payloads: wants a duration from "1h"'),
    ('attempts = 30', "retention.attempts"),
    ('size = "10KiB"', "retention.size: wants a whole number of bytes"),
])
def test_a_wrong_age_is_refused(tmp_path, text, words):
    (tmp_path / "hookline.conf.lua").write_text(f"return {{ retention = {{ {text} }} }}")
    (tmp_path / "rules").mkdir()
    said = run("serve", cwd=tmp_path)
    assert said.returncode != 0
    assert words in said.stderr
