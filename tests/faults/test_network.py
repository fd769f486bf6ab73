"""Receivers that do what they must not: every attempt ends in time and says why, memory stays bounded, no other target
waits, and all is delivered when they are well again."""
import json
import signal
import ssl

import pytest
from harness import World, first_attempts, how_it_ended, peak_kb, probe
from hostile import ACTS, Hostile, slug
from support.certificates import Authority
from support.rules import workflow

GROWTH_MAX_KB = 64 << 10
PROBES = 3


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls") / "authority")


@pytest.fixture
def hostile(authority):
    good = authority.sign("good", "IP:127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(good.cert, good.key)
    server = Hostile({name: act for name, (act, _) in ACTS.items()}, context)
    yield server
    server.close()


@pytest.fixture
def world(seed, hostile, authority, tmp_path):
    # Little time only where it is what ends the attempt: a busy machine must not decide of the others.
    more = {slug(name) + ".lua": workflow(hostile.url(name), timeout='"1s"' if ends == "timeout" else None,
                                          wf_when='field "probe":is("yes")') for name, (_, ends) in ACTS.items()}
    trusts = "".join(f'["{hostile.origin(name)}"] = {{ ca = {json.dumps(str(authority.cert))} }}, '
                     for name in ACTS if name.startswith("TLS"))
    config = f"return {{ limits = {{ free_disk = 1 }}, targets = {{ {trusts} }} }}"
    made = World(tmp_path, seed, config, more)
    made.others.append(hostile)
    yield made
    made.close()


def look(world, name, attempt):
    """An attempt has ended as such a receiver lets it end, and little of the answer is kept."""
    response = attempt["response_received"] or {}
    world.expect(how_it_ended(attempt) in str(ACTS[name][1]).split("|"), f"{name}: {attempt}")
    world.expect(len(json.dumps(attempt)) < 200_000, f"{name}: {len(json.dumps(attempt))} bytes are kept")
    if name == "a gzip bomb":
        world.expect(response["body"].strip("\0"), "the answer was inflated")


@pytest.mark.histories(1)
def test_receivers(world, hostile):
    world.is_healed = True  # the good receiver is one
    world.start()
    world.load(10).join()
    before = world.host.memory_kb()
    load = world.load(100)
    owed = probe(world, PROBES)
    for name in ACTS:
        for attempt in first_attempts(world, owed[slug(name)]):
            look(world, name, attempt)
    load.join()
    grown = peak_kb(world.host) - before
    world.expect(grown < GROWTH_MAX_KB, f"the host has grown by {grown} KiB")
    world.expect(not hostile.flooded, f"an answer without end was read on: {hostile.flooded}")
    owed = [set(ids) for _, ids in world.ledger.acknowledged.values() if ids]
    world.receiver.wait_until(lambda seen: (ids := {r.id for r in seen}) and all(ids & each for each in owed),
                              f"seed {world.seed}: the good receiver is sent a webhook of each event")
    for life in range(2):
        world.tick("70s")
        load = world.load(40)
        probe(world, 1)
        if life == 0:
            world.kill()
        else:
            world.is_dying = True
            world.host.signal(signal.SIGTERM)
            world.expect(world.host.wait_end() == 0, "SIGTERM in the thick of it")
        load.join()
        world.verify()
        world.start()
    hostile.heal()
    world.settle()
    world.host.stop()
    world.verify()
