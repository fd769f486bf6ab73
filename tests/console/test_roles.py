"""What a token may not do is not offered; what it does is done in its name."""
import pytest


@pytest.fixture(scope="module")
def tokens(world):
    """One of each role."""
    world.host.hang_up()
    made = {}
    for role in ("ingest", "read"):
        reply = world.host.call("POST", "/v1/tokens", {"name": f"{role}-of-the-tests", "role": role})
        assert reply.status == 201, reply
        made[role] = reply.json()["token"]
    return made


def test_a_token_that_only_sends_events_does_not_sign_in(console, tokens):
    console.fill("Token", tokens["ingest"])
    console.click("button", "Sign in").see("This token may only send events.")


def test_a_reader_looks_and_does_not_touch(console, tokens, world):
    console.fill("Token", tokens["read"])
    console.click("button", "Sign in").see("Role: read")
    assert "Tokens" not in console.driver.find_element("css selector", "nav").text.split("\n")
    for route, button in ((f"deliveries/{world.delivered[5]}", "Resend"), (f"deliveries/{world.retrying[1]}", "Cancel"),
                          ("deliveries?record=1", "Resend all…"), ("events/crm-88005", "Replay…")):
        console.open(route)
        found = console.find("button", button)
        assert not found.is_enabled() and "role admin" in found.get_attribute("title"), route
    console.open("deliveries?record=1", "Deliveries").judge("read-only")
    console.driver.refresh()
    console.see("Role: read")


def test_a_revoked_token_leads_back(console, world):
    token = world.host.call("POST", "/v1/tokens", {"name": "shorter", "role": "admin"}).json()["token"]
    console.begin(token).open("deliveries", "Deliveries")
    assert world.host.call("POST", "/v1/tokens/shorter/revoke").status == 200
    console.open("events").see("does not take this token any more")
