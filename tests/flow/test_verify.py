"""hookline verify: of a stopped host, a running one and a killed one; what is wrong is a line, and the exit status."""
import json
import sqlite3

from support.host import run
from support.rules import deal, workflow


def verify(host, *args):
    return run("verify", "--data", host.data, *args)


def test_a_stopped_a_running_and_a_killed_host(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url)})
    host.accept(*[deal(n) for n in range(20)])
    receiver.wait(20)
    running = verify(host)
    assert running.returncode == 0, running.stdout + running.stderr
    host.accept(deal(21))
    host.kill9()
    killed = verify(host)
    assert killed.returncode == 0, killed.stdout + killed.stderr
    host.start()
    host.stop()
    before = (host.data / "hookline.db").read_bytes()
    stopped = verify(host)
    assert stopped.returncode == 0 and stopped.stderr == "", stopped.stderr
    assert (host.data / "hookline.db").read_bytes() == before
    lines = [line.split(None, 1) for line in stopped.stdout.splitlines()]
    assert ["21", "deliveries               ok"] in lines, stopped.stdout
    assert stopped.stdout.endswith("is as it should be\n")


def test_each_fault_is_a_line(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url)})
    id = host.accept(deal(1))[0]["deliveries"][0]
    host.until_state(id, "delivered")
    host.stop()
    with sqlite3.connect(host.data / "hookline.db") as db:
        db.execute("UPDATE delivery SET due_at_ms = 5")
    db.close()
    done = verify(host)
    assert done.returncode == 1 and "has 1 fault:" in done.stderr, done.stderr
    assert f"deliveries: {id}: it is delivered and due still\n" in done.stdout
    report = verify(host, "--json")
    assert report.returncode == 1
    found = json.loads(report.stdout)
    assert found["faults"] == 1
    assert found["found"] == [{"check": "deliveries", "subject": id, "fault": "it is delivered and due still"}]
    assert {"check": "deliveries", "rows": 1, "faults": 1} in found["checks"]
    with sqlite3.connect(host.data / "hookline.db") as db:
        db.execute("UPDATE delivery SET due_at_ms = NULL")
    db.close()


def test_where_there_is_no_data(folder):
    done = run("verify", "--data", folder / "none")
    assert done.returncode == 1 and "--data" in done.stderr and done.stdout == ""
    assert run("verify", "--nonsense").returncode == 2
