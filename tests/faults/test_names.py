"""Name servers that are dead, silent, slow, or lie: every attempt ends in time and says why, no other target waits, and
all is delivered when they are well again."""
import struct

import pytest
from harness import World, first_attempts, how_it_ended, probe
from hostile import Hostile
from support.names import NXDOMAIN, TYPES, NameServer, read_name
from support.mounts import own_files
from support.network import own_network
from support.rules import workflow

HERE, PRIVATE = "127.0.0.1", "10.0.0.1"
SERVFAIL, REFUSED = 2, 5


def status(code):
    """No answer, and why."""
    return lambda packet, whole: whole[:2] + struct.pack(">H", 0x8180 | code) + whole[4:6] + bytes(6) + packet[12:]


# By name: what becomes of the right answer to a query, and what an attempt ends with.
LIES = {
    "well": (lambda packet, whole: whole, "200"),
    "silent": (lambda packet, whole: None, "dns"),
    "late": (None, "200"),  # answers when it is asked again
    "fails": (status(SERVFAIL), "dns"),
    "refuses": (status(REFUSED), "dns"),
    "denies": (status(NXDOMAIN), "dns"),
    "garbage": (lambda packet, whole: bytes(range(256)), "dns"),
    "half": (lambda packet, whole: whole[:14], "dns"),
    "cut": (lambda packet, whole: whole[:-3], "dns"),
    "forged": (lambda packet, whole: bytes([packet[0] ^ 1, packet[1]]) + whole[2:], "dns"),
    "echo": (lambda packet, whole: packet, "dns"),
    "counts": (lambda packet, whole: whole[:6] + b"\xff\xff" + whole[8:], "dns"),
    "loops": (lambda packet, whole: whole.replace(b"\xc0\x0c", b"\xc0" + bytes([len(packet)])), "dns"),
    "private": (lambda packet, whole: whole, "address_refused"),
    "round": (lambda packet, whole: whole, "dns"),
}
RECORDS = {"private": [("A", PRIVATE)], "round": [("CNAME", "round.test")]}


class Liar(NameServer):
    is_healed = False

    def answer(self, packet, room):
        name, end = read_name(packet)
        kind = struct.unpack(">H", packet[end:end + 2])[0]
        asked = self.asked[name, kind]
        whole = super().answer(packet, room)
        lie = LIES[name.removesuffix(".test")][0]
        if self.is_healed:
            return whole
        if lie is None:
            return whole if asked else None
        return lie(packet, whole)

    def records(self, name, kind):
        known = super().records(name, kind)
        return known if self.is_healed or kind != TYPES["A"] else RECORDS.get(name.removesuffix(".test"), known)


@pytest.fixture
def targets():
    """One port for each name; all are well."""
    with own_network():
        server = Hostile({name: Hostile.be_good for name in LIES})
        yield server
        server.close()


@pytest.fixture
def world(seed, targets, tmp_path):
    more = {f"{name}.lua": workflow(f"http://{name}.test:{targets.ports[name]}/", wf_when='field "probe":is("yes")')
            for name in LIES}
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    made = World(tmp_path, seed, more=more, prefix=own_files((tmp_path / "resolv.conf", "/etc/resolv.conf")))
    made.others.append(targets)
    yield made
    made.close()


def look(world, owed, want):
    for name in LIES:
        for attempt in first_attempts(world, owed[name]):
            world.expect(how_it_ended(attempt) == want(name), f"{name}: {attempt}")


@pytest.mark.histories(1)
def test_names(world):
    world.is_healed = True  # the good receiver is one
    world.start()
    look(world, probe(world, 1), lambda name: "dns")  # nobody listens
    server = Liar({f"{name}.test": [("A", HERE)] for name in LIES})
    try:
        world.kill()  # with what is cached
        world.start()
        load = world.load(60)
        look(world, probe(world, 2), lambda name: LIES[name][1])
        load.join()
        world.kill()
        world.verify()
        world.start()
        server.is_healed = True
        world.settle()
        world.host.stop()
        world.verify()
    finally:
        server.close()
