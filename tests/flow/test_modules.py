"""Modules of the rules folder, through check, try and a host."""
import subprocess

from support.host import BINARY
from support.rules import deal, workflow

MONEY = "local money = {}\nfunction money.cents(amount) return math.floor(amount * 100) end\nreturn money\n"


def in_cents(url):
    return 'local money = require "lib.money"\n' + workflow(
        url, content='function(event) return { cents = money.cents(event.record.amount) } end')


def run(*args):
    return subprocess.run([BINARY, *map(str, args)], capture_output=True, text=True, timeout=30)


def test_check_and_try_see_the_folders_modules(folder):
    rules = folder / "rules"
    (rules / "lib").mkdir(parents=True)
    (rules / "lib/money.lua").write_text(MONEY)
    (rules / "a.lua").write_text(in_cents("https://a.example.com/"))
    (rules / "b.lua").write_text(workflow("https://a.example.com/"))
    assert run("check", "--rules", rules).stdout == "2 workflows: all fine.\n"
    tried = run("try", rules / "a.lua", "--data", folder)
    assert tried.returncode == 0 and '"cents"' in tried.stdout, tried
    (rules / "lib/money.lua").write_text("local money = {}\nreturn return\n")
    (rules / "lib/unused.lua").write_text("\n\nx = = 1\n")
    checked = run("check", "--rules", rules)
    assert checked.returncode == 1
    places = [line.split(": ")[0] for line in checked.stdout.splitlines()]
    assert places == [f"{rules}/a.lua:1", f"{rules}/lib/money.lua:2", f"{rules}/lib/unused.lua:3",
                      "2 workflows"], checked.stdout
    assert "the module 'lib.money' does not load" in checked.stdout.splitlines()[0]


def test_a_host_runs_them_and_a_reload_takes_their_new_text(serve, receiver):
    host = serve({"a.lua": in_cents(receiver.url)}, start=False)
    (host.rules_dir / "lib").mkdir()
    (host.rules_dir / "lib/money.lua").write_text(MONEY)
    host.start()
    host.accept(deal(1))
    (host.rules_dir / "lib/money.lua").write_text(MONEY.replace("100", "1000"))
    assert host.call("POST", "/v1/reload").json()["errors"] == []
    host.accept(deal(2))
    assert sorted(r.json()["cents"] for r in receiver.wait(2)) == [1250050, 12500500]


def lines_of(host, *statement):
    import sqlite3
    db = sqlite3.connect(f"file:{host.data}/hookline.db?mode=ro", uri=True)
    try:
        return db.execute(*statement).fetchall()
    finally:
        db.close()


def cents(host, receiver):
    """What a.lua makes of a deal of 12500.50, and what b.lua's webhook says of it."""
    ids = set(host.accept(deal(len(receiver.requests) + 1))[0]["deliveries"])
    seen = receiver.wait_until(lambda r: ids <= {x.id for x in r}, "its webhooks")
    got = {r.id: r.json() for r in seen if r.id in ids}  # one may come twice, after kill -9
    return sorted(body.get("cents") or body["v"] for body in got.values())


def test_a_bad_module_leaves_its_workflows_as_they_were_also_over_a_restart(serve, receiver):
    """a.lua needs lib/money.lua, b.lua does not."""
    def plain(number):
        return workflow(receiver.url, content=f"function() return {{ v = {number} }} end")
    host = serve({"a.lua": in_cents(receiver.url), "b.lua": plain(1)}, start=False)
    money = host.rules_dir / "lib/money.lua"
    money.parent.mkdir()
    money.write_text(MONEY)
    host.start()
    assert cents(host, receiver) == [1, 1250050]
    for number in (2, 3):
        if number == 2:
            money.write_text("return return")
        else:
            money.unlink()
        (host.rules_dir / "b.lua").write_text(plain(number))
        answer = host.call("POST", "/v1/reload").json()
        assert answer["errors"], answer
        for is_restarted in (False, True):
            if is_restarted:
                host.kill9()
                host.start()
            assert cents(host, receiver) == [number, 1250050]
            shown = host.call("GET", "/v1/workflows/a").json()["error"]
            assert shown["last_good"] is True and "lib.money" in shown["message"] and shown["line"] == 1
            assert host.call("GET", "/v1/workflows/b").json()["error"] is None
    money.write_text(MONEY.replace("100", "1000"))
    assert host.call("POST", "/v1/reload").json()["errors"] == []
    assert cents(host, receiver) == [3, 12500500]
    assert host.call("GET", "/v1/workflows/a").json()["error"] is None


def test_each_broken_workflow_keeps_the_modules_that_it_was_good_with(serve, receiver):
    host = serve({"a.lua": in_cents(receiver.url), "c.lua": in_cents(receiver.url)}, start=False)
    money = host.rules_dir / "lib/money.lua"
    money.parent.mkdir()
    money.write_text(MONEY)
    host.start()
    (host.rules_dir / "a.lua").write_text("broken(")  # good with the first text of the module
    money.write_text(MONEY.replace("100", "1000"))
    host.call("POST", "/v1/reload")
    money.write_text("broken(")  # c.lua is good with the second
    host.call("POST", "/v1/reload")
    for is_restarted in (False, True):
        if is_restarted:
            host.kill9()
            host.start()
        assert cents(host, receiver) == [1250050, 12500500]


def test_a_generation_is_stored_once(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url)})
    first = host.call("POST", "/v1/reload").json()["generation"]
    for _ in range(3):
        assert host.call("POST", "/v1/reload").json()["generation"] == first
    host.kill9()
    host.start()
    assert host.call("POST", "/v1/reload").json()["generation"] == first
    (host.rules_dir / "b.lua").write_text(workflow(receiver.url))
    assert host.call("POST", "/v1/reload").json()["generation"] == first + 1
    host.stop()
    assert lines_of(host, "SELECT count(*) FROM generation") == [(2,)]
    assert lines_of(host, "SELECT generation, path FROM generation_file") == [(1, "a.lua"), (2, "b.lua")]
