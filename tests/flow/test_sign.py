"""Signatures of webhooks, verified by Python's hmac: Standard Webhooks 1.0.0 and the forms of others."""
import base64
import hashlib
import hmac
import json
import shutil
import subprocess
import time

import pytest
from support.docs import PROGRAM_ENVIRONMENT, fenced
from support.host import ROOT, run
from support.rules import deal, workflow

RAW = b"\x00\xffsixteen bytes..!"
SECRETS = {"HOOKLINE_SECRET_OLD": "an old key", "HOOKLINE_SECRET_NEW": "whsec_" + base64.b64encode(RAW).decode()}


def mac(key, text):
    return hmac.new(key, text, hashlib.sha256)


def standard(key, request, body=None):
    """The signature as the specification has it."""
    text = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode()
    return "v1," + base64.b64encode(mac(key, text + (request.body if body is None else body)).digest()).decode()


def test_standard_webhooks_with_two_keys_and_a_new_time_for_each_attempt(serve, receivers):
    receiver = receivers(lambda request: 503 if request.number == 1 else 200)
    host = serve({"w.lua": workflow(receiver.url, sign='{ hook.secret "NEW", hook.secret "OLD" }')}, test_clock=True,
                 env=SECRETS)
    (id,) = host.accept(deal(1, name="Ünïcode \x00"))[0]["deliveries"]
    host.until_state(id, "retrying")
    host.advance("20s")
    host.until_state(id, "delivered")
    first, second = receiver.wait(2)
    for request in (first, second):
        assert request.headers["webhook-id"] == id
        assert request.headers["webhook-signature"] == f"{standard(RAW, request)} {standard(b'an old key', request)}"
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) >= 15
    shown = host.call("GET", f"/v1/deliveries/{id}").json()
    assert shown["attempts"][0]["request_sent"]["headers"]["webhook-signature"] == "v1,**** v1,****"


def test_a_request_without_a_body_is_signed_too(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url, method='"DELETE"', encoding=None, content=None,
                                    sign='hook.secret "OLD"')}, env=SECRETS)
    host.accept(deal(1))
    (request,) = receiver.wait()
    assert request.headers["webhook-signature"] == standard(b"an old key", request, b"")


