"""What the page says and shows while it does not hear everything from the host."""
import pytest

from support.waiting import until
from world import deal

# The stream as the test says: window.tell(text), window.end(); the host's own is not asked. Long waits are short.
FAKE = """
const ask = window.fetch, wait = window.setTimeout, limit = AbortSignal.timeout;
const streams = [];
window.tell = (text) => streams.at(-1).enqueue(new TextEncoder().encode(text));
window.end = () => streams.at(-1).close();
window.isSilent = false;
window.setTimeout = (what, ms, ...more) => wait(what, ms === 40000 && window.isSilent ? 200 : ms, ...more);
AbortSignal.timeout = (ms) => limit.call(AbortSignal, ms / 20);
window.fetch = (path, options) => {
  if (window.isHanging && path === "/readyz") {
    return new Promise((_, no) => options.signal?.addEventListener("abort", () => no(options.signal.reason)));
  }
  if (!path.startsWith("/v1/live")) {
    return ask(path, options);
  }
  return Promise.resolve(new Response(new ReadableStream({
    start(controller) {
      streams.push(controller);
      options.signal.addEventListener("abort", () => {
        try { controller.error(options.signal.reason); } catch { /* it has ended */ }
      });
    },
  })));
};
"""


@pytest.fixture
def told(admin):
    """Signed in, on a list that hears what the test tells."""
    admin.open("audit", "Audit").see("Asks every few seconds")
    admin.driver.execute_script(FAKE)
    yield admin.open("deliveries?workflow=invoice_on_won_deal", "Deliveries").see("Live")
    admin.driver.refresh()


def unheard(world, number):
    return world.host.accept(deal(number))[0]["deliveries"][0]


def test_what_was_missed_is_asked_for_when_the_stream_is_back(told, world):
    new = unheard(world, 601)
    told.driver.execute_script("window.end()")
    until(lambda: new in told.text, "what the page was not told of", 10)
    told.see("Live")


def test_what_the_host_left_out_is_asked_for(told, world):
    new = unheard(world, 602)
    told.driver.execute_script("""window.tell('event: skipped\\ndata: {"count":7}\\n\\n')""")
    told.see("Live, not each change", new)
    later = unheard(world, 603)
    told.see(later)
    until(lambda: "not each change" not in told.text, "all is told again")


def test_silence_is_not_called_live(told):
    told.driver.execute_script("window.isSilent = true; window.tell(': nothing\\n\\n')")
    told.see("Connecting again…")
    told.driver.execute_script("window.isSilent = false")
    told.see("Live")


def test_a_host_that_hangs_cannot_be_reached(told):
    told.driver.execute_script("window.isHanging = true")
    told.see("The host cannot be reached. What is shown is what was last heard.")
    told.driver.execute_script("window.isHanging = false")
    told.see_no("The host cannot be reached.")


def test_a_role_that_could_not_be_asked_for_is_asked_for_again(admin):
    admin.driver.execute_cdp_cmd("Network.enable", {})
    admin.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/v1/status"]})
    try:
        admin.driver.refresh()
        admin.see("Sign out", "Owed")
        assert "Role: admin" not in admin.text
    finally:
        admin.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    admin.see("Role: admin")
