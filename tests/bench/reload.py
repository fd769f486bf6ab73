#!/usr/bin/python3
"""How long an event waits while rules are loaded again: events are posted one by one, over one connection, and
the longest time to a 202 is compared with the same without reloads.

`reload.py BUILD [--workflows N] [--reloads N]`. Each reload changes every file.
"""
import argparse
import gc
import json
import multiprocessing
import os
import pathlib
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def post_until(host, is_over, first):
    """Posts single events; the milliseconds that each 202 took, and the ids of what they caused."""
    took, owed, number = [], [], first
    while not is_over():
        number += 1
        event = {"type": "deal.created", "record": {"id": number, "amount": 5}}
        began = time.monotonic()
        reply = host.call("POST", "/v1/events", event)
        took.append((time.monotonic() - began) * 1000)
        if reply.status != 202:
            sys.exit(f"not accepted: {reply}")
        owed += reply.json()["events"][0]["deliveries"]
    return took, owed


def write_all(host, workflows, version, receiver, workflow):
    for i in range(workflows):
        when = f'hook.all {{ field "amount":equals({5 if i == 0 else 1000 + i}) }}'
        text = workflow(receiver.url, wf_when=when) + f"-- {version}\n"
        beside = host.rules_dir / f".w{i}"
        beside.write_text(text)
        os.replace(beside, host.rules_dir / f"w{i}.lua")


def reload_often(host, args, receiver, workflow, out):
    """In a process of its own, so that what is measured beside it does not wait for this interpreter."""
    loads, memory = [], []
    for version in range(1, args.reloads + 1):
        write_all(host, args.workflows, version, receiver, workflow)
        began = time.monotonic()
        if host.call("POST", "/v1/reload", fresh=True).json()["errors"]:
            sys.exit("the rules have errors")
        loads.append(time.monotonic() - began)
        memory.append(host.memory_kb() / 1024)
    out.put((loads, memory))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--workflows", type=int, default=1000)
    parser.add_argument("--reloads", type=int, default=20)
    args = parser.parse_args()
    gc.disable()  # a collection would be measured as a wait
    os.environ["HOOKLINE"] = str(args.build.resolve() / "hookline")
    sys.path.insert(0, str(ROOT / "tests/flow"))
    from support.host import Host
    from support.receiver import Receiver
    from support.rules import workflow

    with tempfile.TemporaryDirectory(prefix="hl-bench-") as name:
        receiver = Receiver()
        host = Host(pathlib.Path(name), {}, args=["--no-watch"], start=False)
        try:
            write_all(host, args.workflows, 0, receiver, workflow)
            host.start()
            until = time.monotonic() + 5
            alone, owed = post_until(host, lambda: time.monotonic() > until, 0)
            results = multiprocessing.Queue()
            reloader = multiprocessing.Process(target=reload_often, args=(host, args, receiver, workflow, results))
            reloader.start()
            beside, more = post_until(host, lambda: not reloader.is_alive() or not results.empty(), len(alone))
            loads, memory = results.get(timeout=10)
            reloader.join()
            owed += more
            seen = receiver.wait_until(lambda r: len({x.id for x in r}) >= len(owed), "all deliveries", 120)
            if sorted(x.id for x in seen) != sorted(owed):
                sys.exit("a delivery was lost, or came twice")
        finally:
            host.stop()
            receiver.close()
    print(json.dumps({"workflows": args.workflows, "reloads": args.reloads,
                      "reload_ms_median": round(statistics.median(loads) * 1000),
                      "reload_ms_longest": round(max(loads) * 1000),
                      "memory_mb_by_reload": [round(m) for m in memory]}))
    for title, took in (("without reloads", alone), ("while reloading", beside)):
        took.sort()
        print(f"{title}: {len(took)} events, to the 202: median {statistics.median(took):.2f} ms, "
              f"99 % {took[int(len(took) * 0.99)]:.2f} ms, longest {took[-1]:.2f} ms")


if __name__ == "__main__":
    main()
