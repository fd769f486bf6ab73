"""A full disk and a folder that is not fit: a clear error, nothing acknowledged, nothing lost."""
import subprocess

import pytest
from support.host import Host
from support.mounts import own_mounts
from support.rules import deal, workflow
from support.waiting import until


@pytest.mark.release_only
def test_a_full_disk_stops_the_answers_and_loses_nothing(serve, receiver, folder):
    disk = folder / "disk"
    disk.mkdir()
    host = serve({"w.lua": workflow(receiver.url)}, data=disk / "data", has_own_mounts=True,
                 prefix=own_mounts(f"mount -t tmpfs -o size=24m tmpfs {disk}"),
                 config="return { limits = { free_disk = 1 } }")
    acknowledged = host.accept(deal(0, event_id="e0"))[0]["deliveries"]
    ballast = host.seen(disk) / "ballast"
    with open(ballast, "wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 65536):
                pass
        except OSError:
            pass
    number, refused = 0, None
    while refused is None and number < 5000:
        number += 1
        reply = host.post(deal(number, event_id=f"e{number}", note="x" * 2000))
        if reply.status == 202:
            acknowledged += reply.json()["events"][0]["deliveries"]
        else:
            refused = reply
    assert refused and refused.status == 503 and int(refused.headers["retry-after"]) > 0, refused
    assert refused.headers["content-type"] == "application/problem+json"
    assert "full" in host.log() or "space" in host.log(), host.log()[-2000:]
    assert host.call("GET", "/readyz").status == 503
    reload = host.call("POST", "/v1/reload")
    assert reload.status == 500 and "the audit of a reload could not be stored" in reload.json()["detail"], reload
    assert "the audit of a reload could not be stored" in host.log()
    ballast.unlink()
    until(lambda: host.post(deal(9999)).status == 202, "events are taken again")
    assert host.call("POST", "/v1/reload").status == 200
    receiver.wait_until(lambda r: set(acknowledged) <= {x.id for x in r}, "all that was acknowledged")
    again = host.accept(deal(number, event_id=f"e{number}", note="x" * 2000))[0]
    assert again["duplicate"] is False, "what was refused is not there"


def test_one_host_at_a_time(serve, receiver, folder):
    host = serve({"w.lua": workflow(receiver.url)})
    second = Host(folder / "second", {}, data=host.data, start=False)
    second.folder.mkdir(exist_ok=True)
    address = (host.data / "address").read_text()
    with open(second.log_path, "wb") as log:
        done = subprocess.run(second.command(), stderr=log, stdout=subprocess.PIPE, timeout=60)
    assert done.returncode == 1 and str(host.data) in second.log(), second.log()
    assert (host.data / "address").read_text() == address
    assert host.accept(deal(1))


def ends_with(host, *words):
    """The host does not start; it exits 1 and its message says these words."""
    host.spawn()
    assert host.wait_end() == 1
    log = host.log()
    assert all(word in log for word in words), log
    host.process = None


def test_a_corrupt_file_is_named(serve, folder):
    host = serve({})
    host.stop()
    database = host.data / "hookline.db"
    for rest in ("-wal", "-shm"):
        (host.data / f"hookline.db{rest}").unlink(missing_ok=True)
    host.is_damaged = True
    database.write_bytes(b"This is no database at all. " * 1000)
    ends_with(host, "hookline.db")


def test_a_data_folder_that_cannot_be_made(serve, folder):
    (folder / "file").write_text("")
    host = serve({}, data=folder / "file/data", start=False)
    (folder / "file").unlink()
    (folder / "file").symlink_to("/proc/nothing")
    ends_with(host, str(folder / "file/data"))
