#!/usr/bin/python3
"""What a large store costs. A million webhooks that wait for a retry: memory, and the time of a start beside an empty
host's. Then retention: how long an event waits for its 202 while the payloads of many delivered webhooks are removed,
beside the same host at rest.

`backlog_bench.py BUILD [--waiting N] [--delivered N]`; through make: `make bench-backlog`.
"""
import argparse
import gc
import json
import os
import pathlib
import sys
import tempfile
import threading
import time

from slot_bench import BODY, REST_S, post_while, record, row

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEPT = 'return { retention = { payloads = "1h", attempts = "1h" } }'
BUDGET_MB, BUDGET_START_S, BUDGET_RATIO = 64, 1, 2


def post(host, count):
    for first in range(0, count, BODY):
        lines = "".join(json.dumps({"type": "deal.created", "record": record(n)}) + "\n"
                        for n in range(first, min(first + BODY, count)))
        reply = host.call("POST", "/v1/events", lines.encode(), {"Content-Type": "application/x-ndjson"})
        if reply.status != 202:
            sys.exit(f"not accepted: {reply}")


def start_s(host):
    began = time.monotonic()
    host.start()
    return time.monotonic() - began


def waiting(host, count):
    """Everything is owed to a port where nobody listens: most waits behind the breaker, some for a retry."""
    from support.waiting import until

    def has_tried():
        return host.call("GET", "/v1/targets").json()["targets"][0]["last_error"]
    host.stop()
    empty_s = start_s(host)
    empty_mb = host.memory_kb() / 1024
    post(host, count)
    host.stop()
    full_s = start_s(host)
    until(has_tried, "what is due to be read, and the target to be tried", 60)
    print(f"{'':32}{'start':>9}{'memory':>10}")
    print(f"{'nothing stored':32}{empty_s:7.2f} s{empty_mb:7.0f} MB")
    print(f"{str(count) + ' webhooks wait':32}{full_s:7.2f} s{host.memory_kb() / 1024:7.0f} MB")
    print(f"{'budget':32}{BUDGET_START_S:7.2f} s{BUDGET_MB:7.0f} MB", flush=True)


def retention(host, count):
    from support.waiting import until

    def owed():
        return host.call("GET", "/v1/status").json()["owed"]
    post(host, count)
    until(lambda: owed() == 0, "all delivered", 600)
    end = time.monotonic() + REST_S
    rest = post_while(host, lambda: time.monotonic() < end)
    began = time.monotonic()
    thread = threading.Thread(target=host.advance, args=("3h",))  # answered when the round is over
    thread.start()
    busy = post_while(host, thread.is_alive)
    thread.join()
    print(f"\n{'retention of ' + str(count) + ' webhooks':32}{'seconds':>8}{'events':>8}{'p50 ms':>8}{'p99 ms':>8}"
          f"{'most ms':>9}{'p50 ratio':>11}{'p99 ratio':>11}")
    row("while they are removed", rest, busy, time.monotonic() - began)
    print(f"{'budget':32}{'':52}{BUDGET_RATIO:11.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--waiting", type=int, default=1000000)
    parser.add_argument("--delivered", type=int, default=100000)
    args = parser.parse_args()
    gc.disable()  # a collection would be measured as a wait
    os.environ["HOOKLINE"] = str(args.build.resolve() / "hookline")
    sys.path.insert(0, str(ROOT / "tests/flow"))
    from support.host import Host
    from support.nginx import Nginx, free_port
    from support.rules import workflow

    with tempfile.TemporaryDirectory(prefix="hl-bench-") as name:
        folder = pathlib.Path(name)
        nginx = Nginx(folder / "nginx", logs=False)
        try:
            for kind, url, count, options in (
                    (waiting, f"http://127.0.0.1:{free_port()}/", args.waiting, {}),
                    (retention, nginx.url + "/hook", args.delivered, {"test_clock": True, "config": KEPT})):
                place = folder / kind.__name__
                place.mkdir()
                host = Host(place, {"deal.lua": workflow(url)}, **options)
                try:
                    kind(host, count)
                finally:
                    host.kill9()
        finally:
            nginx.close()


if __name__ == "__main__":
    main()
