"""`hookline config` and `hookline check --config`: what is in force, where it came from, and what is wrong."""
import json
import re
import signal

import pytest
from support.docs import code, configuration_keys, fenced, tables
from support.host import ROOT, run
from support.waiting import until

CONF = '''return {
  listen = { "127.0.0.1:9", "unix:here.sock" },
  limits = { body = 4e6, events = 100, owed = 7 },
  retention = { ids = "90d" },
  network = { allow = { "10.0.0.0/8" } },
  tls = { cert = "host.pem", key = "host.key" },
  vars = { REGION = "eu", CRM = "https://me:hush@crm.example.com/x" },
  targets = { ["https://app.example.com"] = { rate = "20/s", proxy = hook.secret "PROXY" } },
  otlp = { url = "http://127.0.0.1:4318/v1/traces",
           headers = { ["X-Tenant"] = "crm", Authorization = hook.secret "TRACES" } },
  mail = { server = "smtp://127.0.0.1:25", from = "a@example.com", admins = { "b@example.com", "c@example.com" },
           user = "crm", password = hook.secret "SMTP" },
}
'''
ENV = {"HOOKLINE_LIMITS_EVENTS": "200", "HOOKLINE_DATA": "from-env", "HOOKLINE_VAR_REGION": "us", "HOOKLINE_VAR_PLAN": "gold",
       "HOOKLINE_TOKEN": "hush-token", "HOOKLINE_SECRET_SMTP": "hush-secret", "HOOKLINE_ALLOW_TARGET": "192.168.0.0/16"}


@pytest.fixture
def conf(folder):
    def write(text):
        (folder / "hookline.conf.lua").write_text(text)
        return folder
    return write


def settings(folder, *args, env=None):
    done = run("config", "--json", *args, cwd=folder, env=env)
    assert done.returncode == 0, done.stderr
    assert "hush" not in done.stdout
    return [(s["key"], s["value"], s["source"], s["where"]) for s in json.loads(done.stdout)["settings"]]


def test_each_value_and_where_it_came_from(conf):
    shown = settings(conf(CONF), "--data", "from-flag", "--allow-target", "127.0.0.0/8", env=ENV)
    file = ("file", "hookline.conf.lua")
    for wanted in [
        ("listen", f"127.0.0.1:9, unix:{conf(CONF)}/here.sock", *file),
        ("limits.body", "4000000", *file),
        ("limits.events", "200", "environment", "HOOKLINE_LIMITS_EVENTS"),
        ("limits.owed", "7", *file),
        ("limits.depth", "64", "default", None),
        ("limits.memory", "32MiB", "default", None),
        ("limits.step_budget", "1000000", "default", None),
        ("data", "from-flag", "flag", "--data"),
        ("rules", "rules", "default", None),
        ("retention.ids", "90d", *file),
        ("retention.audit", "365d", "default", None),
        ("retention.size", None, "default", None),
        ("network.allow", "10.0.0.0/8", *file),
        ("network.allow", "192.168.0.0/16", "environment", "HOOKLINE_ALLOW_TARGET"),
        ("network.allow", "127.0.0.0/8", "flag", "--allow-target"),
        ("vars.REGION", "eu", *file),  # of plain settings the file's wins
        ("vars.PLAN", "gold", "environment", "HOOKLINE_VAR_PLAN"),
        ("vars.CRM", "https://****@crm.example.com/x", *file),
        ('targets["https://app.example.com"].rate', "20/s", *file),
        ('targets["https://app.example.com"].proxy', 'hook.secret "PROXY"', *file),
        ("mail.admins", "b@example.com, c@example.com", *file),
        ("mail.password", 'hook.secret "SMTP"', *file),
        ("otlp.url", "http://127.0.0.1:4318/v1/traces", *file),
        ('otlp.headers["X-Tenant"]', "****", *file),  # it may let somebody in
        ('otlp.headers["Authorization"]', 'hook.secret "TRACES"', *file),
        ("log.level", "info", "default", None),
        ("HOOKLINE_TOKEN", "****", "environment", "HOOKLINE_TOKEN"),
        ("HOOKLINE_SECRET_SMTP", "****", "environment", "HOOKLINE_SECRET_SMTP"),
    ]:
        assert wanted in shown, (wanted, shown)
    assert ("vars.REGION", "us", "environment", "HOOKLINE_VAR_REGION") not in shown
    text = run("config", "--data", "from-flag", cwd=conf(CONF), env=ENV)
    lines = [line.split() for line in text.stdout.splitlines()]
    assert ["limits.events", "200", "HOOKLINE_LIMITS_EVENTS"] in lines and ["limits.depth", "64", "default"] in lines
    assert ["retention.size", "-", "default"] in lines and ["data", "from-flag", "--data"] in lines
    assert text.returncode == 0 and "hush" not in text.stdout + text.stderr


