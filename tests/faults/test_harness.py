"""The harness itself: its disk loses what a disk may lose and nothing else, and each of its looks can fail."""
import dataclasses
import json
import random

import disk
import pytest
from disk import Disk

PAGE = disk.PAGE


def lives(folder, records, look):
    """What `look` gives of the folder after each of many power losses."""
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    seen = set()
    for seed in range(60):
        for path in folder.iterdir():
            path.unlink()
        for name, content in before.items():
            (folder / name).write_bytes(content)
        Disk(folder).follow(records).lose_power(random.Random(seed))
        seen.add(look())
    return seen


def at(folder, name):
    return str(folder / name).encode()


def test_what_was_synced_is_there_and_the_rest_may_be(tmp_path):
    (tmp_path / "file").write_bytes(b"a" * 2 * PAGE)
    records = [(disk.FILE, 1, 0, at(tmp_path, "file")), (disk.WRITE, 1, 0, b"b" * PAGE), (disk.SYNC, 1, 0, b""),
               (disk.WRITE, 1, PAGE, b"c" * PAGE), (disk.SYNCED, 1, 0, b"")]  # the second write came during the sync
    seen = lives(tmp_path, records, (tmp_path / "file").read_bytes)
    assert all(content[:PAGE] == b"b" * PAGE and len(content) == 2 * PAGE for content in seen)
    assert {b"a" * PAGE, b"c" * PAGE} < {content[PAGE:] for content in seen}
    torn = {content[PAGE:] for content in seen} - {b"a" * PAGE, b"c" * PAGE}
    assert all(len(set(page[s:s + disk.SECTOR])) == 1 for page in torn for s in range(0, PAGE, disk.SECTOR))


def test_what_a_failed_sync_left_is_lost_until_it_is_written_again(tmp_path):
    (tmp_path / "file").write_bytes(b"a" * PAGE)
    records = [(disk.FILE, 1, 0, at(tmp_path, "file")), (disk.WRITE, 1, 0, b"b"), (disk.SYNC, 1, 0, b""),
               (disk.LOST, 1, 0, b""), (disk.SYNC, 1, 0, b""), (disk.SYNCED, 1, 0, b"")]
    first = lambda: (tmp_path / "file").read_bytes()[:2]  # noqa: E731
    assert lives(tmp_path, records, first) == {b"aa"}
    again = [*records, (disk.WRITE, 1, 1, b"c"), (disk.SYNC, 1, 0, b""), (disk.SYNCED, 1, 0, b"")]
    assert lives(tmp_path, again, first) == {b"bc"}, "its page is written whole"


def test_names_are_safe_when_their_folder_is(tmp_path):
    made = [(disk.FILE, 1, 0, str(tmp_path).encode()), (disk.MADE, 2, 0, at(tmp_path, "new")),
            (disk.WRITE, 2, 0, b"x"), (disk.SYNC, 2, 0, b""), (disk.SYNCED, 2, 0, b""),
            (disk.RENAME, 0, 0, at(tmp_path, "new") + b"\0" + at(tmp_path, "name"))]
    names = lambda: tuple(sorted((p.name, p.read_bytes()) for p in tmp_path.iterdir()))  # noqa: E731
    assert lives(tmp_path, made, names) == {(), (("new", b"x"),), (("name", b"x"),)}
    synced = [*made, (disk.SYNC, 1, 0, b""), (disk.SYNCED, 1, 0, b"")]
    assert lives(tmp_path, synced, names) == {(("name", b"x"),)}


@pytest.mark.histories(1, most=1)
def test_each_look_can_fail(world):
    def finds(words):
        world.fail = fail
        with pytest.raises(AssertionError, match=words):
            world.check()
        world.ledger.faults.clear()
        world.ledger.acknowledged, world.receiver.requests = dict(acknowledged), list(requests)

    def fail(words):
        raise AssertionError(words)

    world.start()
    world.load().join()
    world.settle()
    acknowledged, requests = dict(world.ledger.acknowledged), list(world.receiver.requests)
    id, (event, ids) = next((k, v) for k, v in acknowledged.items() if v[1])

    world.ledger.answered(event, {"deliveries": ids, "duplicate": False})
    finds("was answered before")
    world.ledger.answered(event, {"deliveries": ids[:-1], "duplicate": True})
    finds("was answered with")
    world.ledger.acknowledged[id] = (event, ["dlv_0000000000001"])
    finds("was promised, and is not there")
    world.receiver.requests = [r for r in requests if r.id != ids[0]]
    finds("never arrived")
    one = requests[-1]
    world.receiver.requests.append(dataclasses.replace(one, headers={"webhook-id": "dlv_0000000000001"}))
    finds("sent, and not stored")
    world.receiver.requests.append(dataclasses.replace(one, body=b"another"))
    finds("came with two bodies")
    once, other = (next(r for r in requests if r.path == path) for path in ("/once", "/every"))
    world.receiver.requests.append(dataclasses.replace(once, headers=other.headers))
    world.receiver.requests.remove(other)
    finds("came with two bodies|once fired more than once")
    record = next(r.json()["id"] for r in requests if r.path == "/order")
    ordered = [r for r in requests if r.path == "/order" and r.json()["id"] == record]
    world.receiver.requests = [r for r in requests if r not in ordered] + ordered[::-1]
    if len({r.id for r in ordered}) > 1:
        finds("before the one ahead of it had ended")
    world.ledger.acknowledged["e-none"] = ({"id": "e-none", "record": {"id": json.dumps("none")}}, [])
    finds("once never fired")
    world.host.stop()
