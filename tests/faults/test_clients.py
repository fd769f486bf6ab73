"""Clients that do what they must not: others are answered meanwhile, nothing is stored of what was not whole and right,
memory and connections stay bounded; and a host with few descriptors."""
import contextlib
import json
import re
import resource
import signal
import socket
import struct
import threading

import pytest
import hostile
from harness import GONE, World, peak_kb
from hostile import Hostile, slug
from support.rules import deal, workflow
from support.waiting import until

GROWTH_MAX_KB = 96 << 10
IDLE = 4300  # connections: more than a host has
FEW_FILES = 64
TARGETS = 20
PATIENCE_S = 60
CPU_MAX_S = 5  # for 50 to 100 requests: a loop that spins takes all that there is while they wait


def head(host, *lines, method="POST", path="/v1/events"):
    first = [f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {host.token}",
             "Content-Type: application/json"]
    return "\r\n".join([*first, *lines]).encode() + b"\r\n\r\n"


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


class Client:
    """One bad connection. `stop` ends what goes on for ever."""

    def __init__(self, host, act, name, number, chance):
        self.host, self.name, self.chance, self.stop = host, name, chance, threading.Event()
        self.id = re.sub(r"\W+", "-", f"bad-{name}-{number}")
        self.event = json.dumps(deal(1, event_id=self.id)).encode()
        self.answer = b""
        self.socket = socket.create_connection(("127.0.0.1", host.port), timeout=PATIENCE_S)
        self.thread = threading.Thread(target=self.run, args=(act,), daemon=True)
        self.thread.start()

    def run(self, act):
        with self.socket, contextlib.suppress(OSError):
            act(self)

    def send(self, data):
        self.socket.sendall(data)

    def whole(self):
        """A good request, which a bad one can be cut from."""
        return head(self.host, f"Content-Length: {len(self.event)}") + self.event

    def read(self):
        """All that is answered, until the other side closes."""
        while piece := self.socket.recv(65536):
            self.answer += piece

    def drip(self, data):
        for byte in data:
            if self.stop.wait(0.1):
                return
            self.send(bytes([byte]))
        self.stop.wait()

    def flood(self, piece):
        """Until the host closes the connection, or reads no more of it."""
        while not self.stop.is_set():
            self.send(piece)

    def end(self):
        self.stop.set()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(PATIENCE_S)

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def says(make):
    """Sends that, and reads the answers."""
    def act(c):
        c.send(make(c))
        c.read()
    return act


def with_length(value, body=None):
    return says(lambda c: head(c.host, f"Content-Length: {value}") + (c.event if body is None else body))


def chunked(behind):
    """The event in a chunk, and that."""
    return says(lambda c: open_chunks(c) + chunk(c.event) + behind)


def cut(c):
    c.send(c.whole()[:c.chance.randint(1, len(c.whole()) - 1)])
    c.reset()


def end_half(c):
    c.send(c.whole()[:-1])
    c.socket.shutdown(socket.SHUT_WR)
    c.read()


def hang(part):
    def act(c):
        c.send(part(c))
        c.stop.wait()
    return act


def flood(begin, piece):
    def act(c):
        c.send(begin(c))
        c.flood(piece)
    return act


def open_chunks(c):
    return head(c.host, "Transfer-Encoding: chunked")


CLOSED, LEFT = "closed", "left"

