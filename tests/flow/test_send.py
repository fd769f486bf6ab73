"""`hookline send` of large files: how far it came, going on after an interruption, and nothing taken twice."""
import json
import os
import pty
import signal
import subprocess

import pytest
from support.host import BINARY, run
from support.receiver import PARK, RESET, Answer
from support.rules import deal, workflow
from support.waiting import until

BODY = 10000  # events in one request
COUNT = 25000
FIRES = {5000, 15000, 20000, 25000}  # records whose event sends a webhook


def events(count=COUNT):
    """They have no id of their own."""
    return "".join(json.dumps({"type": "deal.created", "record": {"id": n}}) + "\n" for n in range(1, count + 1))


@pytest.fixture
def big(folder):
    path = folder / "big.ndjson"
    path.write_text(events())
    return path


@pytest.fixture
def way(serve, receiver, receivers):
    """A host behind something that answers the n-th request as plan[n] says: a status, an Answer, PARK, RESET (both
    after the host has taken it)."""
    host = serve({"w.lua": workflow(receiver.url, wf_when="function(e) return ({ [5000] = 1, [15000] = 1, [20000] = 1, "
                                    "[25000] = 1 })[e.record.id] ~= nil end")})

    def on_the_way(request):
        planned = front.plan.get(request.number)
        if planned not in (None, PARK, RESET):
            return planned
        reply = host.call("POST", request.path, request.body, {"Content-Type": "application/x-ndjson"}, fresh=True)
        assert reply.status == 202, reply
        front.answers[request.number] = Answer(reply.status, body=reply.body)
        return planned or front.answers[request.number]
    front = receivers(on_the_way)
    front.plan, front.answers, front.receiver = {}, {}, receiver
    front.args = ["--url", front.url, "--token", "any"]
    yield front


def all_came_once(way):
    got = way.receiver.wait(len(FIRES))
    assert sorted(r.json()["id"] for r in got) == sorted(FIRES)
    sent = [json.loads(line) for r in way.requests for line in r.body.splitlines()]
    ids = {}
    for event in sent:
        assert ids.setdefault(event["id"], event) == event
    assert sorted(e["record"]["id"] for e in ids.values()) == list(range(1, COUNT + 1))


def left(path):
    return path.with_name(path.name + ".sending")


