"""Writes and syncs that fail under load: nothing is acknowledged that a power loss could take; it goes on by itself."""
import errno

import pytest
from control import FOR_EVER

LIVES = 4


WITHIN = {"write": 600, "sync": 60}  # calls from now: some bursts


def fail(world, plan, times):
    """Under load: the fault, so often, and then no more."""
    world.control.fail(plan, world.chance.randint(1, WITHIN[plan]), times)
    refused = world.ledger.refused
    world.burst_until(lambda: world.control[f"{plan}_failed"], "the fault")
    if times == FOR_EVER:
        world.burst_until(lambda: world.ledger.refused > refused, "a request that is refused")
    world.control.stop(plan)
    world.post(world.ledger.next(world.chance))


@pytest.mark.histories(1)
@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_writes_that_fail(world, error):
    for life in range(LIVES):
        world.start()
        world.control["write_errno"] = getattr(errno, error)
        for _ in range(3):
            fail(world, "write", world.chance.choice((1, 1, 3, 20)))
        if life % 2:
            world.kill()
        else:
            world.cut_power()
        world.verify()
    world.end()


@pytest.mark.histories(1)
def test_a_disk_that_is_full_and_then_not(world):
    for life in range(LIVES):
        world.start()
        world.control["write_errno"] = errno.ENOSPC
        fail(world, "write", FOR_EVER)
        world.cut_power()
        world.verify()
    world.end()


@pytest.mark.histories(2)
def test_syncs_that_fail(world):
    """What a failed sync should have written is lost with the power, and no later sync writes it."""
    for _ in range(LIVES):
        world.start()
        for _ in range(4):
            fail(world, "sync", world.chance.choice((1, 1, 1, 2)))
        world.cut_power()
        world.verify()
    world.end()
