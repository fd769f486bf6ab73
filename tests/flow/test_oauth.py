"""hook.oauth2: access tokens of a token server, RFC 6749 section 4.4, against one of the test's."""
import base64
import json
import shutil
import signal
import subprocess
import threading
import urllib.parse

import pytest
from support.host import run
from support.receiver import PARK, RESET, Answer
from support.rules import deal, workflow
from support.waiting import until

SECRET = "s p/+%:é&=\"'"
ENV = {"HOOKLINE_SECRET_CLIENT": SECRET}


def answer(token, status=200, **more):
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(
        {"access_token": token, "token_type": "Bearer", **more}).encode())


def refusal(status=401, **more):
    return Answer(status, {}, json.dumps({"error": "invalid_client", **more}).encode())


def oauth2(url, **keys):
    given = {"token_url": f'"{url}"', "client_id": '"crm"', "client_secret": 'hook.secret "CLIENT"', **keys}
    return "hook.oauth2 { " + ", ".join(f"{k} = {v}" for k, v in given.items() if v) + " }"


def bearer(request):
    return request.headers["authorization"].removeprefix("Bearer ")


@pytest.fixture
def tokens(receivers):
    """A token server that numbers its tokens: token-1, token-2, ..."""
    return receivers(lambda request: answer(f"token-{request.number}", expires_in=3600))


def start(serve, receiver, tokens, more=(), **options):
    rules = {"w.lua": workflow(receiver.url + "/in", auth=oauth2(tokens.url + "/token")), **dict(more)}
    return serve(rules, **{"test_clock": True, "env": ENV, **options})


def owed(host, *numbers):
    return [entry["deliveries"][0] for entry in host.accept(*(deal(n) for n in numbers))]


def attempt(host, id, number=-1):
    return host.delivery(id)["attempts"][number]


def failed(host, id):
    host.until_state(id, "retrying")
    return attempt(host, id)


def stored(host):
    """All bytes that the host has written."""
    files = [path for path in host.data.rglob("*") if path.is_file() and "secrets" not in path.parts]
    return b"".join(path.read_bytes() for path in files) + host.log().encode()


# --- the grant ------------------------------------------------------------------------------------


def test_many_deliveries_of_two_workflows_have_one_token(serve, receiver, tokens):
    host = start(serve, receiver, tokens, {"v.lua": workflow(receiver.url + "/other", auth=oauth2(tokens.url + "/token"))})
    ids = [id for entry in host.accept(*(deal(n) for n in range(1, 101))) for id in entry["deliveries"]]
    assert len(ids) == 200
    requests = receiver.wait(200)
    assert {bearer(r) for r in requests} == {"token-1"}
    for id in ids:
        host.until_state(id, "delivered")
    (asked,) = tokens.requests
    assert (asked.method, asked.path) == ("POST", "/token")
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert asked.headers["accept"] == "application/json"
    kind, coded = asked.headers["authorization"].split(" ")
    id, secret = base64.b64decode(coded).decode().split(":")
    assert kind == "Basic" and (urllib.parse.unquote_plus(id), urllib.parse.unquote_plus(secret)) == ("crm", SECRET)
    assert urllib.parse.parse_qs(asked.body.decode()) == {"grant_type": ["client_credentials"]}
    shown = attempt(host, ids[0])["request_sent"]["headers"]
    assert shown["Authorization"] == "Bearer ****"
    assert b"token-1" not in stored(host) and SECRET.encode() not in stored(host)


def test_what_is_asked_for_and_who_shares(serve, receiver, tokens):
    def one(name, **keys):
        return {f"{name}.lua": workflow(receiver.url + "/" + name, auth=oauth2(tokens.url + "/token", **keys))}

    host = serve({**one("a", scope='{ "read", "write" }', client_auth='"body"', client_id='"c r&m"',
                        params='{ audience = "https://api.example.com/", n = 7 }'),
                  **one("b", scope='"read write"', client_auth='"body"', client_id='"c r&m"',
                        params='{ n = 7, audience = "https://api.example.com/" }'),
                  **one("c", scope='"read"')}, env=ENV)
    host.accept(deal(1))
    sent = {r.path: bearer(r) for r in receiver.wait(3)}
    assert sent["/a"] == sent["/b"] != sent["/c"]
    assert len(tokens.requests) == 2
    (body,) = [r for r in tokens.requests if "authorization" not in r.headers]
    assert urllib.parse.parse_qs(body.body.decode()) == {
        "grant_type": ["client_credentials"], "scope": ["read write"], "audience": ["https://api.example.com/"], "n": ["7"],
        "client_id": ["c r&m"], "client_secret": [SECRET]}


