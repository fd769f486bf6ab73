"""hookline deliveries show: one delivery as a page that says why, and what comes next."""
import datetime

import pytest
from support.host import run
from support.receiver import Answer
from support.rules import deal, workflow
from support.terminal import Terminal
from support.waiting import until

SECRET = "hunter2-and-more"


@pytest.fixture
def host(serve, receivers):
    answers = iter([503, 200])
    receiver = receivers(lambda r: Answer(410 if r.path == "/gone" else next(answers),
                                          {"Content-Type": "application/json"},
                                          b'{"seen":[1,2],"key":"%s"}' % SECRET.encode()))
    made = serve({"flaky.lua": workflow(receiver.url + "/x", auth='hook.bearer(hook.secret "KEY")'),
                  "gone.lua": workflow(receiver.url + "/gone", wf_record='"lead"', auth='hook.bearer(hook.secret "KEY")')},
                 test_clock=True, env={"HOOKLINE_SECRET_KEY": SECRET})
    made.receiver = receiver
    return made


def page(host, id):
    done = run("deliveries", "show", id, "--data", host.data)
    assert done.returncode == 0 and done.stderr == "", done
    assert SECRET not in done.stdout and "\033" not in done.stdout
    return done.stdout


def at_ms(text):
    return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def part(text, title):
    """The lines below a title."""
    return text.split(f"\n{title}\n", 1)[1].split("\n\n", 1)[0].splitlines()


def test_from_a_failure_to_the_end(host):
    id = host.accept(deal(7, event_id="e7"))[0]["deliveries"][0]
    host.until_state(id, "retrying")
    text = page(host, id)
    assert text.splitlines()[0] == f"{id}  retrying"
    for line in ("  workflow   flaky", "  record     deal 7", "  event      e7, deal.updated",
                 f"  to         {host.receiver.url}/x"):
        assert line in text.splitlines(), text
    assert part(text, "Why it is so") == ["  attempt 1: 503: the receiver answered 503"]
    following = part(text, "What comes next")[0]
    assert following.startswith("  attempt 2 at 2") and "s after the last one" in following
    assert len(part(text, "Attempts")) == 1
    sent = part(text, "Attempt 1: what was sent")
    assert sent[0] == f"  > POST {host.receiver.url}/x" and sent[-4:] == [
        '  >   "id": 7,', '  >   "name": "Deal 7",', '  >   "amount": 12500.5', "  > }"]
    came = part(text, "Attempt 1: what came back")
    assert came[0] == "  < status 503" and '  <   "seen": [' in came

    host.advance("1m")
    host.until_state(id, "delivered")
    text = page(host, id)
    assert part(text, "Why it is so") == ["  attempt 2: 200"]
    assert f"hookline deliveries resend {id}" in part(text, "What comes next")[0]
    first, second = part(text, "Attempts")
    assert first.split()[0] == "1" and first.endswith("503: the receiver answered 503")
    assert second.split()[0] == "2" and second.split()[2].startswith("+") and second.endswith("  200")
    assert part(text, "Attempt 1: what came back")[0] == "  < status 503"
    assert part(text, "Attempt 2: what came back")[0] == "  < status 200"
    assert "Attempt 1: what was sent" not in text and "Attempt 2: what was sent" in text


def test_what_has_ended_badly_says_why_and_what_to_do(host):
    id = host.accept({"type": "lead.created", "id": "l1", "record": {"id": 1}})[0]["deliveries"][0]
    host.until_state(id, "terminated")
    text = page(host, id)
    assert "410" in part(text, "Why it is so")[0] and "gone for good" in part(text, "Why it is so")[0]
    assert f"To try again: hookline deliveries resend {id}" in part(text, "What comes next")[0]


def test_what_was_not_tried_yet(host):
    assert host.call("POST", "/v1/pause").status == 200
    id = host.accept(deal(7))[0]["deliveries"][0]
    text = page(host, id)
    assert text.splitlines()[0] == f"{id}  held" and "everything is paused by admin" in text
    assert part(text, "Attempts") == ["  none yet"]
    assert host.call("POST", f"/v1/deliveries/{id}/cancel").status == 200


