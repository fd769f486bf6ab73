#!/usr/bin/python3
"""Runs every suite of `make test` and says at the end how many tests passed and failed.

A suite that cannot be built, or that ends without having said how its tests went, counts as one
failure, so the sum is never better than the truth. Names of suites as arguments run those alone.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[1]
LOGS = ROOT / "build/test"
UNIT_TEST_S = 300
FLOW_S = 2400
SIMULATED = 40  # histories
# A sanitizer's finding ends the program, a leak too.
SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0", "UBSAN_OPTIONS": "print_stacktrace=1"}


class Sum:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.broken = []

    def add(self, name, passed, failed, skipped=0):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped
        if failed:
            self.broken.append(name)

    def __bool__(self):
        return not self.failed


def say(text):
    print(text, flush=True)


def environment():
    """Without what an outer make would hand down: the builds below share jobs among themselves."""
    return {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}


def make(total, name, *args):
    begun = time.monotonic()
    done = subprocess.run(["make", "--no-print-directory", *args], cwd=ROOT, env=environment(),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    say(f"{name}: {'done' if done.returncode == 0 else 'FAILED'} ({time.monotonic() - begun:.0f} s)")
    if done.returncode:
        say(done.stdout[-6000:])
        total.add(name, 0, 1)
    return done.returncode == 0


def count(pattern, text):
    return sum(int(n) for n in re.findall(pattern, text))


def unit(total, flavour):
    """Runs each C test program; cmocka's own lines are what is counted."""
    programs = sorted(p for p in (ROOT / f"build/{flavour}/tests/unit").rglob("test_*")
                      if p.suffix == "" and (ROOT / "tests/unit" / p.relative_to(
                          ROOT / f"build/{flavour}/tests/unit")).with_suffix(".c").exists())
    begun, before = time.monotonic(), total.passed
    for program in programs:
        name = f"unit {flavour} {program.name}"
        with tempfile.TemporaryDirectory(prefix="hl-") as folder:
            try:
                done = subprocess.run([program], cwd=ROOT, env={**environment(), **SANITIZERS, "TMPDIR": folder},
                                      text=True, errors="replace", stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, timeout=UNIT_TEST_S)
                text, code = done.stdout, done.returncode
            except subprocess.TimeoutExpired as late:
                text, code = (late.stdout or b"").decode(errors="replace") + "\ntook too long\n", None
            left = os.listdir(folder)
        ran = count(r"\[==========\] (?:.*: )?(\d+) test\(s\) run", text)
        passed = count(r"\[  PASSED  \] (\d+) test\(s\)", text)
        skipped = count(r"\[  SKIPPED \] (?:.*: )?(\d+) test\(s\)", text)
        failed = ran - passed - skipped
        if code != 0 and failed <= 0:
            failed = 1  # it crashed, leaked, or its set-up failed
        if left and failed <= 0:
            text, failed = f"{text}\nit left files: {left}\n", 1
        if ran == 0 and code == 0:
            text, failed = text + "\nit ran no test\n", 1
        total.add(name, passed, failed, skipped)
        if failed:
            say(f"--- {name} (exit {code})\n{text[-8000:]}")
    if not programs:
        total.add(f"unit {flavour}", 0, 1)
    say(f"unit {flavour}: {total.passed - before} passed in {len(programs)} programs "
        f"({time.monotonic() - begun:.0f} s)")


