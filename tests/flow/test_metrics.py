"""GET /metrics, and the dashboard and alert rules that are made of it."""
import json
import re
import shutil
import subprocess

import pytest
from support.host import IS_SANITIZED, ROOT
from support.rules import deal, workflow
from support.waiting import until

DASHBOARD = ROOT / "dist/grafana/hookline.json"
ALERTS = ROOT / "dist/prometheus/alerts.yml"
UNPACKED = ROOT / "build/packages/prometheus/usr/bin/promtool"
SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")


def promtool(*args, **options):
    found = shutil.which("promtool") or (UNPACKED if UNPACKED.exists() else None)
    if not found:
        pytest.skip("promtool is not here (dist/packages.sh test)")
    done = subprocess.run([str(found), *args], capture_output=True, text=True, timeout=120, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def scrape(host):
    reply = host.call("GET", "/metrics")
    assert reply.status == 200 and reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    return reply.body.decode()


def values(host):
    """{'name{labels}': value}"""
    found = {}
    for line in scrape(host).splitlines():
        if not line.startswith("#"):
            name, labels, value = SAMPLE.fullmatch(line).groups()
            key = f"{name}{{{labels}}}" if labels else name
            assert key not in found, f"twice: {key}"
            found[key] = float(value)
    return found


def seen(host, **wanted):
    """The values, once these deliveries have ended, or are owed, in these states."""
    def look():
        v = values(host)
        ok = all(v.get(f'hookline_deliveries_ended_total{{state="{s}"}}', v.get(
            f'hookline_deliveries_owed{{state="{s}"}}')) == n for s, n in wanted.items())
        return ok and v
    return until(look, f"deliveries {wanted}")


@pytest.fixture
def host(serve, receivers):
    receiver = receivers(lambda r: 503 if r.path == "/bad" else 200)
    made = serve({"good.lua": workflow(receiver.url + "/good"), "bad.lua": workflow(receiver.url + "/bad"),
                  "loop.lua": workflow(receiver.url + "/", wf_when="function() while true do end end")},
                 test_clock=True)
    made.target = receiver.url
    return made


def test_what_is_counted(host):
    host.accept(deal(1))
    host.accept(deal(2))
    v = seen(host, delivered=2, retrying=2)
    assert v["hookline_events_total"] == 2 and v["hookline_deliveries_created_total"] == 4
    assert v['hookline_matches_total{workflow="good",outcome="sent"}'] == 2
    assert v['hookline_matches_total{workflow="loop",outcome="error"}'] == 2
    assert v['hookline_budget_stops_total{workflow="loop"}'] == 2
    assert v['hookline_budget_stops_total{workflow="good"}'] == 0
    assert v['hookline_attempts_total{result="2xx"}'] == 2 == v['hookline_attempts_total{result="5xx"}']
    assert v[f'hookline_target_attempts_total{{target="{host.target}",result="failure"}}'] == 2
    assert v[f'hookline_target_deliveries_total{{target="{host.target}",state="delivered"}}'] == 2
    assert v['hookline_workflow_deliveries_total{workflow="good",state="delivered"}'] == 2
    assert v["hookline_end_to_end_seconds_count"] == 2 and v["hookline_first_attempt_seconds_count"] == 4
    assert v["hookline_decide_seconds_count"] == 2 and v["hookline_attempt_seconds_count"] == 4
    assert v["hookline_commit_seconds_count"] >= 2 and v["hookline_commit_seconds_sum"] > 0
    assert v['hookline_targets{state="closed"}'] == 1 and v['hookline_workflows{state="active"}'] == 3
    assert v["hookline_lua_memory_bytes"] > 0 < v["hookline_store_size_bytes"]
    assert 16 * 4096 < v["hookline_store_memory_bytes"] < v["process_resident_memory_bytes"]
    assert v["hookline_disk_free_bytes"] > 0 and v["process_open_fds"] > 5
    assert v["hookline_ready"] == v["hookline_store_writable"] == 1 and v["hookline_paused"] == 0


def test_time_that_a_delivery_takes(host):
    host.accept(deal(1))
    seen(host, delivered=1, retrying=1)
    host.advance("2d")
    host.advance("2d")
    host.advance("2d")
    v = until(lambda: (v := values(host))['hookline_deliveries_ended_total{state="terminated"}'] and v, "its end")
    assert v['hookline_workflow_deliveries_total{workflow="bad",state="terminated"}'] == 1
    assert v["hookline_first_attempt_seconds_count"] == 2 and v["hookline_oldest_owed_age_seconds"] == 0


def test_age_of_what_is_owed(host):
    host.accept(deal(1))
    seen(host, delivered=1, retrying=1)
    host.advance("10s")
    age = until(lambda: values(host)["hookline_oldest_owed_age_seconds"], "an age")
    assert 10 <= age < 12


def test_reloads(host):
    before = values(host)
    (host.rules_dir / "new.lua").write_text("return 5")
    host.call("POST", "/v1/reload")
    v = values(host)
    assert v['hookline_reloads_total{result="success"}'] > before['hookline_reloads_total{result="success"}']
    assert v["hookline_workflow_faults"] == 1 and v['hookline_workflows{state="broken"}'] == 1


def test_labels_are_bounded_and_nothing_is_lost(serve, receiver):
    names = [f"w{n}" for n in range(70)] + ["other"]
    host = serve({f"{name}.lua": workflow(receiver.url + "/") for name in names})
    host.accept(deal(1))
    v = seen(host, delivered=71)
    sent = {k: n for k, n in v.items() if k.startswith("hookline_matches_total") and 'outcome="sent"' in k}
    assert len(sent) == 51 and sum(sent.values()) == 71
    for name in names[:60]:  # others become the active ones, and no sum falls
        (host.rules_dir / f"{name}.lua").unlink()
    host.call("POST", "/v1/reload")
    host.accept(*[deal(n) for n in range(2, 7)])
    v = seen(host, delivered=71 + 5 * 11)
    after = {k: n for k, n in v.items() if k.startswith("hookline_matches_total") and 'outcome="sent"' in k}
    assert len(after) == 51 and sum(after.values()) == 71 + 55
    rest = 'hookline_matches_total{workflow="other",outcome="sent"}'
    assert after[rest] >= sent[rest] and 'hookline_matches_total{workflow="w65",outcome="sent"}' in after


def test_it_needs_a_token(host):
    assert host.call("GET", "/metrics", token=False).status == 401


def test_promtool_has_nothing_to_say(host):
    host.accept(deal(1))
    assert promtool("check", "metrics", input=scrape(host)) == ""


def test_the_document_has_each_metric(host):
    host.accept(deal(1))
    text = scrape(host)
    helps = dict(re.findall(r"# HELP (\S+) (.*)", text))
    types = dict(re.findall(r"# TYPE (\S+) (.*)", text))
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) \| (.*) \|$", (ROOT / "docs/metrics.md").read_text(), re.M)
    assert {name: (kind, words) for name, kind, _, words in rows} == {n: (types[n], helps[n]) for n in helps}
    labels = {name: re.findall(r"`(\w+)`", words) for name, _, words, _ in rows}
    for line in text.splitlines():
        sample = SAMPLE.fullmatch(line)
        if sample and sample[2] and "_bucket" not in sample[1]:
            assert re.findall(r'(\w+)="', sample[2]) == labels[sample[1]], line


