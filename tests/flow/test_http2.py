"""HTTP/2 where a target with TLS offers it (nginx), HTTP/1.1 where it does not; errors of it; connections."""
import json
import socket
import ssl
import threading

import pytest
from support.certificates import Authority
from support.receiver import PARK, Answer
from support.rules import deal, workflow
from support.silence import retried_behind_a_silence
from support.waiting import until

LOG = "$http_webhook_id $server_protocol $connection $request_method"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("http2") / "authority")


@pytest.fixture(scope="module")
def identity(authority):
    return authority.sign("nginx")


def config(authority, *urls):
    entries = ", ".join(f'["{url}"] = {{ ca = "{authority.cert}" }}' for url in urls)
    return f"return {{ targets = {{ {entries} }} }}"


def test_http2_is_used_where_it_is_offered(serve, receivers, nginxes, authority, identity):
    behind = receivers(lambda request: Answer(200, {"X-Reply": "Yes"}))
    nginx = nginxes(tls=identity, http2=True, log_format=LOG,
                    settings=f"location /behind {{ proxy_pass {behind.url}; }}")
    host = serve({"w.lua": workflow(nginx.url + "/behind")}, config=config(authority, nginx.url))
    count = 300
    ids = [e["deliveries"][0] for e in host.ndjson([deal(n) for n in range(count)]).json()["events"]]
    until(lambda: len(host.deliveries("&state=delivered")) == count, "all is delivered")
    until(lambda: len(nginx.lines()) == count, "the log")
    lines = nginx.lines()
    assert {line[0] for line in lines} == set(ids) and {line[1] for line in lines} == {"HTTP/2.0"}
    # In flight are up to 64; over few connections, which each bear many.
    assert len({line[2] for line in lines}) <= 8
    answer = host.delivery(lines[0][0])["attempts"][0]["response_received"]
    # HTTP/2 has names in lower case.
    assert answer["status"] == 200 and answer["body"] == "ok" and answer["headers"]["x-reply"] == "Yes"


def test_http_1_1_where_it_is_not_offered(serve, nginxes, authority, identity):
    tls, plain = nginxes(tls=identity, log_format=LOG), nginxes(log_format=LOG)
    host = serve({"a.lua": workflow(tls.url), "b.lua": workflow(plain.url)}, config=config(authority, tls.url))
    for id in host.accept(deal(1))[0]["deliveries"]:
        host.until_state(id, "delivered")
    assert [n.lines()[0][1] for n in (tls, plain)] == ["HTTP/1.1", "HTTP/1.1"]


def test_headers_of_a_webhook_over_http2(serve, nginxes, authority, identity):
    nginx = nginxes(tls=identity, http2=True, log_format="$http_webhook_id $server_protocol $http_x_case "
                    "$http_hookline_depth $http_user_agent $content_type $content_length")
    host = serve({"w.lua": workflow(nginx.url, headers="[[\n  X-CASE: As-Is\n]]")},
                 config=config(authority, nginx.url))
    id = host.accept(deal(1))[0]["deliveries"][0]
    sent = host.until_state(id, "delivered")["attempts"][0]["request_sent"]
    until(nginx.lines, "the log")
    # A name in any case is the same header; it goes out in lower case.
    assert nginx.lines() == [(id, "HTTP/2.0", "As-Is", "1", sent["headers"]["User-Agent"], "application/json",
                              str(len(sent["body"].encode())))]


def test_a_connection_that_nginx_ends_loses_nothing(serve, nginxes, authority, identity):
    """GOAWAY after every fifth request, with others under way."""
    nginx = nginxes(tls=identity, http2=True, log_format=LOG, settings="keepalive_requests 5;")
    host = serve({"w.lua": workflow(nginx.url)}, config=config(authority, nginx.url), test_clock=True)
    count = 200
    ids = {e["deliveries"][0] for e in host.ndjson([deal(n) for n in range(count)]).json()["events"]}

    def is_done():
        host.advance("1s")  # what was cut off is retried
        return len(host.deliveries("&state=delivered")) == count
    until(is_done, "all is delivered")
    until(lambda: {line[0] for line in nginx.lines()} == ids, "the log")
    attempts = [host.delivery(id)["attempts"] for id in ids]
    faults = {a["error"] for tries in attempts for a in tries[:-1]}
    assert faults <= {"reset", "protocol"}
    assert len({line[2] for line in nginx.lines()}) >= count // 5


def test_an_answer_that_does_not_wait_for_the_body(serve, nginxes, authority, identity):
    """nginx answers the head alone: with large bodies that is seen over HTTP/1.1 only."""
    nginx = nginxes(tls=identity, http2=True, settings="client_max_body_size 10m;",
                    log_format="$http_webhook_id $server_protocol $content_length $status")
    host = serve({"w.lua": workflow(nginx.url, content="hook.fields { 'id', 'text' }")},
                 config=config(authority, nginx.url))
    for number, size in enumerate((10, 30_000, 40_000, 1_000_000, 10)):
        id = host.accept(deal(number, text="x" * size))[0]["deliveries"][0]
        attempts = host.until_state(id, "delivered")["attempts"]
        assert len(attempts) == 1 and attempts[0]["response_received"]["body"] == "ok"
    until(lambda: len(nginx.lines()) == 5, "the log")
    assert [line[1] for line in nginx.lines()] == ["HTTP/2.0", "HTTP/2.0", "HTTP/1.1", "HTTP/1.1", "HTTP/2.0"]


