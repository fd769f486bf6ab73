"""What a webhook's own keys say of its attempts: retry as a function, retry_on, give_up_on, success."""
import datetime

import pytest
from support.host import run
from support.receiver import Answer
from support.rules import deal, workflow
from support.waiting import until


def serve_one(serve, receivers, status, **keys):
    receiver = receivers(lambda request: status)
    host = serve({"w.lua": workflow(receiver.url, **keys)}, test_clock=True)
    return host, host.accept(deal(1))[0]["deliveries"][0], receiver


@pytest.mark.parametrize("keys, status, state, words", [
    ({"retry_on": '{ 429, "5xx" }'}, 404, "terminated", "which retry_on does not name"),
    ({"retry_on": '{ 429, "5xx" }'}, 503, "retrying", None),
    ({"retry_on": '{ 429, "5xx" }'}, 429, "retrying", None),
    ({"give_up_on": '{ "4xx" }'}, 404, "terminated", "which give_up_on names"),
    ({"give_up_on": '{ "4xx", 501 }'}, 501, "terminated", "which give_up_on names"),
    ({"give_up_on": '{ "4xx" }'}, 500, "retrying", None),
    ({"retry_on": '{ 500 }', "give_up_on": '{ 500 }'}, 500, "terminated", "give_up_on"),
    ({"success": "function(response) return response.status == 404 end"}, 404, "delivered", None),
    ({"success": "function(response) return false end"}, 200, "retrying", None),
    ({"retry": "function(attempt) return nil end"}, 503, "terminated", "the last of 1 attempts"),
    ({"retry": 'function(attempt) return "31d" end'}, 503, "terminated", "the last of 1 attempts"),
    ({"wf_retry": "function(attempt) return nil end"}, 503, "terminated", "the last of 1 attempts"),
    ({"wf_retry": "function(attempt) return nil end", "retry": 'hook.retry { { "15s" } }'}, 503, "retrying", None),
    ({"retry": 'function(attempt) return "5m" end'}, 410, "terminated", "410"),
])
def test_what_a_status_leads_to(serve, receivers, keys, status, state, words):
    host, id, _ = serve_one(serve, receivers, status, **keys)
    shown = host.until_state(id, state)
    assert words is None or words in shown["reason"], shown


def test_failures_without_a_status_are_always_tried_again(serve):
    host = serve({"w.lua": workflow("http://127.0.0.1:1/", retry_on="{ 429 }", give_up_on='{ "5xx" }')}, test_clock=True)
    (id,) = host.accept(deal(1))[0]["deliveries"]
    assert host.until_state(id, "retrying")["attempts"][0]["error"] == "connect"


def test_success_reads_the_whole_answer(serve, receivers):
    answers = ['{"ok":false}', '{"ok":true,"x":"%s"}' % ("y" * 100_000)]
    receiver = receivers(lambda request: Answer(200, {"X-Kind": "a"}, answers[request.number - 1].encode()))
    host = serve({"w.lua": workflow(receiver.url, success='''function(response)
        assert(response.headers["x-kind"] == "a" and response.status == 200)
        return response.json.ok and #response.body > 100000
      end''')}, test_clock=True)
    (id,) = host.accept(deal(1))[0]["deliveries"]
    shown = host.until_state(id, "retrying")
    assert "success says" in host.log()
    assert shown["attempts"][0]["response_received"]["body"] == answers[0]
    host.advance("20s")
    host.until_state(id, "delivered")


def test_an_answer_that_is_too_large_for_success(serve, receivers):
    receiver = receivers(lambda request: Answer(200, {}, b"x" * (1 << 20) + b"!"))
    host = serve({"w.lua": workflow(receiver.url, success="function(response) return true end")}, test_clock=True)
    (id,) = host.accept(deal(1))[0]["deliveries"]
    assert host.until_state(id, "retrying")["attempts"][0]["error"] == "response_too_large"


def test_a_function_says_when_the_next_attempt_comes(serve, receivers):
    rule = '''function(attempt)
        if attempt.number > 3 then return nil end
        assert(attempt.status == 503 and attempt.error == nil)
        assert(attempt.number == 1 and attempt.elapsed == 0 or attempt.elapsed >= 300)
        return attempt.number == 1 and "5m" or "1h"
      end'''
    host, id, receiver = serve_one(serve, receivers, 503, retry=rule)
    for number, step in enumerate(("5m", "1h", "1h"), 1):
        until(lambda: len(host.delivery(id)["attempts"]) == number, f"attempt {number}")
        host.advance(step)
    shown = host.until_state(id, "terminated")
    assert len(shown["attempts"]) == 4 and len(receiver.requests) == 4
    assert "a function of a webhook failed" not in host.log()


