"""One browser and one host for all tests of the console; what the page logs as an error fails the test."""
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/flow"))

from support.host import BINARY  # noqa: E402

from browser import CHROMIUM, DRIVER, Browser, Console  # noqa: E402
from world import World  # noqa: E402

SHOTS = ROOT / "build/console-shots"
AXE = ROOT / "build/console-tests/node_modules/axe-core/axe.min.js"


def pytest_sessionstart(session):
    if not BINARY.exists():
        pytest.exit(f"{BINARY} is not built", 1)


@pytest.fixture(scope="session")
def folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="hl-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def axe():
    subprocess.run(["make", "--no-print-directory", "-C", ROOT, "build/console-tests/.fetched"], check=True)
    return AXE.read_text()


@pytest.fixture(scope="session")
def world(folder):
    made = World(folder)
    yield made
    made.close()


@pytest.fixture(scope="session")
def browser(folder):
    if not pathlib.Path(CHROMIUM).exists() or not pathlib.Path(DRIVER).exists():
        pytest.skip("chromium and chromium-driver are not installed: dist/packages.sh test")
    pytest.importorskip("selenium", reason="python3-selenium is not installed: dist/packages.sh test")
    made = Browser(folder / "browser")
    yield made
    made.close()


@pytest.fixture
def opened(browser, world, axe):
    """Opens the console in a tab without a past: opened(token). It must not have logged an error at the end."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    world.host.hang_up()  # its connection may have been idle for too long
    made = []

    def open_one(token=None):
        made.append(Console(browser.driver, world.host, axe, SHOTS, token))
        return made[-1]
    yield open_one
    assert [fault for one in made for fault in one.faults()] == []


@pytest.fixture
def console(opened):
    """Signed out."""
    return opened()


@pytest.fixture
def admin(opened, world):
    """Signed in with the first token."""
    return opened(world.host.token)
