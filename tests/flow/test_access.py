"""Tokens: who may call which route, for how long, how often, and what a wrong one is told."""
import json
import re

import pytest
from support.host import ROOT, run
from support.rules import deal, workflow
from support.waiting import until

SECRET = re.compile(r"^hl_(ingest|read|admin)_[a-z2-7]{52}$")
IDS = {"/v1/events": "e1", "/v1/workflows": "w", "/v1/deliveries": "dlv_0000000000001", "/v1/sources": "shop",
       "/v1/targets": "https%3A%2F%2Fa.example%3A443", "/v1/tokens": "nobody"}
INGEST = {("POST", "/v1/events"), ("POST", "/v1/records"), ("POST", "/v1/sources/shop")}


def routes():
    """(method, path, role) of the table of routes, with an id where one belongs."""
    text = (ROOT / "core/api/routes.c").read_text().split("ROUTES[] = {")[1].split("\n};")[0]
    found = []
    for method, path, role in re.findall(r'\{"(\w+)", "([^"]*)", ROLE_(\w+)', text):
        start = path.split("/{")[0]
        found.append((method, re.sub(r"\{\w+\}", IDS.get(start, "index.html"), path), role.lower()))
    return found


def wanted(method, path):
    """The rule, beside the table: posting is ingest's, looking is read's (but at tokens), all else admin's."""
    if not path.startswith("/v1/") and path not in ("/metrics", "/openapi.json"):
        return "open"
    if (method, path) in INGEST:
        return "ingest"
    return "read" if method == "GET" and path != "/v1/tokens" else "admin"


def add(host, name, role, **more):
    reply = host.call("POST", "/v1/tokens", {"name": name, "role": role, **more})
    assert reply.status == 201, reply
    made = reply.json()
    assert SECRET.match(made["token"]) and made["token"].split("_")[1] == role
    return made


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def ask(host, token, method="GET", path="/v1/events", body=None):
    return host.call(method, path, body, bearer(token), token=False)


@pytest.fixture
def host(serve):
    shop = 'local hook = require "hookline"\nreturn hook.source { name = "shop", map = function() return {} end }\n'
    return serve({"w.lua": workflow("http://127.0.0.1:9/"), "sources/shop.lua": shop}, test_clock=True)


def test_every_route_wants_its_role(host):
    table = routes()
    assert len(table) > 30
    assert [(m, p, role) for m, p, role in table] == [(m, p, wanted(m, p)) for m, p, _ in table]
    made = {role: add(host, role[0], role) for role in ("ingest", "read")}
    made["admin"] = {"token": host.token, "name": "admin"}
    for method, path, role in table:
        if path in ("/v1/pause", "/v1/drain"):
            continue  # granted they would stop what follows: below
        for has, token in made.items():
            body = b"{}" if method == "POST" else None
            # A stream that is granted has no end; HEAD is judged as GET is.
            reply = ask(host, token["token"], "HEAD" if path == "/v1/live" and has != "ingest" else method, path, body)
            if role == "open" or has in (role, "admin"):
                assert reply.status not in (401, 403, 429), (method, path, has, reply)
            else:
                assert reply.status == 403, (method, path, has, reply)
                assert reply.json()["role"] == role and role in reply.headers["www-authenticate"]
                assert reply.headers["content-type"] == "application/problem+json"
                assert f"{token['name']} has the role {has}" in reply.json()["detail"]
    for path in ("/v1/pause", "/v1/drain"):
        assert ask(host, made["read"]["token"], "POST", path).status == 403
    head = host.call("HEAD", "/v1/tokens", headers=bearer(made["read"]["token"]), token=False)
    assert head.status == 403, "HEAD is GET"
    assert ask(host, made["ingest"]["token"], "GET", "/v1/nothing").status == 404
    assert ask(host, made["ingest"]["token"], "DELETE", "/v1/events").status == 405


def test_bad_tokens_open_no_route(host):
    revoked, expired = add(host, "revoked", "admin"), add(host, "expired", "admin", expires_in="1h")
    assert host.call("POST", "/v1/tokens/revoked/revoke").status == 200
    host.advance("1h")
    bad = {"none": {}, "revoked": bearer(revoked["token"]), "expired": bearer(expired["token"]),
           "wrong": bearer("hl_admin_" + "a" * 52), "cut": bearer(host.token[:-1]), "longer": bearer(host.token + "x"),
           "scheme": {"Authorization": "Basic " + host.token}, "empty": bearer(""), "bare": {"Authorization": host.token}}
    for method, path, role in [*routes(), ("GET", "/v1/nothing", "any"), ("POST", "/", "any")]:
        for kind, headers in bad.items():
            reply = host.call(method, path, b"{}" if method == "POST" else None, headers, token=False)
            if role == "open":
                assert reply.status in (200, 404), (method, path, kind, reply)
                continue
            assert reply.status in (401, 429), (method, path, kind, reply)
            assert reply.headers["content-type"] == "application/problem+json"
            if reply.status == 401:
                assert reply.headers["www-authenticate"].startswith("Bearer")
                assert ("has expired" in reply.json()["detail"]) == (kind == "expired")
        host.advance("1m")  # the limit on wrong tokens lets some through again


