"""Time triggers over the latest stored state of records: hook.daily, weekly, monthly, date; POST /v1/records."""
import json
import re
import signal
import sqlite3
import threading
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from support.rules import deal, workflow
from support.waiting import until

DAY = timedelta(days=1)


def scheduled(url, trigger, **keys):
    return workflow(url, wf_trigger=trigger, **keys)


def load(host, *records, type="deal"):
    """Stores records without running rules."""
    lines = "".join(json.dumps({"type": type, "record": r}) + "\n" for r in records).encode()
    reply = host.call("POST", "/v1/records", lines, {"Content-Type": "application/x-ndjson"})
    assert reply.status == 202, reply
    return reply.json()["events"]


def clock(host):
    return datetime.fromisoformat(host.now().replace("Z", "+00:00"))


def go_to(host, moment):
    """Moves the host's clock to a moment; what falls due on the way is run."""
    milliseconds = (moment - clock(host)) // timedelta(milliseconds=1)
    assert milliseconds >= 0
    host.advance(f"{milliseconds}ms")


def at_night(host):
    """The host, its clock moved to ten past midnight, whenever the test runs: no time of its workflows is near."""
    midnight = clock(host).replace(hour=0, minute=0, second=0, microsecond=0)
    go_to(host, midnight + DAY + timedelta(minutes=10))
    return host


def next_at(host, hour, zone="UTC"):
    """The next time of that hour on the zone's clocks."""
    now = clock(host).astimezone(ZoneInfo(zone))
    found = now.replace(hour=hour, minute=0, second=0, microsecond=0, fold=0)
    return found if found > now else (found.replace(tzinfo=None) + DAY).replace(tzinfo=ZoneInfo(zone))


def runs(host, type="deal"):
    """(time, record id) of each stored event of a time, oldest first."""
    page = host.call("GET", f"/v1/events?type={type}.scheduled&limit=1000").json()["events"]
    found = []
    for event in reversed(page):
        found.append((event["time"].replace(".000Z", "Z"), event["record"]["id"]))
    return found


def utc(moment):
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_daily_runs_for_each_record_as_it_then_is(serve, receiver):
    host = at_night(serve({"w.lua": scheduled(receiver.url, 'hook.daily { at = "09:00" }',
                                     wf_when='field "amount":at_least(100)')}, test_clock=True))
    load(host, {"id": 1, "amount": 100}, {"id": 2, "amount": 99}, {"id": 3, "amount": 5}, {"id": 4, "amount": 500})
    assert host.accept(deal(3, amount=300))[0]["deliveries"] == [], "no change of a record sets it off"
    host.accept(deal(4, type="deal.deleted", amount=500))
    slot = next_at(host, 9)
    go_to(host, slot - timedelta(seconds=1))
    assert runs(host) == []
    go_to(host, slot)
    assert runs(host) == [(utc(slot), 1), (utc(slot), 3)]
    bodies = sorted((r.json() for r in receiver.wait(2)), key=lambda b: b["id"])
    assert [(b["id"], b["amount"]) for b in bodies] == [(1, 100), (3, 300)]
    go_to(host, slot + DAY - timedelta(seconds=1))
    assert len(runs(host)) == 2
    go_to(host, slot + DAY)
    assert [r[0] for r in runs(host)] == [utc(slot)] * 2 + [utc(slot + DAY)] * 2
    event = host.event(f"scheduled:w:{utc(slot)}:3")
    assert event["type"] == "deal.scheduled" and event["record"]["amount"] == 300
    assert [(r["workflow"], r["outcome"], len(r["deliveries"])) for r in event["runs"]] == [("w", "sent", 1)]
    # The state that the next change is compared with is still the record's own.
    assert host.accept(deal(3, amount=300))[0]["deliveries"] == []


def test_each_workflow_has_its_own_events(serve, receiver):
    host = at_night(serve({"a.lua": scheduled(f"{receiver.url}/a", 'hook.daily { at = "09:00" }'),
                  "b.lua": scheduled(f"{receiver.url}/b", 'hook.daily { at = "09:00" }'),
                  "c.lua": scheduled(f"{receiver.url}/c", 'hook.daily { at = "09:00" }', wf_active="false"),
                  "d.lua": scheduled(f"{receiver.url}/d", 'hook.daily { at = "09:00" }', wf_record='"lead"')},
                 test_clock=True))
    load(host, {"id": 1})
    load(host, {"id": 7}, type="lead")
    go_to(host, next_at(host, 9))
    assert sorted((r.path, r.json()["id"]) for r in receiver.wait(3)) == [("/a", 1), ("/b", 1), ("/d", 7)]
    assert len(host.deliveries()) == 3
    # And they stay its own: nobody else is asked again for them, nor asked why.
    events = host.call("GET", "/v1/events?type=deal.scheduled").json()["events"]
    of_a = next(event["id"] for event in events if ":a:" in event["id"])
    again = host.call("POST", f"/v1/events/{of_a}/replay").json()["events"][0]
    assert [r["workflow"] for r in again["runs"]] == ["a"]
    why = host.call("GET", f"/v1/events/{of_a}/explain").json()
    assert [w["workflow"] for w in why["workflows"]] == ["a"]


