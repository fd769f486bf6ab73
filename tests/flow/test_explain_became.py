"""explain and `events show` say what became of an event, beside the conditions that held."""
import json
import re
import subprocess

import pytest
from support.host import BINARY
from support.rules import deal, workflow


def run(host, *args):
    return subprocess.run([BINARY, *args, "--data", host.data], capture_output=True, text=True, timeout=30)


def told(host, id, workflow="w", is_alone=True):
    """What the API says of the one workflow, with the same of the command; and what `events show` says."""
    one, = host.call("GET", f"/v1/events/{id}/explain?workflow={workflow}").json()["workflows"]
    plain = run(host, "explain", id, "--workflow", workflow)
    assert plain.stderr == "" and f"\n{workflow}: {one['became']}" in plain.stdout, plain
    assert plain.returncode == run(host, "explain", id, "--workflow", workflow, "--json").returncode
    assert (plain.returncode == 0) == one["fires"], plain
    if is_alone and one["outcome"] is None and one["verdict"]:
        shown = run(host, "events", "show", id).stdout
        assert f"\nNo workflow fired.\n{workflow}: {one['became']}\n" in shown, shown
    return one


def test_what_fired_is_told_with_what_it_made_owed(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url)})
    host.accept(deal(1, event_id="f1"))
    one = told(host, "f1")
    owed = host.event("f1")["runs"][0]["deliveries"]
    assert (one["fires"], one["became"], one["outcome"], one["deliveries"]) == (True, "fires", "sent", owed)
    assert f"w: fires: {owed[0]}\n" in run(host, "explain", "f1").stdout


def test_once_names_the_event_that_has_fired(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url, wf_trigger='hook.once { "created", "updated" }')})
    for id in ("f1", "f1b"):
        host.accept(deal(1, event_id=id, amount=len(id)))
    host.accept(deal(2, event_id="f2"))
    one = told(host, "f1b")
    assert (one["verdict"], one["fires"], one["outcome"], one["earlier"]) == (True, False, None, "f1")
    assert one["became"] == "its conditions hold, but hook.once has fired for this record already (event f1)"
    assert told(host, "f1")["fires"] and told(host, "f2")["fires"]
    host.call("POST", "/v1/events/f1b/replay?force=true")
    assert told(host, "f1b")["fires"]


def test_a_cooldown_says_until_when(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url, wf_cooldown='"10m"')}, test_clock=True)
    for id in ("f1", "f1b"):
        host.accept(deal(1, event_id=id, amount=len(id)))
    assert re.fullmatch(r"its conditions hold, but it has fired for this record: cooldown until "
                        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \(event f1\)", told(host, "f1b")["became"])
    host.advance("11m")
    host.accept(deal(1, event_id="f1c", amount=7))
    assert told(host, "f1c")["fires"]


def test_a_stop_is_told_as_it_was_when_the_event_came(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url), "off.lua": workflow(receiver.url, wf_active="false")})
    host.call("POST", "/v1/workflows/w/deactivate")
    host.accept(deal(1, event_id="f1"))
    host.call("POST", "/v1/workflows/w/activate")
    host.call("POST", "/v1/workflows/off/activate")
    host.accept(deal(2, event_id="f2"))
    shown = run(host, "events", "show", "f1").stdout
    off = "its conditions hold, but it was not started: active = false in its file"
    assert f"\nNo workflow fired.\noff: {off}\nw: its conditions hold, but it was stopped by an operator (admin, 20" in shown
    assert not told(host, "f1", "w", is_alone=False)["fires"]
    assert told(host, "f1", "off", is_alone=False)["became"] == off
    assert told(host, "f2")["fires"] and told(host, "f2", "off")["fires"]


def test_a_run_that_raised_and_a_dry_one(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url, content='function() error "no such rate" end'),
                  "dry.lua": workflow(receiver.url, wf_active='"dry"')})
    host.accept(deal(1, event_id="f1"))
    one = told(host, "f1")
    assert (one["verdict"], one["fires"], one["outcome"]) == (True, False, "error")
    assert one["became"].startswith("its run raised: /") and "w.lua:" in one["became"] and "no such rate" in one["became"]
    dry = told(host, "f1", "dry")
    assert dry["fires"] and dry["became"] == "fires, dry: what it owes is shown and never sent"


def test_what_a_guard_has_suppressed(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url)})
    host.accept(*[deal(1, event_id=f"f{i}", amount=i) for i in range(61)])
    one = told(host, "f60")
    assert (one["fires"], one["outcome"]) == (False, "suppressed")
    assert one["became"].startswith("its conditions hold, but it was suppressed: more than 60 runs for the deal 1")
    host.accept({**deal(2, event_id="deep"), "depth": 6})
    assert told(host, "deep")["became"] == ("its conditions hold, but the event came through 6 workflows: "
                                            "it is stored and not run")


def test_a_file_whose_run_raises_does_not_fire(folder):
    (folder / "w.lua").write_text(workflow("https://a.example.com/", content='function() error "no such rate" end'))
    (folder / "event.json").write_text(json.dumps(deal(1)))
    shown = subprocess.run([BINARY, "explain", folder / "w.lua", "--event", folder / "event.json", "--data", folder],
                           capture_output=True, text=True, timeout=30)
    assert shown.returncode == 1 and shown.stdout.startswith("w: its run raises an error, with"), shown
    assert "no such rate" in shown.stdout


@pytest.mark.parametrize("trigger, when", [
    ('hook.every { "created", "updated", watch = { "amount" } }', "hook.all {}"),
    ('hook.every { "updated", watch = { "sales_account.name", "amount" } }',
     'hook.all { field "deal_stage":is_in { "Won" } }'),
    ('hook.once { "updated", edge = "rising" }', 'hook.any { field "amount":at_least(7), field "x":is "y" }'),
    ('hook.every { "updated" }', 'hook.all { field "amount":changed(), field "deal_stage":changed_to "Won" }'),
])
def test_the_sample_has_changed_what_the_trigger_watches(folder, trigger, when):
    when = None if when == "hook.all {}" else when
    (folder / "w.lua").write_text(workflow("https://a.example.com/", wf_trigger=trigger, wf_when=when))
    shown = subprocess.run([BINARY, "try", folder / "w.lua", "--data", folder], capture_output=True, text=True, timeout=30)
    assert shown.returncode == 0 and shown.stdout.startswith("w: would fire, with a sample event"), shown


def test_watch_is_named_where_what_changed_is_unknown(folder):
    (folder / "w.lua").write_text(workflow("https://a.example.com/",
                                           wf_trigger='hook.every { "created", "updated", watch = { "amount" } }'))
    for previous, line in ((None, 'watch changed ["amount"], seen: null (unknown what changed: give previous)'),
                           ({"name": "x"}, 'watch changed ["amount"], seen: ["name"] (none of these has changed)')):
        (folder / "event.json").write_text(json.dumps({**deal(1), **({"previous": previous} if previous else {})}))
        shown = subprocess.run([BINARY, "try", folder / "w.lua", "--event", folder / "event.json", "--data", folder],
                               capture_output=True, text=True, timeout=30)
        assert shown.returncode == 1 and f"no  {line}\n" in shown.stdout, shown
