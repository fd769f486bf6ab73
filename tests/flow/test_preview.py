"""`try --send` and the API's test judge an answer as the delivery itself is judged."""
import base64
import json
import threading

import pytest
from support.host import run
from support.receiver import PARK, Answer
from support.rules import deal, workflow

OPTIONS = ("--allow-target", "127.0.0.0/8")
SECRET = "s3cret-of-preview"
ON_OK = "function(response) return response.json.ok == true end"


def try_one(folder, host, *options, env=None):
    (folder / "event.json").write_text(json.dumps(deal(1)))
    return run("try", host.rules_dir / "w.lua", "--event", folder / "event.json", "--data", folder / "tried", "--send",
               *OPTIONS, *options, env=env)


def ask(host, **kind):
    return host.call("POST", "/v1/workflows/w/test", {"event": deal(1), "send": True}, **kind).json()["requests"][0]


@pytest.mark.parametrize("keys, answer, state, words", [
    ({}, (201, b"made"), "delivered", None),
    ({}, (503, b""), "retrying", None),
    ({}, (410, b""), "terminated", "gone for good"),
    ({"success": ON_OK}, (200, b'{"ok":true}'), "delivered", None),
    ({"success": ON_OK}, (200, b'{"ok":false}'), "retrying", None),
    ({"success": ON_OK}, (500, b'{"ok":true}'), "delivered", None),
    ({"success": ON_OK}, (500, b'{"ok":false}'), "retrying", None),
    ({"success": 'function(response) return response.headers["x-kind"] ~= "a" end'}, (200, b""), "retrying", None),
    ({"success": 'function() error "odd" end'}, (200, b""), "delivered", None),
    ({"success": 'function() error "odd" end'}, (500, b""), "retrying", None),
    ({"success": "function(response) return #response.body == 200000 end"}, (500, b"x" * 200_000), "delivered", None),
    ({"success": "function(response) return true end"}, (200, b"x" * (1 << 20) + b"!"), "retrying", None),
    ({"retry_on": '{ 429, "5xx" }'}, (404, b""), "terminated", "which retry_on does not name"),
    ({"retry_on": '{ 429, "5xx" }'}, (502, b""), "retrying", None),
    ({"give_up_on": '{ "4xx" }'}, (404, b""), "terminated", "which give_up_on names"),
    ({"give_up_on": '{ 200 }', "success": ON_OK}, (200, b'{"ok":false}'), "terminated", "which give_up_on names"),
    ({"retry": "function(attempt) return nil end"}, (503, b""), "terminated", "the last of 1 attempts"),
])
def test_all_three_say_the_same(serve, receivers, folder, keys, answer, state, words):
    receiver = receivers(lambda request: Answer(answer[0], {"X-Kind": "a"}, answer[1]))
    host = serve({"w.lua": workflow(receiver.url, **keys)}, test_clock=True)
    tried = try_one(folder, host, "--json")
    asked = ask(host)
    delivery = host.until_state(host.accept(deal(1))[0]["deliveries"][0], state)
    made = delivery["attempts"][0]
    (request,) = json.loads(tried.stdout)["requests"]
    assert tried.returncode == (0 if state == "delivered" else 1)
    for shown in (request, asked):
        assert (shown["state"], shown["success"]) == (state, state == "delivered")
        assert (shown["error"], shown["detail"]) == (made["error"], made["detail"])
        assert shown["response_received"]["body"] == made["response_received"]["body"]
        assert shown["response_received"]["truncated"] == made["response_received"]["truncated"]
        assert shown["reason"] == delivery["reason"] and (words is None or words in shown["reason"])
        assert (shown["retry_in_ms"] is not None) == (state == "retrying")
        assert (shown["advice"] is None) == (state == "delivered")
        assert ("odd" in (shown["fault"] or "")) == ("odd" in keys.get("success", ""))


