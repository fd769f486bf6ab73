"""A secret that rules name and nobody has set is told when they are loaded, not first by a webhook that fails."""
import json
import signal

import pytest
from support.host import run
from support.receiver import Answer
from support.rules import deal, workflow
from support.waiting import until

SIGNED = 'hook.secret "NEWS_KEY"'
URL = "https://app.example.com/x"
ADVICE = "run `hookline secrets set NEWS_KEY` or set HOOKLINE_SECRET_NEWS_KEY, then `hookline reload`"


def warnings(host):
    return [line["message"] for line in host.log_lines() if line["level"] == "warn" and "secret" in line["message"]]


def shown(host, id):
    return host.call("GET", f"/v1/workflows/{id}").json()["missing_secrets"]


def set_secret(host, name, value="s3cret-value"):
    assert run("secrets", "set", name, "--data", host.data, input=value).returncode == 0


def test_the_start_and_each_reload_tell_it_once(serve):
    rules = {"a.lua": workflow(URL, sign=SIGNED), "b.lua": workflow(URL, sign=f'{{ {SIGNED}, hook.secret "OLD" }}')}
    host = serve(rules, env={"HOOKLINE_SECRET_OLD": "an-old-key"})
    wanted = f"{host.rules_dir}/a.lua: the secret NEWS_KEY is not set: {ADVICE}"
    assert warnings(host) == [wanted]
    assert shown(host, "a") == shown(host, "b") == ["NEWS_KEY"]
    listed = host.call("GET", "/v1/workflows").json()["workflows"]
    assert [workflow["missing_secrets"] for workflow in listed] == [["NEWS_KEY"], ["NEWS_KEY"]]
    said = run("workflows", "show", "b", "--data", host.data).stdout
    assert "no secret  NEWS_KEY" in said and "OLD" not in said, said
    assert host.call("POST", "/v1/reload").status == 200
    until(lambda: warnings(host) == [wanted] * 2, "the reload's warning")
    set_secret(host, "NEWS_KEY")
    assert host.call("POST", "/v1/reload").status == 200
    assert shown(host, "a") == shown(host, "b") == [] and len(warnings(host)) == 2
    assert "no secret" not in run("workflows", "show", "b", "--data", host.data).stdout
    (host.data / "secrets/NEWS_KEY").unlink()
    host.process.send_signal(signal.SIGHUP)
    until(lambda: warnings(host) == [wanted] * 3, "the warning after SIGHUP")


@pytest.mark.parametrize("keys", [
    {"auth": 'hook.basic("crm", hook.secret "NEWS_KEY")'},
    {"auth": 'hook.bearer(hook.secret "NEWS_KEY")'},
    {"auth": 'hook.api_key(hook.secret "NEWS_KEY", { query = "key" })'},
    {"auth": 'hook.oauth2 { token_url = "https://t.example.com/t", client_id = "c", client_secret = hook.secret "NEWS_KEY" }'},
    {"headers": '{ ["X-Key"] = "Key " .. hook.secret "NEWS_KEY" }'},
    {"sign": SIGNED},
    {"sign": 'hook.hmac { header = "X-Mac", key = hook.secret "NEWS_KEY" }'},
    {"headers": '{ ["X-Id"] = "{{ deal.id }}" }', "sign": SIGNED},
])
def test_every_place_of_a_secret_is_seen(folder, keys):
    (folder / "rules").mkdir()
    (folder / "data").mkdir()
    (folder / "rules/w.lua").write_text(workflow(URL, **keys))
    done = run("check", cwd=folder)
    assert done.returncode == 0 and f"rules/w.lua: warning: the secret NEWS_KEY is not set: {ADVICE}" in done.stdout, done.stdout
    assert run("check", "--strict", cwd=folder).returncode == 1
    (fault,) = json.loads(run("check", "--json", cwd=folder).stdout)["warnings"]
    assert fault["file"] == "rules/w.lua" and "NEWS_KEY" in fault["message"]
    tried = run("try", "rules/w.lua", cwd=folder)
    assert tried.returncode == 0 and f"hookline: warning: the secret NEWS_KEY is not set: {ADVICE}" in tried.stderr, tried.stderr
    assert "warning" not in run("check", cwd=folder, env={"HOOKLINE_SECRET_NEWS_KEY": "long-enough"}).stdout


def test_where_no_host_has_its_data_nothing_is_told(folder):
    (folder / "rules").mkdir()
    (folder / "rules/w.lua").write_text(workflow(URL, sign=SIGNED))
    assert run("check", "--strict", cwd=folder).returncode == 0
    assert "NEWS_KEY" not in run("try", "rules/w.lua", cwd=folder).stderr


def test_a_source_names_its_secret_too(serve):
    source = ('local hook = require "hookline"\nreturn hook.source { verify = hook.verify.token(hook.secret "HUB"),\n'
              '  events = function(request) return {} end }\n')
    host = serve({"sources/hub.lua": source})
    assert ["sources/hub.lua: the secret HUB is not set" in line for line in warnings(host)] == [True], host.log()


def test_the_failed_attempt_says_it_in_the_same_words(serve, receivers):
    receiver = receivers(lambda request: Answer(200, {}, b""))
    host = serve({"w.lua": workflow(receiver.url, sign=SIGNED)}, test_clock=True)
    (id,) = host.accept(deal(1))[0]["deliveries"]
    attempt = host.until_state(id, "retrying")["attempts"][0]
    assert attempt["error"] == "secret_missing" and ADVICE in attempt["detail"]