def test_in_colour_on_a_terminal(host):
    id = host.accept(deal(7))[0]["deliveries"][0]
    host.until_state(id, "retrying")
    for env, has_colour in (({}, True), ({"NO_COLOR": "1"}, False)):
        one = Terminal("deliveries", "show", id, "--data", host.data, env=env)
        code = one.end()
        one.close()
        assert code == 0 and ("\033[33mretrying\033[0m" in one.text()) == has_colour
        assert "Why it is so" in one.text()


def test_nothing_was_sent_where_a_secret_is_missing(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url, auth='hook.bearer(hook.secret "NONE")')}, test_clock=True)
    id = host.accept(deal(1))[0]["deliveries"][0]
    host.until_state(id, "retrying")
    text = page(host, id)
    assert part(text, "Attempt 1: nothing was sent; it would have been:")[0] == f"  > POST {receiver.url}"
    assert "what was sent" not in text and receiver.requests == []


def test_when_it_will_be_given_up(host):
    id = host.accept(deal(7))[0]["deliveries"][0]
    shown = host.until_state(id, "retrying")
    windows_ms = 49 * 3600 * 1000
    assert abs(at_ms(shown["ends_at"]) - at_ms(shown["attempts"][0]["at"]) - windows_ms) < 5000
    assert f"  it is given up at the latest at {shown['ends_at']} (in " in page(host, id)
    assert host.call("POST", "/v1/pause").status == 200
    assert host.delivery(id)["ends_at"] is None, "a pause moves it"
    host.advance("30s")
    assert host.call("POST", "/v1/resume").status == 200
    moved = until(lambda: host.delivery(id)["ends_at"], "the end that was moved")
    assert at_ms(moved) - at_ms(shown["ends_at"]) in range(29_000, 32_000)
    host.advance("1m")
    assert host.until_state(id, "delivered")["ends_at"] is None and "given up" not in page(host, id)


def test_a_function_may_go_on_for_thirty_days(serve, receivers):
    receiver = receivers(lambda request: 503)
    host = serve({"w.lua": workflow(receiver.url, retry='function(attempt) return "5m" end')}, test_clock=True)
    shown = host.until_state(host.accept(deal(1))[0]["deliveries"][0], "retrying")
    assert abs(at_ms(shown["ends_at"]) - at_ms(shown["attempts"][0]["at"]) - 30 * 86400 * 1000) < 5000


def test_an_open_breaker_is_said_of_what_waits_for_it(serve, receivers):
    down = receivers(lambda request: 410 if b'"id":99,' in request.body else 503)
    host = serve({"w.lua": workflow(down.url)}, test_clock=True)
    again = host.accept(deal(99))[0]["deliveries"][0]
    host.until_state(again, "terminated")
    host.ndjson([deal(n) for n in range(30)])
    waits = until(lambda: [d for d in host.deliveries("&state=pending") if d["waits_for"]], "it is open")[0]
    words = f"its target is left alone until {waits['next_attempt_at']} ("
    assert waits["waits_for"].startswith(words) and waits["waits_for"].endswith(" failures in a row)")
    why = part(page(host, waits["id"]), "Why it is so")
    assert why[0] == "  it is owed, and not tried yet" and why[1].startswith("  " + words)
    assert host.call("POST", f"/v1/deliveries/{again}/resend").status == 200
    why = part(page(host, again), "Why it is so")
    assert why[0] == "  it was resent after attempt 1: 410: the receiver answered 410" and why[1].startswith("  " + words)
    down.script = lambda request: 200
    host.advance("5s")
    assert host.until_state(again, "delivered")["waits_for"] is None


def test_a_paused_target_is_said_of_what_waits_for_it(host):
    id = host.accept(deal(7))[0]["deliveries"][0]
    host.until_state(id, "retrying")
    name = host.receiver.url.replace(":", "%3A").replace("/", "%2F")
    assert host.call("POST", f"/v1/targets/{name}/pause").status == 200
    host.until_state(id, "held")
    assert part(page(host, id), "Why it is so") == ["  its target is paused by an operator"]
