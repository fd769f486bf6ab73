#!/usr/bin/python3
"""What a delivery costs, beside the yardstick: a bare libcurl loop that posts the same bytes to the same nginx.

The host is measured between two runs of the yardstick and compared with their mean, so that what else the
machine does falls on both. A figure is the median of such ratios over the rounds: the machine cancels out.
`bench.py BUILD [--rounds N] [--seconds N] [--strace]`; through make: `make bench ARGS="--rounds 5"`.
"""
import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]

BODY = ('{"amount":12500.50,"closed_date":"2026-11-23","created_at":"2026-10-01T08:00:00Z",'
        '"product":"Gold plan","sales_account":{"name":"Acme Inc"},"id":4021}')
CONTENT = 'hook.fields { "amount", "closed_date", "created_at", "product", "sales_account.name", "id" }'
WHEN = 'hook.all { field "deal_stage":is_in { "Default Pipeline:Won" } }'
IN_FLIGHT = 64
BATCH = 200
BUDGETS = {"single": 2.5, "batch": 1.8, "rate": 0.5}


def yardstick(args, nginx, folder):
    """(CPU us a request, requests a second)"""
    body = folder / "body.json"
    body.write_text(BODY)
    done = subprocess.run([args.build / "tests/bench/yardstick", nginx.url + "/hook", str(args.yardstick),
                           str(IN_FLIGHT), str(body)], capture_output=True, text=True, check=True)
    _, _, _, cpu, rate = done.stdout.split()
    return float(cpu), float(rate)


def load(host, seconds, connections, lines):
    """Runs the load generator; the number of requests that were answered, all with 202."""
    done = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(HERE / "events.lua"),
                           f"http://127.0.0.1:{host.port}/v1/events"], capture_output=True, text=True,
                          env={**os.environ, "HOOKLINE_TOKEN": host.token, "HOOKLINE_LINES": str(lines)})
    refused = re.search(r"Non-2xx.*", done.stdout)
    if done.returncode or refused:
        sys.exit(f"wrk: {refused[0] if refused else done.stderr}")
    return int(re.search(r"(\d+) requests in", done.stdout)[1])


def settle(host, nginx, before, accepted):
    """The count of deliveries since `before`, when nothing is owed any more."""
    from support.waiting import until

    def owes_nothing():
        return not host.call("GET", "/v1/deliveries?state=pending&limit=1").json()["deliveries"]
    until(lambda: nginx.count() - before >= accepted and owes_nothing(), "all deliveries", 120)
    return nginx.count() - before


def measure(make_host, nginx, seconds, connections, lines):
    """(CPU us of the host a delivery, deliveries a second, events accepted, memory in MB)"""
    host = make_host()
    try:
        delivered, cpu, began = nginx.count(), host.cpu_s(), time.monotonic()
        accepted = load(host, seconds, connections, lines) * lines
        count = settle(host, nginx, delivered, accepted)
        cpu, wall = host.cpu_s() - cpu, time.monotonic() - began
        # wrk stops with answers still on their way: those events were accepted too.
        if not accepted <= count <= accepted + connections * lines:
            sys.exit(f"{accepted} events were answered with 202, {count} deliveries arrived")
        return cpu * 1e6 / count, count / wall, count, host.memory_kb() / 1024
    finally:
        host.stop()


def system_calls(make_host, nginx, folder, seconds):
    """Prints how many system calls the host makes for an event, by name."""
    out = folder / "strace"
    host = make_host(prefix=["strace", "-f", "-c", "-q", "-o", str(out)])
    before = nginx.count()
    count = settle(host, nginx, before, load(host, seconds, IN_FLIGHT, 1))
    host.stop()
    print(f"\nsystem calls for each of {count} events (strace -c):")
    for line in out.read_text().splitlines():
        cells = line.split()
        if len(cells) >= 5 and cells[3].isdigit() and cells[-1] != "total" and int(cells[3]) / count >= 0.005:
            print(f"  {cells[-1]:<16} {int(cells[3]) / count:7.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--yardstick", type=int, default=100000, help="requests of the yardstick in a round")
    parser.add_argument("--strace", action="store_true", help="count system calls too")
    args = parser.parse_args()
    args.build = args.build.resolve()
    os.environ["HOOKLINE"] = str(args.build / "hookline")
    sys.path.insert(0, str(ROOT / "tests/flow"))
    from support.host import Host
    from support.nginx import Nginx
    from support.rules import workflow

    with tempfile.TemporaryDirectory(prefix="hl-bench-") as name:
        folder = pathlib.Path(name)
        nginx = Nginx(folder / "nginx", logs=False)
        rule = {"deal.lua": workflow(nginx.url + "/hook", wf_when=WHEN, content=CONTENT)}
        hosts = 0

        def make_host(**options):
            nonlocal hosts
            hosts += 1
            place = folder / f"host{hosts}"
            place.mkdir()
            return Host(place, rule, **options)

        try:
            runs = {"single": [], "batch": []}
            yard = [yardstick(args, nginx, folder)]
            for number in range(args.rounds):
                for kind, connections, lines in (("single", IN_FLIGHT, 1), ("batch", 4, BATCH)):
                    host = measure(make_host, nginx, args.seconds, connections, lines)
                    yard.append(yardstick(args, nginx, folder))
                    runs[kind].append((*host, compare(host, yard[-2:])))
                    print(f"round {number + 1}: {kind} {host[0]:.1f} us, yardstick before "
                          f"{yard[-2][0]:.1f} and after {yard[-1][0]:.1f} us", flush=True)
            report(yard, runs)
            if args.strace:
                system_calls(make_host, nginx, folder, args.seconds)
        finally:
            nginx.close()


def compare(host, around):
    """(CPU ratio, rate ratio) of a measurement and the mean of the yardsticks around it."""
    return tuple(host[i] / statistics.mean(yard[i] for yard in around) for i in (0, 1))


def report(yard, runs):
    def middle(values):
        return statistics.median(list(values))

    print(f"\n{'':34}{'CPU a piece':>12}{'pieces/s':>10}{'CPU ratio':>11}{'rate ratio':>12}{'memory':>9}")
    print(f"{'yardstick (bare libcurl), requests':34}{middle(y[0] for y in yard):9.1f} us"
          f"{middle(y[1] for y in yard):10.0f}{1:11.2f}{1:12.2f}")
    for title, rows in (("single-event POSTs, events", runs["single"]),
                        (f"NDJSON of {BATCH}, events", runs["batch"])):
        print(f"{title:34}{middle(r[0] for r in rows):9.1f} us{middle(r[1] for r in rows):10.0f}"
              f"{middle(r[4][0] for r in rows):11.2f}{middle(r[4][1] for r in rows):12.2f}"
              f"{middle(r[3] for r in rows):6.0f} MB")
    print(f"{'budgets':34}{'':22}{BUDGETS['single']:>5} /{BUDGETS['batch']:>4}{BUDGETS['rate']:12.2f}")


if __name__ == "__main__":
    main()