def test_weekly_and_monthly(serve, receiver):
    host = serve({
        "week.lua": scheduled(f"{receiver.url}/week", 'hook.weekly { on = { "monday", "friday" }, at = "09:00" }'),
        "month.lua": scheduled(f"{receiver.url}/month", 'hook.monthly { day = 31, at = "09:00" }')}, test_clock=True,
        config='return { retention = { payloads = "400d", attempts = "400d", ids = "400d" } }')
    load(host, {"id": 1})
    start = clock(host)
    end = start + timedelta(days=95)
    go_to(host, end)
    wanted = []
    day = start.date()
    while day <= end.date():
        moment = datetime(day.year, day.month, day.day, 9, tzinfo=timezone.utc)
        if start < moment <= end:
            wanted += [("week", utc(moment))] * (day.weekday() in (0, 4))
            wanted += [("month", utc(moment))] * ((day + DAY).day == 1)
        day += DAY
    pages = host.call("GET", "/v1/events?type=deal.scheduled&limit=1000").json()["events"]
    seen = [tuple(re.match(r"scheduled:(\w+):(.*Z):1$", e["id"]).groups()) for e in pages]
    assert sorted(seen) == sorted(wanted) and len([w for w in wanted if w[0] == "month"]) >= 3


def next_change(zone, now):
    """The next change of the zone's clocks: the hour of UTC in which it is, and its kind."""
    moment = now.replace(minute=0, second=0, microsecond=0)
    for _ in range(24 * 400):
        later = moment + timedelta(hours=1)
        change = later.astimezone(zone).utcoffset() - moment.astimezone(zone).utcoffset()
        if change:
            return later, change
        moment = later
    raise AssertionError("no change of the clocks within 400 days")


@pytest.mark.release_only
def test_a_change_of_the_clocks(serve, receiver):
    """Over both changes of the next year: a time that is skipped, one that comes twice, and an ordinary one."""
    berlin = ZoneInfo("Europe/Berlin")
    host = serve({"skipped.lua": scheduled(receiver.url, 'hook.daily { at = "02:30" }', wf_zone='"Europe/Berlin"'),
                  "plain.lua": scheduled(receiver.url, 'hook.daily { at = "09:00" }', wf_zone='"Europe/Berlin"')},
                 test_clock=True)
    load(host, {"id": 1})
    for _ in range(2):
        change, by = next_change(berlin, clock(host))
        day = change.astimezone(berlin).date()
        go_to(host, change + 3 * DAY)
        seen = {e["id"] for e in host.call("GET", "/v1/events?type=deal.scheduled&limit=12").json()["events"]}
        first = {True: change, False: change - timedelta(minutes=30)}[by > timedelta(0)]
        nine = [datetime(d.year, d.month, d.day, 9, tzinfo=berlin) for d in (day - DAY, day, day + DAY)]
        wanted = {f"scheduled:plain:{utc(n)}:1" for n in nine} | {f"scheduled:skipped:{utc(first)}:1"}
        assert wanted <= seen, (by, sorted(seen))
        on_the_day = [e for e in seen if e.startswith("scheduled:skipped:")
                      and datetime.fromisoformat(e[18:38].replace("Z", "+00:00")).astimezone(berlin).date() == day]
        assert len(on_the_day) == 1


def test_the_day_that_a_field_says(serve, receiver):
    host = at_night(serve({"w.lua": scheduled(
        receiver.url, 'hook.date { field = "contract.ends", offset = "-3d", at = "09:00" }',
        wf_zone='"America/New_York"')}, test_clock=True))
    zone = ZoneInfo("America/New_York")
    slot = next_at(host, 9, "America/New_York")
    day = slot.date()

    def ends(days, form="{}"):
        return {"contract": {"ends": form.format(day + timedelta(days=days))}}
    load(host, {"id": "day", **ends(3)}, {"id": "time", **ends(4, "{}T04:30:00Z")}, {"id": "before", **ends(2)},
         {"id": "next", **ends(4)}, {"id": "none", "contract": {}}, {"id": "odd", "contract": {"ends": "soon"}},
         {"id": "moved", **ends(3)})
    go_to(host, slot)
    local = datetime.fromisoformat(f"{day + timedelta(days=4)}T04:30:00+00:00").astimezone(zone).date()
    today = {"day", "moved"} | ({"time"} if local == day + timedelta(days=3) else set())
    assert {r[1] for r in runs(host)} == today
    load(host, {"id": "moved", **ends(5)}, {"id": "late", **ends(3)})
    for days in (1, 2, 3):
        go_to(host, datetime(day.year, day.month, day.day, 9, tzinfo=zone) + days * DAY)
    seen = [r for r in runs(host) if r[1] in ("next", "moved", "day", "late")]
    at = [utc(datetime(d.year, d.month, d.day, 9, tzinfo=zone)) for d in (day, day + DAY, day + 2 * DAY)]
    assert sorted(seen) == sorted([(at[0], "day"), (at[0], "moved"), (at[1], "next"), (at[2], "moved")])