def test_the_secret_is_shown_once_and_stored_nowhere(host):
    made = add(host, "crm", "ingest", expires_in="90d", rate="100/s")
    assert made["rate"] == "100/s" and made["expires_at"] > made["created_at"] and made["last_used_at"] is None
    (listed,) = host.call("GET", "/v1/tokens").json()["tokens"]
    assert listed == {k: v for k, v in made.items() if k != "token"}
    secret = made["token"].encode()
    assert host.call("POST", "/v1/tokens", {"name": "crm", "role": "read"}).status == 409
    host.stop()
    for path in host.folder.rglob("*"):
        if path.is_file():
            assert secret not in path.read_bytes(), path
    host.start()
    assert ask(host, made["token"], "POST", body=deal(1)).status == 202, "it outlives the process"


@pytest.mark.parametrize("body,words", [
    (b"", "an object"), (b"[]", "an object"), (b"{", "not JSON"), ({}, "wanted"), ({"name": "x"}, "wanted"),
    ({"role": "read"}, "wanted"), ({"name": "x", "role": "root"}, "role: one of"), ({"name": "", "role": "read"}, "1 to 63"),
    ({"name": "x" * 64, "role": "read"}, "1 to 63"), ({"name": "a b", "role": "read"}, "letters"),
    ({"name": "admin", "role": "read"}, "something else"), ({"name": "tok_x", "role": "read"}, "something else"),
    ({"name": "x", "role": "read", "expires_in": "soon"}, "expires_in"), ({"name": "x", "role": "read", "rate": "5"}, "rate"),
    ({"name": "x", "role": "read", "rate": 5}, "text"), ({"name": "x", "role": "read", "to": "x"}, "there are"),
])
def test_what_is_no_token_is_refused(shared, body, words):
    reply = shared.call("POST", "/v1/tokens", body)
    assert reply.status == 400 and words in reply.json()["detail"], reply
    assert shared.call("GET", "/v1/tokens").json()["tokens"] == []


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    from support.host import Host
    host = Host(tmp_path_factory.mktemp("access"), {"w.lua": workflow("http://127.0.0.1:9/")})
    yield host
    host.stop()


def test_a_revoked_token_ends_at_once_and_its_name_is_free(host):
    made = add(host, "ops", "admin")
    assert ask(host, made["token"]).status == 200
    reply = ask(host, made["token"], "POST", f"/v1/tokens/{made['id']}/revoke")
    assert reply.status == 200 and reply.json()["revoked_at"] and reply.json()["name"] == "ops"
    assert ask(host, made["token"]).status == 401
    assert host.call("POST", f"/v1/tokens/{made['id']}/revoke").status == 404
    assert host.call("POST", "/v1/tokens/admin/revoke").status == 404, "the one in admin.token is not among them"
    again = add(host, "ops", "read")
    names = [(t["name"], t["role"], t["revoked_at"] is None) for t in host.call("GET", "/v1/tokens").json()["tokens"]]
    assert names == [("ops", "read", True), ("ops", "admin", False)]
    host.kill9()
    host.start()
    assert ask(host, made["token"]).status == 401 and ask(host, again["token"]).status == 200


def test_revoked_while_its_body_is_under_way(host):
    import socket
    made = add(host, "slow", "ingest")
    body = json.dumps(deal(1)).encode()
    head = (f"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {made['token']}\r\nContent-Type: application/json\r\n"
            f"Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n").encode()
    with socket.create_connection(("127.0.0.1", host.port), timeout=60) as s:
        s.sendall(head)
        assert b"100 Continue" in s.recv(1000)
        assert host.call("POST", "/v1/tokens/slow/revoke").status == 200
        s.sendall(body)
        assert b" 401 " in s.recv(1000)


def test_the_last_use_is_noted_once_a_minute(host):
    made = add(host, "crm", "read")

    def last():
        return host.call("GET", "/v1/tokens").json()["tokens"][0]["last_used_at"]
    for _ in range(3):
        assert ask(host, made["token"]).status == 200
    first = last()
    assert first
    host.advance("59s")
    ask(host, made["token"])
    assert last() == first
    host.advance("1s")
    ask(host, made["token"])
    second = last()
    assert second > first
    host.stop()
    host.start()
    assert last() == second


