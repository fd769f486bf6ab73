"""hookline backup and hookline restore: beside a host at work, in place of one that is stopped, and what they refuse."""
import json
import shutil
import sqlite3
import stat
import threading

import pytest

from support.host import run
from support.rules import deal, workflow


def backup(host, file, *args):
    return run("backup", file, "--data", host.data, *args)


def restore(data, file, *args):
    return run("restore", file, "--data", data, *args)


def good(done):
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def version_of(file):
    with sqlite3.connect(file) as db:
        return db.execute("PRAGMA user_version").fetchone()[0]


def test_beside_a_host_at_work(serve, receiver, folder):
    """All that was acknowledged before is in it, whatever comes meanwhile, and a host goes on from it."""
    host = serve({"w.lua": workflow(receiver.url)})
    before = [row["id"] for row in host.accept(*[deal(n, note="x" * 2000) for n in range(2000)])]
    is_over = threading.Event()
    posted = []

    def post():
        while not is_over.is_set():
            posted.append(host.accept(*[deal(100000 + 50 * len(posted) + n) for n in range(50)]))

    poster = threading.Thread(target=post)
    poster.start()
    try:
        done = good(backup(host, folder / "b.db", "--json"))
    finally:
        is_over.set()
        poster.join()
    assert posted
    file = folder / "b.db"
    assert json.loads(done.stdout) == {"file": str(file), "bytes": file.stat().st_size, "kept": None}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not [p.name for p in folder.iterdir() if p.name.startswith("b.db") and p != file]
    host.stop()

    other = serve({"w.lua": workflow(receiver.url)}, start=False)
    good(restore(other.data, file))
    found = run("verify", "--data", other.data)
    assert found.returncode == 0, found.stdout + found.stderr
    other.start()
    for id in (before[0], before[-1]):
        assert other.event(id)["runs"][0]["workflow"] == "w"
    assert other.accept(deal(7))[0]["deliveries"]


def test_what_stands_in_the_wal_of_a_killed_host_is_in_it(serve, receiver, folder):
    host = serve({"w.lua": workflow(receiver.url)})
    id = host.accept(deal(1))[0]["id"]
    host.kill9()
    assert (host.data / "hookline.db-wal").stat().st_size
    good(backup(host, folder / "b.db"))
    shutil.rmtree(host.data)
    good(restore(host.data, folder / "b.db"))
    host.start()
    assert host.event(id)["id"] == id


def test_a_file_is_not_replaced_unless_told(serve, receiver, folder):
    host = serve({"w.lua": workflow(receiver.url)})
    file = folder / "b.db"
    file.write_text("precious")
    done = backup(host, file)
    assert done.returncode == 1 and "is there already: --force replaces it" in done.stderr, done.stderr
    assert file.read_text() == "precious"
    good(backup(host, file, "--force"))
    assert version_of(file)
    nowhere = backup(host, folder / "no/b.db")
    assert nowhere.returncode == 1 and "No such file" in nowhere.stderr, nowhere.stderr
    empty = run("backup", folder / "c.db", "--data", folder / "none")
    assert empty.returncode == 1 and "none/hookline.db" in empty.stderr and not (folder / "c.db").exists()
    assert run("backup", "--data", host.data).returncode == 2


def test_what_was_there_is_kept(serve, receiver, folder):
    host = serve({"w.lua": workflow(receiver.url)})
    first = host.accept(deal(1))[0]["id"]
    good(backup(host, folder / "b.db"))
    second = host.accept(deal(2))[0]["id"]
    done = restore(host.data, folder / "b.db")
    assert done.returncode == 1 and "another hookline (process" in done.stderr, done.stderr
    assert host.event(second)["id"] == second
    host.stop()
    done = good(restore(host.data, folder / "b.db"))
    kept = [p for p in host.data.iterdir() if p.name.startswith("hookline.db.before-")]
    assert len(kept) == 1 and str(kept[0]) in done.stderr
    with sqlite3.connect(kept[0]) as db:
        assert db.execute("SELECT count(*) FROM event").fetchone() == (2,)
    host.start()
    assert host.event(first)["id"] == first
    assert host.call("GET", f"/v1/events/{second}").status == 404


@pytest.mark.parametrize("text, words", [
    (b"", "is empty"), (b"not a database at all" * 99, "is no backup of hookline's, or a damaged one"), (None, "damaged"),
    ("other", "is no backup of hookline's"), ("newer", "newer hookline (schema 99")])
def test_what_is_no_good_backup_changes_nothing(serve, receiver, folder, text, words):
    host = serve({"w.lua": workflow(receiver.url)})
    id = host.accept(*[deal(n, note="x" * 3000) for n in range(20)])[0]["id"]
    file = folder / "b.db"
    good(backup(host, file))
    host.stop()
    if isinstance(text, bytes):
        file.write_bytes(text)
    elif text is None:  # pages of it are gone
        whole = file.read_bytes()
        file.write_bytes(whole[:8192] + bytes(len(whole) - 8192))
    else:
        with sqlite3.connect(file) as db:
            db.execute("PRAGMA user_version = 99" if text == "newer" else "PRAGMA application_id = 7")
        db.close()
    before = {p.name: p.read_bytes() for p in host.data.iterdir() if p.is_file() and p.name != "lock"}
    done = restore(host.data, file)
    assert done.returncode == 1 and words in done.stderr, done.stderr
    assert {p.name: p.read_bytes() for p in host.data.iterdir() if p.is_file() and p.name != "lock"} == before
    host.start()
    assert host.event(id)["id"] == id


def test_paused_until_someone_has_looked(serve, receiver, folder):
    """What was delivered since the backup would go out again: --paused holds everything until it is resumed."""
    receiver.script = lambda request: 503
    host = serve({"w.lua": workflow(receiver.url)})
    id = host.accept(deal(1))[0]["deliveries"][0]
    host.until_state(id, "retrying")
    good(backup(host, folder / "b.db"))
    host.stop()
    good(restore(host.data, folder / "b.db", "--paused"))
    host.start()
    assert host.delivery(id)["state"] == "held"
    assert "paused by restore" in host.delivery(id)["reason"]
    assert host.call("POST", "/v1/resume").status == 200
    host.until_state(id, "retrying")


def test_the_schema_moves_with_a_copy_first(serve, receiver, folder):
    host = serve({"w.lua": workflow(receiver.url)})
    host.stop()
    now = version_of(host.data / "hookline.db")
    with sqlite3.connect(host.data / "hookline.db") as db:  # as schema 2 had it
        db.executescript("""
            DROP INDEX delivery_end; ALTER TABLE delivery DROP COLUMN window_ms;
            ALTER TABLE target DROP COLUMN failing_since_ms;
            ALTER TABLE target DROP COLUMN last_error; DROP TABLE token; DROP INDEX delivery_delayed; ALTER TABLE delivery DROP COLUMN delayed;
            ALTER TABLE target DROP COLUMN held_up_ms;
            ALTER TABLE host DROP COLUMN paused_at_ms; ALTER TABLE host DROP COLUMN paused_by;
            ALTER TABLE host DROP COLUMN running_ms; ALTER TABLE host DROP COLUMN wall_ms;
            ALTER TABLE host DROP COLUMN down_ms; PRAGMA user_version = 2;""")
    db.close()
    old = host.data / "hookline.db"
    host.start()
    assert version_of(old) == now
    kept = host.data / "hookline.db.schema-2"
    assert version_of(kept) == 2 and stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert str(kept) in host.log(), host.log()
    host.stop()
    good(restore(host.data, kept))  # the way back, and forth again
    host.start()
    assert version_of(old) == now
