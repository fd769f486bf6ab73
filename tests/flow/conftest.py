"""Fixtures of the flow tests. What a test starts ends with it; a process left over fails it."""
import contextlib
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from support.host import BINARY, IS_SANITIZED, Host  # noqa: E402
from support.nginx import Nginx  # noqa: E402
from support.receiver import Receiver  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "release_only: of no use, or too slow, with a sanitizer")


def pytest_collection_modifyitems(items):
    if IS_SANITIZED:
        for item in items:
            if item.get_closest_marker("release_only"):
                item.add_marker(pytest.mark.skip(reason="release binary only"))


def pytest_sessionstart(session):
    if not BINARY.exists():
        pytest.exit(f"{BINARY} is not built", 1)


def children():
    """Processes that this one has started and that are not gone."""
    found = set()
    for task in pathlib.Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # a thread of a receiver that ends meanwhile
            found.update((task / "children").read_text().split())
    return {pid for pid in found if not is_zombie(pid)}


def is_zombie(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


@pytest.fixture(autouse=True)
def no_process_left():
    before = children()
    yield
    left = children() - before
    names = [pathlib.Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ") for pid in left]
    assert not left, f"left running: {names}"


@pytest.fixture
def folder():
    """A short path: a Unix socket's may have 107 bytes."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="hl-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def receivers():
    """Makes more receivers: receivers(script)."""
    made = []

    def make(*args, **keys):
        made.append(Receiver(*args, **keys))
        return made[-1]
    yield make
    for one in made:
        one.close()


@pytest.fixture
def nginx(folder):
    made = Nginx(folder / "nginx")
    yield made
    made.close()


def data_faults(host):
    """What `hookline verify` finds in the folder that a test leaves."""
    if IS_SANITIZED or host.is_damaged or not (host.data / "hookline.db").exists():
        return []
    done = subprocess.run([str(BINARY), "verify", "--data", str(host.data)], capture_output=True, text=True)
    return [done.stdout + done.stderr] if done.returncode else []


@pytest.fixture
def nginxes(folder):
    """Makes more of them: nginxes(**options of Nginx)."""
    made = []

    def make(**keys):
        made.append(Nginx(folder / f"nginx{len(made) + 1}", **keys))
        return made[-1]
    yield make
    for one in made:
        one.close()


@pytest.fixture
def serve(folder):
    """Starts a host: serve(rules, **options of Host). Hosts that still run are stopped, cleanly."""
    hosts = []

    def start(rules, **options):
        place = folder / f"host{len(hosts) + 1}"
        place.mkdir()
        hosts.append(Host(place, rules, **{"start": False, **options}))
        if options.get("start", True):
            hosts[-1].start()
        return hosts[-1]
    yield start
    faults = []
    for host in hosts:
        try:
            if host.process:
                host.stop()
        except AssertionError as fault:
            faults.append(str(fault))
        finally:
            if host.is_running():
                host.kill9()
        faults += data_faults(host)
    assert not faults, "\n".join(faults)
