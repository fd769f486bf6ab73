"""As a service of systemd: what it is told, and sockets that are opened before the host and outlive it."""
import http.client
import json
import select
import signal
import socket
import sqlite3
import threading
import time

import pytest
from support.certificates import Authority
from support.host import run
from support.receiver import PARK
from support.rules import deal, workflow
from support.systemd import Systemd
from support.waiting import until


@pytest.fixture
def systemd(folder):
    made = []

    def make(*args, **keys):
        made.append(Systemd(folder, *args, **keys))
        return made[-1]
    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize("abstract", [False, True])
def test_start_reload_and_stop_are_told(serve, receiver, systemd, abstract):
    manager = systemd(abstract=abstract)
    host = manager.adopt(serve({"w.lua": workflow(receiver.url)}, start=False))
    host.start()
    ready = manager.until("READY=1")
    assert f"STATUS=Listening on http://127.0.0.1:{host.port}" in ready.splitlines()
    before_us = time.monotonic_ns() // 1000
    host.signal(signal.SIGHUP)
    reloading = dict(line.split("=") for line in manager.until("RELOADING=1").splitlines())
    assert before_us <= int(reloading["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
    manager.until("READY=1")
    host.signal(signal.SIGTERM)
    manager.until("STOPPING=1")
    assert host.wait_end() == 0


def test_it_is_not_ready_before_it_can_be_asked(serve, receiver, systemd):
    manager = systemd()
    host = manager.adopt(serve({"w.lua": workflow(receiver.url)}, start=False))
    host.spawn()
    manager.until("READY=1")
    assert host.is_up()


def test_signs_of_life_end_with_the_writer(serve, receiver, systemd):
    """The loop goes on and answers, but what writes to the disk hangs: here, at a lock of another program's."""
    manager = systemd(watchdog_us=100_000)
    host = manager.adopt(serve({"w.lua": workflow(receiver.url)}, start=False))
    host.start()
    manager.until("WATCHDOG=1")
    other = sqlite3.connect(host.data / "hookline.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answers = []
    poster = threading.Thread(target=lambda: answers.append(host.post(deal(1), fresh=True).status))
    poster.start()

    def stays_away():
        manager.drain()
        return not select.select([manager.notify], [], [], 0.5)[0]
    until(stays_away, "no sign of life")
    other.execute("ROLLBACK")
    other.close()
    poster.join(60)
    manager.until("WATCHDOG=1")
    if answers == [202]:  # it was in time before the store gave up waiting
        receiver.wait()


def test_signs_of_life_end_with_the_loop(serve, receiver, systemd):
    """Half of WATCHDOG_USEC apart; none from a process that is stopped."""
    manager = systemd(watchdog_us=100_000)
    host = manager.adopt(serve({"w.lua": workflow(receiver.url)}, start=False))
    host.start()
    for _ in range(3):
        manager.until("WATCHDOG=1")
    host.signal(signal.SIGSTOP)
    until(lambda: "T" in open(f"/proc/{host.pid}/stat").read().rsplit(")", 1)[1].split()[0], "it is stopped")
    manager.drain()
    assert not select.select([manager.notify], [], [], 0.4)[0], "a host that hangs says nothing"
    host.signal(signal.SIGCONT)
    manager.until("WATCHDOG=1")


def test_what_is_meant_for_another_process_is_left_alone(serve, receiver, systemd, folder):
    manager = systemd(watchdog_us=100_000)
    host = manager.adopt(serve({"w.lua": workflow(receiver.url)}, start=False))
    host.env.update({"WATCHDOG_PID": "1", "LISTEN_PID": "1", "LISTEN_FDS": "1"})
    host.start()
    manager.until("READY=1")
    assert not select.select([manager.notify], [], [], 0.3)[0]


def test_sockets_that_were_opened_for_it(serve, receiver, systemd, folder, tmp_path):
    authority = Authority(tmp_path / "authority")
    identity = authority.sign("host")
    identity.key.chmod(0o600)
    path = str(folder / "passed.sock")
    manager = systemd([("127.0.0.1", 0), ("127.0.0.1", 0), path], names=["https", "http", "local"])
    host = serve({"w.lua": workflow(receiver.url)}, start=False, listen=(), ca=authority.cert,
                 args=["--tls-cert", str(identity.cert), "--tls-key", str(identity.key)])
    manager.adopt(host).start()
    ports = [s.getsockname()[1] for s in manager.sockets[:2]]
    assert host.urls == [f"https://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}", f"unix:{path}"]
    for url in host.urls[1:]:
        assert run("status", "--data", folder / "none", "--url", url, "--token", host.token).returncode == 0
    assert run("status", "--data", host.data).returncode == 0
    host.stop()
    assert (folder / "passed.sock").exists(), "it is systemd's"


def test_a_descriptor_that_does_not_listen_is_refused(serve, receiver, systemd):
    manager = systemd([("127.0.0.1", 0)])
    manager.sockets[0].close()
    manager.sockets[0] = socket.socket()
    host = manager.adopt(serve({"w.lua": workflow(receiver.url)}, start=False, listen=()))
    host.spawn()
    assert host.wait_end() == 1
    assert "the inherited descriptor 3 is no stream socket that listens" in host.log()


# --- the stop -------------------------------------------------------------------------------------

def test_who_is_connected_at_the_stop_is_served(serve, receiver):
    """A connection that is idle, one that has sent half of a request, and one that has only connected."""
    host = serve({"w.lua": workflow(receiver.url)})
    body = json.dumps(deal(1)).encode()
    head = (f"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {host.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode()
    connections = [socket.create_connection(("127.0.0.1", host.port), timeout=60) for _ in range(3)]
    idle, half, fresh = connections
    idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"200" in idle.recv(4096)
    half.sendall(head + body[:5])
    until(lambda: host.call("GET", "/readyz").status == 200, "it has read them")
    host.hang_up()
    host.signal(signal.SIGTERM)
    until(lambda: "stopping" in host.log(), "it stops")
    half.sendall(body[5:])
    idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    fresh.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    for connection, status in ((half, b"202"), (idle, b"200"), (fresh, b"200")):
        got = b""
        while piece := connection.recv(65536):
            got += piece
        assert got.startswith(b"HTTP/1.1 " + status) and b"Connection: close" in got
        connection.close()
    assert host.wait_end() == 0
    host.start()  # what was taken last is sent now, if it was not before
    receiver.wait(1)


class Client(threading.Thread):
    """Posts events one after another, as a pool of connections does: a connection that the host has closed is seen
    to be so and not used again, and any that breaks in the middle of a request is a failure."""

    def __init__(self, number, address, token, keeps):
        super().__init__()
        self.number, self.address, self.token, self.keeps = number, address, token, keeps
        self.is_over = False
        self.accepted, self.failures, self.reconnects = [], [], 0
        self.connection = None

    def is_closed(self):
        return bool(select.select([self.connection.sock], [], [], 0)[0])

    def post(self, id):
        if self.connection and (self.connection.sock is None or self.is_closed()):
            self.connection.close()
            self.connection = None
        if self.connection is None:
            self.connection = http.client.HTTPConnection(*self.address, timeout=60)
            self.connection.connect()
            self.reconnects += 1
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if not self.keeps:
            headers["Connection"] = "close"
        event = deal(self.number * 1_000_000 + len(self.accepted), event_id=id)
        self.connection.request("POST", "/v1/events", json.dumps(event).encode(), headers)
        response = self.connection.getresponse()
        text = response.read()
        if response.status != 202:
            raise http.client.HTTPException(f"{response.status} {text!r}")
        if response.will_close:
            self.connection.close()
            self.connection = None

    def run(self):
        count = 0
        while not self.is_over:
            id = f"c{self.number}-{count}"
            try:
                self.post(id)
                self.accepted.append(id)
            except (OSError, http.client.HTTPException) as fault:
                self.failures.append((id, repr(fault)))
                self.connection = None
            count += 1
        if self.connection:
            self.connection.close()


def test_a_restart_under_load_fails_no_request(serve, receiver, systemd):
    """The socket is systemd's: the host ends and another one starts, three times, while clients go on. Those that come
    meanwhile wait in the kernel; those that are connected are answered, with Connection: close."""
    manager = systemd([("127.0.0.1", 0)])
    host = manager.adopt(serve({"w.lua": workflow(receiver.url)}, start=False, listen=()))
    host.start()
    manager.until("READY=1")
    address = manager.sockets[0].getsockname()
    clients = [Client(number, address, host.token, number % 3 != 0) for number in range(12)]
    for client in clients:
        client.start()
    try:
        for _ in range(3):
            seen = [len(client.accepted) for client in clients]
            until(lambda: all(len(c.accepted) > n + 5 for c, n in zip(clients, seen)), "all clients got on")
            host.signal(signal.SIGTERM)
            assert host.wait_end() == 0, host.log()[-2000:]
            host.spawn()
            manager.until("READY=1")
        seen = [len(client.accepted) for client in clients]
        until(lambda: all(len(c.accepted) > n + 5 for c, n in zip(clients, seen)), "all clients got on")
    finally:
        for client in clients:
            client.is_over = True
        for client in clients:
            client.join(60)
    assert [c.failures for c in clients if c.failures] == []
    assert host.is_up()
    ids = [id for client in clients for id in client.accepted]
    assert len(ids) == len(set(ids))
    for id in ids[:: max(1, len(ids) // 50)]:
        assert host.event(id)["id"] == id
    wanted = len(ids)
    until(lambda: len({r.id for r in receiver.requests}) == wanted, "each is delivered")


def test_the_next_host_waits_for_the_data_folder(serve, receivers, systemd):
    receiver = receivers(lambda request: PARK)
    manager = systemd([("127.0.0.1", 0)])
    rules = {"w.lua": workflow(receiver.url)}
    first = manager.adopt(serve(rules, start=False, listen=()))
    first.start()
    manager.until("READY=1")
    first.accept(deal(1))
    receiver.wait()
    first.hang_up()
    first.signal(signal.SIGTERM)
    manager.until("STOPPING=1")
    second = manager.adopt(serve(rules, start=False, listen=(), data=first.data))
    second.process = None
    second.spawn()
    until(lambda: "waiting for its end" in second.log(), "the second one waits")
    receiver.script = lambda request: 200
    receiver.release()
    assert first.wait_end() == 0
    manager.until("READY=1")
    assert second.is_up()
    second.accept(deal(2))
    until(lambda: len(receiver.requests) == 2, "both are delivered")