def test_wrong_tokens_are_limited_and_good_ones_are_not(host):
    made = add(host, "crm", "read")
    wrong = "hl_read_" + "b" * 52
    answers = [ask(host, wrong) for _ in range(40)]
    assert [r.status for r in answers] == [401] * 30 + [429] * 10
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 2
    assert ask(host, made["token"]).status == 200, "from the same address"
    assert host.call("GET", "/v1/events", token=False).status == 401, "no token is no try"
    assert host.log().count("too many wrong tokens from 127.0.0.1") == 1
    host.advance("2s")
    assert [ask(host, wrong).status for _ in range(2)] == [401, 429]


def test_a_token_keeps_to_its_rate(host):
    slow, other = add(host, "slow", "ingest", rate="3/m"), add(host, "other", "ingest")
    answers = [ask(host, slow["token"], "POST", body=deal(n)) for n in range(4)]
    assert [r.status for r in answers] == [202, 202, 202, 429]
    assert answers[3].headers["retry-after"] == "20" and "slow" in answers[3].json()["detail"]
    assert ask(host, other["token"], "POST", body=deal(9)).status == 202
    host.advance("20s")
    assert [ask(host, slow["token"], "POST", body=deal(n)).status for n in (5, 6)] == [202, 429]


def test_there_is_an_end_to_tokens(host):
    for n in range(1000):
        add(host, f"t{n}", "read")
    reply = host.call("POST", "/v1/tokens", {"name": "more", "role": "read"})
    assert reply.status == 409 and "revoke some" in reply.json()["detail"]
    assert host.call("POST", "/v1/tokens/t500/revoke").status == 200
    add(host, "more", "read")
    first = host.call("GET", "/v1/tokens?limit=700").json()
    rest = host.call("GET", f"/v1/tokens?limit=700&cursor={first['next']}").json()
    assert len(first["tokens"]) == 700 and len(rest["tokens"]) == 301 and rest["next"] is None


def test_acts_are_told_by_the_name_of_the_token(host):
    made = add(host, "anna", "admin", expires_in="1h", rate="300/m")
    assert ask(host, made["token"], "POST", "/v1/pause").status == 200
    assert ask(host, made["token"], "GET", "/v1/status").json()["paused"]["by"] == "anna"
    assert ask(host, made["token"], "POST", "/v1/resume").status == 200
    assert ask(host, made["token"], "POST", "/v1/drain").json()["draining"]["by"] == "anna"
    assert host.call("POST", "/v1/resume").status == 200
    assert host.call("POST", "/v1/tokens/anna/revoke").status == 200
    rows = host.call("GET", "/v1/audit").json()["audit"]
    assert [(r["who"], r["act"]) for r in rows] == [
        ("admin", "token.revoke"), ("admin", "resume"), ("anna", "drain"), ("anna", "resume"), ("anna", "pause"),
        ("admin", "token.add")]
    words = f"{made['id']}, admin, until {made['expires_at']}, at most 300/m"
    assert (rows[-1]["subject"], rows[-1]["before"], rows[-1]["after"]) == ("anna", None, words)
    assert (rows[0]["subject"], rows[0]["before"], rows[0]["after"]) == ("anna", words, "revoked")
    assert made["token"] not in json.dumps(rows)


def test_the_command(host):
    made = run("tokens", "add", "crm", "--role", "ingest", "--expires", "90d", "--rate", "100/s", "--data", host.data)
    assert made.returncode == 0 and SECRET.match(made.stdout.strip()) and "not shown again" in made.stderr
    assert ask(host, made.stdout.strip(), "POST", body=deal(1)).status == 202
    listed = run("tokens", "--data", host.data)
    assert "crm" in listed.stdout and "100/s" in listed.stdout and made.stdout.strip() not in listed.stdout
    rows = json.loads(run("tokens", "list", "--json", "--data", host.data).stdout)["tokens"]
    assert rows == host.call("GET", "/v1/tokens").json()["tokens"]
    denied = run("tokens", "--data", host.data, "--token", made.stdout.strip())
    assert denied.returncode == 1 and "wants a token with the role admin" in denied.stderr
    taken = run("tokens", "add", "crm", "--role", "read", "--data", host.data)
    assert taken.returncode == 1 and "another token has that name" in taken.stderr
    assert run("tokens", "revoke", "crm", "--data", host.data).returncode == 0
    gone = run("events", "--data", host.data, "--token", made.stdout.strip())
    assert gone.returncode == 1 and "it is revoked" in gone.stderr
    until(lambda: host.call("GET", "/v1/tokens").json()["tokens"][0]["revoked_at"], "the end of it")
