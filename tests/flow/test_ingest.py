"""POST /v1/events: what is taken, what is refused, and with what words."""
import json
import socket

import pytest
from support.rules import deal, workflow
from support.waiting import until

WON = 'hook.all { field "stage":is("Won") }'


@pytest.fixture
def host(serve, receiver):
    return serve({"won.lua": workflow(receiver.url + "/won", wf_when=WON)})


def test_one_event_causes_one_delivery(host, receiver):
    answer = host.accept(deal(1, stage="Won", event_id="crm-1"))
    assert answer == [{"id": "crm-1", "duplicate": False, "deliveries": [receiver.wait()[0].id]}]
    assert receiver.requests[0].json() == {"id": 1, "name": "Deal 1", "amount": 12500.5}
    assert receiver.requests[0].path == "/won"


def test_an_event_that_matches_nothing_is_stored_and_sends_nothing(host, receiver):
    assert host.accept(deal(1, stage="Lost", event_id="crm-1"))[0]["deliveries"] == []
    host.accept(deal(2, stage="Won"))
    assert [r.json()["id"] for r in receiver.wait()] == [2]
    assert host.event("crm-1")["record"]["stage"] == "Lost"
    assert host.event("crm-1")["runs"] == []


def test_an_array_and_ndjson_answer_in_order(host, receiver):
    events = [deal(n, stage="Won" if n % 2 else "Lost", event_id=f"a-{n}") for n in range(10)]
    array = host.post(events)
    assert array.status == 202
    assert [e["id"] for e in array.json()["events"]] == [f"a-{n}" for n in range(10)]
    assert [len(e["deliveries"]) for e in array.json()["events"]] == [0, 1] * 5
    lines = host.ndjson([deal(n, stage="Won", event_id=f"n-{n}") for n in range(300)])
    assert lines.status == 202
    ids = [e["deliveries"][0] for e in array.json()["events"] + lines.json()["events"] if e["deliveries"]]
    seen = receiver.wait_until(lambda r: len({x.id for x in r}) >= len(ids), "all deliveries")
    assert sorted(x.id for x in seen) == sorted(ids)


def test_ndjson_may_have_blank_lines_and_carriage_returns(host):
    body = b'\n{"type":"deal.created","record":{"id":1}}\r\n\n{"type":"deal.created","record":{"id":2}}'
    reply = host.call("POST", "/v1/events", body, {"Content-Type": "application/x-ndjson"})
    assert reply.status == 202 and len(reply.json()["events"]) == 2


def test_an_id_is_made_where_none_is_given(host):
    first, second = host.accept(deal(1), deal(1))
    assert first["id"] != second["id"] and host.event(first["id"])["record"]["id"] == 1
    assert host.accept(deal(1, event_id=first["id"]))[0] == {**first, "duplicate": True}
    assert host.post(deal(2, event_id=first["id"])).status == 409


def test_the_same_id_again_is_a_duplicate_with_the_first_deliveries(host, receiver):
    event = deal(7, stage="Won", event_id="crm-7")
    first = host.accept(event)[0]
    again = host.accept(dict(reversed(event.items())))[0]
    assert again == {**first, "duplicate": True}
    host.until_state(first["deliveries"][0], "delivered")
    host.kill9()
    host.start()
    assert host.accept(event)[0] == {**first, "duplicate": True}
    host.accept(deal(8, stage="Won"))
    receiver.wait_until(lambda r: any(x.json()["id"] == 8 for x in r))
    assert sum(x.json()["id"] == 7 for x in receiver.requests) == 1


def test_the_same_id_with_another_value_is_a_conflict(host, receiver):
    host.accept(deal(7, event_id="crm-7"))
    reply = host.post(deal(7, event_id="crm-7", stage="Won"))
    assert reply.status == 409
    assert reply.headers["content-type"] == "application/problem+json"
    body = host.post([deal(1, event_id="new-1"), deal(7, event_id="crm-7", stage="Won")])
    assert body.status == 409 and body.json()["index"] == 1
    assert host.call("GET", "/v1/events/new-1").status == 404, "nothing of the body is stored"
    assert receiver.requests == []


def test_the_same_id_twice_in_one_body(host, receiver):
    first, second = host.accept(deal(1, stage="Won", event_id="x"), deal(1, stage="Won", event_id="x"))
    assert second == {**first, "duplicate": True}
    reply = host.post([deal(2, event_id="y"), deal(3, event_id="y")])
    assert reply.status == 409 and reply.json()["index"] == 1
    assert host.call("GET", "/v1/events/y").status == 404
    assert len(receiver.wait()) == 1


