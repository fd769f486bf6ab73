"""The API's description: it has each route, and what a client that makes up its requests from it gets is as it says.

CALLS=10000 SEED=7 for longer runs and to repeat one.
"""
import json
import os
import pathlib
import random
import re
import urllib.parse

import pytest

from support import openapi
from support.rules import deal, workflow

ROOT = pathlib.Path(__file__).resolve().parents[2]
CALLS = int(os.environ.get("CALLS", 2000))
ODD = ["", "0", "-1", "1e9", "x" * 3000, "%00", "..", "../../etc/passwd", "a b", "ü", "'\"<&", "\u2028", "dlv_0000000000000",
       "evt_zzzzzzzzzzzzz", "null", "true", "9" * 40, "{{ x }}", "https://a.example:443"]
VALUES = [None, True, False, 0, -1, 1.5, 10 ** 30, "", "x", "ü" * 50, [], {}, [[]], {"a": {"b": [1, None]}}, "2026-11-23T09:15:00Z"]
# These end what the others need, or do not end.
NOT_CALLED = {("post", "/v1/drain"), ("post", "/v1/pause"), ("get", "/v1/live")}


def test_it_has_each_route_with_its_role():
    text = (ROOT / "core/api/routes.c").read_text().split("ROUTES[] = {")[1].split("\n};")[0]
    routes = {(m.lower(), p, r.lower()) for m, p, r in re.findall(r'\{"(\w+)", "([^"]*)", ROLE_(\w+)', text)}
    said = {(method, path, operation["x-role"]) for path, item in openapi.DOCUMENT["paths"].items()
            for method, operation in item.items()}
    assert said == routes
    version = re.search(r"^VERSION := (\S+)", (ROOT / "Makefile").read_text(), re.M)[1]
    assert openapi.DOCUMENT["info"]["version"] == version
    ids = [operation["operationId"] for item in openapi.DOCUMENT["paths"].values() for operation in item.values()]
    assert len(set(ids)) == len(ids)


def parameters_of_routes():
    """(method, path) -> the names of its parameters, as the table of routes has them."""
    text = (ROOT / "core/api/routes.c").read_text().split("ROUTES[] = {")[1].split("\n};")[0]
    found = re.findall(r'\{"(\w+)", "([^"]*)"((?:[^{}"]|"[^"]*")*)\}', text)
    assert len(found) > 40
    return {(method.lower(), path): (re.search(r'\.parameters = "([^"]*)"', rest) or ("", ""))[1].split()
            for method, path, rest in found}


def test_it_has_the_parameters_that_each_route_takes():
    said = {(method, path): [p["name"] for p in map(openapi.resolve, operation.get("parameters", [])) if p["in"] == "query"]
            for path, item in openapi.DOCUMENT["paths"].items() for method, operation in item.items()}
    assert said == parameters_of_routes()


def test_a_parameter_that_a_route_does_not_take_is_no_silent_typo(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url)})
    for (method, path), known in parameters_of_routes().items():
        if path.startswith("/v1/") and path != "/v1/sources/{id}":
            reply = host.call(method.upper(), path.replace("{id}", "x") + "?limit_=1&" + "&".join(f"{name}=" for name in known))
            assert reply.status == 400 and "limit_" in reply.json()["detail"], (path, reply)
            assert all(name in reply.json()["detail"] for name in known)
    typo = host.call("GET", "/v1/deliveries?limit=5&stat=terminated")
    assert typo.status == 400 and "no parameter stat here, did you mean state?" in typo.json()["detail"], typo
    assert host.call("GET", "/v1/deliveries?stat=x", token=False).status == 401
    assert host.call("GET", "/v1/deliveries?limit=5&&state=").status == 200
    for path in ("/healthz?x=1", "/readyz?x=1", "/metrics?x=1", "/?x=1"):
        assert host.call("GET", path).status == 200, path


def test_it_is_served(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url)})
    reply = host.call("GET", "/openapi.json")
    assert reply.json() == openapi.DOCUMENT
    again = host.call("GET", "/openapi.json", headers={"If-None-Match": reply.headers["etag"]})
    assert again.status == 304 and again.body == b""
    assert host.call("GET", "/openapi.json", token=False).status == 401
    assert "access-control-allow-origin" not in reply.headers
    preflight = host.call("OPTIONS", "/v1/events", headers={"Origin": "https://elsewhere.example"}, token=False)
    assert preflight.status in (401, 405) and "access-control-allow-origin" not in preflight.headers


def test_answers_that_are_not_as_it_says_are_seen():
    """The check itself: else it would pass whatever came."""
    ok = json.dumps({"status": "ok"}).encode()
    kind = {"content-type": "application/json"}
    assert openapi.fault("GET", "/healthz", 200, kind, ok) is None
    for status, headers, body in ((200, kind, b'{"status":"fine"}'), (200, kind, b'{"status":"ok","more":1}'),
                                  (200, kind, b"{}"), (202, kind, ok), (200, {"content-type": "text/html"}, ok)):
        assert openapi.fault("GET", "/healthz", status, headers, body), (status, headers, body)
    assert openapi.fault("GET", "/v1/nothing", 200, kind, ok)
    assert openapi.fault("GET", "/v1/deliveries/dlv_x/resend", 200, kind, ok)


