"""`hookline config` and `hookline check --config`: what is in force, where it came from, and what is wrong."""
import json

import pytest
from support.host import run

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
