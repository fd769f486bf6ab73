"""The retry windows, driven by the test clock."""
import datetime
import re

import pytest
from support.host import ROOT
from support.receiver import RESET, Answer
from support.rules import deal, workflow
from support.waiting import until

MINUTE, HOUR = 60, 3600
WINDOWS = [[15, MINUTE, 4 * MINUTE, 10 * MINUTE, 20 * MINUTE, 35 * MINUTE, 60 * MINUTE],
           [h * HOUR for h in (2, 4, 8, 12, 18, 24, 32, 40, 49)]]
OFFSETS = [offset for window in WINDOWS for offset in window]
LAST = {window[-1] for window in WINDOWS}


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def spread(offset):
    """The most that an attempt may come after its offset: a tenth of it, none at a window's end."""
    return 0 if offset in LAST else min(0.1 * offset, 15 * MINUTE)


def clock_text(offset):
    return f"{offset / HOUR:g} h" if offset >= HOUR else f"{offset / MINUTE:g} min" if offset >= MINUTE else f"{offset} s"


def test_the_table_of_the_reference():
    shown = re.findall(r"^\| (\d+) \| ([^|]+) \| ([\d.]+) s \|$", (ROOT / "docs/reference.md").read_text(), re.M)
    assert shown == [(str(n), clock_text(o), f"{spread(o):g}") for n, o in enumerate(OFFSETS, 2)]


@pytest.fixture
def failing(receivers):
    return receivers(lambda request: 503)


def attempts(host, id, count):
    """The delivery, when so many attempts are stored."""
    return until(lambda: len((d := host.delivery(id))["attempts"]) >= count and d, f"attempt {count}")


def next_attempt(host, id):
    """Moves the clock to the next attempt and waits until it is stored."""
    before = host.delivery(id)
    step_ms = round((seconds(before["next_attempt_at"]) - seconds(host.now())) * 1000)
    host.advance(f"{max(step_ms, 0)}ms")
    return attempts(host, id, len(before["attempts"]) + 1)


def test_both_windows_to_their_end_with_a_kill_between(serve, failing):
    host = serve({"w.lua": workflow(failing.url)}, test_clock=True)
    id = host.accept(deal(1))[0]["deliveries"][0]
    shown = attempts(host, id, 1)
    base = seconds(shown["attempts"][0]["at"])
    rows, faults = [], []
    for number, offset in enumerate(OFFSETS, 2):
        assert shown["state"] == "retrying", shown
        if number == 9:  # in the gap between the windows
            stopped_at = seconds(host.now())
            host.kill9()
            host.start()
            assert 0 <= stopped_at - seconds(host.now()) < 1, "it goes on where it stood"
        shown = next_attempt(host, id)
        late = seconds(shown["attempts"][-1]["at"]) - base - offset
        is_right = -0.5 <= late <= spread(offset) + 2
        rows.append(f"{number:7} {clock_text(offset):>9} {late:+12.1f} s {spread(offset):12.0f} s"
                    f"  {'' if is_right else 'WRONG'}")
        if not is_right:
            faults.append(rows[-1])
    print("\nattempt    offset        came at      may be at most late")
    print("\n".join(rows))
    shown = host.until_state(id, "terminated")
    assert not faults, faults
    assert len(shown["attempts"]) == 17 and shown["reason"] and shown["next_attempt_at"] is None
    requests = failing.wait(17)
    assert len(requests) == 17 and {r.id for r in requests} == {id}
    assert len({r.body for r in requests}) == 1
    host.advance("10d")
    assert host.delivery(id)["state"] == "terminated" and len(failing.requests) == 17


def test_retry_of_a_workflow_and_success_in_between(serve, receivers):
    receiver = receivers(lambda request: 500 if request.number < 3 else 200)
    host = serve({"w.lua": workflow(receiver.url, wf_retry='hook.retry { { "10s", "1m" }, { "2h" } }')},
                 test_clock=True)
    id = host.accept(deal(1))[0]["deliveries"][0]
    attempts(host, id, 1)
    next_attempt(host, id)
    shown = next_attempt(host, id)
    assert shown["state"] == "delivered" and shown["next_attempt_at"] is None and shown["reason"] is None
    at = [seconds(a["at"]) for a in shown["attempts"]]
    assert 10 <= at[1] - at[0] <= 12 and 60 <= at[2] - at[0] <= 62


