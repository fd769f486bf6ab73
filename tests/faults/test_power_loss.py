"""The power goes at any write or sync: the disk keeps what was synced, and of the rest what chance will have."""
import pytest

LIVES = 6


@pytest.mark.histories(3)
def test_power_loss(world):
    for _ in range(LIVES):
        early = world.chance.randint(1, 60) if world.chance.random() < 0.25 else None
        if world.start(die_in=early):
            world.control.die_in(world.chance.randint(1, 1500))
            world.until_dead()
        world.lose_power()
        world.verify()
    world.end()
