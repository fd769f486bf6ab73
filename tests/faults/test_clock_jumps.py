"""A wall clock that is set by a day, forth and back, in the midst of load and of kills."""
import pytest
from support.waiting import until

LIVES = 4
HOUR_MS = 3600 * 1000
JUMPS_MS = (24 * HOUR_MS, -24 * HOUR_MS, 25 * HOUR_MS, -1, -HOUR_MS)


def jump(world, by_ms):
    world.host.tell_clock(f"wall {by_ms}ms")


@pytest.mark.histories(1)
def test_clock_jumps(world):
    for _ in range(LIVES):
        world.start()
        load = world.load(60)
        for by_ms in world.chance.sample(JUMPS_MS, 3):
            posted = load.posted + world.chance.randint(1, 15)
            until(lambda: load.posted >= min(posted, load.limit), f"seed {world.seed}: the moment")
            jump(world, by_ms)
            world.tick(world.chance.choice(("1s", "70s", "20m")))
        if world.chance.random() < 0.5:
            load.join()
            world.kill()
        else:
            world.kill()
            load.join()
        world.verify()
    world.end()