@pytest.mark.parametrize("given, good, bad", [
    ({"expires_in": 3600}, "58m", "2m"), ({"expires_in": "100.5"}, "89s", "2s"), ({}, "59m", "2m"),
    ({"expires_in": 0}, "4s", "2s"), ({"expires_in": 10 ** 30}, "23h", "2h"), ({"expires_in": None}, "59m", "2m")])
def test_a_token_is_kept_until_it_expires(serve, receiver, receivers, given, good, bad):
    tokens = receivers(lambda request: answer(f"token-{request.number}", **given))
    host = start(serve, receiver, tokens)
    owed(host, 1)
    receiver.wait(1)
    host.advance(good)
    owed(host, 2)
    receiver.wait(2)
    host.advance(bad)
    owed(host, 3)
    assert [bearer(r) for r in receiver.wait(3)] == ["token-1", "token-1", "token-2"]


def test_odd_answers_that_are_tokens(serve, receiver, receivers):
    bodies = [b'{"access_token":"a\\/b","token_type":"bearer"}', b'\t{"x":[{"access_token":"no"}],"access_token":"c.d~+/="}\n']
    tokens = receivers(lambda request: Answer(201, {}, bodies[request.number - 1]))
    host = start(serve, receiver, tokens)
    owed(host, 1)
    receiver.wait(1)
    host.signal(signal.SIGHUP)
    until(lambda: "SIGHUP" in host.log(), "the signal")
    owed(host, 2)
    assert [bearer(r) for r in receiver.wait(2)] == ["a/b", "c.d~+/="]


# --- 401 ------------------------------------------------------------------------------------------


def test_a_401_gets_one_more_token_within_the_attempt(serve, receivers, tokens):
    receiver = receivers(lambda request: 401 if bearer(request) == "token-1" else 200)
    host = start(serve, receiver, tokens)
    (id,) = owed(host, 1)
    done = host.until_state(id, "delivered")
    assert len(done["attempts"]) == 1 and done["attempts"][0]["response_received"]["status"] == 200
    first, second = receiver.wait(2)
    assert (bearer(first), bearer(second)) == ("token-1", "token-2")
    assert first.id == second.id == id and first.body == second.body
    for again in owed(host, *range(2, 12)):
        host.until_state(again, "delivered")
    assert len(tokens.requests) == 2


def test_many_that_are_answered_401_at_once_get_one_more_token(serve, receivers, tokens):
    def script(request):
        return PARK if request.path.endswith("park") else 401 if bearer(request) == "token-1" else 200
    receiver = receivers(script)
    rules = {"w.lua": workflow(receiver.url + "/park", auth=oauth2(tokens.url + "/token"))}
    host = serve(rules, test_clock=True, env=ENV)
    ids = owed(host, 1, 2)
    receiver.wait(2)
    receiver.release(Answer(401))
    receiver.wait(4)
    receiver.release()
    for id in ids:
        assert len(host.until_state(id, "delivered")["attempts"]) == 1
    assert sorted(bearer(r) for r in receiver.requests) == ["token-1", "token-1", "token-2", "token-2"]
    assert len(tokens.requests) == 2


@pytest.mark.parametrize("act, undo", [
    ("/v1/deliveries/{id}/cancel", None), ("/v1/workflows/w/deactivate", "/v1/workflows/w/activate"),
    ("/v1/targets/{target}/pause", "/v1/targets/{target}/resume"), ("/v1/pause", "/v1/resume")])
