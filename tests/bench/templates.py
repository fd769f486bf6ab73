#!/usr/bin/python3
"""What one rendering of the deal's template costs, beside liquidjs on the same template and record.

`templates.py BUILD [--count N]`. liquidjs is brought by npm under build/; without npm this says so and ends.
A figure is the median of rounds, each of both renderers, one after the other; each takes the best of five.
"""
import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TEMPLATE, RECORD = HERE / "deal.json.liquid", HERE / "deal.json"
BUDGET, AIM, ROUNDS = 0.25, 0.1, 5

RULE = """local hook = require "hookline"
return hook.workflow { record = "deal", trigger = hook.every { "created" }, actions = { hook.webhook {
  method = "POST", url = "https://app.example.com/", encoding = "json", content = hook.template [=[
%s]=] } } }
"""


def modules(build):
    """The folder with liquidjs in it, or None."""
    folder = build.parent / "liquidjs"
    found = folder / "node_modules"
    if not shutil.which("npm") or not shutil.which("node"):
        return None
    if not (found / "liquidjs").is_dir():
        folder.mkdir(exist_ok=True)
        done = subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder,
                               "liquidjs@10"], capture_output=True, text=True)
        if done.returncode:
            print("npm brought no liquidjs: " + done.stderr.strip()[-500:])
            return None
    return found


def measure(command):
    """(microseconds of one rendering, the document)"""
    first, text = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                                 check=True).stdout.split("\n", 1)
    return float(first), json.loads(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=5000)
    args = parser.parse_args()
    found = modules(args.build.resolve())
    if not found:
        print("templates: skipped, since npm and node are needed for liquidjs")
        return
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as rule:
        rule.write(RULE % TEMPLATE.read_text())
        rule.flush()
        pairs = []
        for _ in range(ROUNDS):
            ours, document = measure([args.build / "tests/bench/template_bench", rule.name, RECORD, args.count])
            theirs, same = measure(["node", HERE / "liquidjs.js", found, TEMPLATE, RECORD, args.count])
            assert document == same, "the two render different documents"
            pairs.append((ours, theirs))
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    ours, theirs = (statistics.median(column) for column in zip(*pairs))
    print(f"\none rendering of the deal's template ({TEMPLATE.stat().st_size} bytes, a loop, six filters): "
          f"{ours:.1f} us, liquidjs {theirs:.1f} us, ratio {ratio:.2f} (budget {BUDGET}, aim {AIM})")


if __name__ == "__main__":
    main()