def test_the_idempotency_key_header_is_the_id_of_a_single_event(host):
    key = {"Idempotency-Key": "key-1"}
    first = host.post(deal(1, stage="Won"), headers=key).json()["events"][0]
    assert first["id"] == "key-1"
    assert host.post(deal(1, stage="Won"), headers=key).json()["events"][0] == {**first, "duplicate": True}
    assert host.post(deal(2), headers=key).status == 409
    assert host.post([deal(1), deal(2)], headers={"Idempotency-Key": "key-2"}).status == 400


def test_values_go_through_as_they_were_written(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url, content='hook.fields { "big", "dec", "exp", "none", "arr", '
                                                          '"obj", "text", "deep.x", "gone" }')})
    record = ('{"id":1,"big":9223372036854775807,"dec":12500.10,"exp":1e3,"none":null,"arr":[],"obj":{},'
              '"text":"\\u00e9\\ud83d\\ude00\\"\\\\/\\n","deep":{"x":[1.0,-0.0,0.30000000000000000001]}}')
    reply = host.post(b'{"type":"deal.created","record":' + record.encode() + b"}")
    assert reply.status == 202
    body = receiver.wait()[0].body.decode()
    for piece in ('"big":9223372036854775807', '"dec":12500.10', '"exp":1e3', '"none":null', '"arr":[]', '"obj":{}',
                  '"x":[1.0,-0.0,0.30000000000000000001]'):
        assert piece in body, body
    assert json.loads(body)["text"] == "é😀\"\\/\n"


BAD_EVENTS = [
    # a body, what the detail must speak of
    (b"", ""),
    (b"{", ""),
    (b'{"type":"deal.created","record":{"id":1}', ""),
    (b'{"type":"deal.created","record":{"id":1}} x', ""),
    (b'{"type":"deal.created","record":{"id":1},}', ""),
    (b"[", ""),
    (b"17", "object"),
    (b'"deal"', "object"),
    (b"[1]", "object"),
    (b'{"record":{"id":1}}', "type"),
    (b'{"type":"deal","record":{"id":1}}', "type"),
    (b'{"type":"deal.won","record":{"id":1}}', "type"),
    (b'{"type":7,"record":{"id":1}}', "type"),
    (b'{"type":"webhook.delivered","record":{"id":1}}', "webhook"),
    (b'{"type":"deal.scheduled","record":{"id":1}}', "scheduled"),
    (b'{"type":"deal.created"}', "record"),
    (b'{"type":"deal.created","record":[]}', "record"),
    (b'{"type":"deal.created","record":{}}', "record.id"),
    (b'{"type":"deal.created","record":{"id":null}}', "record.id"),
    (b'{"type":"deal.created","record":{"id":1.5}}', "record.id"),
    (b'{"type":"deal.created","record":{"id":true}}', "record.id"),
    (b'{"type":"deal.created","record":{"id":1},"time":"yesterday"}', "time"),
    (b'{"type":"deal.created","record":{"id":1},"time":17}', "time"),
    (b'{"type":"deal.created","record":{"id":1},"id":""}', "id"),
    (b'{"type":"deal.created","record":{"id":1},"id":17}', "id"),
    (b'{"type":"deal.updated","record":{"id":1},"previous":3}', "previous"),
    (b'{"type":"deal.created","record":{"id":1,"a":"\xff"}}', "UTF-8"),
    (b'{"type":"deal.created","record":{"id":1,"a":"\\ud800"}}', "surrogate"),
    (b'{"type":"deal.created","record":{"id":1,"a":01}}', ""),
    (b'{"type":"deal.created","record":{"id":1,"a":' + b"[" * 70 + b"]" * 70 + b"}}", "dee"),
]


@pytest.mark.parametrize("body,word", BAD_EVENTS, ids=range(len(BAD_EVENTS)))
def test_a_bad_event_is_refused_with_its_fault(shared_host, body, word):
    reply = shared_host.call("POST", "/v1/events", body)
    assert reply.status == 400, reply
    assert reply.headers["content-type"] == "application/problem+json"
    problem = reply.json()
    assert problem["status"] == 400 and problem["title"] and word in problem["detail"], problem


