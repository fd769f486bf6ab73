"""SIGTERM: no new connections, what is in flight ends, exit 0. A second one ends at once."""
import json
import signal
import socket

import pytest
from support.receiver import PARK
from support.rules import deal, workflow
from support.waiting import until


def is_closed(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) != 0


def test_sigterm_finishes_what_is_in_flight(serve, receivers):
    receiver = receivers(lambda request: PARK)
    host = serve({"w.lua": workflow(receiver.url)})
    id = host.accept(deal(1))[0]["deliveries"][0]
    receiver.wait()
    host.signal(signal.SIGTERM)
    until(lambda: is_closed(host.port), "the socket is closed")
    assert host.is_running()
    receiver.script = lambda request: 200
    receiver.release()
    assert host.wait_end() == 0
    host.start()
    assert host.delivery(id)["state"] == "delivered" and len(receiver.requests) == 1


def test_a_second_sigterm_ends_at_once_and_loses_nothing(serve, receivers):
    receiver = receivers(lambda request: PARK)
    host = serve({"w.lua": workflow(receiver.url)})
    id = host.accept(deal(1))[0]["deliveries"][0]
    receiver.wait()
    host.signal(signal.SIGTERM)
    until(lambda: is_closed(host.port), "the socket is closed")
    host.signal(signal.SIGTERM)
    host.wait_end()
    receiver.script = lambda request: 200
    host.start()
    host.until_state(id, "delivered")
    assert {r.id for r in receiver.requests} == {id}


def test_idle_it_ends_with_nothing_on_stderr_but_its_log(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url)})
    host.accept(deal(1))
    receiver.wait()
    host.stop()
    assert all(line.startswith("{") for line in host.log().splitlines()), "JSON lines, not a terminal"
    assert {"time", "level", "message"} <= set(host.log_lines()[0])
    assert not (host.data / "address").exists()


@pytest.mark.parametrize("is_late", [False, True])
def test_a_body_that_ends_after_sigterm(serve, receivers, is_late):
    """For some seconds it is taken as ever. Then what it needs is being closed: judged, it would be read from memory that is gone."""
    receiver = receivers(lambda request: PARK)
    host = serve({"w.lua": workflow(receiver.url)})
    host.accept(deal(1))
    receiver.wait()
    body = json.dumps([deal(number) for number in range(2, 1000)]).encode()
    head = (f"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {host.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n")
    with socket.create_connection(("127.0.0.1", host.port), timeout=60) as slow:
        slow.sendall(head.encode())
        assert b" 100 " in slow.recv(4096)
        slow.sendall(body[:-1])
        host.signal(signal.SIGTERM)
        until(lambda: is_closed(host.port), "the socket is closed")
        if is_late:
            until(lambda: "what they ask for now is refused" in host.log(), "nothing more is taken")
        slow.sendall(body[-1:])
        answer = slow.recv(65536)
        receiver.script = lambda request: 200
        receiver.release()
    assert b"\r\nConnection: close\r\n" in answer
    if is_late:
        assert answer.startswith(b"HTTP/1.1 503 ") and b"Retry-After" in answer
    else:
        assert answer.startswith(b"HTTP/1.1 202 ")
    assert host.wait_end() == 0
