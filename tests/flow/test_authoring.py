"""`hookline test`: what it says of tests that pass and that fail, in each of its forms."""
import json
import re
import xml.etree.ElementTree

import pytest
from support.host import ROOT, run

RULE = '''local hook = require "hookline"
local field = hook.field
return hook.workflow {
  record = "deal", trigger = hook.every { "created", "updated" },
  when = hook.all {
    field "stage":is "Won",
    hook.any { field "amount":at_least(100),
      function(event) return event.record.vip == true end },
  },
  actions = { hook.webhook { method = "POST", url = hook.var("URL", "https://app.example.com") .. "/in",
    auth = hook.bearer(hook.secret "KEY"), encoding = "json",
    content = hook.fields { "id", "amount", "account.name" } } },
}
'''


def suite(cases, options=""):
    return f'local hook = require "hookline"\nreturn hook.test {{\n{options}\ncases = {{\n{cases}\n}} }}\n'


@pytest.fixture
def rules(folder):
    path = folder / "rules"
    path.mkdir()

    def write(**files):
        for name, text in files.items():
            (path / f"{name}.lua").write_text(text)
        return path
    return write


def ran(folder, *words):
    return run("test", *words, cwd=folder)


def one(rules, folder, case, rule=RULE, options=""):
    """Runs one case: whether it passed, and what was said."""
    rules(deal=rule, deal_test=suite(case, options))
    done = ran(folder)
    last = done.stdout.strip().splitlines()[-1]
    assert last in ("1 passed, 0 failed", "0 passed, 1 failed"), done
    assert done.returncode == (0 if last.startswith("1") else 1)
    return last.startswith("1"), done.stdout


def test_the_examples_have_tests_that_pass():
    done = run("test", ROOT / "rules", "--coverage", cwd=ROOT)
    assert done.returncode == 0, done
    for path in (ROOT / "rules").glob("*.lua"):
        if not path.stem.endswith("_test"):
            assert (path.parent / f"{path.stem}_test.lua").exists(), f"{path.name} has no test"
    assert "no test runs it" not in done.stdout and "no case makes it fire" not in done.stdout
    assert re.fullmatch(r"(\d+) of \1 conditions were true and false\.", done.stdout.splitlines()[-2]), done.stdout


WON = 'given = { record = { id = 7, stage = "Won", amount = 250.50, account = { name = "Acme" } } }'
PASSES = [
    f'{WON}, expect = {{ {{ method = "POST", url = "https://app.example.com/in" }} }}',
    f'{WON}, expect = {{ body = {{ id = 7, amount = 250.5, account = {{ name = "Acme" }} }} }}',
    f'{WON}, expect = {{ body = \'{{"id":7,"amount":250.5,"account":{{"name":"Acme"}}}}\' }}',
    f'{WON}, expect = {{ body_has = {{ account = {{ name = "Acme" }} }} }}',
    f'{WON}, expect = {{ body_has = {{ amount = function(v) return v > 250 end }} }}',
    f'{WON}, expect = {{ body = function(body) return body.id == 7 end }}',
    f'{WON}, expect = {{ headers = {{ authorization = "Bearer ****", ["Content-Type"] = "application/json" }} }}',
    f'{WON}, expect = {{ headers = {{ ["X-Other"] = false }} }}',
    f'{WON}, expect = {{ state = "delivered", attempts = 1, workflow = "deal" }}',
    'given = { record = { stage = "Lost" } }, expect = {}',
    'given = { type = "deal.deleted", record = { stage = "Won", vip = true } }, expect = {}',
    'given = { { record = { id = 1, stage = "Won", vip = true } }, { record = { id = 2, stage = "Won", vip = true } } }, '
    'expect = { { body_has = { id = 1 } }, { body_has = { id = 2 } } }',
    'given = { record = { stage = "Won", vip = true } }, expect = { body = { id = 1, amount = hook.null, account = { name = hook.null } } }',
    'now = "2026-11-23T09:15:00Z", given = { record = { stage = "Won", vip = true } }, '
    'expect = { headers = { ["webhook-timestamp"] = "1795425300" } }',
]


@pytest.mark.parametrize("case", PASSES)
def test_a_case_passes(case, rules, folder):
    passed, said = one(rules, folder, f'{{ name = "it", {case} }}')
    assert passed, said


