"""The page that the shim (shim.c) and the harness share: what was counted, and what is to fail when."""
import mmap
import struct

PLANS = ("allocation", "write", "sync")
FIELDS = [f"{plan}_{part}" for plan in PLANS for part in ("count", "at", "times", "failed")]
FIELDS += ["write_errno", "die_at", "operations"]
PLACES = {name: 8 * i for i, name in enumerate(FIELDS)}
FOR_EVER = 1 << 40


class Control:
    def __init__(self, path):
        path.write_bytes(bytes(4096))
        with open(path, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), 4096)

    def __getitem__(self, name):
        return struct.unpack_from("<q", self.page, PLACES[name])[0]

    def __setitem__(self, name, value):
        struct.pack_into("<q", self.page, PLACES[name], value)

    def clear(self):
        """As for a process that is yet to start."""
        self.page[:] = bytes(4096)

    def fail(self, plan, number, times=1):
        """Lets the number-th call from now fail, and so many behind it."""
        self[f"{plan}_at"] = 0
        self[f"{plan}_times"] = times
        self[f"{plan}_failed"] = 0
        self[f"{plan}_at"] = self[f"{plan}_count"] + number

    def stop(self, plan):
        """No more fail; how many did."""
        self[f"{plan}_at"] = 0
        return self[f"{plan}_failed"]

    def die_in(self, operations):
        """The host is killed before the operation of that number from now."""
        self["die_at"] = self["operations"] + operations