def test_a_bad_item_is_named_by_its_index_or_line_and_nothing_is_stored(host, receiver):
    good = deal(1, stage="Won", event_id="good-1")
    reply = host.post([good, deal(2), {"type": "deal.created", "record": {}}])
    assert reply.status == 400 and reply.json()["index"] == 2, reply
    lines = json.dumps(good).encode() + b"\n\n" + b'{"type":"deal.created","record":{"id":}}\n'
    reply = host.call("POST", "/v1/events", lines, {"Content-Type": "application/x-ndjson"})
    assert reply.status == 400 and reply.json()["line"] == 3, reply
    assert host.call("GET", "/v1/events/good-1").status == 404
    host.accept(deal(9, stage="Won"))
    assert [r.json()["id"] for r in receiver.wait()] == [9]


@pytest.fixture(scope="module")
def shared_host(tmp_path_factory):
    from support.host import Host
    host = Host(tmp_path_factory.mktemp("shared"), {}, config="return { limits = { free_disk = 1 } }")
    yield host
    host.stop()


def test_limits_are_refused_with_their_status(shared_host):
    host = shared_host
    big = b'{"type":"deal.created","record":{"id":1,"a":"' + b"x" * (8 << 20) + b'"}}'
    assert host.call("POST", "/v1/events", big, fresh=True).status == 413
    many = b'{"type":"deal.created","record":{"id":1}}\n' * 10001
    reply = host.call("POST", "/v1/events", many, {"Content-Type": "application/x-ndjson"}, fresh=True)
    assert reply.status == 413, reply
    assert host.call("POST", "/v1/events", b"{}", {"Content-Type": "text/plain"}).status == 415
    assert host.call("POST", "/v1/events", b"{}", {"Content-Type": "application/xml"}).status == 415
    with_charset = {"Content-Type": "application/json; charset=utf-8"}
    assert host.call("POST", "/v1/events", json.dumps(deal(1)).encode(), with_charset).status == 202
    depth = b'{"type":"deal.created","record":{"id":1,"a":' + b"[" * 60 + b"]" * 60 + b"}}"
    assert host.call("POST", "/v1/events", depth).status == 202


def test_a_body_over_the_limit_is_refused_before_it_is_sent(shared_host):
    """Content-Length alone is enough, and Expect: 100-continue gets no 100."""
    head = (f"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {shared_host.token}\r\n"
            "Content-Type: application/json\r\nContent-Length: 900000000\r\nExpect: 100-continue\r\n\r\n")
    answer = shared_host.raw(head.encode())
    assert answer.startswith(b"HTTP/1.1 413 "), answer[:200]


def test_ten_thousand_events_in_one_body(shared_host):
    reply = shared_host.ndjson([{"type": "deal.created", "record": {"id": n}} for n in range(10000)])
    assert reply.status == 202 and len(reply.json()["events"]) == 10000


def test_a_body_that_causes_too_much_is_refused_as_a_whole(serve, receiver):
    """No event's webhook may be lost because its neighbours in the body took the room."""
    record = workflow(receiver.url, content="function(event) return event.record end")
    host = serve({f"w{n:02}.lua": record for n in range(50)})
    reply = host.post([deal(n, event_id=f"e{n}", note="x" * 8000) for n in range(1000)])
    assert reply.status == 413 and "fewer" in reply.json()["detail"], reply
    assert host.call("GET", "/v1/events/e0").status == 404 and host.deliveries() == []
    assert "failed" not in host.log()
    assert len(host.accept(deal(999, event_id="e999", note="x" * 8000))[0]["deliveries"]) == 50


def test_without_a_token_nothing_is_told(shared_host):
    host = shared_host
    for method, path in (("POST", "/v1/events"), ("GET", "/v1/events/x"), ("GET", "/v1/deliveries"),
                         ("GET", "/v1/workflows"), ("POST", "/v1/reload")):
        body = b"{}" if method == "POST" else None
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic " + host.token},
                        {"Authorization": f"Bearer {host.token}x"}, {"Authorization": "Bearer " + host.token[:-1]}):
            reply = host.call(method, path, body, headers, token=False)
            assert reply.status == 401, (method, path, headers, reply)
            assert reply.headers["www-authenticate"].startswith("Bearer")
    for path in ("/healthz", "/readyz"):
        assert host.call("GET", path, token=False).status == 200


def event_head(host, *lines):
    return ("POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {host.token}\r\n" + "".join(line + "\r\n" for line in lines) + "\r\n").encode()


EVENT = b'{"type":"deal.created","record":{"id":1}}'


def test_expect_100_continue(shared_host):
    with socket.create_connection(("127.0.0.1", shared_host.port), timeout=30) as s:
        s.sendall(event_head(shared_host, f"Content-Length: {len(EVENT)}", "Expect: 100-continue"))
        assert s.recv(100).startswith(b"HTTP/1.1 100 ")
        s.sendall(EVENT)
        assert s.recv(1000).startswith(b"HTTP/1.1 202 ")


