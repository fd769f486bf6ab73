"""tests/data/hostile.txt in a real host: every rule ends as its own workflow's error, with its place, and what it
shares a body with, or comes after it, is served."""
import os
import pathlib
import re

from support.host import BINARY
from support.rules import deal, workflow
from support.waiting import until

DATA = pathlib.Path(__file__).resolve().parents[1] / "data/hostile.txt"
RULE = re.compile(r"^== (?P<name>[^:\n]+): (?P<ends>\w+)(?:, in (?P<place>\w+))?\n(?P<code>(?:(?!== ).*\n?)*)", re.M)
ROOM_KB = 32 * 1024


def hostile_files(url):
    files, lines = {}, {}
    for number, rule in enumerate(RULE.finditer(DATA.read_text()), 1):
        place, code = rule["place"] or "condition", rule["code"]
        if place == "load":
            continue
        function = f"function(event) local _ = KEPT;\n{code}end"
        keys = {"condition": "wf_when", "actions": "wf_actions"}.get(place, place)
        text = "local KEPT = { 3, 1, 2 }\n" + workflow(url + "/hostile", wf_record=f'"h{number}"', **{keys: function})
        files[f"h{number}.lua"] = text
        first = 1 + text[:text.index(code)].count("\n")
        lines[f"h{number}"] = (rule["name"], place, range(first, first + code.count("\n") + 1))
    return files, lines


def test_each_hostile_rule_is_its_own_workflows_error(serve, receiver):
    files, rules = hostile_files(receiver.url)
    assert len(rules) >= 150
    host = serve({**files, "good.lua": workflow(receiver.url + "/good")})
    host.accept(deal(0))
    before_kb = host.memory_kb()
    wrong, number = [], 0
    for record, (name, place, lines) in rules.items():
        number += 1
        event = {"id": f"e-{record}", "type": f"{record}.created", "record": {"id": 1, "s": "x"}}
        hostile, good = host.accept(event, deal(number))
        assert len(good["deliveries"]) == 1 and hostile["deliveries"] == [], name
        run = host.event(hostile["id"])["runs"][0]
        at = re.search(rf"{record}\.lua:(\d+)?", run["reason"] or "")
        is_right = run["outcome"] == "error" and at and (
            place in ("content", "actions") or at[1] and int(at[1]) in lines)
        if not is_right:
            wrong.append((name, run["reason"]))
        assert len(host.accept(deal(1000 + number))[0]["deliveries"]) == 1
    assert not wrong
    assert {r.path for r in receiver.wait(2 * number + 1)} == {"/good"}

    def is_given_back():  # the allocator returns memory while it is at work
        host.accept(deal(1))
        return host.memory_kb() < before_kb + ROOM_KB
    if "asan" not in os.fspath(BINARY):
        until(is_given_back, "the memory of the hostile rules to be given back")
