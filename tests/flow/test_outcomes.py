"""record = "webhook": how a webhook ends is an event too, and the next webhook can use its answer."""
import http.client
import json
import signal

import pytest

from support.host import run
from support.receiver import Answer, PARK
from support.rules import deal, workflow
from support.waiting import until

FIRST = 'hook.all { field "workflow":is "first" }'


def first(receiver, **keys):
    return workflow(receiver.url + "/first", **keys)


def outcome(url, content="function(event) return event.record end", trigger='hook.every { "delivered" }',
            when=FIRST, **keys):
    return workflow(url, wf_record='"webhook"', wf_trigger=trigger, wf_when=when, content=content, **keys)


def second(receiver, **keys):
    """Uses the first's JSON answer."""
    content = 'function(event) local r = event.record return { invoice = r.response.json.id, ' \
              'amount = r.event.record.amount, deal = r.event.record.id } end'
    return outcome(receiver.url + "/second", content, **keys)


def answering(answers):
    """A receiver's script: by path, 200 for the rest."""
    return lambda request: answers.get(request.path, 200)


CREATED = Answer(201, {"Content-Type": "application/json"}, b'{"id": 9007199254740993}')


def outcomes(host):
    """The outcome events that are stored, the oldest first."""
    listed = host.call("GET", "/v1/events?type=webhook&limit=100").json()["events"]
    return [host.event(e["id"]) for e in reversed(listed)]


def owes_nothing(host):
    return not any(host.deliveries(f"&state={s}") for s in ("pending", "retrying"))


def test_the_next_request_uses_the_last_answer(serve, receivers):
    receiver = receivers(answering({"/first": CREATED}))
    host = serve({"first.lua": first(receiver), "second.lua": second(receiver)})
    ids = host.accept(deal(7, event_id="crm-7"))[0]["deliveries"]
    assert len(ids) == 1, "the second is owed when the first has arrived"
    seen = receiver.wait(2)
    assert [r.path for r in seen] == ["/first", "/second"]
    assert seen[1].json() == {"invoice": 9007199254740993, "amount": 12500.5, "deal": 7}
    assert [r.headers["hookline-depth"] for r in seen] == ["1", "2"]
    host.until_state(seen[1].id, "delivered")
    until(lambda: len(outcomes(host)) == 2, "both outcomes")
    one = outcomes(host)[0]
    assert one["type"] == "webhook.delivered" and one["previous"] is None
    assert [(r["workflow"], r["outcome"], r["deliveries"]) for r in one["runs"]] == [("second", "sent", [seen[1].id])]
    record = one["record"]
    assert (record["id"], record["state"], record["workflow"], record["action"], record["attempts"]) == (
        ids[0], "delivered", "first", 1, 1)
    assert record["target"] == receiver.url and record["error"] is None and record["reason"] is None
    assert record["request"]["url"] == receiver.url + "/first"
    assert record["request"]["headers"]["webhook-id"] == ids[0]
    assert json.loads(record["request"]["body"])["amount"] == 12500.5
    assert record["response"] == {"status": 201, "body": CREATED.body.decode(), "truncated": False,
                                  "headers": {"Content-Length": "24", "Content-Type": "application/json"},
                                  "json": {"id": 9007199254740993}}
    assert {k: record["event"][k] for k in ("id", "type", "record")} == {"id": "crm-7", **deal(7)}
    assert record["event"]["time"] == host.event("crm-7")["time"], "what the host filled in is there"
    shown = host.delivery(seen[1].id)
    assert shown["event"] == one["id"] and shown["record"] == {"type": "webhook", "id": ids[0]}


@pytest.mark.parametrize("point, times", [("outcome_before_next", 1), ("sent_before_outcome", 2)])
def test_a_chain_goes_on_after_a_kill_between_its_webhooks(serve, receivers, point, times):
    receiver = receivers(answering({"/first": CREATED}))
    host = serve({"first.lua": first(receiver), "second.lua": second(receiver)}, start=False)
    host.start("--crash-at", point)
    try:
        host.accept(deal(7))
    except (ConnectionError, http.client.HTTPException):
        pass  # the webhook was faster than the answer
    assert host.wait_end() == -signal.SIGKILL
    assert [r.path for r in receiver.requests] == ["/first"]
    host.start()
    seen = receiver.wait_until(lambda seen: seen[-1].path == "/second")
    assert [r.path for r in seen] == ["/first"] * times + ["/second"]
    assert seen[-1].json() == {"invoice": 9007199254740993, "amount": 12500.5, "deal": 7}
    host.until_state(seen[-1].id, "delivered")
    assert len(receiver.requests) == times + 1


