"""What is done in the console: filters, pages, resend, cancel, in bulk, explain, replay, copy."""
from support.waiting import until
from world import SECRET, deal, event


def ids(console):
    return console.driver.execute_script(
        "return [...document.querySelectorAll('tbody td.col-id a')].map((a) => a.textContent)")


def test_filters_live_in_the_url(admin, world):
    admin.open("deliveries", "Deliveries")
    admin.choose("State", "terminated")
    until(lambda: sorted(ids(admin)) == sorted(world.terminated), "those that were given up")
    assert admin.hash == "#/deliveries?state=terminated"
    admin.fill("Record", "3").send_keys("\n")
    until(lambda: ids(admin) == [world.terminated[2]], "one of them")
    assert admin.hash == "#/deliveries?state=terminated&record=3"
    admin.driver.refresh()
    until(lambda: ids(admin) == [world.terminated[2]], "a link can be shared")
    assert admin.find("field", "Record").get_property("value") == "3"
    admin.driver.back()
    until(lambda: sorted(ids(admin)) == sorted(world.terminated), "the filters before")
    assert admin.find("field", "Record").get_property("value") == ""
    admin.click("button", "Clear")
    until(lambda: world.delivered[-1] in ids(admin), "all")
    admin.fill("Made since", "nonsense").send_keys("\n")
    admin.see("since, until: a time as 2026-11-23T09:15:00Z")


def test_pages_of_a_list(admin, world):
    world.host.accept(*[event(100 + n, "appointment") for n in range(60)])
    admin.open("deliveries?workflow=old_app", "Deliveries")
    first = until(lambda: (found := ids(admin)) and len(found) == 50 and found, "a page")
    admin.click("link", "Older")
    second = until(lambda: (found := ids(admin)) and len(found) == 15 and found, "the next page")
    assert not set(first) & set(second) and set(world.terminated) <= set(second)
    admin.driver.back()
    until(lambda: len(ids(admin)) == 50, "the page before")
    admin.driver.forward()
    admin.click("link", "Newest")
    until(lambda: ids(admin) == first, "the first page")


def test_new_deliveries_appear(admin, world):
    admin.open("deliveries?workflow=invoice_on_won_deal", "Deliveries")
    until(lambda: ids(admin), "the list")
    [answer] = world.host.accept(deal(200))
    until(lambda: ids(admin)[0] == answer["deliveries"][0], "the new one, at the top")
    admin.see("delivered")


def test_resend(admin, world):
    id = world.delivered[1]
    before = len([r for r in world.invoices.requests if r.id == id])
    admin.open(f"deliveries/{id}", id)
    admin.click("button", "Resend").see("It is sent again, with the same webhook-id.", "Attempt 2")
    until(lambda: len([r for r in world.invoices.requests if r.id == id]) == before + 1, "it arrives again")


def test_cancel(admin, world):
    [answer] = world.host.accept(event(50, "contact"))
    [id] = answer["deliveries"]
    admin.open(f"deliveries/{id}", id).see("is due")
    admin.click("button", "Cancel").see("Cancelled.", "cancelled")
    assert world.host.delivery(id)["state"] == "cancelled"
    assert admin.driver.find_elements("xpath", "//main//button[.='Cancel']") == []


def test_attempts_of_a_delivery(admin, world):
    id = world.retrying[0]
    admin.open(f"deliveries/{id}", id).see("503", "the receiver answered 503", "Next attempt", "<name>contact 1</name>")
    admin.click("button", "As sent").see("<contact><id>1</id><name>contact 1</name></contact>")
    gone = world.terminated[0]
    admin.open(f"deliveries/{gone}", gone).see("terminated", "410", world.host.delivery(gone)["reason"])


