#!/usr/bin/python3
"""How long an event waits while a time trigger runs over many records: one client posts events one after
another, first to a host at rest, then while the slot runs, with no record that matches and with all of them.

`slot_bench.py BUILD [--records N]`; through make: `make bench-slot ARGS="--records 20000"`.
"""
import argparse
import gc
import json
import os
import pathlib
import socket
import statistics
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BODY = 500
REST_S = 3
BUDGET_MS = 10


def record(number):
    return {"id": number, "name": f"Deal {number}", "amount": number % 1000, "deal_stage": "Default Pipeline:Won",
            "closed_date": "2026-11-23", "product": "Gold plan", "note": "x" * 300,
            "sales_account": {"id": number % 88, "name": "Acme Inc"}}


def load(host, count):
    for first in range(0, count, BODY):
        lines = "".join(json.dumps({"type": "deal", "record": record(n)}) + "\n"
                        for n in range(first, min(first + BODY, count)))
        reply = host.call("POST", "/v1/records", lines.encode(), {"Content-Type": "application/x-ndjson"})
        assert reply.status == 202, reply


def post_while(host, goes_on):
    """Posts events one after another, each answered before the next; the waits in ms."""
    waits, number = [], 0
    with socket.create_connection(("127.0.0.1", host.port)) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while goes_on() or number < 100:
            number += 1
            body = json.dumps({"type": "lead.created", "record": {"id": number, "name": "Ada"}}).encode()
            sent = time.monotonic()
            s.sendall(b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer "
                      + host.token.encode() + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            answer = s.recv(65536)
            waits.append((time.monotonic() - sent) * 1000)
            assert answer.startswith(b"HTTP/1.1 202"), answer
    return waits


def measure(host):
    """(the waits at rest, the waits while the slot runs, the seconds it took)"""
    until = time.monotonic() + REST_S
    rest = post_while(host, lambda: time.monotonic() < until)
    began = time.monotonic()
    thread = threading.Thread(target=host.advance, args=("24h",))
    thread.start()
    slot = post_while(host, thread.is_alive)
    thread.join()
    return rest, slot, time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--records", type=int, default=100000)
    args = parser.parse_args()
    gc.disable()  # a collection would be measured as a wait
    os.environ["HOOKLINE"] = str(args.build.resolve() / "hookline")
    sys.path.insert(0, str(ROOT / "tests/flow"))
    from support.host import Host
    from support.nginx import Nginx
    from support.rules import workflow

    print(f"{'a slot over ' + str(args.records) + ' records':32}{'seconds':>8}{'events':>8}{'p50 ms':>8}{'p99 ms':>8}"
          f"{'most ms':>9}{'p50 ratio':>11}{'p99 ratio':>11}")
    with tempfile.TemporaryDirectory(prefix="hl-bench-") as name:
        folder = pathlib.Path(name)
        nginx = Nginx(folder / "nginx", logs=False)
        try:
            for title, least in (("of which none matches", 1000), ("of which 1 in 100 matches", 990),
                                 ("of which all match", 0)):
                place = folder / str(least)
                place.mkdir()
                rule = workflow(nginx.url + "/hook", wf_trigger='hook.daily { at = "12:00" }',
                                wf_when=f'field "amount":at_least({least})')
                host = Host(place, {"daily.lua": rule}, test_clock=True)
                try:
                    load(host, args.records)
                    row(title, *measure(host))
                finally:
                    host.stop()
        finally:
            nginx.close()
    print(f"{'budget':32}{'':24}{'':8}{BUDGET_MS:>9}")


def row(title, rest, slot, seconds):
    def figures(waits):
        return statistics.median(waits), statistics.quantiles(waits, n=100)[98], max(waits)
    (rest_50, rest_99, rest_most), (slot_50, slot_99, slot_most) = figures(rest), figures(slot)
    print(f"{'  at rest':32}{REST_S:8.1f}{len(rest):8}{rest_50:8.2f}{rest_99:8.2f}{rest_most:9.2f}{1:11.2f}{1:11.2f}")
    print(f"{title:32}{seconds:8.1f}{len(slot):8}{slot_50:8.2f}{slot_99:8.2f}{slot_most:9.2f}"
          f"{slot_50 / rest_50:11.2f}{slot_99 / rest_99:11.2f}", flush=True)


if __name__ == "__main__":
    main()