def test_a_kill_while_the_second_is_under_way(serve, receivers):
    receiver = receivers(answering({"/first": CREATED, "/second": PARK}))
    host = serve({"first.lua": first(receiver), "second.lua": second(receiver)})
    host.accept(deal(7))
    id = receiver.wait(2)[1].id
    host.kill9()
    host.start()
    seen = receiver.wait(3)
    assert seen[2].id == id and seen[2].body == seen[1].body
    receiver.release()
    host.until_state(id, "delivered")


def test_terminated(serve, receivers):
    receiver = receivers(answering({"/first": 503, "/gone": 410}))
    alarm = 'function(event) local r = event.record return { state = r.state, attempts = r.attempts, ' \
            'reason = r.reason, status = r.response.status, error = r.error } end'
    host = serve({"first.lua": first(receiver, retry='hook.retry { { "1s" }, { "2s" } }'),
                  "gone.lua": workflow(receiver.url + "/gone"),
                  "alarm.lua": outcome(receiver.url + "/alarm", alarm, 'hook.every { "terminated" }',
                                       'hook.none { field "workflow":is "alarm" }')}, test_clock=True)
    host.accept(deal(1))
    seen = receiver.wait_until(lambda seen: "/alarm" in [r.path for r in seen])
    assert seen[-1].json() == {"state": "terminated", "attempts": 1, "status": 410, "error": None,
                               "reason": "the receiver answered 410: it is gone for good"}
    for n in (1, 2):
        receiver.wait_until(lambda seen: [r.path for r in seen].count("/first") == n)
        until(lambda: host.deliveries("&state=retrying"), "the outcome")
        host.advance("1200ms")
    seen = receiver.wait_until(lambda seen: [r.path for r in seen].count("/alarm") == 2)
    assert seen[-1].json()["attempts"] == 3 and seen[-1].json()["status"] == 503
    until(lambda: owes_nothing(host), "the end")
    assert {e["type"] for e in outcomes(host)} == {"webhook.terminated"}, "nobody wants the others"


def test_without_an_answer(serve, receivers):
    receiver = receivers()
    host = serve({"first.lua": workflow("http://127.0.0.1:1/", retry='hook.retry { { "1s" } }'),
                  "alarm.lua": outcome(receiver.url, trigger='hook.once { "terminated" }')}, test_clock=True)
    host.accept(deal(1))
    until(lambda: host.deliveries("&state=retrying"), "the failure")
    host.advance("2s")
    record = receiver.wait()[0].json()
    assert record["response"] is None and record["error"] == "connect" and "2 attempts" in record["reason"]


def test_a_workflow_that_causes_itself_ends(serve, receivers):
    receiver = receivers()
    host = serve({"first.lua": first(receiver), "echo.lua": outcome(receiver.url + "/echo", when="nil")})
    host.accept(deal(1))
    seen = receiver.wait(6)
    until(lambda: owes_nothing(host), "the end")
    until(lambda: len(outcomes(host)) == 6, "the last outcome")
    assert [r.headers["hookline-depth"] for r in receiver.requests] == ["1", "2", "3", "4", "5", "6"]
    assert [len(e["runs"]) for e in outcomes(host)] == [1, 1, 1, 1, 1, 0], "over 5 it is stored and not run"
    assert seen[5].json()["event"]["record"]["event"]["record"]["workflow"] == "echo"
    assert "6 workflows" in host.log()


def test_an_event_with_a_depth_carries_it_on(serve, receivers):
    receiver = receivers()
    host = serve({"first.lua": first(receiver), "echo.lua": outcome(receiver.url + "/echo", when="nil")})
    host.accept({**deal(1), "depth": 4})
    until(lambda: len(outcomes(host)) == 2, "the outcomes")
    assert [r.headers["hookline-depth"] for r in receiver.wait(2)] == ["5", "6"]


def test_once_for_each_webhook_and_a_rule_that_raises(serve, receivers):
    receiver = receivers()
    host = serve({"first.lua": first(receiver),
                  "bad.lua": outcome(receiver.url, "function(event) return event.record.response.json.id end")})
    id = host.accept(deal(1))[0]["deliveries"][0]
    host.until_state(id, "delivered")
    until(lambda: outcomes(host), "the outcome")
    (run_,) = outcomes(host)[0]["runs"]
    assert run_["outcome"] == "error" and "bad.lua" in run_["reason"]


