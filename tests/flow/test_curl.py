"""The curl command that `hookline try` prints sends what the host would send, and holds no secret."""
import json
import os
import shutil
import subprocess

import pytest

from support.host import BINARY

SECRET = "p w+'%$HOME\"ü"
AUTHS = {
    "basic": 'hook.basic("crm user", hook.secret "KEY")',
    "bearer": 'hook.bearer(hook.secret "KEY")',
    "api key": 'hook.api_key(hook.secret "KEY", { header = "X-Api-Key", prefix = "k=" })',
}
BODIES = {
    "quotes": 'content = function() return { a = [[it\'s "quoted" \\ $HOME `id` !!]], b = "\\n\\t" } end',
    "text with white space": 'content = function() return "[1,\\n\\t\\"it\'s\\" ]" end',
    "large": 'content = function() return { a = ("x\'\\n"):rep(70000) } end',
    "fields": 'content = hook.fields { "name", "amount" }',
}


def try_send(folder, receiver, webhook, env):
    (folder / "rules").mkdir()
    rule = folder / "rules/w.lua"
    rule.write_text('local hook = require "hookline"\nreturn hook.workflow { record = "deal",\n'
                    '  trigger = hook.every { "created" }, actions = { hook.webhook {\n'
                    f'  url = "{receiver.url}/a?b=%7Bc%7D", {webhook} }} }} }}\n')
    ran = subprocess.run([BINARY, "try", rule, "--data", folder / "data", "--send", "--json",
                          "--allow-target", "127.0.0.0/8"], capture_output=True, env=env, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return json.loads(ran.stdout)["requests"][0]


def paste(folder, shell, command, env):
    (folder / "pasted").write_text(command)
    subprocess.run([shell, folder / "pasted"], check=True, env=env, stdout=subprocess.DEVNULL, timeout=60)


def same(sent, pasted):
    assert (pasted.method, pasted.path, pasted.body) == (sent.method, sent.path, sent.body)
    assert pasted.headers == sent.headers


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize("place", ["file", "environment"])
@pytest.mark.parametrize("auth", AUTHS)
@pytest.mark.parametrize("body", BODIES)
def test_the_pasted_command_sends_the_same(folder, receiver, body, auth, place, shell):
    env = dict(os.environ)
    if place == "file":
        subprocess.run([BINARY, "secrets", "set", "KEY", "--data", folder / "data"], check=True,
                       input=SECRET.encode(), stderr=subprocess.DEVNULL)
    else:
        env["HOOKLINE_SECRET_KEY"] = SECRET
    request = try_send(folder, receiver, f'method = "POST", encoding = "json", auth = {AUTHS[auth]}, '
                       f'headers = {{ ["X-It\'s"] = "a\'b $HOME \\\\" }}, {BODIES[body]}', env)
    assert "p w" not in json.dumps(request)
    paste(folder, shell, request["curl"], env)
    same(*receiver.wait(2))


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_without_a_body(folder, receiver, method):
    env = {**os.environ, "HOOKLINE_SECRET_KEY": "s3cret"}
    request = try_send(folder, receiver, f'method = "{method}", headers = {{ ["X-Empty"] = "" }}, '
                       'auth = hook.api_key(hook.secret "KEY", { query = "api key" })', env)
    assert "s3cret" not in json.dumps(request)
    paste(folder, "sh", request["curl"], env)
    sent, pasted = receiver.wait(2)
    assert sent.path == "/a?b=%7Bc%7D&api%20key=s3cret"
    same(sent, pasted)
