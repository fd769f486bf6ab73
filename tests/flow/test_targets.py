"""Targets: a dead one beside a live one, addresses, TLS, bodies, redirect-all."""
import json
import socket
import subprocess

import pytest
from support.receiver import PARK, Answer
from support.rules import deal, workflow
from support.waiting import until


@pytest.fixture
def silent():
    """A server that takes connections and says nothing."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(512)
        yield f"http://127.0.0.1:{s.getsockname()[1]}"


def test_a_dead_target_delays_no_other(serve, receiver, silent):
    host = serve({"dead.lua": workflow(silent, wf_record='"lead"'), "live.lua": workflow(receiver.url)})
    for batch in range(4):
        events = [{"type": "lead.created", "record": {"id": batch * 500 + n}} for n in range(500)]
        assert host.ndjson(events).status == 202
    for number in range(30):
        host.accept(deal(number))
        receiver.wait(number + 1, limit_s=10)
    assert len(host.deliveries("&workflow=dead&state=pending")) == 2000


def test_a_target_has_a_limit_in_flight(serve, receivers):
    receiver = receivers(lambda request: PARK)
    config = f'return {{ targets = {{ ["{receiver.url}"] = {{ in_flight = 3 }} }} }}'
    host = serve({"w.lua": workflow(receiver.url)}, config=config)
    assert host.ndjson([deal(n) for n in range(50)]).status == 202
    answered = 0
    while answered < 50:
        receiver.wait_until(lambda seen: receiver.parked, "a request")
        # The first two, to a target that has not shown that it lives, are not kept.
        assert len(receiver.parked) <= 3 and receiver.connections <= 3 + 2
        answered += receiver.release()
    until(lambda: not host.deliveries("&state=pending"), "all delivered")


def test_connections_are_kept(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url)})
    for number in range(20):
        host.accept(deal(number))
        receiver.wait(number + 1)
    assert receiver.connections <= 2


def test_nginx_takes_them_all(serve, nginx):
    host = serve({"w.lua": workflow(nginx.url + "/x")})
    ids = {e["deliveries"][0] for e in host.ndjson([deal(n) for n in range(500)]).json()["events"]}
    until(lambda: len(nginx.lines()) >= 500, "500 requests")
    assert {line[0] for line in nginx.lines()} == ids
    until(lambda: len(host.deliveries("&state=delivered")) == 500, "500 delivered")


def test_a_private_address_is_refused_unless_allowed(serve, receiver):
    literal = workflow(receiver.url)
    named = workflow(f"http://localhost:{receiver.port}")
    host = serve({"literal.lua": literal, "named.lua": named}, allow=())
    fault = host.call("GET", "/v1/workflows/literal").json()["error"]
    assert "--allow-target" in fault["message"]
    id = host.accept(deal(1))[0]["deliveries"][0]
    attempt = host.until_state(id, "retrying")["attempts"][0]
    assert attempt["error"] == "address_refused" and receiver.requests == []
    assert "--allow-target" in json.dumps(host.delivery(id)) + host.log()


def test_an_untrusted_certificate_is_refused(serve, receivers, folder):
    key, certificate = folder / "key.pem", folder / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
                    "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
                   check=True, capture_output=True)
    receiver = receivers(tls=(certificate, key))
    host = serve({"w.lua": workflow(receiver.url)})
    id = host.accept(deal(1))[0]["deliveries"][0]
    assert host.until_state(id, "retrying")["attempts"][0]["error"] == "tls"
    assert receiver.requests == []


def test_a_name_that_does_not_exist(serve):
    host = serve({"w.lua": workflow("http://no-such-name.invalid/")})
    id = host.accept(deal(1))[0]["deliveries"][0]
    assert host.until_state(id, "retrying")["attempts"][0]["error"] == "dns"


def test_a_timeout_of_a_webhook(serve, receivers):
    receiver = receivers(lambda request: PARK)
    host = serve({"w.lua": workflow(receiver.url, timeout='"1s"')})
    id = host.accept(deal(1))[0]["deliveries"][0]
    attempt = host.until_state(id, "retrying")["attempts"][0]
    assert attempt["error"] == "timeout" and attempt["response_received"] is None
    assert 900 <= attempt["elapsed_ms"] < 20000


def test_of_an_answers_body_16_kib_are_kept(serve, receivers):
    body = bytes(range(32, 127)) * 1000
    receiver = receivers(lambda request: Answer(200, {"X-Reply": "yes"}, body))
    host = serve({"w.lua": workflow(receiver.url)})
    id = host.accept(deal(1))[0]["deliveries"][0]
    got = host.until_state(id, "delivered")["attempts"][0]["response_received"]
    assert got["status"] == 200 and got["body"].encode() == body[:16384]
    assert {k.lower(): v for k, v in got["headers"].items()}["x-reply"] == "yes"


def test_an_endless_answer_is_not_waited_for(serve):
    """The status decides; the connection is closed when enough of the body has come."""
    import threading
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(8)
        ended = threading.Event()

        def babble():
            connection, _ = s.accept()
            connection.recv(65536)
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n")
                while True:
                    connection.sendall(b"x" * 65536)
            except OSError:
                ended.set()
            connection.close()
        thread = threading.Thread(target=babble, daemon=True)
        thread.start()
        host = serve({"w.lua": workflow(f"http://127.0.0.1:{s.getsockname()[1]}")})
        id = host.accept(deal(1))[0]["deliveries"][0]
        host.until_state(id, "delivered")
        assert ended.wait(30), "the connection is closed"
        thread.join()


def test_redirect_all_sends_everything_to_one_address(serve, receiver):
    originals = {"https://invoices.example.com/api/invoices?x=1", "http://chat.example.com:8080/b"}
    rules = {f"w{n}.lua": workflow(url) for n, url in enumerate(originals)}
    host = serve(rules, args=["--redirect-all", receiver.url + "/all"], allow=())
    host.accept(deal(1))
    seen = receiver.wait(2)
    assert {r.headers["hookline-original-url"] for r in seen} == originals
    assert {r.path for r in seen} == {"/all"}
    assert receiver.url in host.log() and receiver.url in host.call("GET", "/readyz").body.decode()
