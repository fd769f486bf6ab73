"""hookline diff: what a change of the rules would do, told from the events that were."""
import json
import re

import pytest
from support.host import run
from support.rules import deal, workflow
from support.waiting import until

URL = "http://127.0.0.1:9/"


@pytest.fixture
def compare(serve, folder):
    """A host with rules that takes events and sends nothing, and what diff says of other rules."""
    def start(rules, **options):
        host = serve(rules, **options)
        assert host.call("POST", "/v1/pause").status == 200

        def diff(new, *words, code=None):
            path = folder / "new"
            path.mkdir(exist_ok=True)
            for old in path.glob("*"):
                old.unlink()
            for name, text in new.items():
                (path / name).write_text(text)
            before = host.call("GET", "/v1/events?limit=1000").body, host.call("GET", "/v1/deliveries?limit=1000").body
            done = run("diff", "--rules", path, "--data", host.data, "--allow-target", "127.0.0.0/8", *words)
            assert before == (host.call("GET", "/v1/events?limit=1000").body, host.call("GET", "/v1/deliveries?limit=1000").body)
            assert code is None or done.returncode == code, done
            return done
        return host, diff
    return start


def counts(diff, new, *words):
    """Of each workflow: same, added, removed, changed."""
    done = diff(new, "--json", *words)
    shown = json.loads(done.stdout)
    assert done.returncode == (1 if shown["count"] else 0), done
    assert shown["lost"] == 0
    return {w["workflow"]: tuple(w[k] for k in ("same", "added", "removed", "changed")) for w in shown["workflows"]}


def when(text, **keys):
    return workflow(URL, wf_when=text, **keys)


def test_what_goes_out_is_shown_as_a_diff(compare):
    rules = {"a.lua": workflow(URL + "a", headers='{ ["X-A"] = "1" }'), "gone.lua": workflow(URL + "gone"), "same.lua": workflow(URL)}
    host, diff = compare(rules)
    host.accept(*[deal(n, amount=n, event_id=f"e{n}") for n in (1, 2, 3)])
    assert counts(diff, rules) == {w: (3, 0, 0, 0) for w in ("a", "gone", "same")}
    new = {"a.lua": workflow(URL + "a", headers='{ ["X-A"] = "2" }', content='hook.fields { "id", "amount" }', wf_delay='"10m"'),
           "same.lua": workflow(URL), "new.lua": workflow(URL + "new", wf_when='field "amount":at_least(3)', method='"PUT"')}
    assert counts(diff, new) == {"a": (0, 0, 0, 3), "gone": (0, 0, 3, 0), "same": (3, 0, 0, 0), "new": (0, 1, 0, 0)}
    done = diff(new, code=1)
    assert done.stderr == ""
    shown = re.split(r"\n\n(?=\w+: )", done.stdout)
    assert shown[0].splitlines() == [
        "a: changed, e1 (deal.updated, record 1)", "--- in force", "+++ " + shown[0].splitlines()[2][4:], "@@ -1,10 +1,10 @@",
        f" POST {URL}a", " Content-Type: application/json", "-X-A: 1", "+X-A: 2", " hookline-depth: 1",
        "+(delay 10m)", " ", " {", '   "id": 1,', '-  "name": "Deal 1",', '   "amount": 1', " }"]
    assert shown[1].startswith("gone: removed, e1") and f"-POST {URL}gone" in shown[1] and "\n+PO" not in shown[1]
    assert f"new: added, e3 (deal.updated, record 3)\n" in done.stdout and f"\n+PUT {URL}new\n" in done.stdout
    table = [line.split() for line in done.stdout.splitlines()[-5:-1]]
    assert table == [["a", "0", "0", "0", "3"], ["gone", "0", "0", "3", "0", "gone"], ["same", "3", "0", "0", "0"],
                     ["new", "0", "1", "0", "0", "new"]]
    assert done.stdout.endswith("3 events, 7 differences.\n")
    assert diff(new).stdout == done.stdout, "the same each time"
    (first, *_) = json.loads(diff(new, "--json", code=1).stdout)["differences"]
    assert (first["old"]["delay_ms"], first["new"]["delay_ms"]) == (0, 600000)
    few = diff(new, "--limit", "2", code=1)
    assert few.stdout.count("+++ ") == 2 and "7 differences, of which 2 are shown" in few.stdout