def test_much_of_an_answer_is_read_where_it_is_wanted(serve, receivers):
    long = json.dumps({"id": 5, "text": "x" * 900_000}).encode()
    over = b'{"id": 6, "text": "' + b"y" * 1_100_000 + b'"}'
    receiver = receivers(lambda r: Answer(200, {}, long if json.loads(r.body)["id"] == 1 else over))
    host = serve({"first.lua": first(receiver)})
    host.rules_dir.joinpath("seen.lua").write_text(outcome(
        receivers().url, "function(event) local r = event.record.response return { id = r.json ~= hook.null and "
        "r.json.id, length = #r.body, truncated = r.truncated } end"))
    ids = host.accept(deal(3))[0]["deliveries"]
    assert host.until_state(ids[0], "delivered")["attempts"][0]["response_received"]["truncated"] is True
    assert outcomes(host) == [], "nobody wanted them"
    assert host.call("POST", "/v1/reload").json()["errors"] == []
    for number in (1, 2):
        ids = host.accept(deal(number))[0]["deliveries"]
        at = host.until_state(ids[0], "delivered")["attempts"][0]["response_received"]
        assert len(at["body"]) == 16384 and at["truncated"] is True
    mine = until(lambda: len(found := [e for e in outcomes(host) if e["record"]["workflow"] == "first"]) == 2 and found,
                 "two outcomes")
    one, two = (e["record"]["response"] for e in mine)
    assert one["json"]["id"] == 5 and len(one["body"]) == len(long) and one["truncated"] is False
    assert two["json"] is None and len(two["body"]) == 1 << 20 and two["truncated"] is True


def test_secrets_are_masked_in_it(serve, receivers):
    receiver = receivers(lambda r: Answer(200, {"X-Echo": r.headers.get("authorization", "")},
                                          json.dumps({"echo": r.headers.get("authorization")}).encode()))
    host = serve({"first.lua": first(receiver, auth='hook.bearer(hook.secret "KEY")'),
                  "second.lua": outcome(receiver.url + "/second")}, env={"HOOKLINE_SECRET_KEY": "s3cr3t-v4lue"})
    host.accept(deal(1))
    record = receiver.wait(2)[1].json()
    assert record["request"]["headers"]["Authorization"] == "Bearer ****"
    assert record["response"]["json"] == {"echo": "Bearer ****"}
    assert record["response"]["headers"]["X-Echo"] == "Bearer ****"
    assert b"s3cr3t" not in (host.data / "hookline.db-wal").read_bytes()


def test_from_outside_they_are_refused(serve, receiver):
    host = serve({"second.lua": outcome(receiver.url)})
    for type in ("webhook.delivered", "webhook.terminated", "webhook.updated"):
        reply = host.post({"type": type, "record": {"id": 1}})
        assert reply.status == 400 and "the host's own" in reply.json()["detail"]


def test_a_load_of_outcomes_is_not_lost(serve, receivers):
    receiver = receivers(answering({"/first": CREATED}))
    host = serve({"first.lua": first(receiver), "second.lua": second(receiver)})
    host.accept(*(deal(n) for n in range(500)))
    seen = receiver.wait(1000)
    until(lambda: owes_nothing(host), "the end")
    assert sorted(r.json()["deal"] for r in seen if r.path == "/second") == list(range(500))
    assert len(receiver.requests) == 1000


def test_try_and_explain_know_them(serve, receivers, folder):
    receiver = receivers(answering({"/first": CREATED}))
    (folder / "rules").mkdir()
    (folder / "rules" / "second.lua").write_text(outcome(
        "https://app.example.com/x", "hook.fields { 'response.json.id as invoice', 'event.record.amount' }",
        when='hook.all { field "workflow":is "first", field "response.status":equals(201) }'))
    (folder / "rules" / "alarm.lua").write_text(outcome(
        "https://app.example.com/x", "hook.fields { 'reason', 'response.status' }", 'hook.every { "terminated" }'))
    tried = run("try", folder / "rules" / "second.lua", "--data", folder / "none")
    assert tried.returncode == 0 and '"invoice":77' in tried.stdout, tried
    tried = run("try", folder / "rules" / "alarm.lua", "--data", folder / "none")
    assert tried.returncode == 0 and "webhook.terminated" in tried.stdout and "17 attempts" in tried.stdout, tried
    host = serve({"first.lua": first(receiver), "second.lua": second(receiver)})
    host.accept(deal(1))
    until(lambda: len(outcomes(host)) == 2, "the outcomes")
    args = ("try", host.rules_dir / "second.lua", "--data", host.data, "--allow-target", "127.0.0.0/8", "--json")
    tried = run(*args, "--event", dump(folder, outcomes(host)[0]))
    assert tried.returncode == 0 and json.loads(tried.stdout)["would_fire"] is True, tried
    tried = run(*args)
    assert tried.returncode == 1, "the last one is its own, which it does not want"
    assert json.loads(tried.stdout)["event_from"] == "host"


def dump(folder, event):
    path = folder / "event.json"
    path.write_text(json.dumps({k: event[k] for k in ("id", "type", "time", "record")}))
    return path