def test_dashboard_and_alerts_ask_for_what_there_is(host):
    host.accept(deal(1))
    known = set(re.findall(r"^([a-z]\w+)", scrape(host), re.M))
    panels = [p for p in json.loads(DASHBOARD.read_text())["panels"] if p["type"] != "row"]
    queries = [t["expr"] for p in panels for t in p["targets"]]
    assert len({p["id"] for p in panels}) == len(panels) > 20 and all(queries)
    for text in [*queries, ALERTS.read_text()]:
        assert set(re.findall(r"\b((?:hookline|process)_\w+)", text)) <= known, text
    shown = {name for text in queries for name in re.findall(r"\b(hookline_\w+)", text)}
    bases = {re.sub(r"_(bucket|sum|count)$", "", n) for n in known if n.startswith("hookline_")}
    unseen = bases - {re.sub(r"_bucket$", "", n) for n in shown}
    assert unseen <= {"hookline_build_info", "hookline_paused", "hookline_store_writable",
                      "hookline_last_reload_success_timestamp_seconds"}, unseen


@pytest.mark.skipif(IS_SANITIZED, reason="asks nothing of the binary")
def test_alert_rules(folder):
    shutil.copy(ALERTS, folder / "alerts.yml")
    shutil.copy(ROOT / "tests/data/alerts_test.yml", folder / "test.yml")
    promtool("check", "rules", "alerts.yml", cwd=folder)
    promtool("test", "rules", "test.yml", cwd=folder)


@pytest.mark.skipif(IS_SANITIZED, reason="asks nothing of the binary")
def test_queries_of_the_dashboard_parse(folder):
    panels = [p for p in json.loads(DASHBOARD.read_text())["panels"] if p["type"] != "row"]
    rules = [f"  - record: q{p['id']}_{i}\n    expr: {json.dumps(t['expr'].replace('$__rate_interval', '5m'))}"
             for p in panels for i, t in enumerate(p["targets"])]
    (folder / "queries.yml").write_text("groups:\n- name: q\n  rules:\n" + "\n".join(rules) + "\n")
    promtool("check", "rules", "queries.yml", cwd=folder)


def test_readyz_says_why_not(host):
    well = host.call("GET", "/readyz", token=False)
    assert (well.status, well.headers["content-type"], well.json()["ready"]) == (200, "application/json", True)
    assert host.call("POST", "/v1/drain").status == 200
    reply = host.call("GET", "/readyz", token=False)
    problem = reply.json()
    assert (reply.status, reply.headers["content-type"]) == (503, "application/problem+json")
    assert (problem["type"], problem["title"], problem["status"]) == ("about:blank", "Service Unavailable", 503)
    assert "drained by an operator" in problem["detail"] and problem["ready"] is False
    assert problem["draining"] and reply.headers["retry-after"] == "5"
    assert values(host)["hookline_ready"] == 0
    assert host.call("POST", "/v1/resume").status == 200
    assert host.call("GET", "/readyz", token=False).status == 200