def test_a_401_after_an_operator_said_no_is_the_end_of_the_attempt(serve, receivers, tokens, act, undo):
    receiver = receivers(lambda request: PARK if request.number == 1 else 200)
    rule = workflow(receiver.url + "/in", auth=oauth2(tokens.url + "/token"), wf_when_stopped='"hold"')
    host = start(serve, receiver, tokens, {"w.lua": rule})
    (id,) = owed(host, 1)
    receiver.wait(1)
    names = {"id": id, "target": urllib.parse.quote(receiver.url, safe="")}
    assert host.call("POST", act.format(**names)).status == 200
    receiver.release(Answer(401))
    until(lambda: len(host.delivery(id)["attempts"]) == 1, "the attempt's end")
    assert attempt(host, id)["response_received"]["status"] == 401
    if undo:
        assert host.call("POST", undo.format(**names)).status == 200
    for again in owed(host, 2):
        host.until_state(again, "delivered")
    assert len(tokens.requests) == 1 and [json.loads(r.body)["id"] for r in receiver.requests] == [1, 2]


def test_a_receiver_that_refuses_every_token(serve, receivers, tokens):
    receiver = receivers(lambda request: 401)
    host = start(serve, receiver, tokens)
    (id,) = owed(host, 1)
    assert failed(host, id)["response_received"]["status"] == 401
    assert len(receiver.requests) == 2 and len(tokens.requests) == 2
    (other,) = owed(host, 2)  # another token was got just now: none is asked for again
    failed(host, other)
    assert len(receiver.requests) == 3 and len(tokens.requests) == 2
    host.advance("20s")
    for n in (id, other):
        until(lambda n=n: len(host.delivery(n)["attempts"]) == 2, "the second attempts")
    assert len(tokens.requests) == 3


# --- a token server that gives none ---------------------------------------------------------------

BAD = {
    "refuses": (refusal(error_description="Unknown\r\n client"), "answered 401: invalid_client: Unknown   client"),
    "says no in a success": (refusal(200), "answered 200: invalid_client"),
    "repeats the secret": (refusal(400, error_description=f"secret {SECRET} and {urllib.parse.quote(SECRET, safe='')} and "
                                   + base64.b64encode(b"x" + SECRET.encode()).decode()), "secret **** and **** and e****"),
    "repeats the credential": (refusal(error_description="no Basic " + base64.b64encode(
        b"crm:" + urllib.parse.quote(SECRET, safe="").encode()).decode() + "!"), "no Basic ****!"),
    "no json": (Answer(200, {}, b"<html>"), "answered 200 with what is no JSON object"),
    "cut json": (Answer(200, {}, b'{"access_token":"tok'), "answered 200 with what is no JSON object"),
    "an array": (Answer(200, {}, b'["access_token"]'), "what is no JSON object"),
    "deep json": (Answer(200, {}, b'{"a":' + b"[" * 100 + b"]" * 100 + b',"access_token":"t"}'), "what is no JSON object"),
    "no token": (Answer(200, {}, b"{}"), "no access_token"),
    "a token that is no text": (Answer(200, {}, b'{"access_token":7}'), "no access_token"),
    "an empty token": (answer(""), "empty or has characters"),
    "a token with a line break": (answer("a\r\nX-Evil: 1"), "empty or has characters"),
    "a token with NUL": (answer("a\0b"), "empty or has characters"),
    "a token that is not ASCII": (answer("aé"), "empty or has characters"),
    "a huge token": (answer("t" * 20000), "more than 16 KiB"),
    "a huge answer": (answer("t", x="y" * 70000), "more than 64 KiB"),
    "another type": (answer("t", token_type="mac"), "a token_type other than Bearer"),
    "a redirect": (Answer(302, {"Location": "/elsewhere"}, b""), "redirects are never followed"),
    "an error": (Answer(503, {}, b"busy"), "answered 503 with no access token"),
    "resets": (RESET, "reset"),
}


def test_token_servers_that_give_no_token(serve, receiver, receivers):
    cases = list(BAD)
    tokens = receivers(lambda request: BAD[cases[int(request.path[1:])]][0])
    host = serve({f"w{i}.lua": workflow(receiver.url, auth=oauth2(f"{tokens.url}/{i}")) for i in range(len(cases))},
                 test_clock=True, env=ENV)
    owed(host, 1)
    found = until(lambda: len(found := host.deliveries("&state=retrying")) == len(cases) and found, "all that failed")
    for d in found:
        case = cases[int(d["workflow"][1:])]
        got = attempt(host, d["id"])
        assert got["error"] == "oauth" and BAD[case][1] in got["detail"], (case, got)
    assert receiver.requests == [] and len(tokens.requests) == len(cases)
    # It is no fault of the target's.
    (target,) = host.call("GET", "/v1/targets").json()["targets"]
    assert target["state"] == "closed" and target["last_error"] is None
    assert SECRET.encode() not in stored(host) and base64.b64encode(SECRET.encode())[:12] not in stored(host)


