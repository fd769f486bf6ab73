"""Fixtures of the fault tests. SEED= and ROUNDS= choose the histories: `make faults`."""
import os
import pathlib
import sys
import tempfile
import time
import shutil

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "flow")]

from harness import World  # noqa: E402

SEED = int(os.environ.get("SEED", time.time_ns() // 1000 % 1000000))
ROUNDS = int(os.environ.get("ROUNDS", "0"))  # histories of each kind; 0: as many as `make test` has time for


def pytest_generate_tests(metafunc):
    """A test that takes `seed` runs as many histories as its marker `histories` says."""
    if "seed" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("histories")
        count = min(ROUNDS or marker.args[0], marker.kwargs.get("most", ROUNDS or marker.args[0]))
        metafunc.parametrize("seed", range(SEED, SEED + count))


def pytest_configure(config):
    config.addinivalue_line("markers", "histories(n, most=m): how many seeds run where ROUNDS is not given, and at most")


@pytest.fixture
def world(seed):
    """The world of a seed."""
    folder = tempfile.mkdtemp(prefix="hl-")
    made = World(folder, seed)
    yield made
    made.close()
    shutil.rmtree(folder)