def test_events_are_chosen(compare):
    host, diff = compare({"a.lua": workflow(URL)}, test_clock=True)
    host.accept(deal(1), deal(2), deal(1, type="deal.created"))
    host.advance("2d")
    later = host.now()
    host.accept(deal(3))
    new = {"a.lua": workflow(URL + "x"), "b.lua": workflow(URL)}
    for words, expected in (((), 4), (("--type", "deal.created"), 1), (("--record", "1"), 2), (("--until", later), 3), (("--since", later), 1),
                            (("--type", "contact"), 0)):
        assert counts(diff, new, *words, "--workflow", "a") == {"a": (0, 0, 0, expected)}, words
    unknown = diff(new, "--workflow", "nobody", code=1)
    assert "no workflow nobody" in unknown.stderr
    assert diff({"a.lua": "return 5"}, code=1).stderr.count("a.lua") == 1
    assert run("diff", "--data", host.data).returncode == 2
    assert run("diff", "--rules", host.folder / "nothing", "--data", host.data).returncode == 1
    host.stop()
    offline = run("diff", "--rules", host.folder / "new", "--data", host.data, "--allow-target", "127.0.0.0/8")
    assert offline.returncode == 1 and "no host is running" in offline.stderr


def test_what_changed_is_known_as_it_was_then(compare):
    host, diff = compare({"a.lua": when('field "stage":changed_to "Won"'), "b.lua": workflow(URL, wf_trigger='hook.every { "updated", watch = { "x" } }'),
                          "c.lua": when('field "amount":at_least(5)', wf_trigger='hook.every { "created", "updated", edge = "rising" }')})
    host.accept(deal(1, type="deal.created", stage="New", x=1, amount=1))
    host.accept(deal(1, stage="Won", x=1, amount=5))   # compared with what is stored
    host.accept(deal(1, stage="Won", x=2, amount=6))
    host.accept(deal(1, stage="Lost", x=2, amount=7, previous={"stage": "Won", "amount": 4}))
    host.accept(deal(2, stage="Won", x=1, amount=9))   # nothing is known of it
    host.accept(deal(1, stage="Lost", x=2, amount=7))  # nothing has changed
    made = {w: len(host.deliveries(f"&workflow={w}")) for w in "abc"}
    assert made == {"a": 1, "b": 1, "c": 2}
    same = {"a.lua": when('field "stage":changed_to "Won"'), "b.lua": workflow(URL, wf_trigger='hook.every { "updated", watch = { "x" } }'),
            "c.lua": when('field "amount":at_least(5)', wf_trigger='hook.every { "created", "updated", edge = "rising" }')}
    assert counts(diff, same) == {w: (made[w], 0, 0, 0) for w in "abc"}
    new = {"a.lua": when('field "stage":changed_from "Won"'), "b.lua": workflow(URL, wf_trigger='hook.every { "updated", watch = { "stage" } }'),
           "c.lua": when('field "amount":at_least(6)', wf_trigger='hook.every { "created", "updated", edge = "rising" }')}
    assert counts(diff, new) == {"a": (0, 1, 1, 0), "b": (0, 2, 1, 0), "c": (1, 1, 1, 0)}


def test_marks_begin_empty_on_both_sides(compare):
    once = {"o.lua": workflow(URL, wf_trigger='hook.once { "updated" }'), "c.lua": workflow(URL, wf_cooldown='"10m"')}
    host, diff = compare(once, test_clock=True)
    for n in range(4):
        host.accept(deal(1, amount=n), deal(2, amount=n))
        host.advance("4m")
    until(lambda: len(host.deliveries()) == 2 + 4, "once, and each 10 minutes")
    assert counts(diff, once) == {"o": (2, 0, 0, 0), "c": (4, 0, 0, 0)}
    assert counts(diff, {"o.lua": workflow(URL), "c.lua": workflow(URL, wf_cooldown='"3m"')}) == {"o": (2, 6, 0, 0), "c": (4, 4, 0, 0)}
    assert counts(diff, {"o.lua": workflow(URL, wf_trigger='hook.once { "updated" }', wf_when='field "amount":at_least(2)'), "c.lua": once["c.lua"]},
                  "--workflow", "o") == {"o": (0, 2, 2, 0)}


def test_failures_are_differences(compare):
    bad = 'function(event) if event.record.amount > 1 then error("too much") end return true end'
    host, diff = compare({"a.lua": when(bad), "t.lua": workflow(URL, content='hook.template [=[{"name": {{ deal.name | raw }} }]=]')})
    host.accept(deal(1, amount=1, name='"x"'), deal(2, amount=2, name='"x"'), deal(3, amount=2, name="no json"))
    good = {"a.lua": when('field "amount":at_least(1)'), "t.lua": workflow(URL, content='hook.template [=[{"name": {{ deal.name }} }]=]')}
    done = diff(good, code=1)
    assert "-(the workflow fails: " in done.stdout and "too much" in done.stdout and "-(invalid, never sent: " in done.stdout
    assert counts(diff, good)["a"] == (1, 0, 0, 2)
    old = {"a.lua": when(bad), "t.lua": workflow(URL, content='hook.template [=[{"name": {{ deal.name | raw }} }]=]')}
    assert counts(diff, old) == {"a": (3, 0, 0, 0), "t": (3, 0, 0, 0)}, "the same failure is none"
    # A file that does not load leaves its last good text in force, and that is compared with.
    (host.rules_dir / "a.lua").write_text("return nothing(")
    assert host.call("POST", "/v1/reload").json()["errors"]
    assert counts(diff, old)["a"] == (3, 0, 0, 0)