def test_bodies_that_are_read_over_http2(serve, receivers, nginxes, authority, identity):
    """nginx hands them to another server; many at once share the connection's window."""
    behind = receivers()
    nginx = nginxes(tls=identity, http2=True, log_format=LOG,
                    settings=f"location /behind {{ proxy_pass {behind.url}; }}")
    host = serve({"w.lua": workflow(nginx.url + "/behind", content="hook.fields { 'id', 'text' }")},
                 config=config(authority, nginx.url))
    for batch in range(3):
        events = [deal(batch * 100 + n, text=f"{n:05}" * 6000) for n in range(30)]
        assert host.ndjson(events).status == 202
        seen = behind.wait(30 * (batch + 1))
    assert all(request.json()["text"] == f"{request.json()['id'] % 100:05}" * 6000 for request in seen)
    until(lambda: len(host.deliveries("&state=delivered")) == 90, "all is delivered")
    assert {line[1] for line in nginx.lines()} == {"HTTP/2.0"} and len(behind.requests) == 90


def test_a_connection_that_is_dead_is_not_used_again(serve, nginxes, authority, identity):
    """Its other side is gone without a word: the next attempt makes one of its own."""
    nginx = nginxes(tls=identity, http2=True, log_format=LOG)
    host = serve({"w.lua": workflow(nginx.url, timeout='"1s"')}, config=config(authority, nginx.url), test_clock=True)
    id = retried_behind_a_silence(host, nginx)
    # nginx may log the one that timed out, too: it reads it when it goes on.
    dead = nginx.lines()[1][2]
    until(lambda: any(line[0] == id and line[2] != dead and line[1] == "HTTP/2.0" for line in nginx.lines()), "a new connection")


def test_one_with_little_patience_does_not_end_those_with_more(serve, receivers, nginxes, authority, identity):
    """Nothing has come over the connection while the first waited, but the others may wait longer."""
    behind = receivers(lambda request: PARK if json.loads(request.body)["id"] < 10 else 200)
    nginx = nginxes(tls=identity, http2=True, log_format=LOG, settings=f"location /behind {{ proxy_pass {behind.url}; }}")
    host = serve({"long.lua": workflow(nginx.url + "/behind/long", wf_when='field "id":is_not(2)'),
                  "short.lua": workflow(nginx.url + "/behind/short", timeout='"1s"', wf_when='field "id":is(2)')},
                 config=config(authority, nginx.url), test_clock=True)
    for number in (10, 11, 12):
        host.until_state(host.accept(deal(number))[0]["deliveries"][0], "delivered")
    long = host.accept(deal(1))[0]["deliveries"][0]
    behind.wait(4)
    short = host.accept(deal(2))[0]["deliveries"][0]
    assert host.until_state(short, "retrying")["attempts"][0]["error"] == "timeout"
    assert host.delivery(long)["attempts"] == []
    behind.release()
    assert len(host.until_state(long, "delivered")["attempts"]) == 1
    assert len({line[2] for line in nginx.lines() if line[0] in (long, short)}) == 1, "the same connection"


SETTINGS, HEADERS_200 = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]), bytes([0, 0, 1, 1, 4, 0, 0, 0, 1, 0x88])
FRAMES_OF_NOTHING = {"empty DATA": bytes([0, 0, 0, 0, 0, 0, 0, 0, 1]), "of a kind nobody knows": bytes([0, 0, 0, 99, 0, 0, 0, 0, 0])}


@pytest.fixture
def flood(identity):
    """A server that begins to answer the first request of each connection, and sends a frame for ever: flood(frame)."""
    listeners, threads, context = [], [], ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.cert, identity.key)
    context.set_alpn_protocols(["h2"])

    def serve_one(listener, frame):
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return  # the test's end
            try:
                with context.wrap_socket(plain, server_side=True) as connection:
                    connection.sendall(SETTINGS)
                    came = connection.recv(65536)
                    while came and b"hookline" not in came:  # in the body
                        came = connection.recv(65536)
                    connection.sendall(HEADERS_200)
                    while came:
                        connection.sendall(frame * 1000)
            except OSError:
                pass

    def start(frame):
        listeners.append(socket.create_server(("127.0.0.1", 0)))
        threads.append(threading.Thread(target=serve_one, args=(listeners[-1], frame)))
        threads[-1].start()
        return f"https://127.0.0.1:{listeners[-1].getsockname()[1]}"
    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("kind", FRAMES_OF_NOTHING)
def test_frames_that_bear_nothing_do_not_hold_the_host(flood, serve, receiver, authority, kind):  # the host ends first
    url = flood(FRAMES_OF_NOTHING[kind])
    host = serve({"bad.lua": workflow(url), "good.lua": workflow(receiver.url)}, config=config(authority, url), test_clock=True)
    ids = host.accept(deal(1, name="hookline"))[0]["deliveries"]
    for id, state in zip(ids, ("retrying", "delivered")):  # in the order of the workflows
        host.until_state(id, state)
    assert host.delivery(ids[0])["attempts"][0]["error"] == "reset"
    host.accept(deal(2, name="hookline"))
    receiver.wait(2)
