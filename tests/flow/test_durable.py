"""The 202 leaves after the data is on disk: the order of the system calls, as strace sees it."""
import re
import shutil

import pytest
from support.rules import deal, workflow

CALLS = "fdatasync,fsync,write,writev,pwrite64,sendto,sendmsg"
pytestmark = pytest.mark.release_only


def parse(path):
    """The calls in the order of their ends: (name, text). A call split over two lines is one."""
    begun = {}
    for line in path.read_text(errors="replace").splitlines():
        found = re.match(r"(\d+) +(?:<\.\.\. (\w+) resumed>(.*)|(\w+)\((.*))$", line)
        if not found:
            continue
        thread, resumed, rest, name, text = found.groups()
        if resumed:
            yield resumed, begun.pop((thread, resumed), "") + rest
        elif text.endswith("<unfinished ...>"):
            begun[thread, name] = text
        else:
            yield name, text


def test_no_202_before_the_sync_that_covers_its_event(serve, receiver, folder):
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    trace = folder / "trace"
    host = serve({"w.lua": workflow(receiver.url, wf_record='"lead"')},
                 prefix=["strace", "-f", "-q", "-s", "4096", "-e", f"trace={CALLS}", "-e", "signal=none", "-o", trace])
    marks = []
    for number in range(25):
        # Of a type that matches nothing, and one after the other: only their own commits sync.
        mark = f"mark-{number}-of-the-trace"
        assert host.accept(deal(number, event_id=mark))[0]["deliveries"] == []
        marks.append(mark)
    host.stop()
    written, synced, answered = set(), set(), []
    for name, text in parse(trace):
        if name == "pwrite64":
            written.update(m for m in marks if m in text)
        elif name in ("fdatasync", "fsync") and re.search(r"= 0$", text.strip()):
            synced |= written
        elif "HTTP/1.1 202 " in text:
            mark = next(m for m in marks if m in text)
            assert mark in synced, f"{mark} was answered before it was synced"
            answered.append(mark)
    assert answered == marks