class Client:
    """Requests made up from what is described: mostly right, sometimes not."""

    def __init__(self, seed, known):
        self.random = random.Random(seed)
        self.known = known
        self.operations = [(method, path, operation) for path, item in openapi.DOCUMENT["paths"].items()
                           for method, operation in item.items() if (method, path) not in NOT_CALLED]

    def value(self, schema, depth=0):
        pick = self.random
        schema = openapi.resolve(schema)
        if depth > 4 or pick.random() < 0.08:
            return pick.choice(VALUES)
        if "enum" in schema:
            return pick.choice(schema["enum"])
        for choice in ("oneOf", "anyOf"):
            if choice in schema:
                return self.value(pick.choice(schema[choice]), depth + 1)
        kind = schema.get("type", "object")
        kind = pick.choice(kind) if isinstance(kind, list) else kind
        if kind == "object":
            made = {name: self.value(part, depth + 1) for name, part in schema.get("properties", {}).items()
                    if name in schema.get("required", ()) or pick.random() < 0.5}
            if "record" in made and isinstance(made["record"], dict) and pick.random() < 0.8:
                made["record"] = {"id": pick.choice([1, 2, "a", 4021]), "name": "Ada", **made["record"]}
            if "type" in made and pick.random() < 0.8:
                made["type"] = pick.choice(["deal.created", "deal.updated", "deal.deleted", "contact.created", "deal"])
            return made
        if kind == "array":
            return [self.value(schema.get("items", {}), depth + 1) for _ in range(pick.randrange(3))]
        return {"integer": pick.randrange(-2, 1200), "boolean": pick.random() < 0.5, "null": None,
                "number": pick.random()}.get(kind, pick.choice(ODD[:14] + self.known + ["2d", "90d", "5/s", "deal"]))

    def parameter(self, said):
        return self.random.choice(self.known + ODD) if self.random.random() < 0.4 else self.value(said["schema"])

    def request(self):
        pick = self.random
        method, path, operation = pick.choice(self.operations)
        query = []
        for said in map(openapi.resolve, operation.get("parameters", [])):
            if said["in"] == "path":
                path = path.replace("{%s}" % said["name"], urllib.parse.quote(str(pick.choice(self.known + ODD)), safe="") or "-")
            elif said.get("required") and pick.random() < 0.9 or pick.random() < 0.3:
                value = self.parameter(said)
                query.append((said["name"], json.dumps(value) if isinstance(value, (dict, list, bool)) else str(value)))
        body, headers = None, {}
        content = operation.get("requestBody", {}).get("content", {})
        if content:
            kind = pick.choice(list(content))
            body = json.dumps(self.value(content[kind]["schema"])).encode()
            if kind == "application/x-ndjson":
                body = b"\n".join(json.dumps(self.value({"$ref": "#/components/schemas/EventIn"})).encode() for _ in range(3))
            if pick.random() < 0.1:
                body = body[:pick.randrange(len(body) + 1)] + pick.choice([b"", b"\xff", b"}", b"\0"])
            headers["Content-Type"] = kind if "*" not in kind else "application/json"
            if pick.random() < 0.05:
                headers["Content-Type"] = "text/plain"
        return method.upper(), path + ("?" + urllib.parse.urlencode(query) if query else ""), body, headers


@pytest.mark.release_only
def test_a_client_that_makes_up_its_requests(serve, receiver):
    """No 500, and no answer that is not described (Host.call looks at each)."""
    seed = int(os.environ.get("SEED", random.randrange(10 ** 6)))
    print("SEED", seed)
    rules = {"w.lua": workflow(receiver.url), "broken.lua": "return 1 +",
             "sources/shop.lua": 'return require "hookline".source { events = function(request) return {} end }\n'}
    host = serve(rules)
    known = ["w", "broken", "shop", "deal", "1", "4021", urllib.parse.quote(receiver.url, safe=""), receiver.url]
    for answer in host.accept(*[deal(n, event_id=f"e{n}") for n in range(5)]):
        known += [answer["id"], *answer["deliveries"]]
    client = Client(seed, known)
    statuses = {}
    for _ in range(CALLS):
        method, path, body, headers = client.request()
        token = client.random.random() < 0.97
        reply = host.call(method, path, body, headers, token=token)
        assert reply.status != 500, (seed, method, path, body, reply)
        statuses[reply.status] = statuses.get(reply.status, 0) + 1
        if reply.status == 201:
            known.append(reply.json()["id"])
    assert {200, 202, 400, 401, 404, 409} <= set(statuses), statuses
    print(statuses)
