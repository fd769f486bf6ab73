"""hookline tail: what happens in a running host, line by line."""
import json
import signal

import pytest
from support.host import run
from support.rules import deal, workflow
from support.terminal import Terminal
from support.waiting import until


@pytest.fixture
def host(serve, receivers):
    receiver = receivers(lambda r: 503 if r.path == "/bad" else 200)
    made = serve({"good.lua": workflow(receiver.url + "/good"), "bad.lua": workflow(receiver.url + "/bad"),
                  "wrong.lua": workflow(receiver.url, wf_record='"lead"', content='function() error("no luck") end')},
                 test_clock=True)
    made.receiver = receiver
    return made


@pytest.fixture
def terminals(host):
    made = []

    def start(*args, **options):
        made.append(Terminal(*args, "--data", host.data, **options))
        return made[-1]
    yield start
    for one in made:
        one.close()
    until(lambda: not host.deliveries("&state=pending"), "all first attempts")


@pytest.fixture
def tail(terminals):
    def start(*args, **options):
        one = terminals("tail", *args, **options)
        until(lambda: "watching" in one.words(), "the stream")
        return one
    return start


def test_lines_of_runs_and_deliveries(host, tail):
    one = tail()
    host.accept(deal(7, event_id="e7"))
    until(lambda: one.plain().count("\n") == 4, "four lines")
    lines = [line[9:] for line in one.plain().splitlines()]
    target = host.receiver.url
    assert "sent       good  deal 7  e7: 1 webhook" in lines and "sent       bad  deal 7  e7: 1 webhook" in lines
    good = next(line for line in lines if line.startswith("delivered"))
    bad = next(line for line in lines if line.startswith("retrying"))
    assert good.startswith(f"delivered  good  deal 7 -> {target}  200 in ") and "dlv_" in good
    assert bad.startswith(f"retrying   bad  deal 7 -> {target}  503 in ") and ", again in " in bad
    assert "\033[32mdelivered" in one.text() and "\033[33mretrying" in one.text()


def test_a_rule_that_fails_is_seen(host, tail):
    one = tail("--type", "lead")
    host.accept({"type": "lead.created", "record": {"id": 1}})
    until(lambda: "no luck" in one.plain(), "the error")
    assert "\033[31merror" in one.text()


def test_filters(host, tail):
    by_state = tail("--state", "delivered", "--limit", "2")
    by_workflow = tail("--workflow", "bad", "--record", "2", "--limit", "2")
    by_type = tail("--type", "deal.created", "--limit", "1")
    elsewhere = tail("--target", "https://elsewhere.example:443")
    here = tail("--target", host.receiver.url.replace("http", "HTTP", 1) + "/", "--limit", "6")
    host.accept(deal(1), deal(2))
    host.accept(deal(3, type="deal.created"))
    for one in (by_state, by_workflow, by_type, here):
        assert one.end() == 0
    assert all(" delivered  good  " in line for line in by_state.plain().splitlines())
    assert all(" bad  deal 2" in line for line in by_workflow.plain().splitlines())
    assert "deal 3" in by_type.plain()
    assert len(here.plain().splitlines()) == 6
    assert elsewhere.plain() == ""
    assert elsewhere.end(signal.SIGINT) == -signal.SIGINT


def test_json_lines(host, tail):
    one = tail("--json", "--limit", "3", "--workflow", "good")
    host.accept(deal(7))
    assert one.end() == 0
    messages = [json.loads(line) for line in one.plain().splitlines()]
    assert [m["event"] for m in messages] == ["run", "delivery", "delivery"]
    assert [m["data"].get("state") for m in messages] == [None, "pending", "delivered"]
    assert messages[0]["at"].endswith("Z") and "\033" not in one.text()


def test_no_colour_where_it_is_not_wanted(host, tail):
    one = tail("--limit", "1", env={"NO_COLOR": "1"})
    host.accept(deal(7))
    assert one.end() == 0 and "\033" not in one.text()


def test_it_goes_on_after_a_restart_of_the_host(host, tail):
    one = tail("--workflow", "good")
    host.stop()
    until(lambda: "nothing is seen any more" in one.words(), "the word of its end")
    host.start()  # on another port
    until(lambda: one.words().count("watching") == 2, "the stream")
    host.accept(deal(8))
    until(lambda: "good  deal 8 ->" in one.plain(), "a line after the restart")
    host.kill9()
    until(lambda: one.words().count("nothing is seen any more") == 2, "the word of its end")
    host.start()
    until(lambda: one.words().count("watching") == 3, "the stream")


def test_values_cannot_play_with_the_terminal(host, tail):
    one = tail("--limit", "1", env={"NO_COLOR": "1"})
    host.accept({"type": "deal.updated", "record": {"id": "\033[2Jx"}})
    assert one.end() == 0 and "\033" not in one.text() and r"\x1B[2Jx" in one.text()


def test_what_cannot_work_says_so(host, folder):
    done = run("tail", "--data", host.data, "--token", "wrong")
    assert done.returncode == 1 and "token" in done.stderr
    done = run("tail", "--data", folder)
    assert done.returncode == 1 and "no host is running" in done.stderr
    assert run("tail", "--state", "lost").returncode == 2


@pytest.mark.parametrize("command", ["tail", "deliveries", "targets"])
def test_a_target_that_is_none(folder, command):
    done = run(command, "--target", "app.example.com", cwd=folder)
    assert done.returncode == 2
    assert "--target wants scheme, host and port, such as https://app.example.com:443" in done.stderr, done.stderr
