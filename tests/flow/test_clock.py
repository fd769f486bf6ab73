"""Clocks that are set, and hosts that are down: what waits is counted by the time in which the host runs."""
import re
import time

import pytest
from support.rules import deal, workflow
from support.waiting import until
from test_retry import MINUTE, OFFSETS, attempts, seconds, spread

HOUR, DAY = 60 * MINUTE, 24 * 60 * MINUTE
KILL_LOSES = MINUTE + 1  # of the time in which it ran, at most: what waits comes later by that


@pytest.fixture
def failing(receivers):
    return receivers(lambda request: 503)


def set_wall(host, by):
    host.tell_clock(f"wall {round(by * 1000)}ms")


def be_down(host, for_seconds, kills=False):
    """A restart that takes so long by the wall clock. A host under test starts at the real time."""
    set_wall(host, time.time() - for_seconds - seconds(host.now()))
    if kills:
        host.kill9()
    else:
        host.stop()
    host.start()


class Watch:
    """Counts the time in which the host runs, since the first failure of a delivery."""

    def __init__(self, host, id):
        self.host, self.id, self.ran, self.may_lose = host, id, 0, 0

    def run(self, for_seconds):
        self.host.advance(f"{round(for_seconds * 1000)}ms")
        self.ran += for_seconds

    def left(self):
        """Until the next attempt, as people are told."""
        return seconds(self.host.delivery(self.id)["next_attempt_at"]) - seconds(self.host.now())

    def kill(self, for_seconds):
        be_down(self.host, for_seconds, kills=True)
        self.may_lose += KILL_LOSES

    def next(self, number, offset):
        self.run(max(0, self.left()))
        attempts(self.host, self.id, number)
        late = self.ran - offset
        assert -0.5 <= late <= spread(offset) + 1 + self.may_lose, f"attempt {number} came {late} s after its {offset} s"


# What happens in the middle of the wait for an attempt.
TROUBLE = {
    2: lambda w: be_down(w.host, 3 * HOUR),
    4: lambda w: set_wall(w.host, DAY),
    5: lambda w: w.kill(3 * DAY),
    6: lambda w: set_wall(w.host, -DAY),
    8: lambda w: (set_wall(w.host, -DAY), w.kill(0), set_wall(w.host, DAY)),
    9: lambda w: (set_wall(w.host, DAY), w.host.stop(), w.host.start(), set_wall(w.host, -DAY)),
    10: lambda w: be_down(w.host, 60 * DAY),
    12: lambda w: (w.kill(HOUR), w.kill(2 * DAY)),
    13: lambda w: (be_down(w.host, -DAY), set_wall(w.host, 40 * DAY)),
    17: lambda w: be_down(w.host, 3 * DAY),
}


def test_all_attempts_keep_their_places(serve, failing):
    host = serve({"w.lua": workflow(failing.url)}, test_clock=True)
    id = host.accept(deal(1))[0]["deliveries"][0]
    attempts(host, id, 1)
    watch = Watch(host, id)
    for number, offset in enumerate(OFFSETS, 2):
        if number in TROUBLE:
            watch.run(watch.left() / 2)
            TROUBLE[number](watch)
            shown = host.delivery(id)
            assert shown["state"] == "retrying" and len(failing.requests) == number - 1, "none was sent early"
        watch.next(number, offset)
    shown = host.until_state(id, "terminated")
    assert len(shown["attempts"]) == 17 and len(failing.requests) == 17
    assert "the last of 17 attempts failed" in shown["reason"]


def test_what_waits_is_not_sent_all_at_once_after_an_outage(serve, failing):
    host = serve({"w.lua": workflow(failing.url, wf_retry='hook.retry { { "1h" }, { "3h" } }')}, test_clock=True)
    ids = [e["deliveries"][0] for e in host.accept(*[deal(n) for n in range(3)])]
    for id in ids:
        attempts(host, id, 1)
    for kills in (False, True):
        be_down(host, 3 * DAY, kills)
        host.advance("1m")
        assert len(failing.requests) == 3 and {d["state"] for d in host.deliveries()} == {"retrying"}
    host.advance("1h")
    for id in ids:
        attempts(host, id, 2)
    host.advance("2h")
    for id in ids:
        host.until_state(id, "terminated")
    assert len(failing.requests) == 9


