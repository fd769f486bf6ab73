"""The log's lines about one event, delivery, workflow or target have its id as a member."""
import urllib.parse

from support.rules import deal, workflow
from support.waiting import until


def line(host, words):
    """The first JSON line of the log with these words in its message."""
    return until(lambda: next((l for l in host.log_lines() if words in l["message"]), None), words)


def test_lines_have_the_ids_of_what_they_are_about(serve, receivers):
    receiver = receivers(lambda r: 503)
    host = serve({"down.lua": workflow(receiver.url + "/"),
                  "wrong.lua": workflow(receiver.url + "/", wf_when="function() error('no') end")},
                 test_clock=True)
    event = host.accept(deal(1))[0]
    failed = line(host, "attempt 1 failed")
    assert failed["delivery"] == event["deliveries"][0] and failed["workflow"] == "down"
    assert failed["target"] == receiver.url
    wrong = line(host, "the workflow failed")
    assert (wrong["workflow"], wrong["event"]) == ("wrong", event["id"])
    host.accept(*[deal(n) for n in range(2, 12)])
    down = line(host, "times in a row")
    assert down["target"] == receiver.url and "delivery" not in down


def test_a_workflow_that_runs_at_a_time_and_one_that_is_broken(serve, receiver):
    host = serve({"daily.lua": workflow(receiver.url + "/", wf_trigger='hook.daily { at = "09:00" }'),
                  "other.lua": workflow(receiver.url + "/")}, test_clock=True)
    assert host.call("POST", "/v1/records", deal(1)).status == 202
    host.advance("25h")
    assert line(host, "has run for its time")["workflow"] == "daily"
    (host.rules_dir / "other.lua").write_text("return nothing here")
    assert line(host, "its last good text stays in force")["workflow"] == "other"


def test_an_operators_pause_names_its_target(serve, receiver):
    host = serve({"good.lua": workflow(receiver.url + "/")})
    event = host.accept(deal(1))[0]
    host.until_state(event["deliveries"][0], "delivered")
    target = urllib.parse.quote(receiver.url, safe="")
    assert host.call("POST", f"/v1/targets/{target}/pause").status == 200
    assert line(host, "is paused by an operator")["target"] == receiver.url
