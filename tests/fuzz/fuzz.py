#!/usr/bin/python3
"""Runs fuzz targets with libFuzzer. `fuzz.py --build DIR [--seconds N | --runs N] TARGET...`

What a target learns stays in BUILD/corpus/TARGET and is used the next time; the inputs that are
kept with the sources are tests/fuzz/corpus/TARGET. An input that breaks a promise is left in
BUILD/faults/; when the fault is mended it belongs into the kept corpus. The last line says how many
inputs each target has seen. Leaks are looked for at the end alone: a Lua state's heap grows and shrinks with each
input, which libFuzzer takes for a leak and would look for it nearly each time.
"""
import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
MOST_BYTES = 1024
INPUT_S = 10


def run(target, build, limits):
    """(inputs seen, whether it held)."""
    kept, dictionary = ROOT / "tests/fuzz/corpus" / target, ROOT / f"tests/fuzz/{target}.dict"
    learned, faults = build / "corpus" / target, build / "faults"
    learned.mkdir(parents=True, exist_ok=True)
    faults.mkdir(exist_ok=True)
    command = [build / f"tests/fuzz/fuzz_{target}", learned, kept, f"-artifact_prefix={faults}/{target}-",
               f"-max_len={MOST_BYTES}", f"-timeout={INPUT_S}", "-print_final_stats=1", "-verbosity=1",
               "-detect_leaks=0", *limits]
    if dictionary.exists():
        command.append(f"-dict={dictionary}")
    log = build / f"{target}.log"
    with open(log, "w") as out:
        code = subprocess.run(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT).returncode
    text = log.read_text(errors="replace")
    seen = re.search(r"stat::number_of_executed_units:\s*(\d+)", text)
    seen = int(seen[1]) if seen else 0
    print(f"  fuzz  {target}: {seen} inputs{'' if code == 0 else ', BROKEN'}", flush=True)
    if code:
        print(text[-4000:])
    return seen, code == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--runs", type=int)
    parser.add_argument("targets", nargs="+")
    args = parser.parse_args()
    limits = [f"-runs={args.runs}"] if args.runs else [f"-max_total_time={args.seconds}"]
    results = {t: run(t, args.build, limits) for t in args.targets}
    broken = [t for t, (_, held) in results.items() if not held]
    print(f"{len(results) - len(broken)} targets held, {len(broken)} broken; "
          + ", ".join(f"{t} {seen}" for t, (seen, _) in results.items()))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
