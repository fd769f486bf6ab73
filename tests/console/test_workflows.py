"""Workflows: what each does, what is wrong with a file, start and stop, and the Test URL panel."""
import json

from support.waiting import until
from world import SECRET, deal


def state(world, id):
    found = world.host.call("GET", f"/v1/workflows/{id}").json()
    return found["active"], found["started_by"]


def test_the_list(admin):
    admin.open("workflows", "Workflows").see("invoice_on_won_deal", "running", "broken", "broken.lua:3: unknown key", "triger")
    admin.judge("workflows")
    admin.fill("Find", "contact")
    admin.press("ENTER").see_no("invoice_on_won_deal").see("sync_contacts")
    admin.choose("State", "broken")
    admin.see("No workflow matches these filters.")
    assert admin.hash == "#/workflows?find=contact&state=broken"


def test_an_error_stands_at_its_line(admin, world):
    message = world.host.call("GET", "/v1/workflows/broken").json()["error"]["message"]
    admin.open("workflows/broken", "broken").see("rules/broken.lua:3", "Nothing of this file is in force.")
    line = admin.driver.find_element("css selector", ".source-fault").text
    assert "return hook.workflow {" in line and line.startswith("3")
    assert admin.driver.find_element("css selector", ".source-message").text == message
    admin.judge("workflow-broken")


def test_the_last_good_text_is_kept(admin, world):
    path = world.host.rules_dir / "old_app.lua"
    good = path.read_text()
    path.write_text(good.replace("encoding", "encodin"))
    try:
        admin.open("workflows", "Workflows")
        admin.click("button", "Reload the files").see("errors: what had a good text keeps it.")
        admin.open("workflows/old_app").see("The last good text of the file is in force.", "encodin =")
        admin.click("button", "The text in force").see("encoding =")
    finally:
        path.write_text(good)
        world.host.call("POST", "/v1/reload")


def test_start_stop_and_follow_the_file(admin, world):
    admin.open("workflows/sync_contacts", "Sync contacts").see("running", "its file")
    admin.click("button", "Stop").see("Stopped.", "stopped", "an operator")
    assert state(world, "sync_contacts") == (False, "operator")
    admin.click("button", "Start").see("Started.", "running")
    assert state(world, "sync_contacts") == (True, "operator")
    admin.click("button", "Follow file").see("It does what its file says.")
    assert state(world, "sync_contacts") == (True, "file")


def test_one_workflow(admin, world):
    [answer] = world.host.accept(deal(400))
    title = "Generate invoice when deal is won using Webhooks"
    admin.open("workflows/invoice_on_won_deal", title).see("For every deal won", "crm-88400", answer["deliveries"][0],
                                                           'hook.secret "INVOICE_PASSWORD"')
    assert SECRET not in admin.driver.page_source
    admin.judge("workflow")


def panel(admin, route="invoice_on_won_deal"):
    admin.open(f"workflows/{route}").see("Would it fire?")


def type_event(admin, event):
    box = admin.find("field", "The event, as it is sent to the host")
    admin.driver.execute_script(
        "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input', { bubbles: true }))",
        box, json.dumps(event))


def test_the_test_url_panel(admin, world):
    before = len(world.invoices.requests)
    panel(admin)
    until(lambda: admin.driver.find_elements("css selector", "#test-pick option[value='crm-88003']") or
          admin.driver.find_elements("css selector", "#test-pick option:nth-child(2)"), "the last events")
    picked = admin.driver.find_element("css selector", "#test-pick option:nth-child(2)").get_attribute("value")
    admin.choose("Event", picked)
    until(lambda: picked in admin.find("field", "The event").get_property("value"), "the event as it was sent")
    type_event(admin, deal(500))
    admin.click("button", "Would it fire?").see("fires", "for deal.updated crm-88500", "request_sent", "Basic ****")
    assert "response_received" not in admin.text and len(world.invoices.requests) == before
    admin.click("button", "Test URL").see("Callback status code 201: success", "response_received", "INV-7")
    assert len(world.invoices.requests) == before + 1 and SECRET not in admin.driver.page_source
    assert world.host.call("GET", "/v1/events/crm-88500").status == 404, "nothing is stored"
    admin.judge("test-url")


def test_why_it_does_not_fire(admin):
    panel(admin)
    type_event(admin, deal(501, deal_stage="Default Pipeline:Lost"))
    admin.click("button", "Would it fire?").see("does not fire", 'seen: "Default Pipeline:Lost"')
    type_event(admin, {"type": "deal"})
    admin.click("button", "Would it fire?").see("event: ")


def test_a_test_that_fails_says_what_to_do(admin, world):
    panel(admin, "sync_contacts")
    type_event(admin, {"type": "contact.created", "record": {"id": 9, "name": "x"}})
    admin.click("button", "Test URL").see("Callback status code 503: failure.", "busy, come back later",
                                            "A host would try again in 15 s.")
    admin.judge("test-url-fails")
