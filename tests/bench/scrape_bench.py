#!/usr/bin/python3
"""What a scrape of /metrics costs with 10,000 workflows in force, of which each has run: CPU of the whole host.

`scrape_bench.py BUILD [--workflows N]`; `make bench` runs it too.
"""
import argparse
import os
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRAPES, BUDGET_MS = 200, 5


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--workflows", type=int, default=10000)
    args = parser.parse_args()
    os.environ["HOOKLINE"] = f"{args.build}/hookline"
    sys.path.insert(0, str(ROOT / "tests/flow"))
    from support.host import Host
    from support.rules import deal, workflow
    with tempfile.TemporaryDirectory(prefix="hl-") as folder:
        rules = {f"w{n}.lua": workflow("https://app.example.com/hook", wf_active='"dry"',
                                       wf_when=f'hook.all {{ field "stage":is "{n}" }}') for n in range(args.workflows)}
        host = Host(folder, rules)
        try:
            for first in range(0, args.workflows, 500):
                assert host.ndjson([deal(n, type="deal.created", stage=str(n))
                                    for n in range(first, first + 500)]).status == 202
            host.call("GET", "/metrics")
            before = host.cpu_s()
            for _ in range(SCRAPES):
                assert host.call("GET", "/metrics").status == 200
            each_ms = (host.cpu_s() - before) / SCRAPES * 1000
        finally:
            host.stop()
    verdict = "holds" if each_ms < BUDGET_MS else "falls short"
    print(f"a scrape with {args.workflows} workflows: {each_ms:.2f} ms of CPU (budget {BUDGET_MS} ms): {verdict}")
    return each_ms >= BUDGET_MS


if __name__ == "__main__":
    sys.exit(main())
