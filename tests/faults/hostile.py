"""A receiver with a port for each thing that a bad one does. Healed, it answers as a good one does."""
import asyncio
import gzip
import re
import socket
import struct
import threading
import time

from support.receiver import Request

PIECE = b"x" * 65536
FLOOD_MAX = 256 << 20  # bytes of one answer that nobody stopped: far more than buffers hold
BOMB = gzip.compress(bytes(64 << 20), 9)  # 64 KiB
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def slug(name):
    return re.sub(r"\W+", "_", name)


class Hostile:
    """`acts`: a name to what is done with a connection: a coroutine of (this, reader, writer). Those whose name begins
    with TLS are for https, and when healed they speak it, by `context`."""

    def __init__(self, acts, context=None):
        self.acts, self.context = acts, context
        self.requests, self.ports, self.flooded = [], {}, []
        self.met = dict.fromkeys(acts, 0)  # connections
        self.is_healed = False
        self.tasks = set()
        self.loop = asyncio.new_event_loop()
        self.servers = [self.loop.run_until_complete(self.listen(name)) for name in acts]
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    async def listen(self, name):
        async def serve(reader, writer):
            self.met[name] += 1
            self.tasks.add(asyncio.current_task())
            try:
                if self.is_healed:
                    if name.startswith("TLS"):
                        await writer.start_tls(self.context)
                    await self.be_good(reader, writer)
                else:
                    await self.acts[name](self, reader, writer)
            except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
                pass
            finally:
                self.tasks.discard(asyncio.current_task())
                writer.close()
        server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
        self.ports[name] = server.sockets[0].getsockname()[1]
        return server

    def origin(self, name):
        return f"{'https' if name.startswith('TLS') else 'http'}://127.0.0.1:{self.ports[name]}"

    def url(self, name):
        return f"{self.origin(name)}/{slug(name)}"

    async def read(self, reader):
        """One whole request, which counts as one that arrived."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip("\r\n").split("\r\n")
        pairs = [tuple(part.strip() for part in line.split(":", 1)) for line in lines]
        headers = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        method, path, _ = first.split(" ", 2)
        self.requests.append(Request(len(self.requests) + 1, method, path, headers, pairs, body, time.time(),
                                     "127.0.0.1", None, 0))

    async def be_good(self, reader, writer):
        while True:
            await self.read(reader)
            writer.write(OK)
            await writer.drain()

    async def flood(self, writer, piece=PIECE):
        """Without end, until the other side closes."""
        sent = 0
        while sent < FLOOD_MAX:
            writer.write(piece)
            await writer.drain()
            sent += len(piece)
        self.flooded.append(sent)

    def heal(self):
        """From now on it is well; connections that are open end."""
        self.is_healed = True
        self.loop.call_soon_threadsafe(lambda: [task.cancel() for task in list(self.tasks)])

    def close(self):
        async def end():
            for server in self.servers:
                server.close()
            for task in list(self.tasks):
                task.cancel()
            await asyncio.sleep(0)
            self.loop.stop()
        asyncio.run_coroutine_threadsafe(end(), self.loop)
        self.thread.join(10)
        self.loop.close()


# --- acts ---------------------------------------------------------------------------------------

def reset(writer):
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def for_ever():
    await asyncio.Event().wait()


def answers(*pieces, then=None):
    """Reads the request, writes these, and then closes, or does what `then` does."""
    async def act(server, reader, writer):
        await server.read(reader)
        for piece in pieces:
            writer.write(piece)
        await writer.drain()
        if then:
            await then(server, reader, writer)
    return act


async def hang(server, reader, writer):
    await for_ever()


async def break_off(server, reader, writer):
    reset(writer)


async def babble(server, reader, writer):
    await server.flood(writer)


def repeat(piece):
    async def act(server, reader, writer):
        await server.flood(writer, piece * (len(PIECE) // len(piece)))
    return act


async def drip(server, reader, writer):
    await server.read(reader)
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.1)


async def answer_at_once(server, reader, writer):
    writer.write(OK)
    await writer.drain()
    await server.read(reader)


async def answer_in_plain_text(server, reader, writer):
    await reader.read(65536)
    writer.write(OK)
    await writer.drain()


async def drip_tls(server, reader, writer):
    await reader.read(65536)
    for byte in b"\x16\x03\x03\x20\x00" + bytes(1000):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.1)


async def close_behind_half_a_request(server, reader, writer):
    await reader.read(20)
    reset(writer)


def head(*lines, status="200 OK"):
    return f"HTTP/1.1 {status}\r\n".encode() + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def length(value):
    return b"Content-Length: " + value


# Each with what an attempt ends with: an error's word, some of them, or a status.
ACTS = {
    "hangs": (hang, "timeout"),
    "hangs behind the request": (answers(then=hang), "timeout"),
    "hangs behind the head": (answers(head(length(b"10")), then=hang), "timeout"),
    "drips": (drip, "timeout"),
    "breaks off": (break_off, "reset|connect"),
    "breaks off in the request": (close_behind_half_a_request, "reset"),
    "breaks off behind the request": (answers(then=break_off), "reset"),
    "breaks off behind the head": (answers(head(length(b"10")), then=break_off), "reset"),
    "breaks off in the body": (answers(head(length(b"10")), b"12345", then=break_off), "reset"),
    "closes behind the request": (answers(), "reset"),
    "answers at once": (answer_at_once, 200),
    "ten gigabytes": (answers(head(length(b"10000000000")), then=babble), 200),
    "chunks without end": (answers(head(b"Transfer-Encoding: chunked"),
                                   then=repeat(b"10\r\n0123456789abcdef\r\n")), 200),
    "a body without a length": (answers(head(b"Connection: close"), then=babble), 200),
    "a gzip bomb": (answers(head(b"Content-Encoding: gzip", length(b"%d" % len(BOMB))), BOMB), 200),
    "a length too long": (answers(head(length(b"100")), b"short"), "reset"),
    "a length too short": (answers(head(length(b"2")), b"much longer"), 200),
    "a negative length": (answers(head(length(b"-5")), b"hello"), "protocol"),
    "two lengths": (answers(head(length(b"2"), length(b"5")), b"hello"), 200),
    "a length of words": (answers(head(length(b"many")), b"hello"), "protocol"),
    "a length beyond 64 bits": (answers(head(length(b"9" * 30)), b"hello"), 200),
    "chunks of garbage": (answers(head(b"Transfer-Encoding: chunked"), b"zz\r\nnothing\r\n"), "protocol"),
    "a chunk beyond 64 bits": (answers(head(b"Transfer-Encoding: chunked"), b"f" * 30 + b"\r\nx"), "protocol"),
    "interim for ever": (answers(then=repeat(b"HTTP/1.1 102 Processing\r\n\r\n")), "protocol"),
    "early hints for ever": (answers(then=repeat(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")), "protocol"),
    "a header of ten megabytes": (answers(head(b"X-Long: " + b"x" * (10 << 20))), "protocol"),
    "headers without end": (answers(b"HTTP/1.1 200 OK\r\n", then=repeat(b"X-A: b\r\n")), "protocol"),
    "100,000 headers": (answers(head(*[b"X-%d: y" % n for n in range(100000)]), b"ok"), "protocol"),
    "a status line without end": (answers(b"HTTP/1.1 200 ", then=babble), "protocol"),
    "HTTP/0.9": (answers(b"hello, this is a page\n"), "protocol"),
    "nothing of HTTP": (answers(b"\x00\xff\x00\xff" * 64), "protocol"),
    "NUL in a header": (answers(head(b"X-A: a\x00b", length(b"2")), b"ok"), "protocol"),
    "a bare CR in a header": (answers(head(b"X-A: a\rX-B: b", length(b"2")), b"ok"), 200),
    "status 0": (answers(head(length(b"2"), status="000 Zero"), b"ok"), "protocol"),
    "status 99": (answers(head(length(b"2"), status="99 Odd"), b"ok"), "protocol"),
    "status 999": (answers(head(length(b"2"), status="999 Odd"), b"ok"), 999),
    "status of words": (answers(head(length(b"2"), status="fine OK"), b"ok"), "protocol"),
    "switches protocols": (answers(head(b"Upgrade: x", b"Connection: upgrade", status="101 Switching"), b"x" * 100),
                           "protocol"),
    "HTTP/3.7": (answers(b"HTTP/3.7 200 OK\r\nContent-Length: 2\r\n\r\nok"), "protocol"),
    "TLS hangs": (hang, "timeout"),
    "TLS drips": (drip_tls, "timeout"),
    "TLS in plain text": (answer_in_plain_text, "tls"),
}