def test_schedules_and_outcomes(serve, receiver, compare):
    daily = workflow(URL + "daily", wf_trigger='hook.daily { at = "09:00" }')
    outcome = workflow(URL + "told", wf_record='"webhook"', wf_trigger='hook.every { "delivered" }', content='hook.fields { "id", "response.status" }')
    host, diff = compare({"d.lua": daily, "a.lua": workflow(receiver.url), "o.lua": outcome}, test_clock=True)
    assert host.call("POST", "/v1/resume").status == 200
    host.accept(deal(1))
    until(lambda: len(host.deliveries("&workflow=o")) == 1, "the outcome")
    until(lambda: host.advance("1h") and len(host.deliveries("&workflow=d")) >= 1, "the time")
    assert host.call("POST", "/v1/pause").status == 200
    days = len(host.deliveries("&workflow=d"))
    rules = {"d.lua": daily, "a.lua": workflow(receiver.url), "o.lua": outcome}
    since = ("--since", "30d")
    assert counts(diff, rules, *since) == {"d": (days, 0, 0, 0), "a": (1, 0, 0, 0), "o": (1, 0, 0, 0)}
    new = {**rules, "d.lua": workflow(URL + "other", wf_trigger='hook.daily { at = "10:00" }'), "o.lua": outcome.replace("/told", "/changed")}
    assert counts(diff, new, *since) == {"d": (0, 0, 0, days), "a": (1, 0, 0, 0), "o": (0, 0, 0, 1)}
    assert "another schedule: only the times that were are judged" in diff(new, *since).stdout


def test_who_is_started(compare):
    rules = {f"{n}.lua": workflow(URL + n) for n in ("runs", "stopped", "dry", "starts")}
    rules["starts.lua"] = workflow(URL + "starts", wf_active="false")
    host, diff = compare(rules)
    assert host.call("POST", "/v1/workflows/stopped/deactivate").status == 200
    host.accept(deal(1))
    new = {"runs.lua": workflow(URL + "runs", wf_active="false"), "stopped.lua": workflow(URL + "other"), "starts.lua": workflow(URL + "starts"),
           "dry.lua": workflow(URL + "dry", wf_active='"dry"'), "new.lua": workflow(URL, wf_active="false")}
    assert counts(diff, new) == {"runs": (0, 0, 1, 0), "dry": (0, 0, 1, 0), "starts": (0, 1, 0, 0), "stopped": (0, 0, 0, 0), "new": (0, 0, 0, 0)}
    table = diff(new, code=1).stdout
    assert re.search(r"stopped +0 +0 +0 +0 +stopped\n", table) and re.search(r"new +0 +0 +0 +0 +new, not started\n", table)
    assert re.search(r"dry +0 +0 +1 +0 +dry\n", table)


def test_secrets_are_masked(compare):
    host, diff = compare({"a.lua": workflow(URL, auth='hook.bearer(hook.secret "ONE")')}, env={"HOOKLINE_SECRET_ONE": "s3cr3t-one"})
    host.accept(deal(1))
    done = diff({"a.lua": workflow(URL, auth='hook.bearer(hook.secret "TWO")')}, code=1)
    assert "(a secret has another name)" in done.stdout and "s3cr3t" not in done.stdout
    done = diff({"a.lua": workflow(URL)}, code=1)
    assert "-Authorization: Bearer ****" in done.stdout


def test_many_events_and_what_retention_took(compare):
    host, diff = compare({"a.lua": when('field "amount":at_least(1000000)')}, test_clock=True,
                         config='return { retention = { payloads = "1h" } }')
    assert host.ndjson([deal(n % 750, type="deal.created", amount=n) for n in range(1500)]).status == 202
    assert host.call("POST", "/v1/events", {"type": "contact.updated", "record": {"id": 1}}).status == 202
    new = {"a.lua": when('field "amount":at_least(500)')}
    assert counts(diff, new) == {"a": (0, 1000, 0, 0)}
    until(lambda: host.advance("1h") and "750 of the events could not be judged" in diff(new, code=1).stderr, "a round of retention")
    assert json.loads(diff(new, "--json", code=1).stdout)["count"] == 750
