"""kill -9 at any moment under load; SIGTERM in the thick of it, and again."""
import signal

import pytest
from support.waiting import until

LIVES = 6


@pytest.mark.histories(2)
def test_kill9(world):
    for _ in range(LIVES):
        world.start()
        if world.chance.random() < 0.5:
            world.control.die_in(world.chance.randint(1, 1500))  # at a write or a sync
            world.until_dead()
        else:
            load, moment = world.load(100), world.chance.randint(1, 80)
            until(lambda: load.posted >= moment, "the moment")  # between any two steps of the host
            world.kill()
            load.join()
        world.verify()
    world.end()


@pytest.mark.histories(1)
def test_sigterm(world):
    for life in range(LIVES):
        world.start()
        load, moment = world.load(100), world.chance.randint(1, 80)
        until(lambda: load.posted >= moment, "the moment")
        world.is_dying = True
        world.host.signal(signal.SIGTERM)
        if life % 2:
            world.host.signal(signal.SIGTERM)
        code = world.host.wait_end()
        world.expect(code in (0, 1) if life % 2 else code == 0, f"SIGTERM ended the host with {code}")
        load.join()
        world.verify()
    world.end()