def test_a_webhook_that_never_got_through_has_its_end_moved_too(serve, receivers):
    """The breaker is open from the first on: the windows count from when it fell due."""
    receiver = receivers(lambda request: 503)
    host = serve({"w.lua": workflow(receiver.url, wf_retry='hook.retry { { "2h" } }')}, test_clock=True)
    ids = [e["deliveries"][0] for e in host.accept(*[deal(n) for n in range(40)])]
    until(lambda: host.call("GET", "/v1/targets").json()["targets"][0]["state"] == "open", "the breaker")
    host.advance("1h")
    be_down(host, 3 * DAY)
    host.advance("50m")
    assert {host.delivery(id)["state"] for id in ids} <= {"pending", "retrying"}
    host.advance("20m")
    for id in ids:
        host.until_state(id, "terminated")


def test_a_delay_goes_on_while_the_host_is_down(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url, wf_delay='"1h"')}, test_clock=True)
    id = host.accept(deal(1))[0]["deliveries"][0]
    due = seconds(host.delivery(id)["next_attempt_at"]) - seconds(host.now())
    assert 3599 < due <= 3600
    host.advance("10m")
    be_down(host, 15 * MINUTE)
    set_wall(host, -16 * MINUTE)
    host.advance("1m")  # and so the time is stored
    host.kill9()
    host.start()
    left = until(lambda: (s := Watch(host, id).left()) < 25 * MINUTE and s, "the delay to be made up for")
    assert 18 * MINUTE <= left <= 20 * MINUTE
    set_wall(host, DAY)  # the host runs: a clock that is set is no outage
    host.advance("17m")
    assert receiver.requests == [] and host.delivery(id)["state"] == "pending"
    be_down(host, 2 * DAY)
    assert receiver.wait()[0].id == id
    host.until_state(id, "delivered")


def test_a_pause_and_an_outage_are_counted_once(serve, failing):
    host = serve({"w.lua": workflow(failing.url)}, test_clock=True)
    id = host.accept(deal(1))[0]["deliveries"][0]
    attempts(host, id, 1)
    watch = Watch(host, id)
    for number, offset in enumerate(OFFSETS[:5], 2):
        watch.next(number, offset)
    left = watch.left()
    target = host.call("GET", "/v1/targets").json()["targets"][0]["target"].replace("/", "%2F")
    assert host.call("POST", f"/v1/targets/{target}/pause").status == 200
    until(lambda: host.delivery(id)["state"] == "held", "the hold")
    host.advance("3h")
    be_down(host, 3 * DAY)
    host.advance("3h")
    assert host.call("POST", f"/v1/targets/{target}/resume").status == 200
    until(lambda: host.delivery(id)["state"] == "retrying", "the release")
    assert abs(watch.left() - left) < 2
    watch.next(7, OFFSETS[5])


def test_an_order_keeps_its_end(serve, receivers):
    """The second waits for the first, which is given up; its own end is counted from when it fell due."""
    receiver = receivers(lambda request: 503)
    host = serve({"w.lua": workflow(receiver.url, wf_order='"record"', wf_retry='hook.retry { { "1h", "4h" } }')},
                 test_clock=True)
    first, second = [host.accept(deal(1, n=n))[0]["deliveries"][0] for n in range(2)]
    attempts(host, first, 1)
    host.advance("2h")
    be_down(host, 3 * DAY)
    set_wall(host, -DAY)
    assert host.delivery(second)["state"] == "held"
    host.advance("119m")
    assert host.delivery(first)["state"] == "retrying" and host.delivery(second)["state"] == "held"
    host.advance("2m")
    host.until_state(first, "terminated")
    host.until_state(second, "terminated")
    assert [r.id for r in receiver.requests] == [first] * 3


def test_the_log_says_from_when_to_when_the_host_was_down(serve, failing):
    host = serve({"w.lua": workflow(failing.url)}, test_clock=True)
    assert "the host was down" not in host.log()
    host.until_state(host.accept(deal(1))[0]["deliveries"][0], "retrying")
    be_down(host, 2 * HOUR)
    (line,) = [line["message"] for line in host.log_lines() if line["message"].startswith("the host was down")]
    since, until_ = (seconds(text) for text in re.findall(r"20\S+Z", line))
    assert abs(until_ - since - 2 * HOUR) < MINUTE and until_ <= seconds(host.now())
