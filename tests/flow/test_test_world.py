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


DAILY = '''local hook = require "hookline"
return hook.workflow { record = "deal", trigger = hook.daily { at = "09:00" }, zone = "Europe/Berlin",
  when = hook.all { hook.field "stage":is "Open" }, actions = { hook.webhook { method = "POST", url = "https://a.example/",
    encoding = "json", content = hook.template [=[{ "deal": {{ deal.id }}, "event": "{{ event.id }}" }]=] } } }'''


def test_times_of_a_schedule_come_with_the_clock(folder):
    rules = folder / "rules"
    rules.mkdir()
    (rules / "daily.lua").write_text(DAILY)
    (rules / "daily_test.lua").write_text('''local hook = require "hookline"
return hook.test { now = "2026-11-23T07:30:00Z", records = { { id = 2, stage = "Open" }, { id = 1, stage = "Open" },
  { id = 3, stage = "Lost" } }, cases = {
  { name = "each day at nine in Berlin, for what is stored then", steps = {
    { after = "29m", expect = {} },
    { after = "1m", expect = { { body = { deal = 1, event = "scheduled:daily:2026-11-23T08:00:00Z:1" } },
      { body = { deal = 2, event = "scheduled:daily:2026-11-23T08:00:00Z:2" } } } },
    { after = "1h", given = { type = "deal.updated", record = { id = 1, stage = "Lost" } }, expect = {} },
    { after = "1h", given = { type = "deal.deleted", record = { id = 2 } }, expect = {} },
    { after = "1h", given = { type = "deal.created", record = { id = 9, stage = "Open" } }, expect = {} },
    { after = "2d", expect = { { body = { deal = 9, event = "scheduled:daily:2026-11-24T08:00:00Z:9" } },
      { body = { deal = 9, event = "scheduled:daily:2026-11-25T08:00:00Z:9" } } } } } },
} }
''')
    done = run("test", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (rules / "daily.lua").write_text(DAILY.replace("Europe/Berlin", "Europe/London"))
    assert run("test", cwd=folder).returncode == 1


def test_a_date_with_an_offset_and_once(folder):
    rules = folder / "rules"
    rules.mkdir()
    (rules / "w.lua").write_text('''local hook = require "hookline"
return hook.workflow { record = "deal", trigger = hook.date { field = "closed_date", offset = "-3d", at = "08:00" },
  actions = { hook.webhook { method = "DELETE", url = "https://a.example/{{ deal.id }}" } } }''')
    (rules / "w_test.lua").write_text('''local hook = require "hookline"
return hook.test { now = "2026-11-20T00:00:00Z", records = { { id = 1, closed_date = "2026-11-25" },
  { id = 2, closed_date = "2026-11-27" }, { id = 3 } }, cases = {
  { name = "three days before", steps = { { after = "2d", expect = {} },
    { after = "8h", expect = { { url = "https://a.example/1" } } }, { after = "1d", expect = {} },
    { after = "1d", expect = { { url = "https://a.example/2" } } }, { after = "30d", expect = {} } } },
} }
''')
    done = run("test", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_last_day_of_short_months_days_of_the_week_and_once(folder):
    rules = folder / "rules"
    rules.mkdir()
    workflow = '''local hook = require "hookline"
return hook.workflow { record = "deal", trigger = %s, %s actions = { hook.webhook { method = "DELETE",
  url = "https://a.example/{{ event.time | date: '%%Y-%%m-%%d' }}/{{ event.type }}/{{ deal.id }}" } } }'''
    (rules / "month.lua").write_text(workflow % ('hook.monthly { day = 31, at = "09:00" }', ""))
    (rules / "week.lua").write_text(workflow % (
        'hook.weekly { on = { "monday", "friday" }, at = "09:00" }', 'cooldown = "5d",'))
    (rules / "month_test.lua").write_text('''local hook = require "hookline"
return hook.test { now = "2027-01-31T08:00:00Z", records = { { id = 1 } }, cases = {
  { name = "each month once", steps = { { after = "30d", expect = {
      { url = "https://a.example/2027-01-31/deal.scheduled/1" }, { url = "https://a.example/2027-02-28/deal.scheduled/1" } } },
    { after = "28d", expect = {} }, { after = "2d", expect = { { url = "https://a.example/2027-03-31/deal.scheduled/1" } } } } },
} }
''')
    (rules / "week_test.lua").write_text('''local hook = require "hookline"
return hook.test { now = "2026-11-23T08:00:00Z", records = { { id = 1 } }, cases = {
  { name = "the Friday is within the cooldown of the Monday", steps = {
    { after = "1h", expect = { { url = "https://a.example/2026-11-23/deal.scheduled/1" } } },
    { after = "4d", expect = {} },
    { after = "3d", expect = { { url = "https://a.example/2026-11-30/deal.scheduled/1" } } } } },
} }
''')
    done = run("test", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (rules / "week.lua").write_text((rules / "week.lua").read_text().replace('cooldown = "5d"', 'cooldown = "4d"'))
    failed = run("test", cwd=folder)
    assert failed.returncode == 1 and "2026-11-27" in failed.stdout, failed.stdout


def test_coverage_counts_times_outcomes_and_rechecks(folder):
    """Each condition is false only when time, an outcome or a recheck asks it."""
    rules = folder / "rules"
    rules.mkdir()
    workflow = '''local hook = require "hookline"
return hook.workflow { record = "%s", trigger = %s, when = hook.field "%s":is(%s), %s
  actions = { hook.webhook { method = "DELETE", url = "https://a.example/" } } }'''
    (rules / "later.lua").write_text(workflow % (
        "deal", 'hook.every { "created" }', "stage", '"Won"', 'delay = "10m", recheck = true,'))
    (rules / "daily.lua").write_text(workflow % ("deal", 'hook.daily { at = "09:00" }', "stage", '"Open"', ""))
    (rules / "ended.lua").write_text(workflow % (
        "webhook", 'hook.every { "delivered", "terminated" }', "workflow", '"later"', ""))
    head = 'local hook = require "hookline"\nreturn hook.test { '
    won = 'given = { type = "deal.created", record = { id = 1, stage = "Won" } }, expect = { {} } }'
    lost = '{ given = { type = "deal.updated", record = { id = 1, stage = "Lost" } } }'
    (rules / "later_test.lua").write_text(
        head + 'cases = { { name = "x", steps = { { ' + won + ', ' + lost + ', { after = "10m" } } } } }')
    (rules / "daily_test.lua").write_text(
        head + 'now = "2026-11-23T08:00:00Z", records = { { id = 1, stage = "Open" }, { id = 2, stage = "New" } }, '
        'cases = { { name = "x", steps = { { after = "1h", expect = { {} } } } } } }')
    (rules / "ended_test.lua").write_text(
        head + 'workflow = { "ended", "later" }, cases = { { name = "x", steps = { { ' + won
        + ', { after = "10m", expect = { {} } } } } } }')
    done = run("test", "--coverage", cwd=folder)
    assert done.returncode == 0 and "3 of 3 conditions were true and false." in done.stdout, done.stdout + done.stderr
    (rules / "later_test.lua").write_text((rules / "later_test.lua").read_text().replace(', { after = "10m" }', ""))
    less = run("test", "--coverage", cwd=folder).stdout
    assert "rules/later.lua:2: " in less and "never false" in less and "2 of 3 conditions" in less, less


def rule(extra="", webhook=""):
    return f'''local hook = require "hookline"
return hook.workflow {{ record = "deal", trigger = hook.every {{ "created", "updated" }}, {extra} actions = {{ hook.webhook {{
  method = "POST", url = "https://a.example/", encoding = "json", content = hook.fields {{ "n" }}, {webhook} }} }} }}'''


def verdict(folder, rule_text, cases):
    """What `hookline test` says of the cases for a rule: its exit status and its words."""
    rules = folder / "rules"
    rules.mkdir(exist_ok=True)
    (rules / "w.lua").write_text(rule_text)
    (rules / "w_test.lua").write_text(f'local hook = require "hookline"\nreturn hook.test {{ cases = {{ {cases} }} }}')
    done = run("test", cwd=folder)
    return done.returncode, done.stdout + done.stderr


def test_webhooks_of_a_record_go_one_after_another(folder):
    cases = '''{ name = "the second waits for the first, and another record for neither", steps = {
      { given = { { record = { id = 1, n = 1 } }, { record = { id = 1, n = 2 } }, { record = { id = 2, n = 3 } } }, answers = { 503, 200 },
        deliveries = { { state = "retrying", body = { n = 1 } }, { state = "held", reason = "goes first", attempts = 0, body = { n = 2 } },
          { state = "delivered" } } },
      { after = "15s", answers = { 200, 503 }, deliveries = { { state = "delivered" }, { state = "retrying", attempts = 1 }, {} } } } },
    { name = "one that is given up lets the next one go", steps = {
      { given = { { record = { id = 1, n = 1 } }, { record = { id = 1, n = 2 } } }, answers = { 410, 200 },
        deliveries = { { state = "terminated" }, { state = "delivered" } } } } },
    { name = "one that waited past its end is given up untried", steps = {
      { given = { { record = { id = 1, n = 1 } }, { record = { id = 1, n = 2 } } }, answers = 503, deliveries = { {}, { state = "held" } } },
      { after = "3d", answers = 503, deliveries = { { state = "terminated" },
        { state = "terminated", attempts = 0, reason = "it waited for others of its order" } } } } },'''
    assert verdict(folder, rule('order = "record",'), cases)[0] == 0, verdict(folder, rule('order = "record",'), cases)[1]
    assert verdict(folder, rule(), cases)[0] == 1


def test_the_latest_supersedes_what_waits(folder):
    cases = '''{ name = "of three at once the second is never tried, and the third takes the place of the first", steps = {
      { given = { { record = { id = 1, n = 1 } }, { record = { id = 1, n = 2 } }, { record = { id = 1, n = 3 } } }, answers = { 503, 200 },
        deliveries = { { state = "superseded", attempts = 1, reason = "is newer" }, { state = "superseded", attempts = 0 },
          { state = "delivered", attempts = 1, body = { n = 3 } } } } } },
    { name = "what waits for its next attempt is superseded, too", steps = {
      { given = { record = { id = 1, n = 1 } }, answers = 503, deliveries = { { state = "retrying" } } },
      { after = "5s", given = { record = { id = 1, n = 2 } }, answers = 200,
        deliveries = { { state = "superseded", attempts = 1 }, { state = "delivered", attempts = 1 } } } } },'''
    assert verdict(folder, rule('order = "latest",'), cases)[0] == 0, verdict(folder, rule('order = "latest",'), cases)[1]
    assert verdict(folder, rule('order = "record",'), cases)[0] == 1


def test_more_than_60_runs_a_minute_owe_nothing(folder):
    expected = ", ".join(["{}"] * 60)
    given = ", ".join("{ record = { id = 1, n = %d } }" % n for n in range(61))
    cases = '''{ name = "the 61st", steps = { { given = { %s }, expect = { %s } },
      { after = "59s", given = { { record = { id = 1, n = 61 } }, { record = { id = 2 } } }, expect = { {} } },
      { after = "1s", given = { record = { id = 1, n = 62 } }, expect = { {} } } } },''' % (given, expected)
    assert verdict(folder, rule(), cases)[0] == 0, verdict(folder, rule(), cases)[1]
    status, words = verdict(folder, rule(), cases.replace("59s", "61s"))
    assert status == 1, "the minute is over"
    status, words = verdict(folder, rule(), cases.replace("expect = { {} } },", "expect = { {}, {} } },", 1))
    assert status == 1 and "more than 60 runs for the deal 1 in a minute" in words
    assert verdict(folder, rule('cooldown = "1m",'), cases)[0] == 1


def test_a_token_server_that_has_no_token(folder):
    oauth = 'auth = hook.oauth2 { token_url = "https://l.example/t", client_id = "c", client_secret = hook.secret "S" },'
    cases = '''{ name = "it is tried again", steps = {
      { given = {}, answers = "oauth", deliveries = { { state = "retrying", attempts = 1, next_attempt_in = "15s" } } },
      { after = "15s", answers = 200, deliveries = { { state = "delivered", attempts = 2 } } } } },'''
    assert verdict(folder, rule("", oauth), cases)[0] == 0, verdict(folder, rule("", oauth), cases)[1]
    by_error = 'retry = function(attempt) return attempt.error == "oauth" and "60s" or nil end,'
    assert verdict(folder, rule("", oauth + by_error), cases.replace("15s", "60s"))[0] == 0, verdict(folder, rule("", oauth + by_error), cases.replace("15s", "60s"))[1]
    status, words = verdict(folder, rule(), cases)
    assert status == 1 and "is for webhooks with auth = hook.oauth2" in words


FORM = '''local hook = require "hookline"
return hook.workflow { record = "deal", trigger = hook.every { "created" }, actions = { hook.webhook {
  method = "POST", url = "https://a.example/form", encoding = "form",
  content = hook.fields { "id", "amount", "name", "won", "sales_account.name", "products", "none" } } } }'''
FORM_CASE = '''local hook = require "hookline"
return hook.test { workflow = "form", cases = { { name = "a form",
  given = { record = { id = 7, amount = 12500.50, name = "A & b=[c]", won = true, sales_account = { name = "Acm\u00e9" },
    products = { { sku = "x" }, { sku = "y" } }, none = hook.null } },
  expect = { { WANTED } } } } }
'''
ALL = '''id = 7, amount = 12500.50, name = "A & b=[c]", won = true, none = hook.null,
    sales_account = { name = "Acm\u00e9" }, products = { { sku = "x" }, { sku = function(v) return v == "y" end } }'''


def test_the_fields_of_a_form_can_be_expected(folder):
    rules = folder / "rules"
    rules.mkdir()
    (rules / "form.lua").write_text(FORM)
    for wanted, told in ((f"body = {{ {ALL} }}", None), ('body_has = { id = 7, name = "A & b=[c]" }', None),
                         ("body = { id = 7 }", "amount: expected nothing, got"),
                         ("body_has = { id = 8 }", 'id: expected "8", got "7"'),
                         ('body_has = { products = { { sku = "z" } } }', "products[1].sku: expected")):
        (rules / "form_test.lua").write_text(FORM_CASE.replace("WANTED", wanted))
        done = run("test", cwd=folder)
        assert (done.returncode == 0) == (told is None) and (told or "") in done.stdout, (wanted, done.stdout, done.stderr)


def test_an_encoding_is_named_as_it_is_meant(folder):
    rules = folder / "rules"
    rules.mkdir()
    for wrong, told in (('encoding = "urlencoded"', 'there are "json", "xml", "xml_extended" and "form"; did you mean "form"?'),
                        ('encoding = "form-encoded"', 'did you mean "form"?'),
                        ('encoding = "application/xml"', 'did you mean "xml"?'),
                        ('encoding = "protobuf"', '"xml_extended" and "form"\n')):
        (rules / "form.lua").write_text(FORM.replace('encoding = "form"', wrong))
        done = run("check", cwd=folder)
        assert done.returncode == 1 and told in done.stdout + done.stderr, done