FAILS = [
    (f'{WON}, expect = {{}}', "expected 0 webhooks, got 1", "1: POST https://app.example.com/in (delivered)"),
    (f'{WON}, expect = {{ method = "PUT" }}', 'webhook 1 method: expected "PUT", got "POST"'),
    (f'{WON}, expect = {{ url = "https://x/" }}', 'webhook 1 url: expected "https://x/", got "https://app'),
    (f'{WON}, expect = {{ headers = {{ ["X-A"] = "1" }} }}', 'webhook 1 header X-A: expected "1", got nothing'),
    (f'{WON}, expect = {{ body = {{ id = 8, name = "x", amount = 250.5, account = {{ name = "Acme" }} }} }}',
     "webhook 1 body:", "id: expected 8, got 7", 'name: expected "x", got nothing'),
    (f'{WON}, expect = {{ body_has = {{ account = {{ name = "Amce" }} }} }}',
     'body: account.name: expected "Amce", got "Acme"'),
    (f'{WON}, expect = {{ body = "{{}}" }}', "(- expected, + got)", "- {}", '+ {"id":7'),
    (f'{WON}, expect = {{ body_has = {{ amount = function(v) return v > 300, "too small" end }} }}',
     "amount: a function does not accept 250.5: too small"),
    (f'{WON}, answers = 503, expect = {{ state = "delivered" }}', 'state: expected "delivered", got "retrying"'),
    ('given = { record = { stage = "Lost" } }, expect = { method = "POST" }',
     "expected 1 webhook, got 0", 'stage is "Won": saw "Lost"'),
    (f'{WON}, error = "boom"', "error: expected boom, and no workflow failed"),
    ('given = { record = { id = {} } }, expect = {}', "record.id"),
    ('given = "nowhere.json", expect = {}', "rules/nowhere.json: No such file"),
]


@pytest.mark.parametrize("case,said", [(f[0], f[1:]) for f in FAILS])
def test_a_case_fails_and_says_why(case, said, rules, folder):
    passed, out = one(rules, folder, f'{{ name = "it", {case} }}')
    assert not passed and "rules/deal_test.lua:5: FAILED: it" in out
    for piece in said:
        assert piece in out, out


def test_long_texts_differ_line_by_line(rules, folder):
    rule = RULE.replace('encoding = "json"', 'encoding = "xml"')
    passed, out = one(rules, folder, f'{{ name = "it", {WON}, expect = {{ body = '
                      '"<deal><id>7</id><amount>1</amount><account><name>Acme</name></account></deal>" }} }}'.replace("}}", "}"), rule)
    assert not passed and "- <amount>1</amount>" in out and "+ <amount>250.5</amount>" in out
    assert "  <id>7</id>" in out and "- <id>" not in out


@pytest.mark.parametrize("steps", [
    # compared with the state before, without `previous`
    '{ given = { type = "deal.created", record = { stage = "Lost", amount = 5 } }, expect = {} },'
    '{ given = { type = "deal.updated", record = { stage = "Won", amount = 500 } }, expect = { { method = "POST" } } },'
    '{ given = { type = "deal.updated", record = { stage = "Won", amount = 500 } }, expect = {} }',
    # the host's own windows
    f'{{ {WON}, answers = {{ 503, "timeout", {{ status = 429, headers = {{ ["Retry-After"] = "120" }} }} }},'
    ' deliveries = { state = "retrying", next_attempt_in = "15s" } },'
    '{ after = "14s", deliveries = { attempts = 1 } }, { after = "1s", deliveries = { attempts = 2, next_attempt_in = "45s" } },'
    '{ after = "45s", deliveries = { attempts = 3, next_attempt_in = "3m" } },'
    '{ after = "3m", deliveries = { state = "delivered", attempts = 4 } }',
    f'{{ {WON}, answers = 503, expect = {{ {{ state = "retrying" }} }} }},'
    '{ after = "49h", deliveries = { state = "terminated", attempts = 17, reason = "answered 503" } },'
    '{ after = "30d", deliveries = { attempts = 17 } }',
    f'{{ {WON}, answers = {{ 410 }}, deliveries = {{ state = "terminated", reason = "gone" }} }}',
    # the same id again
    '{ given = { id = "x", record = { id = 1, stage = "Won", vip = true } }, expect = { {} } },'
    '{ given = { id = "x", record = { id = 1, stage = "Won", vip = true } }, expect = {} }',
])
def test_steps(steps, rules, folder):
    passed, out = one(rules, folder, f'{{ name = "it", steps = {{ {steps} }} }}')
    assert passed, out


