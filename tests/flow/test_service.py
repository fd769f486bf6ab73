"""The systemd unit: what it lets the host do is little, and enough. No systemd has to run for that."""
import configparser
import os
import re
import shutil
import signal
import subprocess

import pytest
from support.host import ROOT, run
from support.rules import deal, workflow
from support.waiting import until

pytestmark = pytest.mark.release_only
UNIT = ROOT / "dist/systemd/hookline.service"
MOST_EXPOSURE = 2.0


@pytest.fixture(scope="module")
def analyze():
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd-analyze here")

    def ask(*words):
        return subprocess.run(["systemd-analyze", "--no-pager", *words], capture_output=True, text=True, timeout=60).stdout
    return ask


def service():
    """The keys of [Service]; those that stand more than once as lines of one."""
    class Lines(dict):
        def __setitem__(self, key, value):
            super().__setitem__(key, [*self.get(key, []), *value] if isinstance(value, list) else value)
    read = configparser.RawConfigParser(dict_type=Lines, strict=False, interpolation=None)
    read.optionxform = str
    read.read(UNIT)
    return {key: value.split("\n") for key, value in read["Service"].items()}


def test_the_exposure_is_small(analyze):
    said = analyze("security", "--offline=true", str(UNIT))
    assert float(re.search(r"Overall exposure level for hookline.service: ([\d.]+)", said)[1]) < MOST_EXPOSURE, said


def test_the_units_are_understood(analyze, folder):
    """But for the program, which is not installed here."""
    for name in ("hookline.service", "hookline.socket"):
        text = (ROOT / "dist/systemd" / name).read_text()
        text = re.sub(r"^(Exec\w+)=\S+", r"\1=/bin/true", text, flags=re.M)
        (folder / name).write_text(re.sub(r"^Documentation=.*\n", "", text, flags=re.M))
    done = subprocess.run(["systemd-analyze", "verify", folder / "hookline.service", folder / "hookline.socket"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "hookline" not in done.stderr, done


def test_it_wants_no_program_but_the_host():
    """Not even kill, which is not on every Debian."""
    programs = {value.split()[0] for key, values in service().items() if key.startswith("Exec") for value in values}
    assert programs == {"/usr/bin/hookline"}


def test_it_writes_to_its_state_alone():
    """ConfigurationDirectory= would make a hole in ProtectSystem=strict."""
    assert not {"ConfigurationDirectory", "ReadWritePaths"} & set(service())


@pytest.mark.parametrize("words", ["return {", "return { listn = '127.0.0.1:0' }"])
def test_a_wrong_configuration_is_not_tried_again(folder, words):
    (folder / "hookline.conf.lua").write_text(words)
    done = run("serve", cwd=folder)
    assert [str(done.returncode)] == service()["RestartPreventExitStatus"], done
    assert "hookline: hookline.conf.lua:1: " in done.stderr, done


def members(analyze, name):
    """The system calls of a set, with those of the sets in it."""
    found = set()
    for word in re.findall(r"^    ([@\w]\S*)$", analyze("syscall-filter", name), re.M):
        found |= members(analyze, word) if word.startswith("@") else {word}
    return found


def test_the_unit_lets_the_host_do_what_it_does(analyze, serve, folder, receiver):
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    trace = folder / "trace"
    host = serve({"w.lua": workflow(receiver.url)},
                 prefix=["strace", "-f", "-q", "-e", "trace=all", "-e", "signal=none", "-o", trace])
    host.accept(*[deal(n) for n in range(20)])
    until(lambda: len(receiver.requests) == 20, "the webhooks")
    before = host.log().count("generation")
    host.signal(signal.SIGHUP)
    until(lambda: host.log().count("generation") > before, "the reload's line in the log")
    host.stop()
    text = re.sub(r"^\d+ +", "", trace.read_text(), flags=re.M)
    # What comes before the host's own exec is strace's business.
    calls = [line for line in text.splitlines() if re.match(r"\w+\(", line)][1:]
    keys = service()
    allowed, refused = (" ".join(line for line in keys["SystemCallFilter"] if line.startswith("~") == no).strip("~").split()
                        for no in (False, True))
    may = set().union(*(members(analyze, name) for name in allowed)) - set().union(*(members(analyze, name) for name in refused))
    used = {line.split("(")[0] for line in calls}
    assert len(may) > 100 and len(used) > 30
    # SQLite gives files the owner of their database, where it is run by root.
    assert used - may <= ({"fchown"} if os.geteuid() == 0 else set()), used - may
    families = {found[1] for line in calls if (found := re.match(r"socket\((AF_\w+)", line))}
    assert families <= set(keys["RestrictAddressFamilies"][0].split()), families
    for line in calls:  # MemoryDenyWriteExecute
        assert not re.match(r"mmap\(.*PROT_WRITE\|PROT_EXEC|mprotect\(.*PROT_EXEC", line), line