def test_a_token_server_that_is_down_is_left_alone_for_a_while(serve, receivers):
    state = {"answer": Answer(500)}
    tokens = receivers(lambda request: state["answer"])
    receiver = receivers()
    host = start(serve, receiver, tokens, {"plain.lua": workflow(receiver.url + "/plain")})
    ids = [id for entry in host.accept(*(deal(n) for n in range(1, 41))) for id in entry["deliveries"]]
    by_state = until(lambda: (found := host.deliveries()) and
                     {d["state"] for d in found} == {"retrying", "delivered"} and found, "the outcomes")
    mine = [d["id"] for d in by_state if d["workflow"] == "w"]
    assert len(mine) == 40 and len(ids) == 80
    assert all(d["state"] == ("retrying" if d["workflow"] == "w" else "delivered") for d in by_state)
    assert len(tokens.requests) == 1
    host.advance("17s")
    for id in mine:
        until(lambda id=id: len(host.delivery(id)["attempts"]) == 2, "the second attempts")
    seen = len(tokens.requests)
    assert seen == 2
    state["answer"] = answer("good")
    host.advance("2m")
    for id in mine:
        host.until_state(id, "delivered")
    assert len(tokens.requests) == seen + 1
    assert "the token server gives access tokens again" in host.log()


def test_a_token_server_that_hangs_delays_only_those_that_need_it(serve, receiver, receivers):
    tokens = receivers(lambda request: PARK)
    host = start(serve, receiver, tokens, {"plain.lua": workflow(receiver.url + "/plain")})
    host.accept(*(deal(n) for n in range(1, 81)))
    assert {r.path for r in receiver.wait(80)} == {"/plain"}
    until(lambda: host.call("GET", "/v1/targets").json()["targets"][0]["in_flight"] == 0, "the others' end")
    waiting = [d for d in host.deliveries() if d["workflow"] == "w"]
    assert {d["state"] for d in waiting} == {"pending"}
    # One of them is cancelled meanwhile, and does not go out.
    assert host.call("POST", f"/v1/deliveries/{waiting[0]['id']}/cancel").status == 200
    tokens.release(answer("late"))
    for d in waiting[1:]:
        host.until_state(d["id"], "delivered")
    assert len(tokens.requests) == 1 and len(receiver.requests) == 159
    assert waiting[0]["id"] not in {r.id for r in receiver.requests}


def test_a_target_that_is_paused_while_it_waits_gets_nothing(serve, receiver, receivers):
    tokens = receivers(lambda request: PARK)
    host = start(serve, receiver, tokens)
    (id,) = owed(host, 1)
    tokens.wait(1)
    target = urllib.parse.quote(receiver.url, safe="")
    assert host.call("POST", f"/v1/targets/{target}/pause").status == 200
    tokens.release(answer("good"))
    host.until_state(id, "held")
    assert receiver.requests == []
    assert host.call("POST", f"/v1/targets/{target}/resume").status == 200
    host.until_state(id, "delivered")
    assert len(receiver.requests) == 1 and len(tokens.requests) == 1


def test_many_token_servers_that_hang_are_not_all_asked_at_once(serve, receiver, receivers):
    tokens = receivers(lambda request: PARK)
    function = 'function(event) return { hook.webhook { method = "DELETE", url = "%s", auth = %s } } end' % (
        receiver.url, oauth2(tokens.url, scope="tostring(event.record.id)"))
    host = serve({"w.lua": workflow(receiver.url, wf_actions=function)}, test_clock=True, env=ENV)
    ids = owed(host, *range(1, 101))
    tokens.wait(64)
    tokens.script = lambda request: answer("late")
    assert len(tokens.requests) == 64
    tokens.release(answer("late"))
    for id in ids:
        host.until_state(id, "delivered")
    assert len(tokens.requests) == 100


