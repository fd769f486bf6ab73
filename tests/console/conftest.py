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
def console(browser, world, axe):
    """A tab of its own state: signed out, in light colours, wide. It must not have logged an error."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    one = Console(browser.driver, world.host, axe, SHOTS)
    yield one
    assert one.faults() == []


@pytest.fixture
def admin(console):
    console.sign_in(console.host.token)
    return console
