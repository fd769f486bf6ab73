"""The audit log: each act of an operator, by whom, from where, and what it changed."""
import json

from support.host import run
from support.receiver import PARK
from support.rules import deal, workflow
from support.waiting import until


def acts(host, query=""):
    answer = host.call("GET", "/v1/audit" + query)
    assert answer.status == 200, answer
    return answer.json()["audit"]


def told(row):
    return row["act"], row["subject"], row["before"], row["after"]


def test_every_act_is_told_and_survives_a_kill(serve, receivers):
    receiver = receivers(lambda request: 410 if request.number == 1 else 200)
    host = serve({"w.lua": workflow(receiver.url, wf_trigger='hook.once { "created", "updated" }')}, test_clock=True)
    (id,) = host.accept(deal(1, event_id="e1"))[0]["deliveries"]
    host.until_state(id, "terminated")
    assert acts(host) == [], "what the host does by itself is no act"
    for path in (f"deliveries/{id}/resend", "workflows/w/deactivate", "workflows/w/activate", "workflows/w/follow-file",
                 "workflows/w/reset?record=1", "events/e1/replay?workflow=w&force=true", "reload"):
        assert host.call("POST", f"/v1/{path}").status in (200, 202), path
        host.kill9()
        host.start()
    rows = acts(host)
    assert [told(row) for row in reversed(rows)] == [
        ("delivery.resend", id, "terminated", "pending"),
        ("workflow.deactivate", "w", "as its file says", "stopped by an operator"),
        ("workflow.activate", "w", "stopped by an operator", "started by an operator"),
        ("workflow.follow-file", "w", "started by an operator", "as its file says"),
        ("workflow.reset", "w record 1", "has fired", "may fire again"),
        ("event.replay", "e1", None, "run again by w, whatever has fired"),
        ("reload", None, "generation 1", "generation 1: no file has changed")]
    assert {(row["who"], row["from"]) for row in rows} == {("admin", "127.0.0.1")}
    assert all(row["at"].endswith("Z") for row in rows)


def test_the_filters(serve, receivers):
    host = serve({name: workflow(receivers(lambda request: 200).url) for name in ("w.lua", "w2.lua")})
    assert host.call("POST", "/v1/tokens", {"name": "op", "role": "admin"}).status == 201
    for path in ("w/deactivate", "w/reset?record=1", "w2/reset?record=1", "w2/deactivate"):
        assert host.call("POST", f"/v1/workflows/{path}").status in (200, 202), path

    def found(query):
        return [(row["act"], row["subject"]) for row in reversed(acts(host, query))]

    assert found("?act=token") == found("?act=token.add") == found("?subject=op") == [("token.add", "op")]
    assert found("?act=workflow.deactivate") == [("workflow.deactivate", "w"), ("workflow.deactivate", "w2")]
    assert found("?act=work") == found("?act=workflow.d") == found("?act=workflow.") == []
    assert found("?act=workflow&subject=w") == [("workflow.deactivate", "w"), ("workflow.reset", "w record 1")]
    assert found("?subject=w2%20record%201") == [("workflow.reset", "w2 record 1")]
    assert len(found("?who=admin")) == len(found("")) == 5 and found("?who=op") == []
    first = host.call("GET", "/v1/audit?act=workflow&limit=3").json()
    rest = host.call("GET", f"/v1/audit?act=workflow&limit=3&cursor={first['next']}").json()
    assert len(first["audit"]) == 3 and len(rest["audit"]) == 1 and rest["next"] is None
    shown = run("audit", "--json", "--act", "workflow", "--subject", "w", "--who", "admin", "--data", host.data)
    assert json.loads(shown.stdout)["audit"] == acts(host, "?act=workflow&subject=w")


def test_what_is_refused_is_no_act(serve, receivers):
    receiver = receivers(lambda request: PARK)
    host = serve({"w.lua": workflow(receiver.url)}, test_clock=True)
    (id,) = host.accept(deal(1))[0]["deliveries"]
    receiver.wait(1)
    assert host.call("POST", f"/v1/deliveries/{id}/cancel").status == 200
    assert host.call("POST", f"/v1/deliveries/{id}/cancel").status == 409
    assert host.call("POST", "/v1/deliveries/dlv_0000000000000/resend").status == 404
    assert host.call("POST", "/v1/events/none/replay").status == 404
    assert host.call("POST", "/v1/workflows/none/activate").status == 404
    assert [told(row) for row in acts(host)] == [("delivery.cancel", id, "pending", "cancelled")]


def test_pages_times_the_command_and_the_signal(serve, receivers):
    receiver = receivers(lambda request: 200)
    host = serve({"w.lua": workflow(receiver.url)}, test_clock=True)
    for n in range(5):
        assert host.call("POST", "/v1/workflows/w/" + ("activate" if n % 2 else "deactivate")).status == 200
        host.advance("1h")
    first = host.call("GET", "/v1/audit?limit=2").json()
    rest = host.call("GET", f"/v1/audit?limit=10&cursor={first['next']}").json()
    assert len(first["audit"]) == 2 and len(rest["audit"]) == 3 and rest["next"] is None
    assert first["audit"] + rest["audit"] == acts(host)
    assert len(acts(host, "?since=150m")) == 2
    host.signal(1)
    until(lambda: acts(host)[0]["act"] == "reload", "the reload by a signal")
    assert acts(host)[0]["who"] == "SIGHUP" and acts(host)[0]["from"] is None
    shown = run("audit", "--limit", "2", "--data", host.data)
    assert shown.returncode == 0 and "SIGHUP" in shown.stdout and "workflow.deactivate" in shown.stdout
    assert json.loads(run("audit", "--json", "--data", host.data).stdout)["audit"] == acts(host)


