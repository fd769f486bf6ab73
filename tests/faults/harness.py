"""A host under faults: it is loaded, it suffers, it starts again; then what was promised is looked at.

A World is one host with its data folder, a receiver, the shim, and a Ledger of what was posted and what was answered.
A test makes one from a seed, loads it (Load), does what it is about, and calls settle() or check().
"""
import http.client
import json
import pathlib
import random
import re
import shutil
import subprocess
import threading
import time

from control import Control
from disk import Disk, journal
from support.host import BINARY, ROOT, Host
from support.receiver import RESET, Receiver
from support.rules import deal, workflow
from support.waiting import until

SHIM = ROOT / BINARY.parent / "tests/faults/shim.so"
RECORDS = 25
BURST = 30  # bodies
# Short, so that retention is at work while the load runs.
CONFIG = 'return { retention = { payloads = "1h", attempts = "1h" }, limits = { free_disk = 1 } }'
GONE = (OSError, http.client.HTTPException)


def rules(url):
    once = 'hook.once { "created", "updated" }'
    told = ('function(event) return { of = event.record.delivery, state = event.record.state } end')
    return {
        "every.lua": workflow(url + "/every"),
        "once.lua": workflow(url + "/once", wf_trigger=once),
        "order.lua": workflow(url + "/order", order='"record"'),
        "told.lua": workflow(url + "/told", wf_record='"webhook"', wf_trigger='hook.every { "delivered" }',
                             wf_when='field "workflow":is "once"', content=told),
    }


