"""A network of the test's own, in which every address of the world is this machine: what is reached is seen, and
nothing leaves."""
import contextlib
import ctypes
import os
import shutil
import subprocess

import pytest

CLONE_NEWNET = 0x40000000  # <sched.h>
# Whoever connects anywhere is answered here: the whole of IPv4 and IPv6 is local.
SETUP = (["ip", "link", "set", "lo", "up"], ["ip", "route", "add", "local", "default", "dev", "lo"],
         ["ip", "-6", "route", "add", "local", "default", "dev", "lo"])


@contextlib.contextmanager
def own_network():
    """For this thread, and for the threads and processes that it starts meanwhile."""
    if not shutil.which("ip"):
        pytest.skip("ip (iproute2) is not installed")
    libc = ctypes.CDLL(None, use_errno=True)
    outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if libc.unshare(CLONE_NEWNET) != 0:
            pytest.skip(f"a network of its own wants root: {os.strerror(ctypes.get_errno())}")
        for command in SETUP:
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                pytest.skip(f"a network of its own wants IPv4, IPv6 and routes: {' '.join(command)}: {done.stderr}")
        yield
    finally:
        libc.setns(outside, CLONE_NEWNET)
        os.close(outside)