def corpora(total, flavour):
    """Gives each fuzz target its kept inputs; one that breaks ends the program."""
    for program in sorted(p for p in (ROOT / f"build/{flavour}/tests/fuzz").glob("replay_*") if not p.suffix):
        kept = ROOT / "tests/fuzz/corpus" / program.name.removeprefix("replay_")
        done = subprocess.run([program, kept], cwd=ROOT, env={**environment(), **SANITIZERS}, text=True,
                              errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        failed = done.returncode != 0
        total.add(f"corpus {flavour} {kept.name}", 0 if failed else len(list(kept.iterdir())), int(failed))
        if failed:
            say(f"--- {program.name} (exit {done.returncode})\n{done.stdout[-8000:]}")


class Pytest:
    """A pytest run in the background, so that the two flavours share the two cores."""

    def __init__(self, name, *args, **env):
        self.name, self.report, self.log = name, LOGS / f"{name}.xml", LOGS / f"{name}.log"
        self.report.unlink(missing_ok=True)
        self.begun = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", f"--junitxml={self.report}", *args],
            cwd=ROOT, env={**environment(), **SANITIZERS, **env}, stdout=open(self.log, "w"),
            stderr=subprocess.STDOUT)

    def finish(self, total):
        try:
            code = self.process.wait(FLOW_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        passed = failed = skipped = 0
        if self.report.exists():
            for suite in xml.etree.ElementTree.parse(self.report).getroot().iter("testsuite"):
                bad = int(suite.get("failures")) + int(suite.get("errors"))
                skipped += int(suite.get("skipped"))
                failed += bad
                passed += int(suite.get("tests")) - bad - int(suite.get("skipped"))
        if code != 0 and failed == 0:
            failed = 1  # it crashed, hung or collected nothing
        total.add(self.name, passed, failed, skipped)
        text = self.log.read_text(errors="replace")
        if failed:
            say(f"--- {self.name} (exit {code})\n{text[-30000:]}")
        elif skipped:
            say("\n".join(line for line in text.splitlines() if line.startswith("SKIPPED")))
        say(f"{self.name}: {passed} passed ({time.monotonic() - self.begun:.0f} s)")


def simulate(total):
    """Some histories of tests/simulate/; each wrong one says its seed."""
    program = "build/release/tests/simulate/simulate"
    if not make(total, "build simulate", program):
        return
    done = subprocess.run([program, "--seeds", str(SIMULATED)], cwd=ROOT, env=environment(), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    say(f"simulate: {done.stdout.strip()}")
    wrong = count(r"(\d+) wrong", done.stdout) if done.returncode == 0 else max(1, count(r"(\d+) wrong", done.stdout))
    total.add("simulate", SIMULATED - wrong, wrong)


def main():
    wanted = sys.argv[1:] or ["lint", "unit", "simulate", "asan", "faults", "flow", "console"]
    total = Sum()
    LOGS.mkdir(parents=True, exist_ok=True)
    release = make(total, "build release", "all", "unit-build")
    if "lint" in wanted:
        if make(total, "lint", "lint"):
            total.add("lint", 1, 0)
        Pytest("lint-tests", "tests/lint").finish(total)
    if "unit" in wanted and release:
        unit(total, "release")
    if "simulate" in wanted and release:
        simulate(total)
    asan = {"asan", "flow"} & set(wanted) and make(total, "build asan", "FLAVOUR=asan", "all", "unit-build",
                                                        "replay-build")
    if "asan" in wanted and asan:
        unit(total, "asan")
        corpora(total, "asan")
    if "faults" in wanted and release and make(total, "build the shim", "build/release/tests/faults/shim.so"):
        Pytest("faults", "tests/faults", HOOKLINE="build/release/hookline").finish(total)
    if "flow" in wanted:
        runs = []
        if release:
            runs.append(Pytest("flow-release", "tests/flow", HOOKLINE="build/release/hookline"))
        if asan:
            runs.append(Pytest("flow-asan", "tests/flow", "-m", "not release_only",
                               HOOKLINE="build/asan/hookline"))
        for run in runs:
            run.finish(total)
    if "console" in wanted and release:
        Pytest("console", "tests/console", HOOKLINE="build/release/hookline").finish(total)
    for name in total.broken:
        say(f"failed: {name}")
    if total.skipped:
        say(f"{total.skipped} skipped")
    say(f"{total.passed} passed, {total.failed} failed")
    return 0 if total else 1


if __name__ == "__main__":
    sys.exit(main())