def test_retry_of_a_webhook_wins_over_its_workflow(serve, failing):
    host = serve({"w.lua": workflow(failing.url, wf_retry='hook.retry { { "1h" } }', retry='hook.retry { { "5s" } }')},
                 test_clock=True)
    id = host.accept(deal(1))[0]["deliveries"][0]
    attempts(host, id, 1)
    assert next_attempt(host, id)["state"] == "terminated"
    assert seconds(host.now()) - failing.requests[0].at < 60


def retry_after_seconds(value):
    return lambda request: Answer(503, {"Retry-After": value} if request.number == 1 else {})


def test_retry_after_puts_the_next_attempt_later_and_keeps_the_base(serve, receivers):
    receiver = receivers(retry_after_seconds("300"))
    host = serve({"w.lua": workflow(receiver.url)}, test_clock=True)
    id = host.accept(deal(1))[0]["deliveries"][0]
    base = seconds(attempts(host, id, 1)["attempts"][0]["at"])
    second = seconds(next_attempt(host, id)["attempts"][1]["at"])
    assert 300 <= second - base <= 306, "15 s, 1 and 4 min are passed by"
    third = seconds(next_attempt(host, id)["attempts"][2]["at"])
    assert 600 <= third - base <= 665, "then the offset of 10 min, from the same base"


def test_retry_after_as_a_date(serve, receivers):
    receiver = receivers(lambda request: Answer(429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}))
    host = serve({"w.lua": workflow(receiver.url)}, test_clock=True)
    id = host.accept(deal(1))[0]["deliveries"][0]
    base = seconds(attempts(host, id, 1)["attempts"][0]["at"])
    assert 15 <= seconds(next_attempt(host, id)["attempts"][1]["at"]) - base <= 18, "a date in the past changes nothing"


def test_retry_after_beyond_the_end_is_the_last_offset(serve, receivers):
    receiver = receivers(lambda request: Answer(503, {"Retry-After": "864000"}))
    host = serve({"w.lua": workflow(receiver.url)}, test_clock=True)
    id = host.accept(deal(1))[0]["deliveries"][0]
    base = seconds(attempts(host, id, 1)["attempts"][0]["at"])
    shown = next_attempt(host, id)
    assert shown["state"] == "terminated" and len(shown["attempts"]) == 2
    assert abs(seconds(shown["attempts"][1]["at"]) - base - 49 * HOUR) < 5


def test_410_terminates_at_once(serve, receivers):
    receiver = receivers(lambda request: 410)
    host = serve({"w.lua": workflow(receiver.url)}, test_clock=True)
    shown = host.until_state(host.accept(deal(1))[0]["deliveries"][0], "terminated")
    assert len(shown["attempts"]) == 1 and "410" in shown["reason"]


def test_redirects_are_not_followed(serve, receivers):
    other = receivers()
    receiver = receivers(lambda request: Answer(302, {"Location": other.url + "/elsewhere"}))
    host = serve({"w.lua": workflow(receiver.url)}, test_clock=True)
    shown = host.until_state(host.accept(deal(1))[0]["deliveries"][0], "retrying")
    assert shown["attempts"][0]["response_received"]["status"] == 302 and other.requests == []


@pytest.mark.parametrize("status,state", [(200, "delivered"), (204, "delivered"), (299, "delivered"), (300, "retrying"),
                                          (400, "retrying"), (404, "retrying"), (500, "retrying")])
def test_success_is_200_to_299(serve, receivers, status, state):
    receiver = receivers(lambda request: Answer(status, {}, b""))
    host = serve({"w.lua": workflow(receiver.url)}, test_clock=True)
    shown = host.until_state(host.accept(deal(1))[0]["deliveries"][0], state)
    assert shown["attempts"][0]["response_received"]["status"] == status


def test_a_connection_that_breaks_and_one_that_is_refused(serve, receivers):
    receiver, gone = receivers(lambda request: RESET), receivers()
    gone.close()
    host = serve({"broken.lua": workflow(receiver.url), "refused.lua": workflow(gone.url)}, test_clock=True)
    ids = host.accept(deal(1))[0]["deliveries"]
    errors = {host.until_state(id, "retrying")["workflow"]: host.delivery(id)["attempts"][0]["error"] for id in ids}
    assert errors == {"broken": "reset", "refused": "connect"}