def test_records_are_loaded_without_running_rules(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url, wf_when='field "stage":changed_to("Won")')})
    load(host, {"id": 1, "stage": "Open"}, {"id": 2, "stage": "Won"})
    assert host.deliveries() == []
    # They are what an update without `previous` is compared with.
    assert len(host.accept({"type": "deal.updated", "record": {"id": 1, "stage": "Won"}})[0]["deliveries"]) == 1
    assert host.accept({"type": "deal.updated", "record": {"id": 2, "stage": "Won"}})[0]["deliveries"] == []
    receiver.wait()


def test_what_post_records_takes(serve):
    host = serve({})
    answer = host.call("POST", "/v1/records", [
        {"type": "deal.created", "id": "r1", "time": "2026-01-01T00:00:00Z", "record": {"id": 1}},
        {"type": "deal", "record": {"id": 2}}, {"type": "deal.deleted", "record": {"id": 3}}])
    assert answer.status == 202
    events = answer.json()["events"]
    assert [e["deliveries"] for e in events] == [[], [], []] and events[0]["id"] == "r1"
    again = host.call("POST", "/v1/records", {"type": "deal.created", "id": "r1", "time": "2026-01-01T00:00:00Z",
                                              "record": {"id": 1}}).json()["events"]
    assert again == [{"id": "r1", "duplicate": True, "deliveries": []}]
    assert host.call("POST", "/v1/records", {"type": "deal", "id": "r1", "record": {"id": 9}}).status == 409
    for body, words in [({"type": "deal.scheduled", "record": {"id": 1}}, "host's own"),
                        ({"type": "webhook", "record": {"id": 1}}, "host's own"),
                        ({"type": "deal.moved", "record": {"id": 1}}, "must end in"),
                        ({"type": "deal", "record": {}}, "record.id"), ({"record": {"id": 1}}, '"type" is missing')]:
        reply = host.call("POST", "/v1/records", body)
        assert reply.status == 400 and words in reply.json()["detail"], reply
    assert host.post({"type": "deal", "record": {"id": 1}}).status == 400
    assert host.event(events[1]["id"])["type"] == "deal"


def rewrite_slots(host, sql):
    """As if the host had been down: what it has stored of its times is changed while it is."""
    with sqlite3.connect(host.data / "hookline.db") as db:
        db.execute(sql)
        left = db.execute("SELECT count(*) FROM slot").fetchone()[0]
    db.close()
    return left


def test_a_missed_time_runs_once_at_the_next_start(serve, receiver):
    rules = {"daily.lua": scheduled(f"{receiver.url}/daily", 'hook.daily { at = "00:00" }'),
             "date.lua": scheduled(f"{receiver.url}/date", 'hook.date { field = "due", at = "00:00" }')}
    host = serve(rules, test_clock=True)
    day = clock(host).date()
    load(host, {"id": 1, "due": str(day)}, {"id": 2, "due": str(day - 2 * DAY)}, {"id": 3, "due": str(day - 9 * DAY)})
    host.advance("1s")
    assert runs(host) == [], "a workflow that is new does not run for times before it"
    host.stop()
    assert rewrite_slots(host, f"UPDATE slot SET done_ms = done_ms - {4 * 86400000}") == 2
    host.start()
    host.advance("1s")
    midnight = clock(host).replace(hour=0, minute=0, second=0, microsecond=0)
    found = [e["id"].split(":", 1)[1] for e in
             host.call("GET", "/v1/events?type=deal.scheduled").json()["events"]]
    daily = [f"daily:{utc(midnight)}:{n}" for n in (1, 2, 3)]
    days = [f"date:{day}T00:00:00Z:1", f"date:{day - 2 * DAY}T00:00:00Z:2"]
    assert sorted(found) == sorted(daily + days), "of a daily time the last, of a date each day that was missed"
    host.stop()
    host.start()
    host.advance("1m")
    assert len(runs(host)) == 5