def test_without_a_file_all_is_default_and_every_key_is_there(folder):
    shown = settings(folder)
    assert {source for _, _, source, _ in shown} == {"default"}
    assert dict((key, value) for key, value, _, _ in shown)["listen"] == "127.0.0.1:8080"
    assert {"tls.cert", "targets.*.in_flight", "mail.server", "retention.payloads"} <= {key for key, *_ in shown}


def test_what_is_shown_is_what_the_host_does(serve):
    host = serve({}, config="return { limits = { events = 2 } }", env={"HOOKLINE_LIMITS_EVENTS": "1"})
    shown = settings(host.folder, env={"HOOKLINE_LIMITS_EVENTS": "1"})
    assert ("limits.events", "1", "environment", "HOOKLINE_LIMITS_EVENTS") in shown
    two = b"".join(json.dumps({"type": "deal.created", "record": {"id": n}}).encode() + b"\n" for n in (1, 2))
    assert host.call("POST", "/v1/events", two, {"Content-Type": "application/x-ndjson"}).status == 413
    assert host.call("POST", "/v1/events", two.splitlines()[0]).status == 202


def test_check_finds_every_mistake_of_the_configuration_alone(conf):
    folder = conf('return { lisen = "x", limits = { bdy = 1, events = "many" }, mail = { tls = "maybe" } }')
    env = {"HOOKLINE_LIMITS_DEPTH": "1000", "HOOKLINE_LIMITS_BODDY": "1"}
    done = run("check", "--config", cwd=folder, env=env)  # and there are no rules
    assert done.returncode == 1 and done.stderr == "", done
    for words in ("lisen: there is no such key; did you mean listen?", "limits.bdy: there is no such key; did you mean body?",
                  "limits.events: wants a whole number", "mail.tls: wants required", "HOOKLINE_LIMITS_DEPTH: wants"):
        (line,) = [line for line in done.stdout.splitlines() if words in line]
        assert line.startswith("error: "), line
    assert "warning: HOOKLINE_LIMITS_BODDY: there is no such environment variable; did you mean" in done.stdout
    shown = json.loads(run("check", "--config", "--json", cwd=folder, env=env).stdout)
    assert shown["file"] == "hookline.conf.lua" and len(shown["errors"]) == 5 and len(shown["warnings"]) == 1
    assert run("config", cwd=folder, env=env).returncode == 1


def test_check_of_a_configuration_that_is_fine(conf):
    fine = run("check", "--config", cwd=conf("return {}"))
    assert fine.returncode == 0 and fine.stdout == "hookline.conf.lua: all fine.\n" and fine.stderr == ""
    slip = {"HOOKLINE_DTA": "x"}
    assert run("check", "--config", cwd=conf("return {}"), env=slip).returncode == 0
    assert run("check", "--config", "--strict", cwd=conf("return {}"), env=slip).returncode == 1
    broken = run("check", "--config", cwd=conf("return {\n  listen = \n}"))
    assert broken.returncode == 1 and "hookline.conf.lua:3:" in broken.stdout
    said = run("check", "--config", cwd=conf('return {\n  -- events = 1\n  limits = {\n    events = "many",\n  },\n}\n')).stdout
    assert said == "error: hookline.conf.lua:4: limits.events: wants a whole number, not 'many'\n"
    raised = run("check", "--config", cwd=conf('local function give()\n  error "no"\nend\ngive()\n'))
    assert raised.returncode == 1 and raised.stdout == "error: hookline.conf.lua:2: no\n"
    nothing = run("check", "--config", cwd=conf("return {}"), env={"HOOKLINE_LISTEN": " , "})
    assert nothing.returncode == 1 and nothing.stdout == "error: HOOKLINE_LISTEN: is empty\n"


def test_check_with_another_configuration_still_checks_the_rules(conf):
    folder = conf("return {}")
    (folder / "other.lua").write_text('return { rules = "there" }')
    (folder / "there").mkdir()
    (folder / "there/w.lua").write_text("return {\n")
    done = run("check", "--config", "other.lua", cwd=folder)
    assert done.returncode == 1 and "w.lua:2:" in done.stdout


