"""The n-th allocation fails: in the start, and at work. Nothing acknowledged is lost, whatever it was for."""
import os
import re
import signal

import pytest
from harness import GONE

EVERY, MORE = 2000, 500  # each n up to here, and so many above it, where ROUNDS is given
SAMPLES = 40  # else
# Libraries that may end the process where they have no memory: libuv aborts on purpose, and of a socket of which
# libcurl could not note the transfer it keeps a table without slots, and divides by their number.
MAY_CRASH = {"libuv", "libcurl"}
# In the start libcrypto, too: its first look for an algorithm takes a lock that could not be made.
MAY_CRASH_IN_THE_START = MAY_CRASH | {"libcrypto"}


def numbers(chance, most):
    """Which allocations fail."""
    if os.environ.get("ROUNDS"):
        rest = range(EVERY + 1, most + 1)
        return [*range(1, min(EVERY, most) + 1), *sorted(chance.sample(rest, min(MORE, len(rest))))]
    return sorted(chance.sample(range(1, most + 1), SAMPLES))


def ended(world, n, may_crash=MAY_CRASH):
    """The host has ended for want of memory: as it may."""
    world.is_dying = True
    code = world.host.wait_end()
    where = crashed_in(world.host.log()) if code < 0 else "none"
    world.expect(code == 1 or where in may_crash,
                 f"allocation {n} failed, and the host ended with {code} in {where}: {world.host.log()[-3000:]}")
    ends = f"exit {code}" if code >= 0 else f"{signal.Signals(-code).name} in {where}"
    world.ends[ends] = world.ends.get(ends, 0) + 1


def crashed_in(log):
    """The library, or the program, of the innermost frame that is neither the shim's nor libc's."""
    last = log.rsplit("shim.so(", 1)[-1]
    frames = re.findall(r"^(/\S+?)\(\S*\) ?\[0x", last, re.M)
    names = [frame.rsplit("/", 1)[-1].split(".so")[0] for frame in frames]
    return next((name for name in names if name != "libc"), "?")


@pytest.mark.histories(1, most=1)
def test_in_the_start(world):
    world.start()
    world.load(10).join()
    world.kill()
    world.start()  # the first start has more to do
    allocations = world.control["allocation_count"]
    world.kill()
    for n in numbers(world.chance, allocations * 9 // 10):  # how many there are differs a little
        if world.start(fail=("allocation", n)):
            world.load(2).join()
            world.kill()
        else:
            ended(world, n, MAY_CRASH_IN_THE_START)
        world.expect(world.control.stop("allocation") == 1, f"allocation {n} did not fail")
    world.verify()
    world.end()


@pytest.mark.histories(1, most=1)
def test_at_work(world):
    world.may_miss_once = True  # a run that fails for want of memory sends nothing, and says so
    world.start()
    burst = world.control["allocation_count"]
    world.work()
    burst = world.control["allocation_count"] - burst
    for n in numbers(world.chance, burst):
        world.control.fail("allocation", n)
        world.work()
        world.control.stop("allocation")
        if not world.host.is_running():
            ended(world, n)
            world.verify()
            world.start()
    try:
        world.settle()  # without a restart: nothing is forgotten in memory
    except GONE:
        ended(world, "earlier")
    world.kill()
    world.verify()
    world.end()
