"""traceparent and tracestate (W3C Trace Context) of the request that brought an event, at its webhooks."""
import json
import re

import pytest
from support.receiver import PARK, RESET
from support.rules import deal, workflow
from support.waiting import until

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"
SHAPE = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


def parts(request):
    return SHAPE.fullmatch(request.headers["traceparent"]).groups()


def traced(host, event, parent=PARENT, path="/v1/events", **more):
    reply = host.call("POST", path, event, headers={"traceparent": parent, **more})
    assert reply.status == 202, reply
    return reply.json()["events"]


def test_each_attempt_is_a_span_of_its_own_in_the_senders_trace(serve, receivers):
    receiver = receivers(lambda r: 500)
    host = serve({"w.lua": workflow(receiver.url + "/")}, test_clock=True)
    id = traced(host, deal(1), tracestate="congo=t61rcWkgMzE,rojo=00f067aa0ba902b7")[0]["deliveries"][0]
    receiver.wait(1)
    host.until_state(id, "retrying")
    host.kill9()
    host.start()
    host.advance("3h")
    attempts = until(lambda: len(found := host.delivery(id)["attempts"]) > 1 and found, "the next attempts")
    seen = receiver.wait(len(attempts))[:len(attempts)]
    assert {r.id for r in seen} == {id} and {(parts(r)[0], parts(r)[2]) for r in seen} == {(TRACE, "01")}
    spans = {SPAN, "0" * 16, *(parts(r)[1] for r in seen)}
    assert len(spans) == 2 + len(seen), "never the sender's, nor twice the same"
    assert {r.headers["tracestate"] for r in seen} == {"congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"}
    shown = [a["request_sent"]["headers"]["traceparent"] for a in attempts]
    assert shown == [r.headers["traceparent"] for r in seen], "the attempts show what was sent"


@pytest.mark.parametrize("parent", [
    None, "", "x", PARENT[:-1], PARENT + "0", PARENT.upper(), "01" + PARENT[2:], "ff" + PARENT[2:],
    f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01", PARENT.replace("-", "_"), PARENT[:-1] + "g"])
def test_what_is_no_trace_is_not_carried(serve, receiver, parent):
    host = serve({"w.lua": workflow(receiver.url + "/")})
    headers = {"tracestate": "a=b"} if parent is None else {"traceparent": parent, "tracestate": "a=b"}
    assert host.call("POST", "/v1/events", deal(1), headers=headers).status == 202
    seen = receiver.wait(1)[0]
    assert "traceparent" not in seen.headers and "tracestate" not in seen.headers


def test_a_long_state_loses_whole_members_from_its_end(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url + "/")})
    members = [f"k{n}={'v' * 100}" for n in range(6)]
    traced(host, deal(1), tracestate=", ".join(members))
    assert receiver.wait(1)[0].headers["tracestate"] == ", ".join(members[:4])
    traced(host, deal(2), tracestate="k=" + "v" * 600)
    seen = receiver.wait(2)[1]
    assert parts(seen)[0] == TRACE and "tracestate" not in seen.headers
    traced(host, deal(3), tracestate="k=\xe9")
    assert "tracestate" not in receiver.wait(3)[2].headers


def test_a_rules_own_header_is_the_last_word(serve, receiver):
    own = f"00-{'a' * 32}-{'b' * 16}-00"
    host = serve({"own.lua": workflow(receiver.url + "/", headers=f'{{ TraceParent = "{own}" }}'),
                  "state.lua": workflow(receiver.url + "/state", headers='{ tracestate = "mine=1" }')})
    traced(host, deal(1), tracestate="a=b")
    seen = {r.path: r for r in receiver.wait(2)}
    assert [v for k, v in seen["/"].header_lines if k.lower() == "traceparent"] == [own]
    assert "tracestate" not in seen["/"].headers
    assert parts(seen["/state"])[0] == TRACE
    assert [v for k, v in seen["/state"].header_lines if k.lower() == "tracestate"] == ["mine=1"]


def test_every_event_of_a_body_and_every_webhook(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url + "/a"), "b.lua": workflow(receiver.url + "/b")})
    traced(host, [deal(n) for n in range(3)])
    spans = [parts(r) for r in receiver.wait(6)]
    assert {s[0] for s in spans} == {TRACE} and len({s[1] for s in spans}) == 6


