"""The command line, as a person uses it: output, messages, exit codes."""
import json
import os
import pty
import subprocess

import pytest
from support.host import BINARY, run
from support.rules import deal, workflow

COMMANDS = ["serve", "check", "try", "test", "send", "new", "stubs", "secrets", "workflows", "events", "deliveries"]


def test_version_and_help():
    version = run("--version")
    assert version.returncode == 0 and version.stdout.startswith("hookline ") and version.stderr == ""
    overview = run("--help")
    assert overview.returncode == 0
    for command in COMMANDS:
        assert f"  {command} " in overview.stdout
        help = run(command, "--help")
        assert help.returncode == 0 and f"hookline {command}" in help.stdout and help.stderr == ""


@pytest.mark.parametrize("words,said", [
    ([], "hookline"), (["serv"], "serve"), (["serve", "--dta", "x"], "--data"), (["serve", "--listen", "nowhere"], "ADDR:PORT"),
    (["serve", "--allow-target", "10.0.0.0/40"], "10.0.0.0/40"), (["send"], "FILE"), (["try"], "NAME"),
    (["deliveries", "--state", "lost"], "retrying"), (["secrets", "set", "lower"], "capital"), (["check", "--json=x"], "--json")])
def test_wrong_usage_is_exit_2_and_says_what_is_right(words, said, folder):
    done = run(*words, cwd=folder)
    assert done.returncode == 2 and done.stdout == "" and said in done.stderr, done


def test_check_finds_every_mistake_of_every_file(folder):
    rules = folder / "rules"
    rules.mkdir()
    (rules / "good.lua").write_text(workflow("https://example.com"))
    assert run("check", "--rules", rules).returncode == 0
    (rules / "two.lua").write_text('local hook = require "hookline"\nreturn hook.workflow {\n  nmae = "x",\n'
                                   '  record = 7,\n  trigger = hook.every { "updatd" },\n  actions = {},\n}\n')
    (rules / "syntax.lua").write_text("return {\n")
    done = run("check", "--rules", rules)
    assert done.returncode == 1
    assert "two.lua:2:" in done.stdout and "nmae" in done.stdout and "record" in done.stdout, done.stdout
    assert "two.lua:5:" in done.stdout and "updated" in done.stdout and "syntax.lua:" in done.stdout
    (rules / "two_test.lua").write_text('local hook = require "hookline"\nreturn hook.test { cass = {} }\n')
    (rules / "good_test.lua").write_text("return {\n")
    tests = run("check", "--rules", rules).stdout
    assert "two_test.lua:2: error: cass: " in tests and "good_test.lua:2: error: " in tests, tests
    assert tests.splitlines()[-1].startswith("3 workflows and 2 test files: ") and " errors" in tests.splitlines()[-1]
    as_json = run("check", "--rules", rules, "--json")
    shown = json.loads(as_json.stdout)
    assert as_json.returncode == 1 and [w["id"] for w in shown["workflows"]] == ["good"]
    fault = next(f for f in shown["errors"] if f["path"] == "nmae")
    assert fault == {"file": f"{rules}/two.lua", "line": 2, "column": None, "severity": "error", "path": "nmae", "message": fault["message"]}
    assert len(shown["errors"]) + len(shown["warnings"]) == len(tests.splitlines()) - 1
    assert run("check", "--rules", folder / "nowhere").returncode == 1


def test_the_examples_are_fine():
    from support.host import ROOT
    done = run("check", "--rules", ROOT / "rules")
    assert done.returncode == 0, done.stderr
    for path in sorted(p for p in (ROOT / "rules").glob("*.lua") if not p.stem.endswith("_test")):
        tried = run("try", path, "--data", "/nonexistent")
        assert "request_sent" in tried.stdout, tried


def test_a_new_workflow_is_right_as_it_stands(folder):
    (folder / "rules").mkdir()
    done = run("new", "won_deal", cwd=folder)
    assert done.returncode == 0 and done.stdout.split() == ["rules/won_deal.lua", "rules/won_deal_test.lua"]
    assert "hookline test rules/won_deal.lua" in done.stderr
    assert run("check", cwd=folder).stdout == "1 workflow and 1 test file: all fine.\n"
    assert run("try", "rules/won_deal.lua", cwd=folder).returncode == 0
    assert run("test", cwd=folder).stdout.endswith("3 passed, 0 failed\n")
    again = run("new", "won_deal", cwd=folder)
    assert again.returncode == 1 and "left as it is" in again.stderr, "it is not overwritten"
    (folder / "rules/other_test.lua").write_text("mine")
    assert run("new", "other", cwd=folder).returncode == 1
    assert (folder / "rules/other_test.lua").read_text() == "mine" and not (folder / "rules/other.lua").exists()
    assert run("new", "../x", cwd=folder).returncode != 0
    assert run("new", "x", "--record", "Not one!", cwd=folder).returncode == 2


