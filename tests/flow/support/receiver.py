"""A receiver of webhooks: records every request, answers as its script says.

The script is a function of the request that gives a status, an Answer, or one of PARK (no answer until
release() gives one), RESET (the connection is closed without one).
"""
import asyncio
import collections
import dataclasses
import ipaddress
import json as json_module
import socket
import ssl
import threading
import time

from support.waiting import LIMIT_S

PARK = object()
RESET = object()


@dataclasses.dataclass
class Answer:
    status: int = 200
    headers: dict = dataclasses.field(default_factory=dict)
    body: bytes = b"ok"


@dataclasses.dataclass
class Request:
    number: int  # from 1, in the order of arrival
    method: str
    path: str
    headers: dict  # names in lower case
    header_lines: list  # (name, value) as sent
    body: bytes
    at: float
    to: str  # the address that was reached
    peer: str  # the common name of the certificate that the client has shown, or None
    connection: int  # from 1, in the order of arrival

    @property
    def id(self):
        return self.headers.get("webhook-id")

    def json(self):
        return json_module.loads(self.body)


class Connection(asyncio.Protocol):
    def __init__(self, receiver):
        self.receiver, self.data, self.want = receiver, b"", None

    def connection_made(self, transport):
        self.transport = transport
        address = ipaddress.ip_address(transport.get_extra_info("sockname")[0])
        self.to = str(getattr(address, "ipv4_mapped", None) or address)
        self.receiver.connections += 1
        self.receiver.reached[self.to] += 1
        self.number = self.receiver.connections
        shown = dict(pair[0] for pair in (transport.get_extra_info("peercert") or {}).get("subject", ()))
        self.peer = shown.get("commonName")
        self.receiver.open.add(self)

    def connection_lost(self, fault):
        self.receiver.open.discard(self)

    def data_received(self, data):
        self.data += data
        while self.take_one():
            pass

    def take_one(self):
        head, found, rest = self.data.partition(b"\r\n\r\n")
        if not found:
            return False
        lines = head.decode("latin-1").split("\r\n")
        pairs = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
        headers = {name.lower(): value for name, value in pairs}
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return False
        self.data = rest[length:]
        method, path, _ = lines[0].split(" ", 2)
        self.receiver.arrived(self, method, path, headers, pairs, rest[:length])
        return True

    def answer(self, answer):
        if self.transport.is_closing():
            return
        if answer is RESET:
            self.transport.abort()
            return
        lines = [f"HTTP/1.1 {answer.status} Answer", f"Content-Length: {len(answer.body)}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        self.transport.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + answer.body)


def listen(address, port):
    """A socket for connections; "::" takes IPv4, too."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, port), family=family, backlog=1024, dualstack_ipv6=address == "::")


class Receiver:
    def __init__(self, script=None, tls=None, at=(("127.0.0.1", 0),)):
        self.script = script or (lambda request: 200)
        self.requests, self.parked, self.connections, self.open = [], [], 0, set()
        self.reached = collections.Counter()  # connections by the address that they were made to
        self.changed = threading.Condition()
        self.loop = asyncio.new_event_loop()
        self.scheme = "https" if tls else "http"
        context = tls
        if tls and not isinstance(tls, ssl.SSLContext):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
        self.servers = [self.loop.run_until_complete(self.loop.create_server(
            lambda: Connection(self), sock=listen(*place), backlog=1024, ssl=context)) for place in at]
        self.port = self.servers[0].sockets[0].getsockname()[1]
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def arrived(self, connection, method, path, headers, pairs, body):
        with self.changed:
            request = Request(len(self.requests) + 1, method, path, headers, pairs, body, time.time(), connection.to,
                              connection.peer, connection.number)
            self.requests.append(request)
            answer = self.script(request)
            if isinstance(answer, int):
                answer = Answer(answer)
            if answer is PARK:
                self.parked.append(connection)
            self.changed.notify_all()
        if answer is not PARK:
            connection.answer(answer)

    def release(self, answer=None):
        """Answers all that is parked; how many that were."""
        with self.changed:
            parked, self.parked = self.parked, []
        for connection in parked:
            self.loop.call_soon_threadsafe(connection.answer, answer or Answer())
        return len(parked)

    def wait(self, count=1, limit_s=LIMIT_S):
        """The requests, when at least count have arrived."""
        return self.wait_until(lambda seen: len(seen) >= count, f"{count} requests", limit_s)

    def wait_until(self, condition, what="the requests", limit_s=LIMIT_S):
        with self.changed:
            if not self.changed.wait_for(lambda: condition(self.requests), limit_s):
                raise AssertionError(f"{what}: not within {limit_s:g} s; {len(self.requests)} arrived")
            return list(self.requests)

    def close(self):
        if self.loop.is_closed():
            return

        async def end():
            # All are ended, or a host that is stopped after this waits for answers. What was accepted last becomes
            # a connection some turns later, and of a server that is closed never.
            for place in [place for server in self.servers for place in server.sockets]:
                self.loop.remove_reader(place.fileno())
            for _ in range(10):
                await asyncio.sleep(0)
            for server in self.servers:
                server.close()
                await server.wait_closed()
            for connection in list(self.open):
                connection.transport.abort()
            self.loop.call_soon(self.loop.stop)
        asyncio.run_coroutine_threadsafe(end(), self.loop)
        self.thread.join(10)
        self.loop.close()