def test_sources_updates_that_are_compared_outcomes_and_replays(serve, receiver):
    host = serve({
        "sources/crm.lua": 'local hook = require "hookline"\nreturn hook.source {\n'
                           '  events = function(request) return request.json end,\n}\n',
        "w.lua": workflow(receiver.url + "/", wf_when='hook.all { field "amount":changed_to(1) }'),
        "next.lua": workflow(receiver.url + "/next", wf_record='"webhook"', wf_trigger='hook.every { "delivered" }',
                             wf_when='function(event) return event.record.workflow == "w" end',
                             content="function(event) return { of = event.record.id } end")})
    traced(host, deal(1, "deal.created"))
    traced(host, deal(1, amount=1), PARENT, "/v1/sources/crm")
    seen = receiver.wait(2)
    assert [r.path for r in seen] == ["/", "/next"], "the outcome is of the trace of its cause"
    assert [parts(r)[0] for r in seen] == [TRACE, TRACE] and parts(seen[0])[1] != parts(seen[1])[1]
    cause = host.delivery(seen[0].id)["event"]
    other = PARENT.replace(TRACE, "c" * 32)
    replay = host.call("POST", f"/v1/events/{cause}/replay", headers={"traceparent": other})
    assert replay.status == 202
    # A replay is judged without the state that the record had: what it owes is of the replay's trace.
    ids = [i for e in replay.json()["events"] for i in e["deliveries"]]
    for r in receiver.wait(2 + len(ids)):
        assert parts(r)[0] == ("c" * 32 if r.id in ids else TRACE)
    assert json.loads(host.call("GET", f"/v1/events/{cause}").body)["id"] == cause


# --- spans for a collector -----------------------------------------------------------------------

def attributes(span):
    return {a["key"]: next(iter(a["value"].values())) for a in span["attributes"]}


def spans_of(request):
    """The spans of one request, whose form is that of OTLP/HTTP in JSON."""
    assert request.method == "POST" and request.headers["content-type"] == "application/json"
    [resource] = request.json()["resourceSpans"]
    assert attributes(resource["resource"])["service.name"] == "hookline"
    [scope] = resource["scopeSpans"]
    assert scope["scope"]["name"] == "hookline"
    for span in scope["spans"]:
        assert re.fullmatch("[0-9a-f]{32}", span["traceId"]) and re.fullmatch("[0-9a-f]{16}", span["spanId"])
        assert re.fullmatch("[0-9a-f]{16}", span.get("parentSpanId", SPAN))
        start, end = span["startTimeUnixNano"], span["endTimeUnixNano"]
        assert re.fullmatch("[0-9]{19}", start) and re.fullmatch("[0-9]{19}", end) and int(start) <= int(end)
        assert span["kind"] in (2, 3) and span["status"]["code"] in (1, 2)
    return scope["spans"]


def otlp(collector):
    return ('local hook = require "hookline"\nreturn { otlp = { url = "' + collector.url + '/v1/traces", headers = '
            '{ ["X-Tenant"] = "crm", Authorization = hook.secret "TRACES" } } }\n')


def counted(host):
    return {m[0]: int(m[1]) for m in re.findall(
        r'hookline_spans_total\{result="(\w+)"\} (\d+)', host.call("GET", "/metrics").body.decode())}


