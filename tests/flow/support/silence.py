"""A receiver that says nothing for a while, without its connections being closed."""
import signal

from support.rules import deal


def retried_behind_a_silence(host, nginx):
    """The id of a delivery whose first attempt timed out, over a connection that was kept, and whose second arrived."""
    for number in (10, 11):  # the first connection to a target is not kept
        host.until_state(host.accept(deal(number))[0]["deliveries"][0], "delivered")
    nginx.process.send_signal(signal.SIGSTOP)
    try:
        id = host.accept(deal(2))[0]["deliveries"][0]
        assert host.until_state(id, "retrying")["attempts"][0]["error"] == "timeout"
    finally:
        nginx.process.send_signal(signal.SIGCONT)
    host.advance("20s")
    host.until_state(id, "delivered")
    return id
