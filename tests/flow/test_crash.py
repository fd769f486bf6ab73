"""kill -9 at named points (`serve --crash-at POINT`): what was acknowledged arrives, with one webhook-id."""
import http.client
import signal

from support.rules import deal, workflow
from support.waiting import until

# The host went away where an answer was due.
GONE = (ConnectionError, http.client.HTTPException)


def died(host):
    assert host.wait_end() == -signal.SIGKILL
    return True


def test_after_the_commit_and_before_the_202(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url, wf_trigger='hook.once { "created", "updated" }')},
                 start=False)
    host.start("--crash-at", "accepted_before_answer")
    event = deal(1, event_id="crm-1")
    try:
        host.post(event)
    except GONE:
        pass
    else:
        raise AssertionError("the host answered")
    died(host)
    host.start()
    # The event was on disk: the client, which saw no answer, posts again and gets the first delivery's id.
    again = host.accept(event)[0]
    assert again["duplicate"] is True and len(again["deliveries"]) == 1
    assert receiver.wait()[0].id == again["deliveries"][0]
    host.until_state(again["deliveries"][0], "delivered")
    assert host.accept(deal(1))[0]["deliveries"] == [], "once fired once"
    assert {r.id for r in receiver.requests} == {again["deliveries"][0]}


def test_after_the_send_and_before_its_outcome_is_stored(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url)}, start=False)
    host.start("--crash-at", "sent_before_outcome")
    try:
        id = host.accept(deal(1))[0]["deliveries"][0]
    except GONE:
        id = None  # it was sent before the answer had left
    died(host)
    first = receiver.wait()[0]
    assert id in (None, first.id)
    host.start()
    seen = receiver.wait(2)
    assert {r.id for r in seen} == {first.id} and {r.body for r in seen} == {first.body}
    shown = host.until_state(first.id, "delivered")
    assert shown["attempts"][-1]["response_received"]["status"] == 200


def test_in_a_reload(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url + "/old")})
    id = host.accept(deal(1))[0]["deliveries"][0]
    host.stop()
    host.start("--crash-at", "reload")
    (host.rules_dir / "w.lua").write_text(workflow(receiver.url + "/new"))
    host.signal(signal.SIGHUP)
    died(host)
    host.start()
    host.accept(deal(2))
    receiver.wait_until(lambda r: any(x.path == "/new" for x in r), "a webhook of the new text")
    assert [r.id for r in receiver.requests if r.path == "/old"] == [id]
    until(lambda: not host.deliveries("&state=pending"), "nothing owed")