def test_the_export_has_every_page(serve, receivers):
    host = serve({"w.lua": workflow(receivers(lambda request: 200).url)}, test_clock=True)
    for n in range(1100):
        assert host.call("POST", "/v1/workflows/w/" + ("activate" if n % 2 else "deactivate")).status == 200
    host.advance("1h")
    assert host.call("POST", "/v1/pause").status == 200
    exported = run("audit", "--all", "--data", host.data)
    assert exported.returncode == 0, exported.stderr
    rows = [json.loads(line) for line in exported.stdout.splitlines()]
    assert len(rows) == 1101 and rows[:1000] == acts(host, "?limit=1000")
    assert len({row["at"] + row["act"] for row in rows}) > 1 and rows[-1]["act"] == "workflow.deactivate"
    late = run("audit", "--all", "--json", "--since", "30m", "--data", host.data)
    assert run("audit", "--all", "--limit", "5", "--data", host.data).returncode == 2
    assert late.returncode == 0


def test_a_reload_says_what_changed(serve, receivers):
    url = receivers(lambda request: 200).url
    host = serve({name: workflow(url) for name in ("a.lua", "b.lua", "c.lua")}, args=["--no-watch"])

    def reload():
        assert host.call("POST", "/v1/reload").status == 200
        return told(acts(host)[0])[2:]

    assert reload() == ("generation 1", "generation 1: no file has changed")
    (host.rules_dir / "a.lua").write_text(workflow(url + "/new"))
    (host.rules_dir / "b.lua").unlink()
    (host.rules_dir / "d.lua").write_text(workflow(url))
    (host.rules_dir / "e.lua").write_text("return {")
    assert reload() == ("generation 1",
                        "generation 2: added d.lua, e.lua; changed a.lua; removed b.lua; 1 error")
    host.kill9()
    host.start()
    assert len(acts(host)) == 2 and reload() == ("generation 2", "generation 2: no file has changed")
    (host.rules_dir / "e.lua").unlink()
    (host.rules_dir / "d.lua").write_text(workflow(url) + "-" * (1 << 20))
    assert reload() == ("generation 2", "generation 3: removed e.lua; cannot read d.lua; 1 error")


def test_a_reload_names_twenty_files(serve, receivers):
    url = receivers(lambda request: 200).url
    host = serve({"a.lua": workflow(url), "b.lua": workflow(url)}, args=["--no-watch"])
    (host.rules_dir / "b.lua").unlink()
    (host.rules_dir / "lib").mkdir()
    for n in range(80):
        (host.rules_dir / f"lib/m{n:02}.lua").write_text("return {}")
    assert host.call("POST", "/v1/reload").status == 200
    names = ", ".join(f"lib/m{n:02}.lua" for n in range(20))
    assert acts(host)[0]["after"] == f"generation 2: added {names} and 60 more; removed 1 file"
    for n in range(80):
        (host.rules_dir / f"lib/m{n:02}.lua").rename(host.rules_dir / f"lib/{n:02}{'m' * 240}.lua")
    assert host.call("POST", "/v1/reload").status == 200
    after = acts(host)[0]["after"]
    assert len(after) < 2048 and " and 74 more; removed lib/m00.lua" in after and after.endswith(" and 75 more"), after


def test_a_change_that_nobody_asked_for_is_told(serve, receivers):
    """The folder is followed, and may change while the host is down."""
    url = receivers(lambda request: 200).url
    host = serve({"a.lua": workflow(url)})
    (host.rules_dir / "b.lua").write_text(workflow(url))
    until(lambda: acts(host), "the act")
    host.kill9()
    (host.rules_dir / "b.lua").unlink()
    host.start()
    assert [(row["who"], row["from"], *told(row)) for row in acts(host)] == [
        ("start", None, "reload", None, "generation 2", "generation 3: removed b.lua"),
        ("folder", None, "reload", None, "generation 1", "generation 2: added b.lua")]


def test_a_reload_that_fails_is_told(serve, receivers):
    host = serve({"a.lua": workflow(receivers(lambda request: 200).url)}, args=["--no-watch"])
    host.rules_dir.rename(host.rules_dir.with_name("elsewhere"))
    assert host.call("POST", "/v1/reload").status == 500
    (row,) = acts(host)
    assert row["before"] == "generation 1" and row["after"].startswith("generation 1: ") and "rules" in row["after"]


def test_old_acts_go(serve, receivers):
    receiver = receivers(lambda request: 200)
    host = serve({"w.lua": workflow(receiver.url)}, config='return { retention = { audit = "2d" } }', test_clock=True)
    assert host.call("POST", "/v1/workflows/w/deactivate").status == 200
    host.advance("47h")
    assert len(acts(host)) == 1
    host.advance("3h")
    until(lambda: acts(host) == [], "the round of retention")