@pytest.mark.parametrize("trigger,steps", [
    ('hook.once { "created", "updated" }', '{ given = {}, expect = { {} } }, { given = { record = { x = 1 } }, expect = {} },'
     '{ given = { record = { id = 2 } }, expect = { {} } }'),
    ('hook.every { "updated", watch = { "amount" } }',
     '{ given = { previous = { amount = 1 } }, expect = { {} } }, { given = { previous = { x = 1 } }, expect = {} }'),
    ('hook.every { "updated", edge = "rising" }',
     '{ given = { previous = { amount = 1 } }, expect = { {} } }, { given = { previous = { amount = 700 } }, expect = {} }'),
    ('hook.every { "created", "updated" }, cooldown = "10m"', '{ given = {}, expect = { {} } },'
     '{ given = { record = { x = 1 } }, expect = {} }, { after = "10m", given = { record = { x = 2 } }, expect = { {} } }'),
    ('hook.every { "created" }, delay = "10m"', '{ given = {}, expect = { { state = "pending", next_attempt_in = "10m" } } },'
     '{ after = "9m", deliveries = { attempts = 0 } }, { after = "1m", deliveries = { state = "delivered" } }'),
    ('hook.every { "created" }, active = "dry"', '{ given = {}, expect = { { state = "cancelled", attempts = 0 } } }'),
])
def test_triggers(trigger, steps, rules, folder):
    rule = RULE.replace('hook.every { "created", "updated" }', trigger)
    passed, out = one(rules, folder, f'{{ name = "it", steps = {{ {steps} }} }}', rule,
                      'given = { record = { id = 1, stage = "Won", amount = 500 } },')
    assert passed, out


def test_the_outcome_of_a_webhook_is_an_event_that_can_be_given(rules, folder):
    rule = RULE.replace('record = "deal", trigger = hook.every { "created", "updated" }',
                        'record = "webhook", trigger = hook.every { "delivered" }')
    rule = rule.replace('field "stage":is "Won"', 'field "workflow":is "first"').replace("amount", "response.status")
    rule = rule.replace('hook.fields { "id", "response.status", "account.name" }',
                        "hook.template [[{\"link\": {{ record.response.json.url | json }}}]]")
    passed, out = one(rules, folder, '{ name = "it", given = { record = { workflow = "first",'
                      'response = { status = 201, json = { url = "https://x/\\"y\\"" } } } },'
                      'expect = { body = { link = \'https://x/"y"\' } } }', rule)
    assert passed, out


def test_records_that_are_there_before(rules, folder):
    passed, out = one(rules, folder, '{ name = "it", records = { { id = 9, stage = "Won", amount = 5 } },'
                      'steps = { { given = { record = { id = 9, stage = "Won", amount = 500 } }, expect = { {} } } } }',
                      RULE.replace('"created", "updated"', '"updated", watch = { "amount" }'))
    assert passed, out


def test_events_from_a_file(rules, folder):
    rules()
    event = {"type": "deal.updated", "record": {"id": 3, "stage": "Won", "amount": 700}}
    (folder / "rules/won.json").write_text(json.dumps([event, {**event, "record": {**event["record"], "id": 4}}]))
    passed, out = one(rules, folder, '{ name = "it", given = "won.json", expect = { { body_has = { id = 3 } }, { body_has = { id = 4 } } } }')
    assert passed, out


def test_settings_of_the_tests_win(rules, folder):
    passed, out = one(rules, folder, f'{{ name = "it", {WON}, expect = {{ url = "https://other.example.com/in" }} }}',
                      options='vars = { URL = "https://other.example.com" },')
    assert passed, out


def test_an_error_is_expected_or_told(rules, folder):
    rule = RULE.replace('hook.fields { "id", "amount", "account.name" }',
                        'function(event)\n  if event.record.bad then error("no " .. event.record.bad) end\n  return { 1 }\nend')
    event = 'given = { record = { stage = "Won", vip = true, bad = "luck" } }'
    assert one(rules, folder, f'{{ name = "it", {event}, error = "no luck" }}', rule)[0]
    assert one(rules, folder, f'{{ name = "it", {event}, error = true }}', rule)[0]
    passed, out = one(rules, folder, f'{{ name = "it", {event}, expect = {{}} }}', rule)
    assert not passed and re.search(r"deal: failed: rules/deal.lua:\d+: no luck", out), out
    passed, out = one(rules, folder, f'{{ name = "it", {event}, error = "no joy" }}', rule)
    assert not passed and "expected no joy" in out and "no luck" in out


def test_addresses_and_orders_are_the_same_in_both_states(rules, folder):
    """What the sandbox lets a rule see; that a difference fails the case: tests/lua/testing_test.lua."""
    rule = RULE.replace('hook.fields { "id", "amount", "account.name" }', '''function(event)
      local keys, t = {}, { a = 1, b = 2, c = 3, record = 4, id = 5 }
      for key in pairs(t) do keys[#keys + 1] = key end
      return { address = tostring({}), print = tostring(print), keys = hook.array(keys), random = math.random() }
    end''')
    passed, out = one(rules, folder, f'{{ name = "it", {WON}, expect = {{ method = "POST" }} }}', rule)
    assert passed, out


