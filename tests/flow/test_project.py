"""What the project promises around the binary: make, the demo, README's make commands, the packages script."""
import os
import re
import subprocess

import pytest
from support.host import BINARY, ROOT

pytestmark = pytest.mark.release_only
# An outer make's flags are not for the ones run here.
ENV = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}


def sh(command, **options):
    return subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=300,
                          env={**ENV, **options})


def fenced(path):
    """The lines of a document's fenced shell blocks."""
    inside, found = False, []
    for line in (ROOT / path).read_text().replace("\\\n", " ").splitlines():
        if line.startswith("```"):
            inside = line == "```sh"
        elif inside and line.strip():
            found.append(re.sub(r"\s+# .*", "", line.strip()))
    return found


def test_the_demo_ends_well_and_leaves_nothing(folder):
    done = sh(f"/usr/bin/python3 dist/demo.py {BINARY}", TMPDIR=str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "webhook-id: dlv_" in done.stdout and "503 Service Unavailable" in done.stdout
    assert "\033" not in done.stdout, "no colours where it is not a terminal"
    assert list(folder.iterdir()) == []


def test_the_demo_fails_when_the_host_does(folder):
    done = sh("/usr/bin/python3 dist/demo.py /bin/false", TMPDIR=str(folder))
    assert done.returncode == 1 and "failed" in done.stderr and list(folder.iterdir()) == []


def test_install_puts_everything_under_prefix(folder):
    """make takes the binary as it is built."""
    build = os.path.relpath(BINARY.parent, ROOT)
    done = sh(f"make --no-print-directory install BUILD={build} DESTDIR={folder} PREFIX=/opt/x")
    assert done.returncode == 0, done.stderr
    binary = folder / "opt/x/bin/hookline"
    assert subprocess.run([binary, "--version"], capture_output=True).returncode == 0
    doc = folder / "opt/x/share/doc/hookline"
    assert (doc / "LICENSE").exists() and (doc / "rules/invoice_on_won_deal.lua").exists()
    checked = subprocess.run([binary, "check", "--rules", doc / "rules"], cwd=folder, capture_output=True)
    assert checked.returncode == 0, "the Lua library is in the binary"


def test_help_names_every_target():
    done = sh("make help")
    for target in ("demo", "test", "lint", "bench", "format", "install", "tsan", "faults", "clean"):
        assert re.search(rf"make {target} ", done.stdout), target


def test_readmes_two_commands_install_make_and_call_it():
    demo = [line for line in fenced("README.md") if line.endswith("make demo")]
    test = [line for line in fenced("README.md") if line.endswith("make test")]
    assert len(demo) == 1 and len(test) == 1
    for line in demo + test:
        # What comes before make: nothing is to be done where make is there.
        before, _, call = line.rpartition(";")
        assert call.strip() in ("make demo", "make test")
        assert sh(before).returncode == 0


def test_the_packages_script_says_what_to_do_without_root(folder):
    """With nothing installed, no root and no sudo: the command to run, exit 1, nothing changed."""
    for name, text in {"dpkg-query": "exit 1", "id": "echo 1000", "apt-get": "echo ran >&2; exit 1"}.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    for name in ("sh", "awk", "sed", "find", "ls", "dirname", "env", "echo"):
        (folder / name).symlink_to(subprocess.run(["which", name], capture_output=True, text=True).stdout.strip())
    done = sh(f"PATH={folder} /bin/sh dist/packages.sh build")
    assert done.returncode == 1, done
    assert "apt-get install -y --no-install-recommends make gcc" in done.stderr, done.stderr
    assert "ran" not in done.stderr.split()


def test_the_packages_script_knows_its_groups():
    assert sh("dist/packages.sh build demo test").returncode == 0
    wrong = sh("dist/packages.sh everything")
    assert wrong.returncode == 2 and "no group" in wrong.stderr