def test_a_changed_schedule_and_one_started_again_begin_then(serve, receiver):
    host = at_night(serve({"w.lua": scheduled(receiver.url, 'hook.daily { at = "00:00" }')}, test_clock=True))
    load(host, {"id": 1})
    host.advance("1s")

    def reload(text):
        (host.rules_dir / "w.lua").write_text(text)
        assert host.call("POST", "/v1/reload").json()["errors"] == []
        host.advance("1s")
    # By its old time it would be due again, by the new one it was due before it was there.
    now = clock(host)
    reload(scheduled(receiver.url, f'hook.daily {{ at = "{(now - timedelta(minutes=5)):%H:%M}" }}'))
    assert runs(host) == []
    reload(scheduled(receiver.url, 'hook.daily { at = "00:00" }', wf_active="false"))
    host.advance("24h")
    assert runs(host) == []
    reload(scheduled(receiver.url, 'hook.daily { at = "00:00" }'))
    assert runs(host) == []
    go_to(host, next_at(host, 0))
    assert len(runs(host)) == 1
    reload(scheduled(receiver.url, 'hook.daily { at = "00:00" }', wf_description='"more words"'))
    assert len(runs(host)) == 1


def test_a_crash_in_the_middle_of_a_time(serve, receiver):
    count = 2000
    host = serve({"w.lua": scheduled(receiver.url, 'hook.daily { at = "09:00" }',
                                     wf_when='field "n":less_than(1500)')}, test_clock=True, start=False)
    at_night(host.start("--crash-at", "slot_page"))
    load(host, *({"id": n, "n": n} for n in range(count)))
    slot = next_at(host, 9)
    with pytest.raises((AssertionError, OSError)):
        go_to(host, slot)
    assert host.wait_end() == -signal.SIGKILL
    for _ in range(3):  # again and again, a page further each time
        host.spawn("--crash-at", "slot_page")
        assert host.wait_end() == -signal.SIGKILL
    host.start()
    go_to(host, slot)  # a clock that starts at the present again: what was stored then is due then
    seen = receiver.wait_until(lambda r: len({x.json()["id"] for x in r}) == 1500, "1,500 webhooks")
    by_record = {}
    for request in seen:
        by_record.setdefault(request.json()["id"], set()).add(request.id)
    assert set(by_record) == set(range(1500))
    assert all(len(ids) == 1 for ids in by_record.values()), "a record's run is one delivery, whatever happens"
    assert len(host.deliveries()) == 1500
    assert {time for time, _ in runs(host)} == {utc(slot)}


def test_events_are_taken_and_files_reloaded_while_a_time_runs(serve, receiver):
    host = at_night(serve({"w.lua": scheduled(f"{receiver.url}/slot", 'hook.daily { at = "09:00" }'),
                  "e.lua": workflow(f"{receiver.url}/event", wf_record='"lead"')}, test_clock=True))
    load(host, *({"id": n, "n": n} for n in range(3000)))
    slot = next_at(host, 9)
    go_to(host, slot - timedelta(milliseconds=1))
    thread = threading.Thread(target=host.advance, args=("1ms",))
    thread.start()
    answered = 0
    while thread.is_alive() or answered < 20:
        event = {"type": "lead.created", "record": {"id": answered}}
        assert len(host.accept(event)[0]["deliveries"]) == 1
        answered += 1
        if answered % 10 == 0:
            (host.rules_dir / "e.lua").write_text(workflow(f"{receiver.url}/event", wf_record='"lead"',
                                                           wf_description=f'"{answered}"'))
            assert host.call("POST", "/v1/reload").status == 200
    thread.join()
    host.advance("1ms")
    seen = receiver.wait_until(lambda r: len({x.id for x in r}) >= 3000 + answered, "all webhooks", 60)
    slots = [x.json()["id"] for x in {x.id: x for x in seen}.values() if x.path == "/slot"]
    assert sorted(slots) == list(range(3000))


def test_an_id_that_an_event_cannot_have(serve, receiver):
    host = at_night(serve({"w.lua": scheduled(receiver.url, 'hook.daily { at = "09:00" }')}, test_clock=True))
    slot = next_at(host, 9)
    host.accept({"id": f"scheduled:w:{utc(slot)}:taken", "type": "deal.created", "record": {"id": "taken"}})
    load(host, {"id": "a\nb"}, {"id": "x" * 256}, {"id": "y"})
    go_to(host, slot)
    assert {r[1] for r in runs(host)} == {"a\nb", "x" * 256, "y"}
    assert until(lambda: "another event has the id" in host.log(), "the warning")
