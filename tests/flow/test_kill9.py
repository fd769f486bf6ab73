"""kill -9 at random moments under load. `make torture` runs 1,000 rounds; SEED=, ROUNDS= choose others."""
import http.client
import json
import os
import random
import threading
import time

from support.rules import deal, workflow

ROUNDS = int(os.environ.get("ROUNDS", "20"))
SEED = int(os.environ.get("SEED", str(time.time_ns() % 1000000)))
POSTERS = 6
RECORDS = 40  # of the `once` workflow, in each round


class Load:
    """Posts from several connections until the host is gone; remembers what was acknowledged."""

    def __init__(self, host, number):
        self.host, self.number, self.lock = host, number, threading.Lock()
        self.acknowledged, self.unknown, self.faults = {}, {}, []
        self.threads = [threading.Thread(target=self.post) for _ in range(POSTERS)]
        self.posted = 0
        for thread in self.threads:
            thread.start()

    def next(self):
        with self.lock:
            self.posted += 1
            return f"r{self.number}-{self.posted}", deal(self.number * RECORDS + self.posted % RECORDS,
                                                         event_id=f"r{self.number}-{self.posted}")

    def post(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.host.port, timeout=60)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.host.token}"}
        while True:
            id, event = self.next()
            try:
                connection.request("POST", "/v1/events", json.dumps(event), headers)
                reply = connection.getresponse()
                body = reply.read()
            except (OSError, http.client.HTTPException):
                self.unknown[id] = event
                connection.close()
                return
            if reply.status != 202:
                self.faults.append((reply.status, body))
                return
            self.acknowledged[id] = json.loads(body)["events"][0]["deliveries"]

    def join(self):
        for thread in self.threads:
            thread.join()
        assert not self.faults, self.faults[:3]


def test_nothing_acknowledged_is_lost_and_once_fires_once(serve, receiver):
    print(f"\nSEED={SEED} ROUNDS={ROUNDS}")
    chance = random.Random(SEED)
    host = serve({"every.lua": workflow(receiver.url + "/every"),
                  "once.lua": workflow(receiver.url + "/once", wf_trigger='hook.once { "created", "updated" }')})
    acknowledged, unknown = {}, {}
    for number in range(ROUNDS):
        # The moment is a number of events, so it falls anywhere between two steps of the host's work.
        load, moment = Load(host, number), chance.randint(1, 400)
        while load.posted < moment and not load.faults:
            threading.Event().wait(chance.random() * 0.002)
        host.kill9()
        load.join()
        acknowledged.update(load.acknowledged)
        unknown.update(load.unknown)
        host.start()
    # A client that saw no answer posts again: whatever the host knew of it, the event is there once.
    for id, event in unknown.items():
        acknowledged[id] = host.accept(event)[0]["deliveries"]
    owed = {d: id for id, ids in acknowledged.items() for d in ids}
    try:
        receiver.wait_until(lambda r: owed.keys() <= {x.id for x in r}, "all that was acknowledged", 120)
    except AssertionError:
        lost = sorted(owed.keys() - {r.id for r in receiver.requests})
        raise AssertionError(f"SEED={SEED}: {len(lost)} of {len(owed)} lost: {[(d, owed[d]) for d in lost[:5]]}")
    every, once = {}, {}
    for request in receiver.requests:
        if request.path == "/every":
            every.setdefault(request.id, set()).add(request.body)
        else:
            once.setdefault(request.json()["id"], set()).add(request.id)
    stray = {r.id for r in receiver.requests} - owed.keys()
    assert not stray, f"SEED={SEED}: sent without an accepted event: {stray}"
    assert all(len(bodies) == 1 for bodies in every.values()), f"SEED={SEED}: one id with two bodies"
    twice = {record: ids for record, ids in once.items() if len(ids) != 1}
    assert not twice, f"SEED={SEED}: once fired more than once: {twice}"
    repeats = len(receiver.requests) - len({r.id for r in receiver.requests})
    print(f"{ROUNDS} kills: {len(acknowledged)} events, {len(owed)} deliveries, {repeats} repeated, {len(unknown)} unanswered")