def test_after_an_answer_that_was_lost_it_goes_on_and_nothing_is_taken_twice(way, big):
    way.plan.update({2: RESET, 3: RESET})  # the client itself tries again where a connection was used before
    done = run("send", big, *way.args)
    assert done.returncode == 1 and f"Go on with: hookline send {big} --resume" in done.stderr, done
    assert f"as far as line {BODY + 1}." in done.stderr and done.stdout.startswith(f"{BODY} events accepted (0 known")
    assert left(big).stat().st_mode & 0o777 == 0o600
    again = run("send", big, *way.args)
    assert again.returncode == 1 and "--resume" in again.stderr and len(way.requests) == 3, again
    rest = run("send", big, "--resume", *way.args)
    assert rest.returncode == 0 and rest.stdout.startswith(f"{COUNT - BODY} events accepted ({BODY} known"), rest
    assert not left(big).exists() and len(way.requests) == 5
    all_came_once(way)
    over = run("send", big, "--resume", *way.args)
    assert over.returncode == 1 and "nothing to resume" in over.stderr


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_interrupted_it_goes_on(way, big, how):
    way.plan[2] = PARK
    process = subprocess.Popen([BINARY, "send", big, *way.args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: 2 in way.answers, "the second body")
    process.send_signal(how)
    if how != signal.SIGKILL:
        assert "once more" in process.stderr.readline()
        way.release(way.answers[2])
    out, said = process.communicate(timeout=60)
    assert process.returncode == -how
    if how != signal.SIGKILL:
        assert "interrupted" in said and "--resume" in said and out.startswith(f"{2 * BODY} events accepted"), said
    rest = run("send", big, "--resume", *way.args)
    known = BODY if how == signal.SIGKILL else 0
    assert rest.returncode == 0 and f"({known} known already)" in rest.stdout, rest
    all_came_once(way)


def test_a_second_interruption_ends_it_at_once(way, big):
    way.plan[1] = PARK
    process = subprocess.Popen([BINARY, "send", big, *way.args], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    until(lambda: 1 in way.answers, "the first body")
    process.send_signal(signal.SIGINT)
    assert "once more" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT and left(big).exists()


def test_it_waits_where_the_host_says_so(way, big):
    way.plan.update({1: Answer(429, {"Retry-After": "1"}), 3: Answer(503, {"Retry-After": "1"})})
    done = run("send", big, *way.args)
    assert done.returncode == 0 and done.stderr.count("trying again in 1 s") == 2, done
    all_came_once(way)


def test_a_host_that_is_not_there_leaves_nothing_behind(way, big):
    assert run("send", big, "--url", "http://127.0.0.1:1", "--token", "x").returncode == 1
    assert not left(big).exists()
    way.plan[1] = Answer(401, body=b"{}")
    assert run("send", big, *way.args).returncode == 1 and not left(big).exists()
    assert run("send", big, *way.args).returncode == 0
    assert list(big.parent.glob("*.sending")) == []


def test_a_file_that_has_changed_is_not_gone_on_with(way, big):
    way.plan[2] = 500
    assert run("send", big, *way.args).returncode == 1
    big.write_text("\n" + events())
    done = run("send", big, "--resume", *way.args)
    assert done.returncode == 1 and "has changed" in done.stderr and "--from-line" in done.stderr, done
    rest = run("send", big, "--from-line", BODY + 2, *way.args)
    assert rest.returncode == 0 and rest.stdout.startswith(f"{COUNT - BODY} events accepted (0 known"), rest
    assert sorted(r.json()["id"] for r in way.receiver.wait(len(FIRES))) == sorted(FIRES)


def test_ids_that_are_there_stay_as_they_are(way, folder):
    path = folder / "some.json"
    given = [deal(1, event_id="mine"), {"record": {"id": 2, "x": {"id": "inner"}}, "type": "deal.created"}]
    path.write_text(json.dumps(given))
    assert run("send", path, *way.args).returncode == 0
    first, second = [json.loads(line) for line in way.requests[0].body.splitlines()]
    assert first == given[0] and second.pop("id").startswith("send-") and second == given[1]


def test_a_pipe_goes_on_by_line(way):
    text = events(20)
    way.plan[1] = RESET
    done = run("send", "-", *way.args, input=text)
    assert done.returncode == 1 and "--from-line 1" in done.stderr and "those without an id" in done.stderr, done
    rest = run("send", "-", "--from-line", 11, *way.args, input=text)
    assert rest.returncode == 0 and rest.stdout.startswith("10 events accepted"), rest
    assert json.loads(way.requests[1].body.splitlines()[0])["record"] == {"id": 11}
    assert run("send", "-", "--resume", *way.args, input=text).returncode == 1
    assert run("send", "-", "--resume", "--from-line", 3, *way.args, input=text).returncode == 2
    assert run("send", "-", "--from-line", 0, *way.args, input=text).returncode == 2


@pytest.mark.parametrize("is_pipe", [False, True])
def test_a_body_that_the_client_itself_sends_again_is_taken_once(way, big, is_pipe):
    way.plan[2] = RESET
    done = run("send", "-" if is_pipe else big, *way.args, input=events() if is_pipe else None)
    assert done.returncode == 0 and f"({BODY} known already)" in done.stdout, done
    all_came_once(way)


def test_on_a_terminal_there_is_a_bar(way, big):
    main, side = pty.openpty()
    process = subprocess.Popen([BINARY, "send", big, *way.args], stdout=subprocess.DEVNULL, stderr=side)
    os.close(side)
    said = b""
    while True:
        try:
            piece = os.read(main, 4096)
        except OSError:
            break
        said += piece
    os.close(main)
    assert process.wait() == 0
    shown = [line for line in said.decode().split("\r\x1b[K") if "%" in line]
    assert len(shown) == 3 and "[#########" in shown[0] and "10000 events, " in shown[0], said
    assert "/s, 0:" in shown[0] and shown[0].endswith(" left") and " 100 %" in shown[2], said
