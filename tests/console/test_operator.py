"""Targets, the audit log, tokens."""
from support.waiting import until


def test_targets(admin, world):
    target = world.busy.url
    admin.open("targets", "Targets").see(world.invoices.url, target, "closed", "status 503", "no limit")
    admin.judge("targets")
    admin.click("button", f"Pause {target}").see(f"Nothing is sent to {target}.", "paused")
    try:
        assert world.host.call("GET", "/v1/targets").json()["targets"]
        admin.open(f"deliveries/{world.retrying[2]}", world.retrying[2]).see("held", "is paused")
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
    admin.open("audit?until=30d", "Audit").see("Nothing was done in that time.")


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
