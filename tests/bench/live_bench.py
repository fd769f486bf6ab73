#!/usr/bin/python3
"""What one who watches (GET /v1/live, all topics) costs the host at full load, as a ratio of its CPU a delivery.

One host takes events in short turns, one watched and one not, so that what else the machine does falls on
both; the figure is the median over the pairs. `live_bench.py BUILD [--pairs N] [--seconds N]`.
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import bench

BUDGET = 1.05


class Watcher:
    def __init__(self, host, folder):
        self.path = folder / "stream"
        self.out = open(self.path, "wb")
        self.process = subprocess.Popen(
            ["curl", "-sN", "-H", f"Authorization: Bearer {host.token}", f"http://127.0.0.1:{host.port}/v1/live"],
            stdout=self.out)
        from support.waiting import until
        until(lambda: self.path.stat().st_size, "the stream")

    def end(self):
        """How many messages came."""
        self.process.terminate()
        self.process.wait()
        self.out.close()
        return self.path.read_bytes().count(b"event: ")


def turn(host, nginx, seconds, folder=None):
    """(CPU us a delivery, deliveries, messages to the watcher): watched where a folder is given."""
    watcher = Watcher(host, folder) if folder else None
    before, cpu = nginx.count(), host.cpu_s()
    count = bench.settle(host, nginx, before, bench.load(host, seconds, bench.IN_FLIGHT, 1))
    cpu = host.cpu_s() - cpu
    return cpu * 1e6 / count, count, watcher.end() if watcher else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=2)
    args = parser.parse_args()
    os.environ["HOOKLINE"] = str(args.build.resolve() / "hookline")
    sys.path.insert(0, str(bench.ROOT / "tests/flow"))
    from support.host import Host
    from support.nginx import Nginx
    from support.rules import workflow

    with tempfile.TemporaryDirectory(prefix="hl-bench-") as name:
        folder = pathlib.Path(name)
        nginx = Nginx(folder / "nginx", logs=False)
        host = Host(folder / "host", {"deal.lua": workflow(nginx.url + "/hook", wf_when=bench.WHEN,
                                                           content=bench.CONTENT)})
        try:
            turn(host, nginx, 1)
            ratios, costs, messages = [], [], 0
            for number in range(args.pairs):
                pair = [None, None]
                for kind in ((0, 1) if number % 2 else (1, 0)):
                    pair[kind] = turn(host, nginx, args.seconds, folder if kind else None)
                ratios.append(pair[1][0] / pair[0][0])
                costs.append(pair[0][0])
                messages += pair[1][2]
        finally:
            host.stop()
            nginx.close()
    print(f"\n{'watched by one, all topics':34}{statistics.median(costs):9.1f} us a delivery unwatched; "
          f"watched {statistics.median(ratios):.3f} times that ({min(ratios):.3f} to {max(ratios):.3f}), "
          f"{messages // (args.pairs * args.seconds)} messages/s; budget {BUDGET}")


if __name__ == "__main__":
    main()