def test_a_host_that_stops_or_dies_while_it_waits_owes_it_still(serve, receiver, receivers):
    state = {"answer": PARK}
    tokens = receivers(lambda request: state["answer"])
    host = start(serve, receiver, tokens)
    (id,) = owed(host, 1)
    tokens.wait(1)
    host.stop()
    host.start()
    tokens.wait(2)
    host.kill9()
    state["answer"] = answer("good")
    host.start()
    done = host.until_state(id, "delivered")
    assert len(done["attempts"]) == 1 and len(receiver.requests) == 1 and len(tokens.requests) == 3


def test_a_host_that_stops_does_not_wait_for_a_second_try_that_its_rate_holds_up(serve, receivers, tokens):
    def script(request):
        return PARK if request.number == 1 else 401 if bearer(request) == "token-1" else 200
    receiver = receivers(script)
    host = start(serve, receiver, tokens, config=f'return {{ targets = {{ ["{receiver.url}"] = {{ rate = "1/m" }} }} }}')
    first, second = owed(host, 1, 2)
    receiver.wait(1)
    host.advance("1m")
    receiver.wait(2)
    until(lambda: len(tokens.requests) == 2, "another token")
    host.advance("1m")
    host.until_state(second, "delivered")
    receiver.release(Answer(401))  # there is a token by now: what is waited for is the rate alone
    until(lambda: host.delivery(first)["attempts"] == [], "no end of the attempt")
    host.stop()
    assert "stopping" in host.log() and "did not end" not in host.log()
    host.start()
    host.advance("1m")
    host.until_state(first, "delivered")


def test_no_secret_no_request(serve, receiver, tokens):
    host = start(serve, receiver, tokens, env={})
    (id,) = owed(host, 1)
    got = failed(host, id)
    assert got["error"] == "secret_missing" and "CLIENT" in got["detail"]
    assert tokens.requests == [] and receiver.requests == []
    (host.data / "secrets").mkdir(exist_ok=True)
    (host.data / "secrets/CLIENT").write_text("found")
    host.advance("20s")
    host.until_state(id, "delivered")


def test_a_drain_waits_for_what_waits_for_a_token(serve, receiver, receivers):
    tokens = receivers(lambda request: PARK)
    host = start(serve, receiver, tokens)
    (id,) = owed(host, 1)
    tokens.wait()
    assert host.call("POST", "/v1/drain").json()["drained"] is False, "it is due"
    tokens.release(answer("one"))
    host.until_state(id, "delivered")
    until(lambda: host.call("GET", "/v1/status").json()["drained"], "the drain")


# --- what is seen, and what is not ----------------------------------------------------------------


def test_a_token_that_a_receiver_repeats_is_masked(serve, receivers):
    token = "ab+c/de~f.ghi-jk=="
    tokens = receivers(lambda request: answer(token))
    forms = [token, urllib.parse.quote(token, safe=""), base64.b64encode(b"Bearer " + token.encode()).decode()]
    receiver = receivers(lambda request: Answer(400, {"X-Echo": token}, " ".join(forms).encode()))
    host = start(serve, receiver, tokens)
    (id,) = owed(host, 1)
    got = failed(host, id)["response_received"]
    assert got["headers"]["X-Echo"] == "****" and got["body"].startswith("**** **** ")
    everything = stored(host)
    assert all(form.encode() not in everything for form in [token, forms[1], base64.b64encode(token.encode()).decode()[2:-4]])


def test_sighup_drops_tokens_and_reads_the_secret_again(serve, receiver, receivers):
    tokens = receivers(lambda request: answer(base64.b64decode(request.headers["authorization"][6:]).decode()[4:]))
    host = start(serve, receiver, tokens, env={}, start=False)
    (host.data / "secrets").mkdir(parents=True)
    (host.data / "secrets/CLIENT").write_text("old")
    host.start()
    owed(host, 1)
    receiver.wait(1)
    (host.data / "secrets/CLIENT").write_text("new")
    owed(host, 2)
    receiver.wait(2)
    assert host.call("POST", "/v1/reload").status == 200
    owed(host, 3)
    assert [bearer(r) for r in receiver.wait(3)] == ["old", "old", "new"]