def test_a_chunked_body_in_small_pieces(shared_host):
    with socket.create_connection(("127.0.0.1", shared_host.port), timeout=30) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.sendall(event_head(shared_host, "Transfer-Encoding: chunked"))
        for n in range(0, len(EVENT), 5):
            piece = EVENT[n:n + 5]
            for byte in b"%x\r\n%s\r\n" % (len(piece), piece):
                s.sendall(bytes([byte]))
        s.sendall(b"0\r\n\r\n")
        assert s.recv(1000).startswith(b"HTTP/1.1 202 ")


def test_pipelined_requests_are_answered_in_order(shared_host):
    bodies = [json.dumps(deal(n, event_id=f"pipe-{n}")).encode() for n in range(20)]
    data = b"".join(event_head(shared_host, f"Content-Length: {len(b)}") + b for b in bodies)
    data += b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = shared_host.raw(data)
    assert answer.count(b"HTTP/1.1 202 ") == 20 and answer.count(b"HTTP/1.1 200 ") == 1
    places = [answer.index(b'"pipe-%d"' % n) for n in range(20)]
    assert places == sorted(places) and answer.rindex(b"HTTP/1.1 200 ") > places[-1]


SMUGGLING = {
    "two lengths": ["Content-Length: 5", "Content-Length: 6"],
    "two equal lengths": ["Content-Length: 41", "Content-Length: 41"],
    "length and chunked": ["Content-Length: 41", "Transfer-Encoding: chunked"],
    "space before the colon": ["Content-Length : 41"],
    "a folded line": ["X-A: 1", " Content-Length: 41"],
    "length not a number": ["Content-Length: 0x29"],
    "length with a sign": ["Content-Length: +41"],
    "unknown transfer coding": ["Transfer-Encoding: xchunked"],
    "chunked not last": ["Transfer-Encoding: chunked, identity"],
    "control character": ["X-A: a\x01b"],
    "NUL": ["X-A: a\x00b"],
    "no name": [": 41"],
}


@pytest.mark.parametrize("lines", SMUGGLING.values(), ids=SMUGGLING.keys())
def test_shapes_of_request_smuggling_are_refused(shared_host, lines):
    answer = shared_host.raw(event_head(shared_host, *lines) + EVENT)
    assert answer.startswith(b"HTTP/1.1 400 "), answer[:200]
    assert answer.count(b"HTTP/1.1 ") == 1, "one answer, then the connection is closed"


def test_bare_line_feeds_are_refused(shared_host):
    answer = shared_host.raw(b"GET /healthz HTTP/1.1\nHost: x\n\n")
    assert answer.startswith(b"HTTP/1.1 400 "), answer[:200]


def test_a_client_that_goes_away_leaves_nothing(shared_host):
    host = shared_host
    for cut in (10, 60, 150):
        with socket.create_connection(("127.0.0.1", host.port)) as s:
            s.sendall((event_head(host, f"Content-Length: {len(EVENT)}") + EVENT)[:cut])
    with socket.create_connection(("127.0.0.1", host.port)) as s:
        s.sendall(event_head(host, f"Content-Length: {len(EVENT)}") + EVENT)
    assert host.call("GET", "/healthz", fresh=True).status == 200


def test_unknown_routes_and_methods(shared_host):
    host = shared_host
    assert host.call("GET", "/v1/nothing").status == 404
    assert host.call("GET", "/").status in (200, 404)
    reply = host.call("DELETE", "/v1/events")
    assert reply.status == 405 and "POST" in reply.headers["allow"]


def test_above_the_high_water_mark_events_are_put_off(serve, receivers):
    from support.receiver import PARK
    receiver = receivers(lambda request: PARK)
    host = serve({"w.lua": workflow(receiver.url)},
                 config="return { limits = { owed = 10, free_disk = 1 } }")
    for n in range(10):
        host.accept(deal(n))
    reply = host.post(deal(11))
    assert reply.status == 503 and int(reply.headers["retry-after"]) > 0, reply
    assert reply.headers["content-type"] == "application/problem+json"
    receiver.script = lambda request: 200
    receiver.release()
    until(lambda: host.post(deal(12)).status == 202, "events are taken again")


def test_too_little_disk_puts_events_off(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url)},
                 config='return { limits = { free_disk = "900TiB" } }')
    reply = host.post(deal(1))
    assert reply.status == 503 and int(reply.headers["retry-after"]) > 0
    assert host.call("GET", "/readyz").status == 503
    assert host.call("GET", "/healthz").status == 200