FORMS = {
    "github": ('header = "X-Hub-Signature-256", value = "sha256={signature}"',
               lambda r: ("x-hub-signature-256", "sha256=" + mac(b"an old key", r.body).hexdigest())),
    "stripe": ('header = "Stripe-Signature", signed = "{timestamp}.{body}", value = "t={timestamp},v1={signature}"',
               lambda r: ("stripe-signature", "t=%s,v1=%s" % (
                   r.headers["webhook-timestamp"],
                   mac(b"an old key", r.headers["webhook-timestamp"].encode() + b"." + r.body).hexdigest()))),
    "shopify": ('header = "X-Shopify-Hmac-Sha256", encoding = "base64"',
                lambda r: ("x-shopify-hmac-sha256", base64.b64encode(mac(b"an old key", r.body).digest()).decode())),
    "slack": ('header = "X-Slack-Signature", signed = "v0:{timestamp}:{body}", value = "v0={signature}", '
              'timestamp_header = "X-Slack-Request-Timestamp"',
              lambda r: ("x-slack-signature", "v0=" + mac(
                  b"an old key", b"v0:" + r.headers["x-slack-request-timestamp"].encode() + b":" + r.body).hexdigest())),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_forms_of_others(serve, receiver, form):
    options, wanted = FORMS[form]
    host = serve({"w.lua": workflow(receiver.url, sign=f'hook.hmac {{ key = hook.secret "OLD", {options} }}')},
                 env=SECRETS)
    host.accept(deal(1))
    (request,) = receiver.wait()
    name, value = wanted(request)
    assert request.headers[name] == value and "webhook-signature" not in request.headers


@pytest.mark.parametrize("secrets, words", [
    ({}, "SIGNING"), ({"HOOKLINE_SECRET_SIGNING": "whsec_not base64"}, "no base64"),
    ({"HOOKLINE_SECRET_SIGNING": "whsec_"}, "is empty"), ({"HOOKLINE_SECRET_SIGNING": ""}, "is empty")])
def test_a_key_that_cannot_sign_is_a_failed_attempt(serve, receiver, secrets, words):
    host = serve({"w.lua": workflow(receiver.url, sign='hook.secret "SIGNING"')}, test_clock=True, env=secrets)
    (id,) = host.accept(deal(1))[0]["deliveries"]
    attempt = host.until_state(id, "retrying")["attempts"][0]
    assert attempt["error"] == "secret_missing" and words in json.dumps(attempt), attempt
    assert receiver.requests == []


@pytest.mark.parametrize("value, words", [
    ('"text"', 'hook.secret "NAME"'), ('{ "a" }', "hook.secret"), ("{}", "at least"),
    ('"v1 " .. hook.secret "A"', "stands alone"),
    ('{ hook.secret "A", hook.secret "B", hook.secret "C" }', "at most 2"),
    ('hook.hmac { header = "X-A", key = hook.secret "A", signed = "{bdy}" }', "there is no {bdy}"),
    ('hook.hmac { header = "X-A", key = hook.secret "A", value = "x" }', "has no {signature}"),
    ('hook.hmac { header = "webhook-id", key = hook.secret "A" }', "set by the host"),
    ('hook.hmac { key = hook.secret "A" }', "sign.header: is missing"),
    ('hook.hmac { header = "X-A", key = hook.secret "A", timestamp_header = "x-a" }', "another one"),
    ('hook.hmac { header = "Content-Type", key = hook.secret "A" }', "drop one"),
])
def test_what_is_no_signature_is_told(folder, value, words):
    rules = folder / "rules"
    rules.mkdir()
    (rules / "w.lua").write_text(workflow("https://a.example/", sign=value))
    done = run("check", "--rules", rules)
    assert done.returncode == 1 and words in done.stdout, done.stdout


# What each receiver of docs/receiving.md is run with: it prints of each request whether it is good.
RUNNERS = {
    "python": (["/usr/bin/python3"], "x.py", """
import json, sys
for q in json.load(open(sys.argv[1])):
    print(is_good(q["secret"], q["headers"], q["body"].encode(), q["now"]))
"""),
    "js": (["node"], "x.js", """
for (const q of JSON.parse(require("node:fs").readFileSync(process.argv[2])))
  console.log(isGood(q.secret, q.headers, Buffer.from(q.body), q.now));
"""),
    "php": (["php", "-d", "error_reporting=-1", "-d", "display_errors=1"], "x.php", """
foreach (json_decode(file_get_contents($argv[1]), true) as $q) {
    echo is_good($q["secret"], $q["headers"], $q["body"], $q["now"]) ? "true\\n" : "false\\n";
}
"""),
    "go": (["go", "run"], "x.go", """
type request struct {
	Secret, Body string
	Headers      map[string]string
	Now          int64
}

func main() {
	text, _ := os.ReadFile(os.Args[1])
	var requests []request
	if err := json.Unmarshal(text, &requests); err != nil {
		panic(err)
	}
	for _, q := range requests {
		headers := http.Header{}
		for name, value := range q.Headers {
			headers.Set(name, value)
		}
		fmt.Println(IsGood(q.Secret, headers, []byte(q.Body), q.Now))
	}
}
"""),
}


def forged(request, key):
    """The request, signed by somebody who takes the receiver's key for `key`."""
    headers = request["headers"]
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{request['body']}".encode()
    return request | {"headers": headers | {"webhook-signature": "v1," + base64.b64encode(mac(key, text).digest()).decode()}}


@pytest.mark.release_only
@pytest.mark.parametrize("language", RUNNERS)
def test_the_receivers_of_the_document(serve, receiver, folder, language):
    command, name, frame = RUNNERS[language]
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not here")
    (text,) = [text for kind, text, _ in fenced((ROOT / "docs/receiving.md").read_text()) if kind == language]
    text = text.replace("package receiver", "package main").replace("import (", 'import (\n"encoding/json"\n"fmt"\n"os"')
    (folder / name).write_text(text + frame)
    host = serve({"w.lua": workflow(receiver.url, sign='{ hook.secret "NEW", hook.secret "OLD" }')}, env=SECRETS)
    host.accept(deal(1, name="Ünïcode"))
    (request,) = receiver.wait()
    good = {"headers": dict(request.headers), "body": request.body.decode(), "now": int(time.time()), "secret": "an old key"}
    without = [{k: v for k, v in good["headers"].items() if k != gone}
               for gone in ("webhook-id", "webhook-timestamp", "webhook-signature")]
    asked = [good | {"secret": secret} for secret in SECRETS.values()]
    asked += [good | {"secret": "another"}, good | {"body": "{}"}, good | {"now": good["now"] + 400}, good | {"now": good["now"] - 400}]
    asked += [good | {"headers": headers} for headers in without]
    asked += [good | {"headers": good["headers"] | bad} for bad in (
        {"webhook-signature": "v1,ünïcode"}, {"webhook-signature": ""}, {"webhook-timestamp": "now"}, {"webhook-timestamp": ""})]
    asked += [forged(good, b"") | {"secret": secret} for secret in ("", "whsec_", "whsec_*")]
    (folder / "q.json").write_text(json.dumps(asked))
    done = subprocess.run([*command, folder / name, folder / "q.json"], capture_output=True, text=True, check=True,
                          env={**PROGRAM_ENVIRONMENT, "HOME": str(folder)})
    assert done.stdout.lower().split() == ["true"] * 2 + ["false"] * (len(asked) - 2), done