def peak_kb(host):
    status = pathlib.Path(f"/proc/{host.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1])


# --- hosts with receivers of their own ----------------------------------------------------------

def probe(world, count):
    """Events that want a webhook of each of them; the ids of the deliveries, by workflow."""
    ids = {}
    for _ in range(count):
        event = world.ledger.next(world.chance)
        event["record"]["probe"] = "yes"
        world.post(event)
        for id in world.ledger.acknowledged[event["id"]][1]:
            ids.setdefault(world.host.delivery(id)["workflow"], []).append(id)
    return ids


def first_attempts(world, ids):
    def made():
        found = [world.host.delivery(id)["attempts"] for id in ids]
        return all(found) and [attempts[0] for attempts in found]
    return until(made, f"seed {world.seed}: attempts of {ids}", 60)


def how_it_ended(attempt):
    """Its error's word, or its status."""
    return attempt.get("error") or str(attempt["response_received"]["status"])


class Ledger:
    """What clients know: of each event its value, and the delivery ids of its first answer."""

    def __init__(self):
        self.lock = threading.Lock()
        self.number = 0
        self.acknowledged, self.unknown = {}, {}
        self.refused = 0
        self.faults = []

    def next(self, chance):
        with self.lock:
            self.number += 1
            event = deal(chance.randint(1, RECORDS), event_id=f"e{self.number}", note="x" * chance.choice((0, 0, 3000)))
            self.unknown[event["id"]] = event
            return event

    def again(self, chance):
        """An event that was acknowledged, or one to begin with."""
        with self.lock:
            if self.acknowledged and chance.random() < 0.1:
                return chance.choice(list(self.acknowledged.values()))[0]
        return self.next(chance)

    def answered(self, event, answer):
        with self.lock:
            known = self.acknowledged.get(event["id"])
            if known and known[1] != answer["deliveries"]:
                self.faults.append(f"{event['id']} was answered with {known[1]}, and then with {answer['deliveries']}")
            if known and not answer["duplicate"]:
                self.faults.append(f"{event['id']} was answered before, and is taken for a new one")
            self.acknowledged[event["id"]] = known or (event, answer["deliveries"])
            self.unknown.pop(event["id"], None)


class Load:
    """Clients that post so many bodies, or until the host is gone."""

    def __init__(self, world, limit, clients=4):
        self.world, self.limit, self.posted = world, limit, 0
        self.threads = [threading.Thread(target=self.post, args=(random.Random(world.chance.random()),))
                        for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def post(self, chance):
        host, ledger = self.world.host, self.world.ledger
        connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=60)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {host.token}"}
        while self.posted < self.limit:
            events = [ledger.again(chance)] if chance.random() < 0.9 else [ledger.next(chance) for _ in range(5)]
            self.posted += 1
            try:
                connection.request("POST", "/v1/events", json.dumps(events), headers)
                reply = connection.getresponse()
                body = json.loads(reply.read())
            except GONE:
                connection.close()
                if self.world.is_dying:
                    return
                continue
            if reply.status == 202:
                for event, answer in zip(events, body["events"]):
                    ledger.answered(event, answer)
            elif reply.status in (500, 503):
                ledger.refused += 1
            else:
                ledger.faults.append(f"{reply.status}: {body}")
        connection.close()

    def join(self):
        for thread in self.threads:
            thread.join()
        return self


class World:
    def __init__(self, folder, seed, config=CONFIG, more=(), **options):
        """more: workflow files beside those of rules(); options: of Host."""
        self.chance = random.Random(seed)
        self.folder, self.seed = pathlib.Path(folder), seed
        self.is_dying = self.is_healed = self.was_up = False
        self.ledger = Ledger()
        self.token = None
        self.ends = {}  # of a host that ended by itself: how, and how often
        self.moods = random.Random(seed)
        self.receiver = Receiver(self.answer)
        self.data = self.folder / "data"
        self.data.mkdir()
        self.control = Control(self.folder / "control")
        self.journal = self.folder / "journal"
        env = {"LD_PRELOAD": str(SHIM), "FAULTS_CONTROL": str(self.folder / "control"),
               "FAULTS_DIR": str(self.data), "FAULTS_JOURNAL": str(self.journal)}
        self.others = []  # receivers beside this one, whose requests count too
        self.host = Host(self.folder, {**rules(self.receiver.url), **dict(more)}, env=env, config=config,
                         test_clock=True, data=self.data, start=False, **options)

    def answer(self, request):
        """What the receiver says: some webhooks fail, some connections break, until it is healed."""
        mood = self.moods.random()
        if self.is_healed or request.path == "/told" or mood < 0.8:
            return 200
        return RESET if mood < 0.85 else 503

    # --- a life ---

    def start(self, die_in=None, fail=None):
        """Starts the host and says whether it is up. die_in: it is killed at that write or sync. fail: (plan, n), that
        call fails. With either it may end before it is up."""
        self.is_dying = False
        self.control.clear()
        if die_in:
            self.control["die_at"] = die_in
        if fail:
            self.control.fail(*fail)
        self.disk = Disk(self.data)
        self.host.spawn()
        until(lambda: self.host.process.poll() is not None or self.host.is_up(), f"seed {self.seed}: the start", 60)
        is_up = self.host.is_running()
        self.expect(is_up or die_in or fail,
                    f"the host ended with {self.host.process.returncode}: {self.host.log()[-3000:]}")
        if is_up:
            self.was_up = True
            self.expect(self.token in (None, self.host.token), "the admin's token is another one")
            self.token = self.host.token
            self.expect(self.control["allocation_count"] > 1000 and self.control["sync_count"] > 0,
                        "the shim is not in the way")
        return is_up

    def load(self, limit=BURST):
        return Load(self, limit)

    def burst(self):
        """Some posts, while time passes."""
        load = self.load()
        self.tick(self.chance.choice(("5s", "70s", "20m", "2h")))
        load.join()

    def work(self):
        """A little of everything: a post, attempts, a retry, a list."""
        self.load(3).join()
        self.tick("70s")
        try:
            self.host.call("GET", "/v1/deliveries?limit=5")
        except GONE:
            pass

    def burst_until(self, condition, what):
        end = time.monotonic() + 120
        while not condition():
            self.expect(time.monotonic() < end, f"{what}: not within 120 s")
            self.burst()

    def until_dead(self):
        """Until the host is killed at the operation that was chosen."""
        self.is_dying = True
        self.burst_until(lambda: not self.host.is_running(), "the end")
        self.host.wait_end()

    def kill(self):
        self.is_dying = True
        self.host.kill9()

    def lose_power(self):
        """The host is dead: the folder is left as a disk might have it that was cut off just then."""
        self.host.hang_up()
        self.disk.follow(journal(self.journal)).lose_power(self.chance)

    def cut_power(self):
        self.kill()
        self.lose_power()

    def end(self):
        """A last life, without faults, in which all that was promised comes true."""
        self.start()
        promised = self.settle()
        self.host.stop()
        self.verify()
        print(f"seed {self.seed}: {promised} deliveries promised, {len(self.receiver.requests)} requests, "
              f"{self.ledger.refused} refusals, ends by itself: {self.ends or 'none'}")

    def verify(self):
        """What lies there passes `hookline verify`, once a host has been up there at all."""
        done = subprocess.run([str(BINARY), "verify", "--data", str(self.data)], capture_output=True, text=True)
        self.expect(done.returncode == 0 or not self.was_up, done.stdout + done.stderr)

    def tick(self, text):
        """Moves the host's clock, where it lives still."""
        try:
            return self.host.advance(text)
        except (OSError, AssertionError):
            return None

    # --- what was promised ---

    def fail(self, words):
        keep = ROOT / "build/faults" / f"seed-{self.seed}"
        shutil.rmtree(keep, ignore_errors=True)
        shutil.copytree(self.folder, keep, ignore=shutil.ignore_patterns("clock"))
        raise AssertionError(f"seed {self.seed}: {words}; the folder is kept in {keep}")

    def expect(self, condition, words):
        if not condition:
            self.fail(words)

    def settle(self):
        """Clients that saw no answer ask again, receivers are well, time passes: all that is owed arrives."""
        self.is_healed, self.owed_before = True, None
        known = [event for event, _ in self.ledger.acknowledged.values()]
        for event in [*self.ledger.unknown.values(), *self.chance.sample(known, min(10, len(known)))]:
            self.post(event)
        until(self.owes_nothing, f"seed {self.seed}: all that is owed", 120)
        return self.check()

    def post(self, event):
        """One event, until the host, which is well again, takes it."""
        def accepted():
            reply = self.host.post(event)
            self.expect(reply.status in (202, 503), f"{event['id']}: {reply}")
            return reply.status == 202 and reply.json()["events"][0]
        self.ledger.answered(event, until(accepted, f"seed {self.seed}: events are taken again"))

    def owes_nothing(self):
        owed = [(d["id"], d["state"], d["next_attempt_at"])
                for s in ("pending", "retrying", "held") for d in self.host.deliveries(f"&state={s}")]
        targets = self.host.call("GET", "/v1/targets").json()["targets"]
        # What goes on by itself is let go on: each step of the clock takes 3 of the 49 hours.
        if owed == self.owed_before and not any(t["in_flight"] for t in targets):
            self.host.advance("3h")
        self.owed_before = owed
        return not owed

    def check(self):
        self.expect(not self.ledger.faults, self.ledger.faults[:3])
        stored = {d["id"]: d for d in self.host.deliveries()}
        promised = {d: e for e, (_, ids) in self.ledger.acknowledged.items() for d in ids}
        for id, event in promised.items():
            self.expect(id in stored, f"{id} of {event} was promised, and is not there")
            self.expect(stored[id]["state"] == "delivered", f"{id} of {event} is {stored[id]['state']}")
        requests = [*self.receiver.requests, *(r for other in self.others for r in list(other.requests))]
        arrived = {r.id for r in requests}
        lost = promised.keys() - arrived
        self.expect(not lost, f"{len(lost)} of {len(promised)} never arrived: {sorted(lost)[:5]}")
        stray = arrived - stored.keys()
        self.expect(not stray, f"sent, and not stored: {sorted(stray)[:5]}")
        self.check_ids(requests)
        self.check_once(requests)
        self.check_order(requests)
        return len(promised)

    def check_ids(self, requests):
        first = {}
        for r in requests:
            seen = first.setdefault(r.id, (r.path, r.body))
            self.expect(seen == (r.path, r.body), f"{r.id} came with two bodies: {seen} and {(r.path, r.body)}")

    def check_once(self, requests):
        fired = {}
        for r in requests:
            if r.path == "/once":
                fired.setdefault(r.json()["id"], set()).add(r.id)
        twice = {record: ids for record, ids in fired.items() if len(ids) > 1}
        self.expect(not twice, f"once fired more than once: {twice}")
        for event, ids in self.ledger.acknowledged.values():
            self.expect(event["record"]["id"] in fired or self.may_miss_once,
                        f"once never fired for {event['record']['id']}")

    may_miss_once = False  # where a run may have failed for want of memory

    def check_order(self, requests):
        """No webhook of an order goes before an earlier one that goes at all has arrived."""
        records = {}
        for number, r in enumerate(requests):
            if r.path == "/order":
                first, last = records.setdefault(r.json()["id"], {}).get(r.id, (number, number))
                records[r.json()["id"]][r.id] = (first, number)
        for record, spans in records.items():
            done = -1
            for id in sorted(spans):
                self.expect(spans[id][0] > done, f"{id} of record {record} went before the one ahead of it had ended")
                done = spans[id][1]

    def close(self):
        if self.host.is_running():
            self.host.kill9()
        self.receiver.close()
