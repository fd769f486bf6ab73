"""Other systems' payloads at POST /v1/sources/NAME, through the example adapters and hostile ones."""
import base64
import hashlib
import hmac
import json
import pathlib
import time
import urllib.parse

import pytest
from support.rules import workflow
from support.waiting import until

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "tests/data/sources"
SECRETS = {"HOOKLINE_SECRET_CRM_TOKEN": "crm-token-1", "HOOKLINE_SECRET_GITHUB_WEBHOOK_SECRET": "It's a Secret",
           "HOOKLINE_SECRET_STD": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "HOOKLINE_SECRET_STRIPE": "whsec_plain",
           "HOOKLINE_SECRET_NEW": "new key", "HOOKLINE_SECRET_OLD": "old key"}


def payload(name):
    return (DATA / name).read_bytes()


def sha256(key, text):
    return hmac.new(key, text, hashlib.sha256)


def github(body, key=b"It's a Secret", delivery="72d3162e-cc78-11e3-81ab-4c9367dc0958", event="issues"):
    return {"Content-Type": "application/json", "X-GitHub-Event": event, "X-GitHub-Delivery": delivery,
            "X-Hub-Signature-256": "sha256=" + sha256(key, body).hexdigest()}


def standard(body, id="msg_1", at=None, key=base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")):
    at = str(int(time.time()) if at is None else at)
    signature = base64.b64encode(sha256(key, f"{id}.{at}.".encode() + body).digest()).decode()
    return {"webhook-id": id, "webhook-timestamp": at, "webhook-signature": f"v1,bm90IGl0 v1,{signature} v1a,xyz"}


def stripe(body, at=None, key=b"whsec_plain"):
    at = str(int(time.time()) if at is None else at)
    return {"Stripe-Signature": f"t={at},v1={'0' * 64},v1={sha256(key, at.encode() + b'.' + body).hexdigest()},v0=x"}


def source(verify, events="function(request) return request.json end"):
    verify = f"  verify = {verify},\n" if verify else ""
    return f'local hook = require "hookline"\nreturn hook.source {{\n{verify}  events = {events},\n}}\n'


def examples():
    return {f"sources/{p.name}": p.read_text() for p in (ROOT / "rules/sources").glob("*.lua")
            if not p.name.endswith("_test.lua")}


@pytest.fixture
def start(serve, receiver):
    def start(rules, **options):
        host = serve({"deals.lua": workflow(receiver.url + "/deal", content='hook.fields { "id", "amount" }'),
                      "issues.lua": workflow(receiver.url + "/issue", wf_record='"issue"',
                                             content='hook.fields { "id", "title", "labels" }'), **rules},
                     env=SECRETS, **options)
        host.receiver = receiver
        return host
    return start


def send(host, name, body, headers, token=False):
    return host.call("POST", f"/v1/sources/{name}", body, headers, token=token)


def test_the_generic_crm(start):
    host = start(examples())
    body = payload("crm_deal_won.json")
    reply = send(host, "crm", body, {"X-CRM-Token": "crm-token-1"})
    assert reply.status == 202, reply
    answer = reply.json()["events"]
    assert len(answer) == 1 and len(answer[0]["deliveries"]) == 1
    host.until_state(answer[0]["deliveries"][0], "delivered")
    event = host.event(answer[0]["id"])
    assert event["type"] == "deal.updated" and event["time"] == "2026-11-23T09:15:00.000Z"
    assert event["record"]["id"] == 4021 and event["previous"] == {"deal_stage": "Default Pipeline:Negotiation"}
    assert host.receiver.requests[0].body == b'{"id":4021,"amount":12500.50}', "the written number is kept"
    for headers in ({}, {"X-CRM-Token": "crm-token-2"}, {"X-CRM-Token": ""}, {"X-CRM-Token": "crm-token-12"}):
        refused = send(host, "crm", body, headers)
        assert refused.status == 401 and refused.headers["content-type"] == "application/problem+json"
    ignored = send(host, "crm", json.dumps({"object": "User", "action": "login"}).encode(),
                   {"X-CRM-Token": "crm-token-1"})
    assert ignored.status == 202 and ignored.json() == {"events": []}
    assert len(host.call("GET", "/v1/events").json()["events"]) == 1, "nothing else was stored"
    assert "crm-token" not in host.log()


def test_github_issues(start):
    host = start(examples())
    body = payload("github_issue_edited.json")
    reply = send(host, "github_issues", body, github(body))
    assert reply.status == 202, reply
    first = reply.json()["events"][0]
    assert first["id"] == "github_issues:72d3162e-cc78-11e3-81ab-4c9367dc0958" and not first["duplicate"]
    event = host.event(first["id"])
    assert event["type"] == "issue.updated" and event["record"]["labels"] == ["bug"]
    assert event["previous"] == {"title": "Speling error in the README"}
    assert event["record"]["body"].endswith("\u00e9\n\nThanks!")
    again = send(host, "github_issues", body, github(body)).json()["events"][0]
    assert again == {**first, "duplicate": True}, "GitHub delivers again: the same event"
    forged = dict(github(body), **{"X-Hub-Signature-256": "sha256=" + "0" * 64})
    for headers in (forged, github(body, key=b"guess"), github(body + b" "),
                    {k: v for k, v in github(body).items() if "Signature" not in k}):
        assert send(host, "github_issues", body, headers).status == 401
    ping = b'{"zen":"Keep it logically awesome.","hook_id":1}'
    assert send(host, "github_issues", ping, github(ping, event="ping")).json() == {"events": []}
    host.until_state(first["deliveries"][0], "delivered")
    assert len(host.receiver.requests) == 1


def test_cloudevents_in_each_mode(start):
    host = start(examples())
    envelope = json.loads(payload("cloudevent.json"))
    structured = send(host, "cloudevents", payload("cloudevent.json"),
                      {"Content-Type": "application/cloudevents+json; charset=utf-8"}, token=True)
    assert structured.status == 202, structured
    first = structured.json()["events"][0]
    assert first["id"] == "https://crm.example.com/eu#A234-1234-1234"
    event = host.event(urllib.parse.quote(first["id"], safe=""))
    assert event["type"] == "deal.updated" and event["record"]["name"] == "Acme \u20ac renewal"
    assert event["previous"] == {"amount": 9000}
    binary = send(host, "cloudevents", json.dumps({"id": 4022, "amount": 5}).encode(),
                  {"Content-Type": "application/json", "ce-specversion": "1.0", "ce-id": "B%2F1",
                   "ce-type": "com.example.crm.deal.created", "ce-source": "/crm/%E2%82%AC",
                   "ce-time": "2026-11-23T10:00:00Z"}, token=True)
    assert binary.status == 202, binary
    assert binary.json()["events"][0]["id"] == "/crm/\u20ac#B/1"
    batch = [{**envelope, "id": f"C{n}", "data": {"id": n}} for n in range(3)]
    batched = send(host, "cloudevents", json.dumps(batch).encode(),
                   {"Content-Type": "application/cloudevents-batch+json"}, token=True)
    assert [e["id"].split("#")[1] for e in batched.json()["events"]] == ["C0", "C1", "C2"]
    assert send(host, "cloudevents", payload("cloudevent.json"), {}).status == 401, "it has no verify"
    assert send(host, "cloudevents", payload("cloudevent.json"), {"Authorization": "Bearer x"}).status == 401


def test_standard_webhooks_and_stripe(start):
    deal = 'function(request) return { type = "deal.created", record = request.json } end'
    host = start({"sources/std.lua": source('hook.verify.standard(hook.secret "STD")', deal),
                  "sources/pay.lua": source('hook.verify.stripe(hook.secret "STRIPE", { tolerance = "1m" })', deal),
                  "sources/two.lua": source('hook.verify.hmac { header = "X-Sig", encoding = "base64", '
                                            'key = { hook.secret "NEW", hook.secret "OLD" } }', deal)})
    body, now = b'{"id": 1}', int(time.time())
    assert send(host, "std", body, standard(body)).json()["events"][0]["id"] == "std:msg_1"
    assert send(host, "std", body, standard(body)).json()["events"][0]["duplicate"]
    bad = [standard(body, at=now - 301), standard(body, at=now + 301), standard(body, at="soon"),
           standard(body, key=b"x"), standard(body + b" "), {**standard(body), "webhook-id": "msg_2"},
           {**standard(body), "webhook-signature": "v1," + "A" * 43 + "="}, {}]
    for headers in bad:
        assert send(host, "std", body, headers).status == 401, headers
    assert send(host, "std", body, standard(body, id="m3", at=now - 280)).status == 202
    pay = b'{"id": "evt_1MqqbKLt4dXK03v5qaIbiNCC", "amount": 3}'
    taken = send(host, "pay", pay, stripe(pay))
    assert taken.json()["events"][0]["id"] == "pay:evt_1MqqbKLt4dXK03v5qaIbiNCC"
    for headers in (stripe(pay, at=now - 90), stripe(pay, key=b"y"), stripe(b"{}"), {"Stripe-Signature": "v1=a"}):
        assert send(host, "pay", pay, headers).status == 401, headers
    for key, status in ((b"new key", 202), (b"old key", 202), (b"no key", 401)):
        headers = {"X-Sig": base64.b64encode(sha256(key, body).digest()).decode()}
        assert send(host, "two", body, headers).status == status, key


def test_an_adapter_that_fails_loses_nothing_silently(start):
    good = source(None)
    host = start({"sources/raises.lua": source(None, "function(request) return request.json.a.b.c end"),
                  "sources/loops.lua": source(None, "function() while true do end end"),
                  "sources/text.lua": source(None, 'function() return "deal" end'),
                  "sources/unlike.lua": source(None, 'function() return { type = "deal.moved", record = { id = 1 } } end'),
                  "sources/host.lua": source(None, 'function() return { type = "webhook.delivered", record = { id = 1 } } end'),
                  "sources/broken.lua": "local hook = require 'hookline'\nreturn hook.source { event = 1 }\n",
                  "sources/none.lua": "return 5\n",
                  "sources/missing.lua": source('hook.verify.token(hook.secret "NOT_SET")'),
                  "sources/good.lua": good})
    for name, status in (("raises", 500), ("loops", 500), ("text", 500), ("unlike", 500), ("host", 500),
                         ("broken", 503), ("none", 503), ("nowhere", 404), ("missing", 500)):
        reply = send(host, name, b'{"id": 1}', {}, token=True)
        assert reply.status == status and reply.headers["content-type"] == "application/problem+json", (name, reply)
    assert "raises.lua:3" in host.log() and "budget of steps" in host.log()
    event = {"type": "deal.created", "record": {"id": 9}}
    assert send(host, "good", json.dumps([event, event]).encode(), {}, token=True).status == 202
    for body, status in ((b"{", 400), (b"[" * 70 + b"]" * 70, 400), (b"", 400)):
        assert send(host, "good", body, {"Content-Type": "application/json"}, token=True).status == status, body
    listed = {s["name"]: s for s in host.call("GET", "/v1/sources").json()["sources"]}
    assert listed["good"]["error"] is None and listed["good"]["verify"] is None
    assert listed["broken"]["error"]["file"].endswith("sources/broken.lua") and listed["broken"]["error"]["line"] == 2
    assert listed["missing"]["verify"] == "token"
    assert len(host.call("GET", "/v1/events").json()["events"]) == 2, "nothing of the failed ones is stored"


def test_an_adapter_is_mended_while_the_host_runs(start):
    host = start({"sources/x.lua": source(None, "function() error('not yet') end")})
    event = {"id": "e1", "type": "deal.created", "record": {"id": 9}}
    assert send(host, "x", json.dumps(event).encode(), {}, token=True).status == 500
    (host.rules_dir / "sources/x.lua").write_text(source(None))
    assert host.call("POST", "/v1/reload").status == 200
    reply = send(host, "x", json.dumps(event).encode(), {}, token=True)
    assert reply.status == 202 and reply.json()["events"][0]["id"] == "e1"


def test_a_broken_adapter_keeps_its_last_good_text(start):
    lib = "return { verb = 'created' }\n"
    uses = ('local hook = require "hookline"\nlocal lib = require "lib.verbs"\nreturn hook.source { events = function(q) '
            'return { type = "deal." .. lib.verb, record = q.json } end }\n')
    host = start({"sources/x.lua": uses, "lib/verbs.lua": lib})
    assert send(host, "x", b'{"id": 1}', {}, token=True).status == 202
    (host.rules_dir / "lib/verbs.lua").write_text("return {{\n")
    assert host.call("POST", "/v1/reload").status == 200
    listed = host.call("GET", "/v1/sources").json()["sources"][0]
    assert listed["error"]["last_good"] is True and listed["error"]["file"].endswith("lib/verbs.lua"), listed
    assert send(host, "x", b'{"id": 2}', {}, token=True).status == 202
    host.kill9()
    host.start()
    assert send(host, "x", b'{"id": 3}', {}, token=True).status == 202, "also after a restart"
    (host.rules_dir / "lib/verbs.lua").write_text("return { verb = 'deleted' }\n")
    assert host.call("POST", "/v1/reload").status == 200
    reply = send(host, "x", b'{"id": 4}', {}, token=True)
    assert host.event(reply.json()["events"][0]["id"])["type"] == "deal.deleted"
    assert host.call("GET", "/v1/sources").json()["sources"][0]["error"] is None


def test_what_the_adapter_sees(start):
    echo = '''function(request)
      return { type = "deal.created", record = { id = 1, headers = request.headers, query = request.query,
               size = #request.body, is_json = request.json ~= nil } }
    end'''
    host = start({"sources/echo.lua": source('hook.verify.token(hook.secret "CRM_TOKEN", { query = "key" })', echo)})
    reply = host.call("POST", "/v1/sources/echo?key=crm-token-1&a=b%20c&d&e=%ff", b"plain \xff text",
                      {"Content-Type": "text/plain", "X-Two": "1", "Authorization": "Bearer mine"}, token=False)
    assert reply.status == 202, reply
    record = host.event(reply.json()["events"][0]["id"])["record"]
    assert record["query"] == {"a": "b c", "d": "", "e": "\ufffd"}, "the token is not shown"
    assert record["headers"]["x-two"] == "1" and "authorization" not in record["headers"]
    assert record["size"] == 12 and record["is_json"] is False
    until(lambda: host.receiver.requests, "its webhook")