# --- docs/configuration.md ------------------------------------------------------------------------

DOC = (ROOT / "docs/configuration.md").read_text()
ROWS = tables(DOC, "| key | environment, flag | type | default |")
TYPES = {"LISTEN_ADDRESS": "address, or a list", "MODE": "octal digits", "PATH": "path", "TARGET_PATH": "path",
         "VAR": "text, number, boolean", "BLOCKS": "list of", "COUNT": "whole number, ", "TARGET_COUNT": "whole number, ",
         "BYTES": "bytes, ", "AGE": "duration, ", "TARGET_RATE": "rate", "TARGET_PROXY": "URL, or a secret", "URL": "URL",
         "LOG_LEVEL": "`debug`", "LOG_FORMAT": "`text`", "MAIL_SERVER": "URL", "MAIL_FROM": "mail address",
         "MAIL_ADMIN": "list of", "MAIL_TLS": "`required`", "TEXT": "text", "MAIL_PASSWORD": "secret",
         "OTLP_HEADER": "text, or a secret"}


def pattern(key):
    return re.sub(r'\["[^"]*"\]', ".*", re.sub(r"^vars\..*", "vars.*", key))


@pytest.mark.release_only
def test_the_document_has_each_key_with_what_sets_it_and_its_type():
    keys = configuration_keys()
    assert [(code(row[0])[0], code(row[1]), row[2][:len(TYPES[kind])]) for row, kind in zip(
        ROWS, [kind for key, *_, kind in keys if key], strict=True)] == [
        (key, [one for one in (variable, flag) if one], TYPES[kind]) for key, variable, flag, kind in keys if key]
    alone = {(code(row[0]) + [""])[0]: code(row[1]) for row in tables(DOC, "| variable | flag |")}
    known = [(variable, flag) for key, variable, flag, _ in keys if not key]
    assert set(alone) - {"", "HOOKLINE_SECRET_NAME"} == {variable for variable, _ in known}
    assert [alone[variable] for variable, flag in known if flag] == [[flag] for _, flag in known if flag]


def test_the_document_has_each_default(folder):
    shown = {key: value for key, value, _, _ in settings(folder)}
    for key, _, _, default, _ in ROWS:
        value = shown.get(code(key)[0])
        assert code(default) == ([value] if value else []), key


def test_the_document_has_the_bounds_of_each_number(conf):
    wrong = []
    for key, _, kind, *_ in ROWS:
        if kind.startswith(("whole number", "bytes", "duration")):
            path = code(key)[0].replace("targets.*", 'targets["https://a.example"]')
            wrong.append((path, re.search(r"(\w+) to (\w+)$", kind).groups(), '"1ms"' if "duration" in kind else "-1"))
    text = "local c = { targets = { ['https://a.example'] = {} }, limits = {}, retention = {} }\n"
    text += "".join(f"c.{path} = {value}\n" for path, _, value in wrong) + "return c\n"
    said = run("check", "--config", cwd=conf(text)).stdout.replace('"', "")
    for path, bounds, _ in wrong:
        (line,) = [line for line in said.splitlines() if f"{path}: ".replace('"', "") in line]
        assert re.search(r"from (\w+) to (\w+)", line).groups() == bounds, line


def test_the_documents_examples_load_and_have_every_key(conf):
    given = set()
    for language, text, line in fenced(DOC):
        assert language == "lua"
        done = run("check", "--config", cwd=conf(text))
        assert done.stdout == "hookline.conf.lua: all fine.\n" and done.stderr == "", (line, done)
        given |= {pattern(key) for key, _, source, _ in settings(conf(text)) if source == "file"}
    assert given == {code(row[0])[0] for row in ROWS}


def test_a_change_of_the_file_is_in_force_after_a_restart(serve):
    host = serve({}, config="return { limits = { events = 1 } }")
    two = b"".join(json.dumps({"type": "deal.created", "record": {"id": n}}).encode() + b"\n" for n in (1, 2))

    def answered():
        return host.call("POST", "/v1/events", two, {"Content-Type": "application/x-ndjson"}).status
    (host.folder / "hookline.conf.lua").write_text("return { limits = { events = 2 } }")
    assert host.call("POST", "/v1/reload").status == 200 and answered() == 413
    host.signal(signal.SIGHUP)
    until(lambda: "SIGHUP" in host.log())
    assert answered() == 413
    host.stop()
    host.start()
    assert answered() == 202
