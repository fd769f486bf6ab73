#!/usr/bin/python3
"""What an event costs with 10, 1,000 and 10,000 workflows in force: CPU of the whole host, as a ratio to 10 of them.

The events are updates in NDJSON bodies, received, judged and stored; one in 50 matches one workflow.
`index_bench.py BUILD [--sizes N ...] [--sets NAME ...]`; `make bench` runs it too.
"""
import argparse
import os
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]

BODY, EVENTS, MATCH_EVERY = 500, 20000, 50
BUDGET = 2
ON_UPDATE = 'hook.every { "updated" }'


class Set:
    """Workflows that differ in `when`, in which # stands for a workflow's number."""

    def __init__(self, what, when, trigger=ON_UPDATE, stage="P:Won", is_budgeted=True, matches=True, events=EVENTS,
                 body=BODY):
        self.what, self.when, self.trigger, self.stage = what, when, trigger, stage
        self.is_budgeted, self.matches, self.events, self.body = is_budgeted, matches, events, body

    def rules(self, count, url, workflow):
        return {f"w{i}.lua": workflow(url, wf_trigger=self.trigger, wf_when=self.when.replace("#", str(i)))
                for i in range(count)}

    def event(self, k, count, deal):
        """Event k: in turn it is one that some workflow wants, and others that none does."""
        number = k * 7 % count if self.matches and k % MATCH_EVERY == 0 else 10 ** 6 + k
        return deal(k, deal_stage=self.stage.replace("#", str(number)), amount=number, product="Gold plan",
                    owner={"id": 7, "name": "Rep"}, previous={"deal_stage": "P:Old"})


SETS = {
    "stage": Set("each another stage, all one amount",
                 'hook.all { field "deal_stage":is_in { "P:Stage#" }, field "amount":at_least(0) }', stage="P:Stage#"),
    "amount": Set("all one stage, each another amount",
                  'hook.all { field "deal_stage":is "P:Won", field "amount":equals(#) }'),
    "band": Set("all one stage, each another range of amounts",
                'hook.all { field "deal_stage":is "P:Won", field "amount":between(#, #.5) }'),
    "watch": Set("functions, behind a watched field that has not changed",
                 "function(event) return event.record.amount == # end",
                 trigger='hook.every { "updated", watch = { "discount" } }', matches=False),
    "functions": Set("functions: each is called", "function(event) return event.record.amount == # end",
                     is_budgeted=False, events=200, body=20),
}


def measure(make_host, nginx, chosen, count, workflow, deal):
    """(CPU us of the host an event, MB of memory)"""
    host = make_host(chosen.rules(count, nginx.url + "/hook", workflow))
    try:
        cpu = 0
        for first in range(-chosen.body, chosen.events, chosen.body):
            if first == 0:  # the first body warms up
                cpu = host.cpu_s()
            reply = host.ndjson(chosen.event(k, count, deal) for k in range(first, first + chosen.body))
            if reply.status != 202:
                sys.exit(f"{reply}")
        cpu = host.cpu_s() - cpu
        if bool(host.call("GET", "/v1/deliveries?limit=1").json()["deliveries"]) != chosen.matches:
            sys.exit("no workflow matched" if chosen.matches else "a workflow matched")
        return cpu * 1e6 / chosen.events, host.memory_kb() / 1024
    finally:
        host.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 1000, 10000])
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    args = parser.parse_args()
    os.environ["HOOKLINE"] = str(args.build.resolve() / "hookline")
    sys.path.insert(0, str(ROOT / "tests/flow"))
    from support.host import Host
    from support.nginx import Nginx
    from support.rules import deal, workflow

    with tempfile.TemporaryDirectory(prefix="hl-bench-") as name:
        folder = pathlib.Path(name)
        nginx = Nginx(folder / "nginx", logs=False)
        hosts = 0

        def make_host(rules):
            nonlocal hosts
            hosts += 1
            (folder / f"host{hosts}").mkdir()
            return Host(folder / f"host{hosts}", rules)

        try:
            print(f"{'CPU of the host an event, workflows:':56}{'':>8}" + "".join(f"{n:>22,}" for n in args.sizes))
            for key in args.sets:
                chosen, base = SETS[key], None
                print(f"{key + ': ' + chosen.what:64}", end="", flush=True)
                for count in args.sizes:
                    us, megabytes = measure(make_host, nginx, chosen, count, workflow, deal)
                    base = base or us
                    print(f"{us:9.1f} us x{us / base:5.2f}{megabytes:4.0f}M", end="", flush=True)
                print(f"   budget x{BUDGET}" if chosen.is_budgeted else "")
        finally:
            nginx.close()


if __name__ == "__main__":
    main()
