"""The scenario hookline was asked for with: a won deal makes an invoice, once."""
import base64
import json
import subprocess

from support.rules import deal, workflow

SECRET = "s3cret-of-the-invoice-app"


def invoice(url):
    return workflow(
        url + "/api/invoices", wf_name='"Generate invoice when deal is won using Webhooks"',
        wf_trigger='"Once, when it\'s created or updated"',
        wf_when='hook.all { field "deal_stage":is_in { "Default Pipeline:Won" } }',
        wf_retry='hook.retry { { "1s", "2s" }, { "4s" } }',
        auth='hook.basic("crm", hook.secret "INVOICE_PASSWORD")',
        headers='[[\n  X-Sample-CustomHeader1: VALUE\n  X-Sample-CustomHeader2 : TWO\n]]',
        content='hook.fields { "amount", "closed_date", "created_at", "product", "sales_account.name" }')


def won(number, stage="Default Pipeline:Won", **keys):
    return deal(number, deal_stage=stage, closed_date="2026-11-23", created_at="2026-10-01T08:00:00Z",
                product="Gold plan", sales_account={"id": 88, "name": "Acme Inc"},
                previous={"deal_stage": "Default Pipeline:Negotiation"}, **keys)


def test_a_won_deal_makes_one_invoice(serve, receivers):
    receiver = receivers(lambda request: 503 if request.number == 1 else 201)
    host = serve({"invoice.lua": invoice(receiver.url)}, test_clock=True,
                 env={"HOOKLINE_SECRET_INVOICE_PASSWORD": SECRET})
    assert host.accept(won(4021, stage="Default Pipeline:Lost"))[0]["deliveries"] == []
    answer = host.accept(won(4021, event_id="crm-1"))[0]
    receiver.wait(1)
    host.until_state(answer["deliveries"][0], "retrying")
    host.advance("2s")
    first, second = receiver.wait(2)
    assert host.accept(won(4021, event_id="crm-2"))[0]["deliveries"] == [], "once for each record"
    assert host.accept(won("4021", event_id="crm-3"))[0]["deliveries"] == [], "4021 and '4021' are one record"
    assert len(host.accept(won(4022))[0]["deliveries"]) == 1

    assert (first.method, first.path) == ("POST", "/api/invoices")
    assert first.json() == {"amount": 12500.5, "closed_date": "2026-11-23", "created_at": "2026-10-01T08:00:00Z",
                            "product": "Gold plan", "sales_account": {"name": "Acme Inc"}}
    assert list(json.loads(first.body)) == ["amount", "closed_date", "created_at", "product", "sales_account"]
    assert first.headers["authorization"] == "Basic " + base64.b64encode(f"crm:{SECRET}".encode()).decode()
    assert first.headers["content-type"] == "application/json"
    assert first.headers["x-sample-customheader1"] == "VALUE"
    assert first.headers["x-sample-customheader2"] == "TWO"
    assert first.headers["user-agent"].startswith("hookline/")
    assert first.id == answer["deliveries"][0]
    assert (second.method, second.path, second.body, second.id) == (first.method, first.path, first.body, first.id)
    changed = {name for name in first.headers if first.headers[name] != second.headers.get(name)}
    assert changed == {"webhook-timestamp"} and set(first.headers) == set(second.headers)

    shown = host.until_state(answer["deliveries"][0], "delivered")
    assert [a["response_received"]["status"] for a in shown["attempts"]] == [503, 201]
    assert shown["workflow"] == "invoice" and shown["event"] == "crm-1" and shown["action"] == 1
    assert shown["record"] == {"type": "deal", "id": 4021} and shown["target"] == receiver.url
    assert SECRET not in json.dumps(shown) and "****" in json.dumps(shown["attempts"][0]["request_sent"])


def test_a_secret_is_written_nowhere(serve, receivers):
    from support.receiver import Answer
    receiver = receivers(lambda request: Answer(200, {"X-Echo": request.headers["authorization"]},
                                                request.headers["authorization"].encode() + SECRET.encode()))
    host = serve({"invoice.lua": invoice(receiver.url)}, env={"HOOKLINE_SECRET_INVOICE_PASSWORD": SECRET})
    answer = host.accept(won(1))[0]
    shown = host.until_state(answer["deliveries"][0], "delivered")
    encoded = base64.b64encode(f"crm:{SECRET}".encode()).decode()
    for text in (SECRET, encoded, base64.b64encode(SECRET.encode()).decode()):
        assert text not in json.dumps(shown)
        for path in (host.data, host.log_path, host.out_path):
            found = subprocess.run(["grep", "-rlaF", text, path], capture_output=True, text=True)
            assert found.stdout == "", "a secret is in a file"


def test_a_missing_secret_is_a_failed_attempt_that_says_so(serve, receiver):
    host = serve({"invoice.lua": invoice(receiver.url)}, test_clock=True)
    id = host.accept(won(1))[0]["deliveries"][0]
    attempt = host.until_state(id, "retrying")["attempts"][0]
    assert attempt["error"] == "secret_missing" and receiver.requests == []
    secret = host.data / "secrets/INVOICE_PASSWORD"
    secret.parent.mkdir(mode=0o700, exist_ok=True)
    secret.write_text(SECRET + "\n")
    secret.chmod(0o600)
    host.call("POST", "/v1/reload")
    host.advance("1m")
    assert receiver.wait()[0].headers["authorization"].startswith("Basic ")