def test_a_file_that_cannot_be_loaded_fails(rules, folder):
    rules(deal=RULE, a_test="return {\n", b_test="return 7\n", deal_test=suite('{ nme = "x", given = {}, expct = {} }'),
          nothing_test=suite('{ name = "x", given = {}, expect = {} }'))
    done = ran(folder)
    assert done.returncode == 1 and done.stdout.endswith("0 passed, 4 failed\n")
    assert "rules/a_test.lua:2: error: " in done.stdout
    assert "a test file ends with return hook.test" in done.stdout
    assert 'cases[1].nme: unknown key "nme"; did you mean "name"?' in done.stdout and '"expect"' in done.stdout
    assert 'there is no workflow file rules/nothing.lua' in done.stdout
    rules(deal=RULE.replace("hook.all {", "hook.all {{"), deal_test=suite(f'{{ name = "x", {WON}, expect = {{}} }}'))
    done = ran(folder, "rules/deal_test.lua")
    assert done.returncode == 1 and "rules/deal.lua:14: error: " in done.stdout, done.stdout


def many(rules):
    return rules(deal=RULE, deal_test=suite(f'''
        {{ name = "it fires & <fires>", {WON}, expect = {{ {{}} }} }},
        {{ name = "it fails #1", {WON}, expect = {{ body = {{}} }} }},
        {{ name = "later \\"on\\"", skip = "not yet", {WON}, expect = {{}} }},'''))


def test_junit_tap_and_json(rules, folder):
    many(rules)
    done = ran(folder, "--junit", "out.xml", "--tap")
    assert done.returncode == 1
    root = xml.etree.ElementTree.parse(folder / "out.xml").getroot()
    assert root.tag == "testsuites" and root.attrib["tests"] == "3"
    suite_, = root
    assert {k: suite_.attrib[k] for k in ("name", "failures", "skipped")} == {
        "name": "rules/deal_test.lua", "failures": "1", "skipped": "1"}
    cases = list(suite_)
    assert [c.attrib["name"] for c in cases] == ["it fires & <fires>", "it fails #1", 'later "on"']
    assert cases[0].attrib["line"] == "6" and not list(cases[0])
    assert "amount: expected nothing, got 250.5" in cases[1].find("failure").text
    assert cases[2].find("skipped").attrib["message"] == "not yet"
    lines = done.stdout.splitlines()
    assert lines[:2] == ["TAP version 14", "1..3"] and lines[-1] == "# 1 passed, 1 failed, 1 skipped"
    assert lines[2].startswith("ok 1 - ") and [line for line in lines if line.startswith("not ok 2 - ")]
    assert "\\#1" in done.stdout and [line for line in lines if line.startswith("ok 3 - ") and line.endswith("# SKIP not yet")]
    shown = json.loads(ran(folder, "--json", "--coverage").stdout)
    assert (shown["passed"], shown["failed"], shown["skipped"]) == (1, 1, 1)
    assert shown["cases"][1]["line"] == 7 and shown["cases"][1]["messages"]
    assert shown["coverage"][0]["conditions"][0] == {"line": 6, "condition": 'stage is "Won"', "was_true": True, "was_false": False}


def test_coverage_and_filter(rules, folder):
    many(rules)
    rules(lonely=RULE)
    done = ran(folder, "--coverage", "-k", "fires")
    assert done.returncode == 0 and "rules/deal_test.lua: 1 passed" in done.stdout
    assert 'rules/deal.lua:6: stage is "Won": never false' in done.stdout
    assert "rules/deal.lua:7: amount at_least 100: never false" in done.stdout
    assert "rules/deal.lua:7: a function: never true" in done.stdout
    assert "rules/lonely.lua: no test runs it" in done.stdout
    assert "0 of 3 conditions were true and false." in done.stdout
    assert ran(folder, "rules", "--filter", "deal_test").stdout.endswith("1 passed, 1 failed, 1 skipped\n")
    nothing = ran(folder, "--filter", "nowhere")
    assert nothing.returncode == 1 and "nowhere" in nothing.stderr
    assert ran(folder, "rules/deal.lua", "-k", "fires").returncode == 0
    (folder / "empty").mkdir()
    empty = run("test", "empty", cwd=folder)
    assert empty.returncode == 1 and "hookline new" in empty.stderr
    assert run("test", "nowhere", cwd=folder).returncode == 1
    assert run("test", "rules", "--filter", cwd=folder).returncode == 2


def test_modules_are_there_for_rules_and_for_tests(rules, folder):
    path = rules()
    (path / "lib").mkdir()
    (path / "lib/deals.lua").write_text("return { won = function(id) return { record = { id = id, stage = 'Won', vip = true } } end }")
    passed, out = one(rules, folder, '{ name = "it", given = require "lib.deals".won(9), expect = { body_has = { id = 9 } } }',
                      'local deals = require "lib.deals"\n' + RULE.replace('is "Won"', 'is(deals.won(1).record.stage)'))
    assert passed, out