def test_retry_after_puts_it_later(serve, receivers):
    receiver = receivers(lambda request: Answer(503, {"Retry-After": "600"}, b""))
    host = serve({"w.lua": workflow(receiver.url, retry='function(attempt) return "1m" end')}, test_clock=True)
    (id,) = host.accept(deal(1))[0]["deliveries"]
    host.until_state(id, "retrying")
    host.advance("9m")
    assert len(receiver.requests) == 1
    host.advance("2m")
    receiver.wait(2)


def test_retry_after_beyond_the_end_is_the_end(serve, receivers):
    """30 days, where a function says when: what a receiver asks for does not end it before."""
    receiver = receivers(lambda request: Answer(503, {"Retry-After": "9" * 30}, b""))
    host = serve({"w.lua": workflow(receiver.url, retry='function(attempt) return "1m" end')}, test_clock=True)
    (id,) = host.accept(deal(1))[0]["deliveries"]
    shown = host.until_state(id, "retrying")
    next_at, made_at = (datetime.datetime.fromisoformat(t) for t in (shown["next_attempt_at"], shown["attempts"][0]["at"]))
    assert abs(next_at - made_at - datetime.timedelta(days=30)) < datetime.timedelta(minutes=1)


@pytest.mark.parametrize("keys", [
    {"retry": 'function(attempt) error "no" end'}, {"retry": 'function(attempt) return "soon" end'},
    {"retry": "function(attempt) while true do end end"}, {"success": 'function(response) error "no" end'}])
def test_a_function_that_fails_leaves_what_holds_without_it(serve, receivers, keys):
    host, id, receiver = serve_one(serve, receivers, 503, **keys)
    shown = host.until_state(id, "retrying")
    assert shown["next_attempt_at"] is not None
    until(lambda: "a function of a webhook failed" in host.log(), "the log")
    host.advance("20s")
    receiver.wait(2)


def test_the_function_in_force_is_asked(serve, receivers):
    host, id, receiver = serve_one(serve, receivers, 503, retry='function(attempt) return "5m" end')
    host.until_state(id, "retrying")
    text = (host.rules_dir / "w.lua").read_text().replace('return "5m"', "return nil")
    (host.rules_dir / "w.lua").write_text(text)
    assert host.call("POST", "/v1/reload").json()["errors"] == []
    host.advance("5m")
    host.until_state(id, "terminated")


def test_a_workflow_that_is_gone_leaves_the_default_windows(serve, receivers):
    host, id, receiver = serve_one(serve, receivers, 503, retry='function(attempt) return "5m" end',
                                   success="function(response) return true end and nil")
    host.until_state(id, "retrying")
    (host.rules_dir / "w.lua").unlink()
    host.call("POST", "/v1/reload")
    host.advance("5m")
    until(lambda: len(host.delivery(id)["attempts"]) == 2, "the second attempt")
    assert host.delivery(id)["state"] == "retrying"


@pytest.mark.parametrize("keys, words", [
    ({"retry_on": "429"}, "a list of statuses"), ({"retry_on": "{ 700 }"}, "700 is no status"),
    ({"give_up_on": '{ "4x" }'}, "is no status"), ({"retry_on": "{}"}, "at least"), ({"success": "true"}, "a function")])
def test_what_is_no_policy_is_told(folder, keys, words):
    rules = folder / "rules"
    rules.mkdir()
    (rules / "w.lua").write_text(workflow("https://a.example/", **keys))
    done = run("check", "--rules", rules)
    assert done.returncode == 1 and words in done.stdout, done.stdout


def test_a_webhook_that_a_function_makes_has_no_function_of_its_own(serve, receiver):
    made = '''function(event) return { hook.webhook { method = "DELETE", url = "%s/", %s } } end'''
    host = serve({"a.lua": workflow(receiver.url, wf_actions=made % (receiver.url, "success = function() end")),
                  "b.lua": workflow(receiver.url, wf_retry="function() end", wf_actions=made % (receiver.url, ""))})
    (answer,) = host.accept(deal(1))
    (failed,) = host.call("GET", "/v1/runs?outcome=error").json()["runs"]
    assert "success: a webhook that a function makes is gone" in failed["reason"], failed
    assert len(answer["deliveries"]) == 1


def test_hookline_test_knows_them(folder):
    rules = folder / "rules"
    rules.mkdir()
    (rules / "w.lua").write_text(workflow(
        "https://a.example/", success="function(r) return r.json.ok and r.headers['x-a'] == 'b' end",
        retry='function(attempt) if attempt.number == 1 then return "7m" end end'))
    (rules / "w_test.lua").write_text('''local hook = require "hookline"
local given = { type = "deal.created", record = { id = 1 } }
return hook.test { cases = {
  { name = "first no, then yes", steps = {
    { given = given, expect = { {} }, deliveries = { { state = "retrying" } },
      answers = { { status = 200, body = { ok = false } }, { status = 200, headers = { ["X-A"] = "b" }, body = { ok = true } } } },
    { after = "6m", expect = {}, deliveries = { { state = "retrying" } } },
    { after = "1m", expect = {}, deliveries = { { state = "delivered" } } } } },
} }
''')
    done = run("test", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
