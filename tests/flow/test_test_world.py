"""`hookline test`: what causes events of its own, and what time does."""
from support.host import run


FIRST = '''local hook = require "hookline"
return hook.workflow { record = "deal", trigger = hook.every { "created" }, actions = { hook.webhook {
  method = "POST", url = "https://a.example/first", encoding = "json", content = hook.fields { "id" },
  retry = hook.retry { { "1m" } } } } }'''
SECOND = '''local hook = require "hookline"
return hook.workflow { record = "webhook", trigger = hook.every { "delivered", "terminated" },
  when = hook.all { hook.field "workflow":is "first" }, actions = { hook.webhook {
  method = "POST", url = "https://a.example/second", encoding = "json", content = function(event)
    local r = event.record
    return { number = r.state == "delivered" and r.response.json.number or nil, state = r.state, deal = r.event.record.id }
  end } } }'''


def test_a_chain_of_two_webhooks_is_tested(folder):
    rules = folder / "rules"
    rules.mkdir()
    (rules / "first.lua").write_text(FIRST)
    (rules / "second.lua").write_text(SECOND)
    (rules / "first_test.lua").write_text('''local hook = require "hookline"
return hook.test { workflow = { "first", "second" }, cases = {
  { name = "the second has the answer of the first", given = { record = { id = 7 } },
    answers = { { status = 201, body = { number = "P-1" } } },
    expect = { { url = "https://a.example/first" },
      { url = "https://a.example/second", body = { number = "P-1", state = "delivered", deal = 7 } } } },
  { name = "and hears of its end", steps = {
    { given = { record = { id = 8 } }, answers = { 503, 503 }, expect = { { url = "https://a.example/first" } } },
    { after = "1m", expect = { { url = "https://a.example/second", body = { state = "terminated", deal = 8 } } } } } },
} }
''')
    done = run("test", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (rules / "second.lua").write_text(SECOND.replace('is "first"', 'is "another"'))
    failed = run("test", cwd=folder)
    assert failed.returncode == 1 and "second: did not fire: workflow is" in failed.stdout, failed.stdout


def test_a_recheck_is_tested(folder):
    rules = folder / "rules"
    rules.mkdir()
    (rules / "w.lua").write_text('''local hook = require "hookline"
return hook.workflow { record = "deal", trigger = hook.every { "created", "updated" }, delay = "10m", recheck = true,
  when = hook.all { hook.field "stage":is "Won" }, actions = { hook.webhook { method = "DELETE", url = "https://a.example/" } } }''')
    (rules / "w_test.lua").write_text('''local hook = require "hookline"
return hook.test { given = { type = "deal.created", record = { id = 1, stage = "Won" } }, cases = {
  { name = "holds still", steps = { { given = {}, expect = { {} } },
    { after = "10m", expect = {}, deliveries = { { state = "delivered" } } } } },
  { name = "holds no longer", steps = { { given = {}, expect = { {} } },
    { after = "5m", given = { type = "deal.updated", record = { stage = "Lost" } }, expect = {} },
    { after = "5m", expect = {}, deliveries = { { state = "cancelled" } } } } },
  { name = "is deleted", steps = { { given = {}, expect = { {} } },
    { after = "5m", given = { type = "deal.deleted" }, expect = {} },
    { after = "5m", expect = {}, deliveries = { { state = "cancelled", reason = "deleted" } } } } },
} }
''')
    done = run("test", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (rules / "w.lua").write_text((rules / "w.lua").read_text().replace("recheck = true", "recheck = false"))
    assert run("test", cwd=folder).returncode == 1
