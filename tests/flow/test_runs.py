"""hookline runs: what workflows made of events."""
import json

import pytest
from support.host import run
from support.rules import deal, workflow


@pytest.fixture
def host(serve, receiver):
    made = serve({"good.lua": workflow(receiver.url),
                  "bad.lua": workflow(receiver.url, wf_when="function(event) error('no luck') end")})
    made.accept(deal(7, event_id="e7"))
    made.accept(deal(8, event_id="e8"))
    return made


def runs(host, *words):
    return run("runs", *words, "--data", host.data)


def test_runs_are_listed(host):
    done = runs(host)
    assert done.returncode == 0 and done.stderr == "", done
    title, *rows = done.stdout.splitlines()
    assert title.split() == ["EVENT", "TYPE", "RECORD", "WORKFLOW", "OUTCOME", "DELIVERIES", "REASON"]
    assert [row.split()[:6] for row in rows] == [
        [f"e{n}", "deal.updated", str(n), *made] for n in (8, 7)
        for made in (["bad", "error", "0"], ["good", "sent", "1"])]
    assert "no luck" in rows[0]


def test_runs_are_filtered(host):
    def events(*words):
        return [(r["event"], r["workflow"]) for r in json.loads(runs(host, "--json", *words).stdout)["runs"]]
    assert events("--outcome", "error") == [("e8", "bad"), ("e7", "bad")]
    assert events("--workflow", "good", "--record", "7", "--since", "1h") == [("e7", "good")]
    assert events("--until", "1h") == events("--type", "lead") == []
    assert "There are no runs like that." in runs(host, "--outcome", "dry").stderr


def test_what_is_wrong_is_said(host):
    assert runs(host, "--outcome", "lost").returncode == 2
    assert runs(host, "show", "e7").returncode == 2