# Each with the status that it is answered with, CLOSED where it is closed behind an answer that nobody reads, LEFT
# where it has yet some time.
ACTS = {
    "says nothing": (hang(lambda c: b""), LEFT),
    "hangs in the head": (hang(lambda c: c.whole()[:40]), LEFT),
    "hangs behind the head": (hang(lambda c: head(c.host, "Content-Length: 100")), LEFT),
    "hangs in the body": (hang(lambda c: c.whole()[:-1]), LEFT),
    "drips its head": (lambda c: c.drip(c.whole()), LEFT),
    "drips its body": (lambda c: (c.send(c.whole()[:-len(c.event)]), c.drip(c.event[:-1])), LEFT),
    "breaks off": (cut, CLOSED),
    "ends its side early": (end_half, CLOSED),
    "a length too long": (hang(lambda c: head(c.host, f"Content-Length: {len(c.event) + 1}") + c.event), LEFT),
    "a length too short": (says(lambda c: head(c.host, f"Content-Length: {len(c.event) - 1}", "Connection: close")
                                 + c.event), 400),
    "a negative length": (with_length(-5), 400),
    "two lengths": (with_length("5\r\nContent-Length: 60"), 400),
    "a list of lengths": (with_length("5, 5"), 400),
    "a length of words": (with_length("many"), 400),
    "a length beyond 64 bits": (with_length("9" * 30), 400),
    "a length beyond the limit": (with_length(9 << 20, b""), 413),
    "chunks of garbage": (chunked(b"zz\r\nnothing\r\n"), 400),
    "a chunk beyond 64 bits": (chunked(b"f" * 30 + b"\r\n"), 400),
    "a chunk without its end": (says(lambda c: open_chunks(c) + chunk(c.event)[:-2] + b"XX"), 400),
    "length and chunks": (says(lambda c: head(c.host, f"Content-Length: {len(c.event)}", "Transfer-Encoding: chunked")
                               + chunk(c.event) + b"0\r\n\r\n"), 400),
    "chunks and another coding": (says(lambda c: head(c.host, "Transfer-Encoding: chunked, gzip")
                                       + chunk(c.event)), 400),
    "a request in the body of a GET": (says(lambda c: head(c.host, "Content-Length: 0\r\nContent-Length: 9",
                                                           method="GET", path="/healthz") + c.whole()), 400),
    "headers without end": (flood(lambda c: b"POST /v1/events HTTP/1.1\r\n", b"X-A: b\r\n" * 1000), CLOSED),
    "a header without end": (flood(lambda c: b"POST /v1/events HTTP/1.1\r\nX-A: ", b"x" * 10000), CLOSED),
    "a target without end": (flood(lambda c: b"POST /", b"x" * 10000), CLOSED),
    "a body without end": (flood(open_chunks, chunk(b" " * 10000)), CLOSED),
    "trailers without end": (flood(lambda c: open_chunks(c) + chunk(c.event) + b"0\r\n", b"X-A: b\r\n" * 1000), CLOSED),
    "chunk extensions without end": (flood(lambda c: open_chunks(c) + b"5", b";x=y" * 1000), CLOSED),
    "requests without reading": (flood(lambda c: b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 100), LEFT),
    "nothing of HTTP": (says(lambda c: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20 + b"\r\n\r\n"), 400),
    "HTTP/0.9": (says(lambda c: b"GET /v1/events\r\n\r\n"), 400),
    "HTTP/2 at once": (says(lambda c: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505),
}


@pytest.fixture
def world(seed, tmp_path):
    made = World(tmp_path, seed)
    yield made
    made.close()


def post_all(world, load):
    """Good clients are answered, each time."""
    before = set(world.ledger.unknown)
    load.join()
    world.expect(not world.ledger.faults, world.ledger.faults[:3])
    world.expect(not world.ledger.unknown.keys() - before, f"without an answer: {list(world.ledger.unknown)[:3]}")


def ended(client):
    """The host has done with it."""
    return not client.thread.is_alive()


def check_nothing_stored(world, clients):
    for client in clients:
        reply = world.host.call("GET", f"/v1/events/{client.id}")
        world.expect(reply.status == 404, f"{client.name}: stored: {reply}")


@pytest.mark.histories(1)
def test_clients(world):
    world.start()
    world.load(10).join()
    before = world.host.memory_kb()
    clients = [Client(world.host, act, name, n, world.chance) for name, (act, _) in ACTS.items() for n in range(3)]
    post_all(world, world.load(60))
    for client in clients:
        ends = ACTS[client.name][1]
        if ends != LEFT:
            until(lambda: ended(client), f"seed {world.seed}: {client.name}: its end", PATIENCE_S)
        if isinstance(ends, int):
            world.expect(client.answer.startswith(b"HTTP/1.1 %d " % ends) and client.answer.count(b"\r\nDate: ") == 1,
                         f"{client.name}: {client.answer[:300]}")
    grown = peak_kb(world.host) - before
    world.expect(grown < GROWTH_MAX_KB, f"the host has grown by {grown} KiB")
    check_nothing_stored(world, clients)
    load = world.load(60)
    world.is_dying = True
    until(lambda: load.posted > 20, "the moment")
    world.host.signal(signal.SIGTERM)  # in the thick of it
    world.expect(world.host.wait_end() == 0, "SIGTERM in the thick of it")
    load.join()
    for client in clients:
        client.end()
    world.verify()
    world.start()
    check_nothing_stored(world, clients)
    world.kill()
    world.end()


def open_files():
    """As many descriptors for this process as IDLE connections take."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < IDLE + 500:
        pytest.skip(f"{IDLE} connections want {IDLE + 500} descriptors, and this process may have {most}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def idle_connections(world, count):
    return [socket.create_connection(("127.0.0.1", world.host.port), timeout=PATIENCE_S) for _ in range(count)]


@pytest.mark.histories(1)
def test_thousands_of_idle_connections(world):
    """They keep nobody out: the oldest go."""
    open_files()
    world.start()
    before = world.host.memory_kb()
    idle = idle_connections(world, IDLE)
    cpu = world.host.cpu_s()
    for _ in range(20):
        world.expect(world.host.call("GET", "/healthz", fresh=True).status == 200, "a new client is served")
    post_all(world, world.load(60))
    world.expect(world.host.cpu_s() - cpu < CPU_MAX_S, f"{world.host.cpu_s() - cpu} s of CPU")
    grown = peak_kb(world.host) - before
    world.expect(grown < GROWTH_MAX_KB, f"the host has grown by {grown} KiB")
    for connection in idle:
        connection.close()
    world.kill()
    world.end()


@pytest.fixture
def silent():
    server = Hostile({f"hangs {n}": hostile.hang for n in range(TARGETS)})
    yield server
    server.close()


@pytest.fixture
def world_of_few(seed, silent, tmp_path):
    """A host with few descriptors, and targets that hang."""
    more = {slug(name) + ".lua": workflow(silent.url(name), timeout='"1s"') for name in silent.acts}
    made = World(tmp_path, seed, more=more, prefix=["prlimit", f"--nofile={FEW_FILES}"])
    made.others.append(silent)
    yield made
    made.close()


@pytest.mark.histories(1)
def test_few_descriptors(world_of_few, silent):
    """More clients and targets than there are descriptors: no loop spins, and all that was acknowledged arrives."""
    world = world_of_few
    world.start()
    load = world.load(60)
    idle = idle_connections(world, 3 * FEW_FILES)
    slow = ("hangs in the head", "drips its body", "requests without reading")
    clients = [Client(world.host, ACTS[name][0], name, n, world.chance) for name in slow for n in range(FEW_FILES // 2)]
    load.join()
    world.expect("LimitNOFILE" in world.host.log(), "the log says that there are few descriptors")
    cpu = world.host.cpu_s()
    for _ in range(50):
        with contextlib.suppress(*GONE):  # where each place is taken by a client that is in the midst of a request
            status = world.host.call("GET", "/healthz", fresh=True).status
            world.expect(status in (200, 503), f"a new client is answered {status}")
    world.expect(world.host.cpu_s() - cpu < CPU_MAX_S, f"{world.host.cpu_s() - cpu} s of CPU")
    for client in clients:
        client.end()
    for connection in idle:
        connection.close()
    until(world.host.is_up, f"seed {world.seed}: new clients are served again")
    post_all(world, world.load(20))
    world.kill()
    world.verify()
    world.start()
    silent.heal()
    world.settle()
    world.host.stop()
    world.verify()