@pytest.mark.parametrize("record", ["deal", "lead", "contact", "sales_account", "task", "appointment", "cm_ticket"])
def test_a_new_workflow_of_a_record_type(record, folder):
    done = run("new", "mine", "--record", record, "--rules", folder / "rules", cwd=folder)
    assert done.returncode == 0, done
    assert f'record = "{record}"' in (folder / "rules/mine.lua").read_text()
    assert run("check", cwd=folder).returncode == 0
    tested = run("test", "--coverage", cwd=folder)
    assert tested.returncode == 0 and "1 of 1 conditions were true and false" in tested.stdout, tested
    assert run("try", "rules/mine.lua", cwd=folder).returncode == 0


SECRET = "s3cret-of-try"


def try_rule(folder, url, **keys):
    rules = folder / "rules"
    rules.mkdir(exist_ok=True)
    (rules / "w.lua").write_text(workflow(url + "/hook?a=1", auth='hook.basic("crm", hook.secret "PASSWORD")',
                                          headers="[[\n  X-Custom: it's \"quoted\"\n]]",
                                          wf_when='hook.all { field "stage":is("Won") }', **keys))
    (folder / "event.json").write_text(json.dumps(deal(1, stage="Won", name="it's $HOME `x` \"y\" \\ é")))
    return "try", rules / "w.lua", "--event", folder / "event.json", "--data", folder / "data", "--allow-target", "127.0.0.0/8"


def test_try_shows_the_request_and_masks_the_secret(folder, receiver):
    words = try_rule(folder, receiver.url)
    env = {"HOOKLINE_SECRET_PASSWORD": SECRET}
    done = run(*words, env=env)
    assert done.returncode == 0 and receiver.requests == []
    for piece in ("request_sent", "POST", receiver.url + "/hook?a=1", "X-Custom", "****", "curl "):
        assert piece in done.stdout, done.stdout
    assert SECRET not in done.stdout + done.stderr
    shown = json.loads(run(*words, "--json", env=env).stdout)
    assert shown["would_fire"] is True and SECRET not in json.dumps(shown)
    (folder / "event.json").write_text(json.dumps(deal(1, stage="Lost")))
    assert run(*words, env=env).returncode == 1


def test_trys_curl_command_sends_the_same_request(folder, receiver):
    words = try_rule(folder, receiver.url)
    env = {"HOOKLINE_SECRET_PASSWORD": SECRET}
    shown = json.loads(run(*words, "--json", env=env).stdout)
    command = shown["requests"][0]["curl"]
    subprocess.run(["sh", "-c", command + " -s"], check=True, capture_output=True, timeout=60, cwd=folder,
                   env={**os.environ, **env})
    assert run(*words, "--send", env=env).returncode == 0
    by_curl, by_host = receiver.wait(2)
    assert (by_curl.method, by_curl.path, by_curl.body) == (by_host.method, by_host.path, by_host.body)
    for name in ("content-type", "x-custom"):
        assert by_curl.headers[name] == by_host.headers[name]


def test_try_send_shows_the_answer_and_advises(folder, receivers):
    from support.receiver import Answer
    receiver = receivers(lambda r: Answer(200 if r.number == 1 else 401, {"X-Reply": "yes"}, b"the answer"))
    words = try_rule(folder, receiver.url)
    env = {"HOOKLINE_SECRET_PASSWORD": SECRET}
    good, bad = run(*words, "--send", env=env), run(*words, "--send", env=env)
    assert good.returncode == 0 and "response_received" in good.stdout and "Success" in good.stdout
    assert "the answer" in good.stdout and "200" in good.stdout
    assert bad.returncode == 1 and "Failure" in bad.stdout and "401" in bad.stdout
    assert len(bad.stdout.strip().splitlines()[-1]) > 20, "a line of advice"
    receiver.close()
    gone = run(*words, "--send", env=env)
    assert gone.returncode == 1 and "connect" in gone.stdout


def test_secrets_are_set_from_stdin_and_never_shown(folder):
    assert run("secrets", "set", "KEY", "--data", folder / "data", input=SECRET + "\n").returncode == 0
    path = folder / "data/secrets/KEY"
    assert path.read_text() == SECRET and path.stat().st_mode & 0o777 == 0o600
    listed = run("secrets", "list", "--data", folder / "data")
    assert listed.stdout == "KEY\n" and SECRET not in listed.stderr
    bad = run("secrets", "set", "BAD", "--data", folder / "data", input="a\x01b")
    assert bad.returncode == 1 and not (folder / "data/secrets/BAD").exists()
    assert run("secrets", "remove", "KEY", "--data", folder / "data").returncode == 0
    assert not path.exists()