def test_sighup_while_a_token_is_asked_for_with_an_old_secret(serve, receiver, receivers):
    def script(request):
        return PARK if request.number == 1 else answer("new")
    tokens = receivers(script)
    host = start(serve, receiver, tokens)
    (id,) = owed(host, 1)
    tokens.wait(1)
    host.signal(signal.SIGHUP)
    until(lambda: "SIGHUP" in host.log(), "the signal")
    tokens.release(answer("old"))
    host.until_state(id, "delivered")
    assert [bearer(r) for r in receiver.requests] == ["new"]


def test_try_and_test_send_with_a_token(serve, folder, receivers):
    tokens = receivers(lambda request: answer(f"token-{request.number}"))
    receiver = receivers(lambda request: 401 if bearer(request) == "token-1" else Answer(200, {}, bearer(request).encode()))
    host = start(serve, receiver, tokens)
    rule = host.rules_dir / "w.lua"
    dry = run("try", rule, "--data", folder, "--allow-target", "127.0.0.0/8", "--json", env=ENV)
    (request,) = json.loads(dry.stdout)["requests"]
    assert request["request_sent"]["headers"]["Authorization"] == "Bearer ****" and "success" not in request
    assert "$HOOKLINE_SECRET_CLIENT" in request["curl"] and tokens.requests == []
    sent = run("try", rule, "--data", folder, "--allow-target", "127.0.0.0/8", "--json", "--send", env=ENV)
    (request,) = json.loads(sent.stdout)["requests"]
    assert sent.returncode == 0 and request["success"] and request["response_received"]["body"] == "****", sent.stdout
    assert [bearer(r) for r in receiver.requests] == ["token-1", "token-2"]
    for n in (1, 2):  # the host's own: it keeps the token
        reply = host.call("POST", "/v1/workflows/w/test", {"event": deal(n), "send": True})
        (request,) = reply.json()["requests"]
        assert request["success"] and request["response_received"]["body"] == "****"
    assert [bearer(r) for r in receiver.requests][2:] == ["token-3", "token-3"]
    tokens.script = lambda request: refusal()
    host.signal(signal.SIGHUP)
    until(lambda: "SIGHUP" in host.log(), "the signal")
    (request,) = host.call("POST", "/v1/workflows/w/test", {"event": deal(3), "send": True}).json()["requests"]
    assert request["error"] == "oauth" and "invalid_client" in request["detail"] and "client_id" in request["advice"]
    sent = run("try", rule, "--data", folder, "--allow-target", "127.0.0.0/8", "--send", env=ENV)
    assert sent.returncode == 1 and "Failure: oauth: the token server http://127.0.0.1:" in sent.stdout, sent.stdout


def test_a_host_that_stops_does_not_wait_for_a_test_that_waits_for_a_token(serve, receiver, receivers):
    tokens = receivers(lambda request: PARK)
    host = start(serve, receiver, tokens)
    asking = threading.Thread(target=lambda: host.raw(
        b"POST /v1/workflows/w/test HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer "
        + host.token.encode() + b"\r\nContent-Length: %d\r\n\r\n" % len(body := json.dumps(
            {"event": deal(1), "send": True}).encode()) + body))
    asking.start()
    tokens.wait(1)
    host.stop()
    asking.join(60)
    assert not asking.is_alive()


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize("place", ["basic", "body"])
def test_the_curl_command_gets_a_token_too(folder, receiver, receivers, place):
    tokens = receivers(lambda request: answer("token-of-curl", scope="x"))
    (folder / "rules").mkdir()
    rule = folder / "rules/w.lua"
    rule.write_text(workflow(receiver.url, auth=oauth2(tokens.url, client_id='"c r"', client_auth=f'"{place}"', scope='"a b"')))
    env = {"HOOKLINE_SECRET_CLIENT": "plain" if place == "basic" else SECRET}
    done = run("try", rule, "--data", folder, "--allow-target", "127.0.0.0/8", "--json", "--send", env=env)
    (folder / "pasted").write_text(json.loads(done.stdout)["requests"][0]["curl"])
    subprocess.run(["sh", folder / "pasted"], check=True, env=env | {"PATH": "/usr/bin:/bin"}, stdout=subprocess.DEVNULL, timeout=60)
    sent, pasted = receiver.requests
    assert pasted.headers == sent.headers and pasted.body == sent.body
    asked, by_curl = tokens.requests
    assert by_curl.headers.get("authorization") == asked.headers.get("authorization")
    assert urllib.parse.parse_qs(by_curl.body.decode()) == urllib.parse.parse_qs(asked.body.decode())


