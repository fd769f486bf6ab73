"""Mounts of a process of its own, gone with it."""
import functools
import os
import subprocess

import pytest

OWN_MOUNTS = ["unshare", "--mount", "--propagation", "private"]


@functools.cache
def can_have_own_mounts():
    return os.getuid() == 0 and subprocess.run([*OWN_MOUNTS, "true"], capture_output=True).returncode == 0


def own_mounts(script):
    """A prefix of a command: the shell's lines are run first, and nothing outside sees their mounts."""
    if not can_have_own_mounts():
        pytest.skip("mounts of its own want root, outside a chroot")
    return [*OWN_MOUNTS, "sh", "-c", f'{script} && exec "$@"', "sh"]


def own_files(*pairs):
    """The same for one that sees other files: own_files((file, in_place_of), ...)."""
    return own_mounts(" && ".join(f"mount --bind '{file}' '{place}'" for file, place in pairs))
