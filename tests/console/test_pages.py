"""The pages of the console, each driven as a person would."""
from world import SECRET


def test_the_overview(admin):
    admin.open("", "Overview").see("Events this minute", "since the start", "Oldest owed", "The last hour, by minute", "p99",
                                   "score_lead", "attempt to compare", "the receiver answered 410")
    admin.judge("overview")


def test_deliveries(admin):
    admin.open("deliveries?record=1", "Deliveries").see("appointment 1", "terminated", "contact 1", "410", "503")
    admin.judge("deliveries")


def test_a_delivery(admin, world):
    admin.open(f"deliveries/{world.delivered[0]}", world.delivered[0]).see("request_sent", "Gold plan")
    assert SECRET not in admin.driver.page_source
    admin.judge("delivery")


def test_a_delivery_that_fails(admin, world):
    admin.open(f"deliveries/{world.retrying[0]}", world.retrying[0]).see(
        "503", "busy, come back later", " is due ", "Given up at the latest")
    admin.judge("delivery-retrying")


def test_events(admin):
    admin.open("events?record=1", "Events").see("contact.created", "contact 1", "lead 1")
    admin.judge("events")


def test_an_event(admin, world):
    admin.open("events/crm-88001", "crm-88001").see(world.delivered[0], "12500.25")
    admin.click("button", "Explain").see("greater_than 100")
    admin.judge("event")
