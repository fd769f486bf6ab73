"""Targets, the audit log, tokens."""
import json

from support.host import run
from support.waiting import until


def test_targets(admin, world):
    target = world.busy.url
    admin.open("targets", "Targets").see(world.invoices.url, target, "closed", "status 503, failing since", "no limit")
    admin.judge("targets")
    admin.click("button", f"Pause {target}").see(f"Nothing is sent to {target}.", "paused")
    try:
        assert world.host.call("GET", "/v1/targets").json()["targets"]
        admin.open(f"deliveries/{world.retrying[2]}", world.retrying[2]).see("held", "is paused")
        admin.open("targets", "Targets").click("link", "Who paused it, and when").see_heading("Audit")
        admin.see("target.pause", "not paused → paused")
        admin.open("targets", "Targets")
        admin.click("button", f"Resume {target}").see(f"{target} goes on.")
    finally:
        world.host.call("POST", f"/v1/targets/{target.replace(':', '%3A').replace('/', '%2F')}/resume")
    admin.click("link", world.gone.url).see_heading("Deliveries")
    until(lambda: world.terminated[0] in admin.text or "Older" in admin.text, "its deliveries")


def test_audit(admin, world):
    world.host.call("POST", "/v1/workflows/score_lead/deactivate")
    world.host.call("POST", "/v1/workflows/score_lead/follow-file")
    admin.open("audit", "Audit").see("workflow.deactivate", "score_lead", "stopped by an operator", "127.0.0.1", "admin")
    admin.judge("audit")
    admin.click("link", "score_lead").see_heading("Score a lead")
    admin.open("audit?until=30d", "Audit").see("Nothing that was done matches these filters.")


def test_the_filters_of_the_audit_log(admin, world):
    world.host.call("POST", "/v1/workflows/old_app/deactivate")
    world.host.call("POST", "/v1/workflows/old_app/follow-file")
    world.host.call("POST", "/v1/workflows/score_lead/reset?record=7")
    admin.open("audit", "Audit").see("workflow.reset", "workflow.deactivate")
    admin.tab_to("What").press(*"workflow.deactivate", "ENTER")
    admin.see_no("workflow.reset").see("old_app", "workflow.deactivate")
    assert admin.hash == "#/audit?act=workflow.deactivate"
    admin.fill("To", "score_lead").send_keys("\n")
    admin.see_no("old_app")
    admin.open("audit?act=workflow&subject=score_lead", "Audit").see("score_lead record 7")
    admin.see_no("old_app")
    assert admin.find("field", "What").get_attribute("value") == "workflow"
    admin.judge("audit-filters")
    admin.click("link", "score_lead record 7").see_heading("Score a lead")
    admin.open("audit?who=nobody", "Audit").see("Nothing that was done matches these filters.")
    admin.click("button", "Clear").see("workflow.reset")
    assert admin.hash == "#/audit"


def test_the_export_of_the_audit_log(admin, world, tmp_path):
    for act in ("deactivate", "activate", "deactivate", "activate", "follow-file"):
        assert world.host.call("POST", f"/v1/workflows/sync_contacts/{act}").status == 200
    assert world.host.call("POST", "/v1/workflows/old_app/follow-file").status == 200
    admin.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    admin.driver.execute_script(  # so that it takes several pages
        "const real = fetch; window.fetch = (path, more) => real(path.replace('limit=1000', 'limit=2'), more)")
    admin.open("audit?act=workflow&subject=sync_contacts", "Audit")
    admin.tab_to("Export").press("ENTER").see("5 rows in audit.ndjson.")
    assert admin.focused() == "Export"
    saved = tmp_path / "audit.ndjson"
    until(saved.exists, "the file")
    rows = world.host.call("GET", "/v1/audit?act=workflow&subject=sync_contacts").json()["audit"]
    assert [json.loads(line) for line in saved.read_text().splitlines()] == rows
    printed = run("audit", "--all", "--act", "workflow", "--subject", "sync_contacts", "--data", world.host.data)
    assert saved.read_text() == printed.stdout


def test_a_token_is_shown_once(admin, world):
    admin.open("tokens", "Tokens")
    admin.click("button", "Add a token…")
    admin.judge("token-add")
    admin.fill("Name", "ci of the shop")
    admin.click("button", "Add").see("a name has letters")
    assert admin.driver.find_element("css selector", "dialog [role=alert] .toast").is_displayed()
    admin.fill("Name", "ci-of-the-shop")
    admin.choose("Role", "read")
    admin.fill("Expires in", "90d")
    admin.press("ENTER").see("This is shown once.")
    secret = admin.driver.find_element("css selector", ".secret-once").text
    admin.judge("token-made")
    reply = world.host.call("GET", "/v1/status", headers={"Authorization": f"Bearer {secret}"})
    assert reply.status == 200
    admin.click("button", "I have it")
    until(lambda: secret not in admin.driver.page_source, "it is gone")
    admin.see("ci-of-the-shop", "read")
    admin.judge("tokens")
    admin.click("button", "Revoke ci-of-the-shop").see("This cannot be taken back.")
    admin.click("button", "Revoke").see("ci-of-the-shop is good no more.", "revoked")
    refused = world.host.call("GET", "/v1/status", headers={"Authorization": f"Bearer {secret}"})
    assert refused.status == 401
