"""POST /v1/workflows/ID/test: what `try --json` prints, by a running host."""
import json
import threading

import pytest
from support.host import run
from support.receiver import PARK, Answer
from support.rules import deal, workflow

SECRET = "s3cret-of-test"


@pytest.fixture
def host(serve, receivers):
    made = receivers(lambda r: Answer(201, {"X-Echo": r.headers.get("authorization", "")}, b"made"))
    rule = workflow(made.url + "/hook", auth='hook.api_key(hook.secret "KEY", { header = "Authorization", prefix = "Token " })',
                    wf_trigger='hook.once { "updated" }', wf_when='hook.all { field "stage":is "Won" }')
    started = serve({"w.lua": rule, "broken.lua": "return {"}, env={"HOOKLINE_SECRET_KEY": SECRET})
    started.receiver = made
    return started


def ask(host, body=None, id="w"):
    return host.call("POST", f"/v1/workflows/{id}/test", body)


def without_times(document):
    """Apart from what differs each time: ids, times, where the event is from."""
    for request in document["requests"]:
        request.pop("curl")
        request.get("elapsed_ms") is not None and request.pop("elapsed_ms")
        for name in list(request["request_sent"]["headers"]):
            if name.startswith("webhook-"):
                del request["request_sent"]["headers"][name]
    return {key: value for key, value in document.items() if key != "event_from"}


def test_it_answers_what_try_prints(host, folder):
    for event, fires in ((deal(1, stage="Won", time="2026-11-23T09:15:00Z"), True),
                         (deal(1, stage="Lost", time="2026-11-23T09:15:00Z"), False)):
        (folder / "event.json").write_text(json.dumps(event))
        tried = run("try", host.rules_dir / "w.lua", "--event", folder / "event.json", "--data", folder, "--json",
                    "--allow-target", "127.0.0.0/8", env={"HOOKLINE_SECRET_KEY": SECRET})
        reply = ask(host, {"event": event})
        assert reply.status == 200 and SECRET not in reply.body.decode(), reply
        answer = reply.json()
        assert answer["would_fire"] is fires and answer["event_from"] == "request"
        assert without_times(answer) == without_times(json.loads(tried.stdout))
    assert host.receiver.requests == []


def test_it_sends_once_and_stores_nothing(host):
    event = deal(7, stage="Won")
    for _ in range(2):  # no once-mark is taken
        answer = ask(host, {"event": event, "send": True}).json()
        sent = answer["requests"][0]
        assert sent["success"] is True and sent["response_received"]["status"] == 201
        assert sent["response_received"]["body"] == "made"
        assert sent["response_received"]["headers"]["X-Echo"] == "Token ****", "an echoed secret"
    assert len(host.receiver.requests) == 2
    assert host.receiver.requests[0].headers["authorization"] == f"Token {SECRET}"
    assert host.deliveries() == [] and host.call("GET", "/v1/events").json()["events"] == []
    id = host.accept(event)[0]["deliveries"][0]
    host.until_state(id, "delivered")


def test_without_an_event_it_takes_the_last_stored_one(host):
    refused = ask(host)
    assert refused.status == 409 and "give one" in refused.json()["detail"]
    host.accept(deal(1, stage="Lost", event_id="first"), deal(2, stage="Won", event_id="second"),
                deal(3, "deal.created", stage="Won"))
    for body in (None, {}, {"send": False}):
        answer = ask(host, body).json()
        assert answer["event_from"] == "host" and answer["event"]["id"] == "second", answer
        assert answer["would_fire"] is True


@pytest.mark.parametrize("body,said", [
    (b"{", "at byte"), (b"[]", "an object"), (b'{"evnt": {}}', '"event" and "send"'), (b'{"send": 1}', "true or false"),
    (b'{"event": {"type": "deal"}}', "event: "), (b'{"event": null}', "event: "), (b'{} x', "at byte")])
def test_what_is_wrong_is_said(host, body, said):
    reply = ask(host, body)
    assert reply.status == 400 and said in reply.json()["detail"], reply


def test_workflows_that_cannot_be_tested(host):
    event = deal(1, stage="Won")
    assert ask(host, {"event": event}, "nobody").status == 404
    broken = ask(host, {"event": event}, "broken")
    assert broken.status == 409 and "mend its file" in broken.json()["detail"]
    assert host.call("POST", "/v1/workflows/w/test", {"event": event}, token=False).status == 401
    assert host.call("POST", "/v1/workflows/w/deactivate").status == 200
    assert ask(host, {"event": event}).json()["would_fire"] is True, "a stopped one can be tested"


def test_what_fails_is_shown_with_advice(serve, receivers):
    made = receivers(lambda r: 503)
    actions = (f'{{ hook.webhook {{ method = "GET", url = "{made.url}/a" }}, '
               'hook.webhook { method = "GET", url = "http://127.0.0.1:1/b" }, '
               f'hook.webhook {{ method = "GET", url = "{made.url}/c", auth = hook.bearer(hook.secret "NONE") }} }}')
    host = serve({"w.lua": workflow("http://x.example", wf_actions=actions)})
    first, second, third = ask(host, {"event": deal(1), "send": True}).json()["requests"]
    assert first["success"] is False and first["response_received"]["status"] == 503 and first["advice"]
    assert second["error"] == "connect" and second["response_received"] is None and second["advice"]
    assert third["error"] == "secret_missing" and "NONE" in third["advice"]
    assert [r.path for r in made.requests] == ["/a"]


def test_a_rule_that_raises_and_one_that_changes_meanwhile(serve, receivers):
    made = receivers(lambda r: PARK)
    host = serve({"w.lua": workflow(made.url), "raises.lua": workflow(
        made.url, content="function(event) return { x = event.record.nothing.at_all } end")})
    raised = ask(host, {"event": deal(1)}, "raises").json()
    assert raised["would_fire"] is False and "raises.lua:" in raised["error"] and raised["requests"] == []
    replies = []

    def wait():
        replies.append(host.call("POST", "/v1/workflows/w/test", {"event": deal(1), "send": True}, fresh=True))
    thread = threading.Thread(target=wait)
    thread.start()
    made.wait(1)
    (host.rules_dir / "w.lua").unlink()
    assert host.call("POST", "/v1/reload").json()["workflows"] == 1
    made.release(Answer(200, {}, b"late"))
    thread.join(30)
    assert replies[0].json()["requests"][0]["response_received"]["body"] == "late"


def test_a_host_that_stops_does_not_wait_for_the_receiver(serve, receivers):
    made = receivers(lambda r: PARK)
    host = serve({"w.lua": workflow(made.url)})

    def wait():
        try:
            host.call("POST", "/v1/workflows/w/test", {"event": deal(1), "send": True}, fresh=True)
        except OSError:
            pass
    thread = threading.Thread(target=wait)
    thread.start()
    made.wait(1)
    host.stop()
    thread.join(30)
    assert not thread.is_alive()


def test_a_time_trigger_is_tried_with_a_record_as_it_stands(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url, wf_trigger='hook.daily { at = "09:00" }',
                                    wf_when='field "amount":at_least(100)')})
    for amount, fires in ((100, True), (99, False)):
        assert ask(host, {"event": deal(1, amount=amount)}).json()["would_fire"] is fires
    host.accept(deal(2, amount=500))
    answer = ask(host).json()
    assert answer["would_fire"] is True and answer["event_from"] == "host"
