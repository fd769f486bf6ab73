"""What somebody needs who has an outage to explain: the window, what failed in it, texts of others as they are."""
import re

from support.waiting import until

# Answers to resends that the test makes up: `after` of them, then a problem; each takes a moment.
ANSWERS = """
const real = window.fetch;
window.resends = 0;
window.fetch = (path, options) => path.endsWith("/resend")
  ? new Promise((yes) => setTimeout(yes, 20)).then(() => (++window.resends > arguments[0]
      ? new Response(JSON.stringify({ detail: "the disk is full" }), { status: 503 }) : new Response("{}")))
  : real(path, options);
"""


def zone(console, name):
    console.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": name})


def dialog(console):
    return console.driver.find_element("css selector", "dialog").text


def test_times_are_typed_and_shown_by_the_clock_of_who_looks(admin, world):
    zone(admin, "Asia/Tokyo")
    try:
        admin.driver.refresh()
        admin.open("deliveries", "Deliveries").fill("Made since", "2026-11-23 10:15").send_keys("\n")
        until(lambda: admin.hash == "#/deliveries?since=2026-11-23T01%3A15%3A00Z", "the host's time")
        admin.fill("Made since", "2d").send_keys("\n")
        until(lambda: admin.hash == "#/deliveries?since=2d", "a duration as it is")
        at = world.host.delivery(world.terminated[0])["attempts"][0]["at"]
        hour = (int(at[11:13]) + 9) % 24
        admin.open(f"deliveries/{world.terminated[0]}", world.terminated[0]).see(f"{hour:02}:{at[14:23]} GMT+9")
    finally:
        zone(admin, "")


def test_in_bulk_what_has_arrived_stays_unless_it_is_asked_for(admin, world):
    admin.open("deliveries?since=2h", "Deliveries")
    admin.click("button", "Resend all…").see("can be resent: ")
    assert re.search(r"[\d,]+ terminated", dialog(admin))
    assert "delivered" not in dialog(admin) and "choose their state" in dialog(admin)
    admin.press("ESCAPE")
    admin.open("deliveries?since=2h&state=delivered", "Deliveries")
    admin.click("button", "Resend all…").see(" delivered. Those in other states are left alone.")
    admin.press("ESCAPE")


def test_in_bulk_the_oldest_goes_first(admin):
    ids, counts = admin.driver.execute_async_script(
        "const done = arguments[0]; import('/console/js/bulk.js')"
        ".then((m) => m.collect({ workflow: 'invoice_on_won_deal' }, ['delivered'])).then((f) => done([f.ids, f.counts]))")
    assert len(ids) >= 40 and ids == sorted(ids) and counts == {"delivered": len(ids)}


def test_what_waits_for_its_next_attempt_need_not(admin, world):
    id = next(d["id"] for d in world.host.deliveries("&state=retrying"))
    admin.open(f"deliveries/{id}", id).click("button", "Resend").see("It is sent again, with the same webhook-id.")


def test_what_was_done_is_said_where_it_ends_early(admin):
    admin.open("deliveries?workflow=invoice_on_won_deal&state=delivered", "Deliveries")
    admin.driver.execute_script(ANSWERS, 3)
    admin.click("button", "Resend all…").see("can be resent")
    admin.click("button", "Resend ").see("3 deliveries resent. It ended there: the disk is full")
    assert admin.driver.execute_script("return window.resends") <= 3 + 4, "the others end, too"
    admin.driver.refresh()


def test_who_leaves_the_page_stops_what_it_does(admin):
    admin.open("deliveries?workflow=invoice_on_won_deal&state=delivered", "Deliveries")
    admin.driver.execute_script(ANSWERS, 100000)
    admin.click("button", "Resend all…").see("can be resent")
    total = int(re.search(r"([\d,]+) deliver", dialog(admin))[1].replace(",", ""))
    admin.driver.execute_script(
        "[...document.querySelectorAll('dialog button')].at(-1).click(); location.hash = '#/targets'")
    said = until(lambda: re.search(r"([\d,]+) deliver\w+ resent\.", admin.text), "what was done")
    assert int(said[1].replace(",", "")) < total
    admin.driver.refresh()


def test_texts_of_others_are_seen_as_they_are(admin, world):
    [id] = world.host.accept({"id": "odd/1?<b>\u202e", "type": "appointment.created",
                              "record": {"id": "<i>\u202egpj" + "R" * 200, "name": "\u202etxt.exe\u0085 <script>"}})[0]["deliveries"]
    admin.open(f"deliveries/{id}", id).see("<i>\\u202egpj", '"name": "\\u202etxt.exe\\u0085 <script>"')
    admin.click("link", "odd/1?<b>\\u202e").see_heading("odd/1?<b>\\u202e").see('"name": "\\u202etxt.exe')
    admin.open("deliveries?workflow=old_app", "Deliveries").see("<i>\\u202egpj")
    wider = "const t = document.querySelector('.table-wrap'); return t.scrollWidth - t.clientWidth"
    assert admin.driver.execute_script(wider) <= 0, "a long id pushes nothing out of view"
    admin.open("events", "Events").see("odd/1?<b>\\u202e")
    assert admin.driver.execute_script(wider) <= 0


def test_a_secret_that_is_missing_is_told_in_the_list(admin, world):
    path = world.host.rules_dir / "chat.lua"
    path.write_text((world.host.rules_dir / "sync_contacts.lua").read_text().replace('encoding = "xml"', 'encoding = "xml", auth = hook.bearer(hook.secret "CHAT_TOKEN")')
                    .replace('"contact"', '"chat"'))
    try:
        assert world.host.call("POST", "/v1/reload").status == 200
        admin.open("workflows", "Workflows").see("not set: CHAT_TOKEN")
    finally:
        path.unlink()
        world.host.call("POST", "/v1/reload")