def test_in_bulk(admin, world):
    answers = world.host.accept(*[event(n, "contact") for n in range(60, 72)])
    mine = [a["deliveries"][0] for a in answers]
    admin.open("deliveries?workflow=sync_contacts&since=2h", "Deliveries")
    wanted = len([d for d in world.host.deliveries("&workflow=sync_contacts") if d["state"] in ("pending", "retrying")])
    admin.click("button", "Cancel all…").see(f"{wanted} deliveries can be cancelled", "workflow sync_contacts, since 2h")
    admin.judge("bulk")
    for _ in range(4):  # the focus stays inside
        admin.press("TAB")
        inside = admin.driver.execute_script(
            "return document.activeElement === document.body || !!document.activeElement.closest('dialog')")
        assert inside
    admin.press("ESCAPE")
    until(lambda: admin.driver.find_elements("css selector", "dialog") == [], "it is closed")
    assert admin.focused() == "Cancel all…", "the focus is back"
    assert world.host.delivery(mine[0])["state"] != "cancelled"
    admin.press("ENTER")
    admin.click("button", f"Cancel {wanted}").see(f"{wanted} deliveries cancelled.")
    assert {world.host.delivery(id)["state"] for id in mine} == {"cancelled"}
    admin.choose("State", "cancelled")
    until(lambda: mine[0] in ids(admin), "the cancelled ones")
    admin.click("button", "Resend all…")
    admin.click("button", "Resend ").see("resent.")
    until(lambda: all(world.host.delivery(id)["state"] != "cancelled" for id in mine), "they are owed again")


def test_the_tree_of_an_event_and_a_replay(admin, world):
    id = "crm-88002"
    admin.open(f"events/{id}", id).see("invoice_on_won_deal", world.delivered[1], "delivered", "201")
    admin.click("button", "Replay…").see("Also workflows that fire once")
    admin.judge("replay")
    admin.click("button", "Replay").see("Nothing new is owed. Not again, since they fire once: invoice_on_won_deal.")
    admin.click("button", "Replay…")
    admin.choose("Workflow", "invoice_on_won_deal")
    admin.find("field", "Also workflows").click()
    admin.click("button", "Replay").see("1 new delivery.", "replay")
    new = world.host.event(id)["runs"][-1]["deliveries"][0]
    admin.click("link", new).see_heading(new)


def test_why_a_workflow_did_not_fire(admin):
    admin.open("events/crm-88090", "crm-88090").see("No workflow fired.")
    admin.click("button", "Explain").see("invoice_on_won_deal does not fire", '"Default Pipeline:Lost"')
    admin.judge("explain-no")


def test_why_nothing_was_sent_though_the_conditions_hold(admin, world):
    world.host.accept({**deal(1, amount=7001), "id": "once-2"})
    admin.open("events/once-2", "once-2").click("button", "Explain")
    admin.see("hook.once has fired for this record already (event crm-88001)")
    admin.open("events/crm-88001", "crm-88001").click("button", "Explain")
    admin.see("invoice_on_won_deal fires")


def test_what_a_run_raised(admin):
    admin.open("events/lead-1", "lead-1").see("score_lead", "error", "attempt to compare")


def test_a_number_is_shown_as_it_was_written(admin, world):
    body = b'{"id":"exact","type":"deal.created","record":{"id":9007199254740993,"amount":12500.50}}'
    assert world.host.call("POST", "/v1/events", body).status == 202
    admin.open("events/exact", "exact").see("12500.50", '"id": 9007199254740993', "deal 9007199254740993")
    admin.open("events", "Events").see("deal 9007199254740993")


def test_copying(admin, world):
    def clipboard():
        return admin.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    admin.driver.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
    admin.open(f"deliveries/{world.delivered[2]}", world.delivered[2])
    admin.click("button", "Copy request body").see("Copied request body.")
    sent = next(r for r in world.invoices.requests if r.id == world.delivered[2])
    assert clipboard() == sent.body.decode()
    admin.click("button", "Copy as curl").see("Copied the request as a curl command.")
    assert clipboard().startswith(f"curl -sS -i -g -X POST '{world.invoices.url}/api/invoices' \\\n  -H 'Content-Type: application/json'")
    assert clipboard().endswith(f"--data-binary '{sent.body.decode()}'") and "Basic ****" in clipboard()


def test_a_secret_is_nowhere(admin, world):
    for route in (f"deliveries/{world.delivered[0]}", "events/crm-88001", "deliveries", ""):
        admin.open(route).see("hookline")
        until(lambda: "Loading…" not in admin.text, "what is loaded")
        assert SECRET not in admin.driver.page_source and world.host.token not in admin.driver.page_source
    admin.open(f"deliveries/{world.delivered[0]}").see("Basic ****")