def test_redirect_all_asks_no_token_server(serve, receiver, receivers, tokens):
    elsewhere = receivers()
    host = start(serve, receiver, tokens, args=["--redirect-all", elsewhere.url])
    (id,) = owed(host, 1)
    host.until_state(id, "delivered")
    (request,) = elsewhere.requests
    assert request.headers["authorization"] == "Bearer ****"
    assert tokens.requests == [] and receiver.requests == []


# --- where it may go, and what is told when it is loaded ------------------------------------------


def test_a_token_server_at_a_private_address(serve, receiver, folder, tokens):
    rules = folder / "rules"
    rules.mkdir()
    (rules / "w.lua").write_text(workflow("https://a.example/", auth=oauth2("https://10.0.0.1/token")))
    done = run("check", "--rules", rules)
    assert done.returncode == 1 and "auth.token_url" in done.stdout and "no webhook goes to 10.0.0.1 (private)" in done.stdout
    name = tokens.url.replace("127.0.0.1", "localhost")
    host = serve({"w.lua": workflow("http://127.0.0.2:9/", auth=oauth2(name))}, test_clock=True, env=ENV,
                 allow=("127.0.0.2/32",))
    (id,) = owed(host, 1)
    got = failed(host, id)
    assert got["error"] == "oauth" and "address_refused" in got["detail"] and "--allow-target" in got["detail"], got
    assert tokens.requests == []


WRONG = [
    ({"token_url": None}, "auth.token_url: is missing"),
    ({"client_id": None}, "auth.client_id: is missing"),
    ({"client_secret": '"plain"'}, 'write client_secret = hook.secret "NAME"'),
    ({"client_secret": '"x" .. hook.secret "A"'}, "stands alone"),
    ({"token_url": '"ftp://a.example/"'}, "auth.token_url"),
    ({"token_url": '"https://a.example/{{ deal.id }}"'}, "takes no template"),
    ({"token_url": '"https://u:p@a.example/"'}, "auth.token_url"),
    ({"client_id": '"a\\nb"'}, "without control characters"),
    ({"scope": "{}"}, "needs at least a scope"),
    ({"scope": "7"}, "wants text or a table"),
    ({"client_auth": '"header"'}, 'wants "basic" or "body"'),
    ({"audience": '"x"'}, 'did you mean "params"'),
    ({"params": '{ scope = "x" }'}, "has the key scope"),
    ({"params": '{ grant_type = "password" }'}, "client_credentials, and no other"),
    ({"params": '{ x = hook.secret "A" }'}, "takes no secret"),
    ({"params": '{ x = {} }'}, "wants text"),
    ({"params": '{ "x" }'}, "takes names as keys"),
    ({"params": '{ x = ("y"):rep(5000) }'}, "larger than 4 KiB"),
]


def test_what_is_no_oauth2_is_told(folder):
    rules = folder / "rules"
    rules.mkdir()
    for i, (keys, _) in enumerate(WRONG):
        (rules / f"w{i}.lua").write_text(workflow("https://a.example/", auth=oauth2("https://t.example/token", **keys)))
    done = run("check", "--rules", rules)
    assert done.returncode == 1
    for i, (keys, words) in enumerate(WRONG):
        (told,) = [line for line in done.stdout.splitlines() if f"w{i}.lua:" in line]
        assert words in told, (keys, told)


def test_plain_http_and_a_second_authorization_are_told(folder):
    rules = folder / "rules"
    rules.mkdir()
    (rules / "w.lua").write_text(workflow("https://a.example/", auth=oauth2("http://t.example/token")))
    done = run("check", "--rules", rules)
    assert done.returncode == 0 and "unencrypted: use https" in done.stdout, done.stdout
    (rules / "w.lua").write_text(workflow("https://a.example/", auth=oauth2("https://t.example/token"),
                                          headers='{ Authorization = "x" }'))
    done = run("check", "--rules", rules)
    assert done.returncode == 1 and "drop one" in done.stdout, done.stdout
