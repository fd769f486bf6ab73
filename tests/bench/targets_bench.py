#!/usr/bin/python3
"""How long a live target's webhook takes, from the POST of its event to its arrival, beside targets that are in
trouble: 100,000 deliveries owed to a dead one, 200 that hang, 10,000 targets at once, and all of these. Each row has a
host of its own, which is measured at rest first; the ratio is that of the medians.

`targets_bench.py BUILD [--scale N]` (a part of it: --scale 0.1); through make: `make bench-targets`.
"""
import argparse
import collections
import contextlib
import gc
import json
import os
import pathlib
import re
import socket
import statistics
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BODY = 1000
ROUNDS = 300
BUDGET_RATIO, BUDGET_MB = 2.0, 64
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


Trouble = collections.namedtuple("Trouble", "net port owed targets")  # net: the first half of the addresses


class Live:
    """A receiver that answers each request at once and says when it came; in a thread, over kept connections."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.arrived = threading.Semaphore(0)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            with contextlib.suppress(OSError):
                connection = self.listener.accept()[0]
                threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        kept = b""
        while piece := read_or_nothing(connection):
            kept += piece
            while (end := kept.find(b"\r\n\r\n")) >= 0:
                length = end + 4 + int(re.search(rb"(?i)content-length: *(\d+)", kept[:end])[1])
                if len(kept) < length:
                    break
                kept = kept[length:]
                self.arrived.release()
                connection.sendall(ANSWER)


def read_or_nothing(connection):
    with contextlib.suppress(ConnectionResetError):  # the host was killed
        return connection.recv(65536)


class Client:
    def __init__(self, host):
        self.socket = socket.create_connection(("127.0.0.1", host.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.head = (f"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                     f"Authorization: Bearer {host.token}\r\nContent-Length: ")
        self.number = 0

    def delays(self, live, count):
        """Posts events of the live target one after another; ms from each POST to the webhook's arrival."""
        found = []
        for _ in range(count):
            self.number += 1
            body = json.dumps({"type": "deal.created", "record": {"id": self.number, "name": "Ada"}})
            began = time.monotonic()
            self.socket.sendall(f"{self.head}{len(body)}\r\n\r\n{body}".encode())
            if not live.arrived.acquire(timeout=60):
                sys.exit("the live target's webhook did not come within 60 s")
            found.append((time.monotonic() - began) * 1000)
            if not self.socket.recv(65536).startswith(b"HTTP/1.1 202"):
                sys.exit("an event was not accepted")
        return found


def owe(host, trouble):
    """Posts what is owed to its targets: leads that say which address and port they are for."""
    for first in range(0, trouble.owed, BODY):
        events = []
        for n in range(first, min(first + BODY, trouble.owed)):
            at = n % trouble.targets + 1
            events.append({"type": "lead.created", "record": {
                "id": f"{trouble.net}-{n}", "at": f"{trouble.net}.{at >> 8}.{at & 255}:{trouble.port}"}})
        reply = host.ndjson(events)
        if reply.status != 202:
            sys.exit(f"not accepted: {reply}")


def peak_mb(host):
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{host.pid}/status").read_text())[1]) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--scale", type=float, default=1)
    args = parser.parse_args()
    gc.disable()  # a collection would be measured as a delay
    os.environ["HOOKLINE"] = str(args.build.resolve() / "hookline")
    sys.path.insert(0, str(ROOT / "tests/flow"))
    from support.host import Host
    from support.nginx import Nginx
    from support.rules import workflow

    def scaled(count):
        return max(int(count * args.scale), 1)

    with tempfile.TemporaryDirectory(prefix="hl-bench-") as name, socket.socket() as refuses, \
            socket.create_server(("0.0.0.0", 0), backlog=4096) as hangs:
        folder = pathlib.Path(name)
        refuses.bind(("0.0.0.0", 0))  # taken, and nobody listens
        nginx = Nginx(folder / "nginx", logs=False, address="0.0.0.0")
        live = Live()
        dead = Trouble("127.7", refuses.getsockname()[1], scaled(100000), 1)
        hanging = Trouble("127.8", hangs.getsockname()[1], scaled(4000), scaled(200))
        many = Trouble("127.9", nginx.port, scaled(10000), scaled(10000))
        rules = {"live.lua": workflow(f"http://127.0.0.1:{live.port}/"),
                 "lead.lua": workflow("http://{{ record.at | raw }}/", wf_record='"lead"')}
        print(f"{'a live target beside':36}{'p50 alone':>10}{'p50 ms':>8}{'p99 ms':>8}{'ratio':>7}{'memory':>10}")
        try:
            for number, (title, troubles) in enumerate((
                    (f"{dead.owed} owed to a dead target", [dead]), (f"{hanging.targets} targets that hang", [hanging]),
                    (f"{many.targets} targets at once", [many]), ("all of these", [dead, hanging, many]))):
                place = folder / str(number)
                place.mkdir()
                row(title, Host(place, rules), live, troubles)
        finally:
            nginx.close()
    print(f"{'budget':36}{'':26}{BUDGET_RATIO:7.2f}{BUDGET_MB:7} MB")


def row(title, host, live, troubles):
    client = Client(host)
    try:
        client.delays(live, ROUNDS // 10)  # the target has shown that it lives
        alone = statistics.median(client.delays(live, ROUNDS))
        for trouble in troubles:
            owe(host, trouble)
        beside = client.delays(live, ROUNDS)
        p50 = statistics.median(beside)
        print(f"{title:36}{alone:10.2f}{p50:8.2f}{statistics.quantiles(beside, n=100)[98]:8.2f}{p50 / alone:7.2f}"
              f"{peak_mb(host):7.0f} MB", flush=True)
    finally:
        host.kill9()  # what hangs would be waited for


if __name__ == "__main__":
    main()
