"""What comes in goes out: random JSON, sent through a rule that returns the record, keeps every value as written."""
import random

from support.rules import workflow
from support.values import SEED, Written, kinds, read, text, value


def test_random_records_go_through_as_they_were_written(serve, receiver):
    chance = random.Random(SEED)
    host = serve({"echo.lua": workflow(receiver.url, content="function(event) return event.record end"),
                  "fields.lua": workflow(receiver.url + "/fields", content='hook.fields { "id", "x" }')})
    records = {}
    lines = []
    for number in range(400):
        records[str(number)] = record = {"id": Written(number), "x": value(chance, 0), "y": value(chance, 0)}
        lines.append('{"type":"deal.created","record":' + text(record, chance) + "}")
    reply = host.call("POST", "/v1/events", "\n".join(lines).encode(), {"Content-Type": "application/x-ndjson"})
    assert reply.status == 202, (SEED, reply)
    for request in receiver.wait(800):
        got = read(request.body)
        want = records[got["id"]]
        if request.path == "/fields":
            want = {"id": want["id"], "x": want["x"]}
        assert kinds(got) == kinds(want), f"SEED={SEED}"


def test_the_event_is_shown_as_it_was_posted(serve):
    host = serve({})
    body = ('{"id":"e1","type":"deal.created","time":"2026-11-23T09:15:00Z","source":"ui","actor":{"id":7},'
            '"record":{"id":1,"amount":12500.10,"big":123456789012345678901234567890,"tags":[],"none":null}}')
    assert host.post(body.encode()).status == 202
    shown = host.call("GET", "/v1/events/e1")
    assert '"amount":12500.10' in shown.body.decode() and "123456789012345678901234567890" in shown.body.decode()
    event = shown.json()
    assert event["time"].startswith("2026-11-23T09:15:00") and event["record"]["tags"] == [] and event["record"]["none"] is None
    assert {"id", "type", "time", "received_at", "record", "runs"} <= set(event)
