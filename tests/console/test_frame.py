"""Signing in and out, moving about by keyboard alone, the themes."""
import pytest


def stored(console):
    return console.driver.execute_script("return [Object.values(sessionStorage), Object.values(localStorage), document.cookie]")


def test_signing_in(console, world):
    console.open(f"deliveries/{world.delivered[0]}").see("Token", "Sign in")
    console.judge("sign-in")
    console.press("ENTER").see("Paste a token first.")
    console.fill("Token", "wrong")
    console.click("button", "Sign in").see("The host does not know this token.")
    console.fill("Token", world.host.token)
    console.press("ENTER").see_heading(world.delivered[0]).see("Role: admin")  # the link that was opened
    assert stored(console) == [[world.host.token], [], ""], "for this tab alone"
    console.click("button", "Sign out").see("Token")
    assert stored(console) == [[], [], ""]


def test_a_token_that_is_no_longer_good_leads_back(admin):
    admin.open("deliveries", "Deliveries")
    admin.driver.execute_script("sessionStorage.setItem('hookline.token', 'gone')")
    admin.driver.refresh()
    admin.see("does not take this token any more")
    assert admin.focused() == "Token"


def test_by_keyboard_alone(admin, world):
    admin.open("", "Overview")
    admin.driver.refresh()
    admin.see_heading("Overview")
    admin.press("TAB")
    assert admin.focused() == "Skip to the content"
    assert admin.driver.execute_script("return document.activeElement.getBoundingClientRect().top") >= 0, "it is seen"
    admin.press("ENTER")
    assert admin.driver.execute_script("return document.activeElement.id") == "main"
    assert admin.hash == "#/", "the route stays"
    admin.driver.execute_script("document.activeElement.blur()")
    admin.tab_to("Deliveries").press("ENTER").see_heading("Deliveries")
    assert admin.focused() == "Deliveries", "readers begin at the new heading"
    admin.tab_to("Workflow").press("old_app", "ENTER")
    admin.see_no(world.delivered[0])
    assert "workflow=old_app" in admin.hash
    first = admin.driver.find_element("css selector", "td.col-id a").text
    admin.tab_to(first).press("ENTER").see_heading(first)
    outline = admin.driver.execute_script(
        "document.querySelector('main a').focus({ focusVisible: true });"
        "return getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "the focus is seen"


def test_the_theme_is_the_systems_until_one_is_chosen(admin):
    def background():
        return admin.driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    admin.theme("dark")
    dark = background()
    admin.theme("light")
    light = background()
    assert dark != light
    admin.choose("Theme", "dark")
    assert background() == dark
    admin.driver.refresh()
    admin.see("Sign out")
    assert background() == dark, "it is kept"
    admin.choose("Theme", "auto")
    assert background() == light


@pytest.mark.parametrize("route", ["nowhere", "deliveries/a/b"])
def test_there_is_no_such_page(admin, route):
    admin.open(route, "There is no such page")
    admin.click("link", "To the overview").see_heading("Overview")


def test_from_an_id_to_its_page(admin, world):
    admin.fill("Id of a delivery or an event", world.delivered[3])
    admin.press("ENTER").see_heading(world.delivered[3])
    admin.fill("Id of a delivery or an event", " crm-88003 ")
    admin.press("ENTER").see_heading("crm-88003")


def test_what_is_not_there_is_said(admin):
    admin.open("deliveries/dlv_0000000000000").see("there is no such delivery")
    admin.open("events/nothing").see("there is no such event")


def test_a_pause_is_seen_and_ended(admin, world):
    world.host.call("POST", "/v1/pause")
    try:
        admin.driver.refresh()
        admin.see("Nothing is sent: everything is paused by admin since")
        admin.judge("paused")
        admin.click("button", "Resume").see("Everything goes on.")
        admin.see_no("Nothing is sent:")
    finally:
        world.host.call("POST", "/v1/resume")