def test_send_splits_what_is_large_and_names_what_is_refused(serve, receiver, folder):
    host = serve({"w.lua": workflow(receiver.url, wf_when='function(e) return e.record.id == 25000 end')})
    big = folder / "events.ndjson"
    big.write_text("".join(json.dumps(deal(n, event_id=f"s-{n}")) + "\n" for n in range(1, 25001)))
    done = run("send", big, "--data", host.data)
    assert done.returncode == 0, done.stderr
    assert receiver.wait()[0].json()["id"] == 25000
    assert host.event("s-25000")["record"]["id"] == 25000
    again = run("send", big, "--data", host.data)
    assert again.returncode == 0 and len(receiver.requests) == 1
    some = folder / "some.json"
    some.write_text(json.dumps([deal(1), {"type": "deal.created", "record": {}}, deal(2)]))
    bad = run("send", some, "--data", host.data)
    assert bad.returncode == 1 and "record.id" in bad.stderr
    assert run("send", "-", "--data", host.data, input=json.dumps(deal(3))).returncode == 0
    assert run("send", some, "--url", "http://127.0.0.1:1", "--token", "x").returncode == 1


def test_lists_of_a_running_host(serve, receivers):
    receiver = receivers(lambda r: 503 if r.json()["id"] == 2 else 200)
    host = serve({"w.lua": workflow(receiver.url)}, test_clock=True)
    first, second = host.accept(deal(1, event_id="e1")), host.accept(deal(2, event_id="e2"))
    good, bad = first[0]["deliveries"][0], second[0]["deliveries"][0]
    host.until_state(good, "delivered")
    host.until_state(bad, "retrying")
    data = ["--data", host.data]
    assert [d["id"] for d in json.loads(run("deliveries", "--json", *data).stdout)["deliveries"]] == [bad, good]
    only = json.loads(run("deliveries", "--state", "retrying", "--json", *data).stdout)["deliveries"]
    assert [d["id"] for d in only] == [bad]
    page = json.loads(run("deliveries", "--limit", "1", "--json", *data).stdout)
    rest = json.loads(run("deliveries", "--cursor", page["next"], "--json", *data).stdout)
    assert [d["id"] for d in page["deliveries"] + rest["deliveries"]] == [bad, good]
    shown = run("deliveries", "show", bad, *data)
    assert shown.returncode == 0 and "503" in shown.stdout
    table = run("deliveries", *data).stdout
    assert bad in table and "retrying" in table and table.splitlines()[0].startswith("ID")
    assert [w["id"] for w in json.loads(run("workflows", "--json", *data).stdout)["workflows"]] == ["w"]
    assert [e["id"] for e in json.loads(run("events", "--json", *data).stdout)["events"]] == ["e2", "e1"]
    assert "e1" in run("events", "show", "e1", *data).stdout
    missing = run("deliveries", "show", "dlv_0000000000000", *data)
    assert missing.returncode == 1 and missing.stdout == ""
    assert run("deliveries", "--data", host.folder / "nowhere").returncode == 1


def test_the_address_is_printed_and_the_token_is_for_its_owner_alone(serve):
    host = serve({})
    assert f"127.0.0.1:{host.port}" in host.out_path.read_text()
    assert (host.data / "admin.token").stat().st_mode & 0o777 == 0o600
    assert len(host.token) >= 32
    host.stop()
    host.start()
    assert host.call("GET", "/v1/workflows").status == 200, "the token stays"


def test_flags_win_over_the_environment_and_that_over_the_file(folder):
    rules = {name: folder / name for name in ("flag", "env", "file")}
    for name, path in rules.items():
        path.mkdir()
        (path / f"{name}.lua").write_text(workflow("https://example.com"))
    (folder / "hookline.conf.lua").write_text('return { rules = "file" }')

    def checked(*words, **env):
        return [w["id"] for w in json.loads(run("check", "--json", *words, env=env, cwd=folder).stdout)["workflows"]]
    assert checked() == ["file"]
    assert checked(HOOKLINE_RULES="env") == ["env"]
    assert checked("--rules", "flag", HOOKLINE_RULES="env") == ["flag"]
    (folder / "hookline.conf.lua").write_text('return { ruels = "file" }')
    done = run("check", cwd=folder)
    assert done.returncode != 0 and "ruels" in done.stderr and "rules" in done.stderr


def test_the_log_is_text_on_a_terminal(folder):
    main, terminal = pty.openpty()
    (folder / "rules").mkdir()
    process = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0"], cwd=folder, stderr=terminal,
                               stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    os.close(terminal)
    process.stdout.readline()
    process.terminate()
    text = b""
    while True:
        try:
            piece = os.read(main, 65536)
        except OSError:
            break
        if not piece:
            break
        text += piece
    os.close(main)
    process.stdout.close()
    assert process.wait(60) == 0 and text and not text.startswith(b"{")
