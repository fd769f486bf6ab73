"""hookline top: a page about a running host, once or on the whole of a terminal."""
import os
import signal

import pytest
from support.host import run
from support.rules import deal, workflow
from support.terminal import Terminal
from support.waiting import until


@pytest.fixture
def host(serve, receivers):
    receiver = receivers(lambda r: 503 if r.path == "/bad" else 200)
    made = serve({"good.lua": workflow(receiver.url + "/good"),
                  "bad.lua": workflow(receiver.url + "/bad", wf_record='"lead"')}, test_clock=True)
    made.receiver = receiver
    made.accept(deal(7), deal(8))
    made.accept({"type": "lead.created", "record": {"id": 3}})
    until(lambda: not made.deliveries("&state=pending"), "all first attempts")
    return made


@pytest.fixture
def top(host):
    made = []

    def start(*args, **options):
        made.append(Terminal("top", "--data", host.data, *args, **options))
        made[-1].shows("LAST FAILURES")
        return made[-1]
    yield start
    for one in made:
        one.close()
    until(lambda: not host.deliveries("&state=pending"), "all first attempts")


def row(lines, name):
    return next(line.split() for line in lines if line.startswith(name))


def test_once_as_plain_text(host):
    done = run("top", "--once", "--data", host.data)
    assert done.returncode == 0 and done.stderr == "" and "\033" not in done.stdout
    lines = done.stdout.splitlines()
    assert lines[0].startswith("hookline ") and " up " in lines[0]
    assert row(lines, "events")[1:4] == ["3", "this", "minute"]
    assert row(lines, "owed")[1] == "1" and "retrying 1" in done.stdout
    assert row(lines, "good")[1:] == ["2", "2", "2", "0", "0"]
    assert row(lines, "bad")[1:] == ["1", "1", "0", "1", "0"]
    target = row(lines, host.receiver.url)
    assert target[1] == "closed" and "2" in target[2:4], target
    assert f"retrying   bad  lead 3 -> {host.receiver.url}  503\n" in done.stdout
    assert lines.index(next(w for w in lines if w.startswith("bad "))) < \
        lines.index(next(w for w in lines if w.startswith("good "))), "by failures"


def test_the_page_follows_what_happens(host, top):
    one = top()
    one.shows("owed")
    host.accept(deal(9))
    host.accept({"type": "lead.created", "record": {"id": 44}})
    one.shows("retrying   bad  lead 44 -> ")
    until(lambda: row(one.screen(), "good ")[1] == "3", "the third event of good")
    assert "q ends" in one.screen()[one.rows - 1]
    one.type("q")
    assert one.end() == 0 and one.words() == ""
    until(one.is_as_before, "the terminal as it was")


def test_keys(host, top):
    one = top()

    def comes_first(name):
        lines = one.screen()
        at = next((i for i, line in enumerate(lines) if line.startswith("WORKFLOW")), None)
        return at is not None and lines[at + 1].startswith(name)
    one.shows("by: failed")
    until(lambda: comes_first("bad"), "the order by failures")
    one.type("\033[C")
    one.shows("by: most work")
    until(lambda: comes_first("good"), "the order by runs")
    one.type("\033[D")
    one.shows("by: failed")
    one.type("\033[B")
    until(lambda: comes_first("good"), "a row further down")
    one.type("k")
    until(lambda: comes_first("bad"), "and back")
    one.type("p")
    one.shows("this view is paused")
    one.type("p")
    until(lambda: not any("this view is paused" in line for line in one.screen()), "the view going on")


def test_it_fits_the_terminal_and_follows_its_size(top):
    one = top(rows=30, columns=120)
    one.shows("q ends")
    assert all(len(line.rstrip()) <= 120 for line in one.screen())
    start = len(one.bytes)
    one.resize(12, 40)
    until(lambda: "\033[H" in one.bytes[start:].decode(errors="replace"), "another page")
    one.bytes = one.bytes[start:]
    until(lambda: "q ends" in one.screen()[11], "the keys in the last row")
    until(lambda: all(len(line) <= 40 for line in one.screen()[:12]), "no line is wider than the terminal")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_gives_the_terminal_back(top, number):
    one = top()
    assert one.end(number) == -number
    until(one.is_as_before, "the terminal as it was")


def test_a_stop_gives_the_terminal_back_for_as_long(top):
    one = top()
    one.type("\x1a")
    until(lambda: os.waitpid(one.process.pid, os.WUNTRACED | os.WNOHANG)[0], "the stop")
    until(one.is_as_before, "the terminal as it was")
    one.process.send_signal(signal.SIGCONT)
    until(lambda: one.text().count("\033[?1049h") == 2, "the screen taken again")
    one.type("q")
    assert one.end() == 0
    until(one.is_as_before, "the terminal as it was")


def test_it_outlives_the_host(host, top):
    one = top()
    host.stop()
    one.shows("not up to date")
    host.start()
    until(lambda: not any("not up to date" in line for line in one.screen()), "the host seen again")
    one.type("q")
    assert one.end() == 0


def test_what_cannot_work_says_so(host, folder):
    done = run("top", "--data", host.data)
    assert done.returncode == 2 and "--once" in done.stderr and done.stdout == ""
    assert run("top", "--once", "--data", folder).returncode == 1
