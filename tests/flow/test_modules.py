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
                      "1 of 2 workflows are fine."], checked.stdout
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