def test_spans_of_an_event_and_its_attempts(serve, receivers):
    receiver = receivers(lambda r: 500 if r.path == "/bad" else 200)
    collector = receivers()
    host = serve({"good.lua": workflow(receiver.url + "/good"), "bad.lua": workflow(receiver.url + "/bad"),
                  "next.lua": workflow(receiver.url + "/next", wf_record='"webhook"', wf_trigger='hook.every { "delivered" }',
                                       wf_when='function(event) return event.record.workflow == "good" end',
                                       content="function(event) return { of = event.record.id } end")},
                 config=otlp(collector), env={"HOOKLINE_SECRET_TRACES": "Bearer sesame"}, test_clock=True)
    event = traced(host, deal(1, event_id="crm-1"), tracestate="a=b")[0]
    traced(host, deal(2, event_id="crm-2"), PARENT[:-1] + "0")  # not sampled
    seen = {r.path: r for r in receiver.wait(6) if parts(r)[2] == "01"}
    for r in receiver.requests:
        host.until_state(r.id, "retrying" if r.path == "/bad" else "delivered")
    assert counted(host) == {"sent": 0, "dropped": 0}
    host.advance("5s")
    request = collector.wait(1)[0]
    assert request.path == "/v1/traces"
    assert (request.headers["x-tenant"], request.headers["authorization"]) == ("crm", "Bearer sesame")
    spans = spans_of(request)
    assert {s["traceId"] for s in spans} == {TRACE} and {s["traceState"] for s in spans} == {"a=b"}
    by = {(s["name"], attributes(s).get("hookline.workflow") or attributes(s)["hookline.type"]): s for s in spans}
    root, good, bad = by["event", "deal.updated"], by["attempt", "good"], by["attempt", "bad"]
    assert root["parentSpanId"] == SPAN and root["kind"] == 2 and root["status"] == {"code": 1}
    assert attributes(root) == {"hookline.event": "crm-1", "hookline.type": "deal.updated", "hookline.deliveries": "2"}
    assert good["parentSpanId"] == bad["parentSpanId"] == root["spanId"]
    assert good["spanId"] == parts(seen["/good"])[1], "what the receiver got is the attempt's span"
    assert attributes(good) == {"hookline.delivery": seen["/good"].id, "hookline.workflow": "good",
                                "hookline.target": receiver.url, "hookline.attempt": "1",
                                "http.response.status_code": "200"}
    assert good["status"] == {"code": 1} and good["kind"] == 3
    assert bad["status"]["code"] == 2 and attributes(bad)["http.response.status_code"] == "500"
    outcome = next(s for s in spans if s["name"] == "event" and s["parentSpanId"] == good["spanId"])
    assert attributes(outcome)["hookline.type"] == "webhook.delivered"
    assert by["attempt", "next"]["parentSpanId"] == outcome["spanId"]
    assert event["id"] == "crm-1" and until(lambda: counted(host) == {"sent": len(spans), "dropped": 0}, "the count")


def test_without_a_senders_trace_one_begins_and_the_stop_sends_the_last(serve, receivers):
    receiver, collector = receivers(), receivers()
    host = serve({"w.lua": workflow(receiver.url + "/", wf_when="hook.all { field 'amount':changed_to(1) }")},
                 config=otlp(collector), env={"HOOKLINE_SECRET_TRACES": "x"}, test_clock=True)
    host.accept(deal(1, previous={"amount": 3}, amount=1))
    host.accept(deal(2, "person.created"))
    seen = receiver.wait(1)[0]
    host.until_state(seen.id, "delivered")
    host.stop()
    spans = spans_of(collector.wait(1)[0])
    roots = [s for s in spans if "parentSpanId" not in s]
    assert len(roots) == 2 and len({s["traceId"] for s in roots}) == 2 and len(spans) == 3
    attempt = next(s for s in spans if s["name"] == "attempt")
    assert parts(seen) == (attempt["traceId"], attempt["spanId"], "01")


@pytest.mark.parametrize("answer", [503, None])
def test_a_collector_that_is_away_delays_nothing(serve, receivers, answer):
    receiver, collector = receivers(), receivers(lambda r: answer or RESET)
    host = serve({"w.lua": workflow(receiver.url + "/")}, config=otlp(collector),
                 env={"HOOKLINE_SECRET_TRACES": "x"}, test_clock=True)
    host.accept(*[deal(n) for n in range(600)])
    receiver.wait(600)
    until(lambda: counted(host)["dropped"] >= 512, "what was not taken is counted")
    assert counted(host)["sent"] == 0
    assert any("spans are dropped" in line["message"] for line in host.log_lines())
    host.stop()


def test_a_collector_that_never_answers_holds_up_no_stop(serve, receivers):
    receiver, collector = receivers(), receivers(lambda r: PARK)
    host = serve({"w.lua": workflow(receiver.url + "/")}, config=otlp(collector),
                 env={"HOOKLINE_SECRET_TRACES": "x"}, test_clock=True)
    host.until_state(host.accept(deal(1))[0]["deliveries"][0], "delivered")
    host.advance("5s")
    collector.wait(1)
    host.stop()