@pytest.mark.parametrize("keys, answer, words", [
    ({"success": ON_OK}, (500, b'{"ok":true}'), ["Success: status 500"]),
    ({"success": ON_OK}, (200, b"{}"), ["Failure: the receiver answered 200, and success says that this is a failure",
                                        "A host would try again in 15s.", "`success` says that this answer is a failure"]),
    ({"success": 'function() error "odd" end'}, (200, b""), ["Success: status 200", "A function of the webhook failed", "odd"]),
    ({"success": ON_OK}, (200, b"x" * (1 << 20) + b"!"), ["Failure: response_too_large: ", "reads 1 MiB at most"]),
    ({"retry_on": "{ 429 }"}, (503, b""), ["A host would give up: the receiver answered 503, which retry_on does not name"]),
    ({"retry": 'function(attempt) return "5m" end'}, (503, b""), ["A host would try again in 5m."]),
])
def test_people_read_what_would_come_of_it(serve, receivers, folder, keys, answer, words):
    receiver = receivers(lambda request: Answer(answer[0], {}, answer[1]))
    host = serve({"w.lua": workflow(receiver.url, **keys)})
    done = try_one(folder, host)
    assert done.returncode == (0 if "Success" in words[0] else 1)
    for piece in words:
        assert piece in done.stdout, done.stdout


def test_success_sees_no_secret_either(serve, receivers, folder):
    receiver = receivers(lambda request: Answer(200, {}, request.headers["authorization"].encode()))
    env = {"HOOKLINE_SECRET_KEY": SECRET}
    host = serve({"w.lua": workflow(receiver.url, auth='hook.bearer(hook.secret "KEY")',
                                    success="function(response) error(response.body) end")}, env=env)
    tried = try_one(folder, host, "--json", env=env)
    for shown in (json.loads(tried.stdout)["requests"][0], ask(host)):
        assert "Bearer ****" in shown["fault"] and SECRET not in json.dumps(shown)


def test_no_character_of_a_basic_credential_is_shown(serve, receivers, folder):
    """Whatever stands before the password in its group of three bytes, and once more in base64."""
    users = ("", "a", "ab", "crm")

    def echo(request):
        sent = request.headers["authorization"]
        return Answer(503, {"X-Echo": sent}, f"{sent}|{base64.b64encode(sent.encode()).decode()}|end".encode())
    receiver = receivers(echo)
    env = {"HOOKLINE_SECRET_KEY": SECRET}
    hooks = ", ".join(f'hook.webhook {{ method = "GET", url = "{receiver.url}/", auth = hook.basic("{user}x", hook.secret "KEY") }}'
                      for user in users)
    host = serve({"w.lua": workflow("http://x.example", wf_actions=f"{{ {hooks} }}")}, env=env)
    shown = json.loads(try_one(folder, host, "--json", env=env).stdout)["requests"]
    shown += host.call("POST", "/v1/workflows/w/test", {"event": deal(1), "send": True}).json()["requests"]
    shown += [host.until_state(id, "retrying")["attempts"][0] for id in host.accept(deal(1))[0]["deliveries"]]
    assert len(shown) == 3 * len(users)
    for response in (one["response_received"] for one in shown):
        assert response["headers"]["X-Echo"] == "Basic ****"
        assert response["body"] == "Basic ****|QmFzaWMg****|end"


def test_what_was_not_sent_would_be_tried_again(serve, folder):
    host = serve({"w.lua": workflow("http://127.0.0.1:1/", auth='hook.bearer(hook.secret "NONE")')})
    for shown in (json.loads(try_one(folder, host, "--json").stdout)["requests"][0], ask(host)):
        assert (shown["error"], shown["state"], shown["retry_in_ms"]) == ("secret_missing", "retrying", 15000)


def test_a_secret_that_cannot_be_read_is_told_as_a_delivery_has_it(serve):
    host = serve({"w.lua": workflow("http://127.0.0.1:1/", auth='hook.bearer(hook.secret "KEY")')})
    (host.data / "secrets/KEY").mkdir(parents=True)
    attempt = host.until_state(host.accept(deal(1))[0]["deliveries"][0], "retrying")["attempts"][0]
    for shown in (attempt, ask(host)):
        assert (shown["error"], "KEY" in shown["detail"]) == ("secret_missing", True), shown
    assert ask(host)["state"] == "retrying"


def test_the_rules_in_force_when_the_answer_comes_are_asked(serve, receivers):
    receiver = receivers(lambda request: PARK)
    host = serve({"w.lua": workflow(receiver.url, success="function(response) return false end")})
    replies = []
    thread = threading.Thread(target=lambda: replies.append(ask(host, fresh=True)))
    thread.start()
    receiver.wait(1)
    (host.rules_dir / "w.lua").write_text(workflow(receiver.url, success="function(response) return true end"))
    assert host.call("POST", "/v1/reload").json()["errors"] == []
    receiver.release(Answer(500, {}, b"late"))
    thread.join(30)
    assert replies[0]["success"] is True and replies[0]["response_received"]["body"] == "late"
