"""The life of a workflow: how often it fires for a record, and what it does while it is dry."""
import itertools

import pytest
from support.rules import deal, workflow

INVALID = '{ hook.webhook { method = "POST", url = "%s", encoding = "json", content = function() return "{" end } }'


def runs(host, query):
    return host.call("GET", f"/v1/runs?{query}").json()["runs"]


changes = itertools.count()


def changed(number, **keys):
    """An update that is known to have changed something."""
    return deal(number, turn=next(changes), **keys)


def fired(host, number):
    return len(host.accept(changed(number))[0]["deliveries"])


def test_cooldown_counts_from_the_run_that_was_stored(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url, wf_cooldown='"10m"')}, test_clock=True)
    assert fired(host, 1) == 1
    host.advance("9m")
    assert fired(host, 1) == 0, "not again within it"
    assert fired(host, 2) == 1, "another record"
    host.advance("59s")
    assert fired(host, "1") == 0, "the run that did not fire moves nothing"
    host.kill9()
    host.start()
    assert fired(host, 1) == 0, "over a crash"


def test_cooldown_ends(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url, wf_cooldown='"10m"')}, test_clock=True)
    assert [fired(host, 1), fired(host, 1)] == [1, 0]
    host.advance("10m")
    assert [fired(host, 1), fired(host, 1)] == [1, 0]
    receiver.wait(2)


def test_a_run_that_can_send_nothing_takes_no_mark(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url, wf_cooldown='"10m"', wf_actions=INVALID % receiver.url)})
    ids = [host.accept(changed(1))[0]["deliveries"] for _ in range(2)]
    assert [host.delivery(id[0])["state"] for id in ids] == ["invalid", "invalid"]


@pytest.mark.parametrize("trigger", ['hook.once { "created", "updated" }', 'hook.every { "updated" }'])
def test_dry_shows_what_it_would_send_and_sends_nothing(serve, receiver, trigger):
    host = serve({"a.lua": workflow(receiver.url + "/dry", wf_active='"dry"', wf_trigger=trigger),
                  "b.lua": workflow(receiver.url + "/wet")})
    assert host.call("GET", "/v1/workflows/a").json()["active"] == "dry"
    for number in (1, 2):  # no once-mark is taken
        answer = host.accept(changed(1, event_id=f"e{number}"))[0]
        assert len(answer["deliveries"]) == 2
        run = next(r for r in host.event(f"e{number}")["runs"] if r["workflow"] == "a")
        assert run["outcome"] == "dry" and len(run["deliveries"]) == 1
        one = host.delivery(run["deliveries"][0])
        assert one["state"] == "cancelled" and "dry run" in one["reason"] and one["next_attempt_at"] is None
    assert {r["event"] for r in runs(host, "outcome=dry")} == {"e1", "e2"}
    assert [r.path for r in receiver.wait(2)] == ["/wet", "/wet"]
    (host.rules_dir / "a.lua").write_text(workflow(receiver.url + "/dry", wf_trigger=trigger))
    host.call("POST", "/v1/reload")
    assert fired(host, 1) == 2, "the dry runs have left no mark"
    receiver.wait_until(lambda r: any(x.path == "/dry" for x in r))
