-- hook.test: what a test file may say, and what is said of what differs.
local compare = require "hookline.testing.compare"
local core = require "hookline.core"
local diff = require "hookline.testing.diff"
local testing = require "hookline.testing.host"

local function load(text)
  local prelude = 'local hook = require "hookline"; '
  return testing.load("rules/x_test.lua", assert(compile(prelude .. text, "rules/x_test.lua")))
end

local function case(text)
  return load(('return hook.test { cases = { { name = "it", %s } } }'):format(text))
end

local REFUSED = {
  { 'given = {}, expct = {}', "cases[1].expct", 'did you mean "expect"?' },
  { 'given = {}', "cases[1]", "checks nothing" },
  { 'given = {}, steps = { { expect = {} } }', "cases[1]", "has steps, so given stands in one" },
  { 'steps = { { given = {} } }', "cases[1]", "checks nothing" },
  { 'steps = {}', "cases[1].steps", "at least" },
  { 'given = { record = 7 }, expect = {}', "cases[1].given.record", "record = { id = 1 }" },
  { 'given = { record = { f = print } }, expect = {}', "cases[1].given.record.f", "a function" },
  { 'given = { {}, 7 }, expect = {}', "cases[1].given[2]", "wants an event, not a number" },
  { 'given = "won.lua", expect = {}', "cases[1].given", '".json"' },
  { 'after = 15, expect = {}', "cases[1].after", 'write it with its unit, "15s"' },
  { 'after = "soon", expect = {}', "cases[1].after", '"soon" is no time' },
  { 'now = "today", given = {}, expect = {}', "cases[1].now", "is no time such as" },
  { 'now = "2026-11-23", given = {}, expect = {}', "cases[1].now", "is no time such as" },
  { 'given = {}, answers = 99, expect = {}', "cases[1].answers", "200 to 599" },
  { 'given = {}, answers = { 200, "late" }, expect = {}', "cases[1].answers[2]", '"timeout"' },
  { 'given = {}, answers = { { stats = 1 } }, expect = {}', "cases[1].answers[1].stats", "status" },
  { 'given = {}, expect = { { state = "lost" } }', "cases[1].expect[1].state", "no state" },
  { 'given = {}, expect = { { content = {} } }', "cases[1].expect[1].content", '"body"' },
  { 'given = {}, expect = 7', "cases[1].expect", "wants a table, not a number" },
}

for _, row in ipairs(REFUSED) do
  test("a case is refused: " .. row[1], function()
    local plan, faults = case(row[1])
    support.equal(plan, nil)
    for _, fault in ipairs(faults) do
      if fault.path == row[2] then
        support.contains(fault.message, row[3])
        return
      end
    end
    error("no fault at " .. row[2] .. ": " .. faults[1].path .. ": " .. faults[1].message)
  end)
end

test("two cases of one name are refused", function()
  local _, faults = load('return hook.test { cases = { { name = "a", expect = {} }, '
    .. '{ name = "a", expect = {} } } }')
  support.equal(faults[1].path, "cases[2].name")
end)

test("a test file returns hook.test", function()
  local _, faults = load "return {}"
  support.contains(faults[1].message, "return hook.test { ... }; this one returns a table")
  _, faults = support.load 'return hook.test { cases = { { name = "a", expect = {} } } }'
  support.contains(faults[1].message, "this one returns hook.test")
end)

test("the plan has what the runner follows", function()
  local text = load [[return hook.test {
    workflow = "x", vars = { A = 1 }, now = "2026-11-23T09:15:00Z", answers = { 503 },
    given = { type = "deal.updated", record = { a = 1, b = false }, previous = { a = 0 } },
    cases = {
      { name = "one", given = { record = { b = 2 }, previous = false }, expect = {} },
      { name = "two", answers = 410, steps = { { given = {} }, { after = "15s", expect = {} } } },
    },
  }]]
  support.equal(core.json.decode(text), support.json [[{
    "line": 1, "workflow": ["x"], "vars": {"A": "1"},
    "cases": [
      {"name": "one", "now_ms": 1795425300000, "steps": [
        {"given": [{"type": "deal.updated", "record": {"a": 1, "b": 2}}],
         "answers": {"each": [503]}}]},
      {"name": "two", "now_ms": 1795425300000, "steps": [
        {"given": [{"type": "deal.updated", "record": {"a": 1, "b": false}, "previous": {"a": 0}}],
         "answers": {"always": 410}},
        {"after_ms": 15000}]}]}]])
end)

local DIFFERENCES = {
  { "1", "1", {} },
  { "1", "1.0", {} },
  { '"1"', "1", { 'the whole: expected "1", got 1' } },
  { '{"a":1,"b":[1,2]}', '{"b":[1,2],"a":1}', {} },
  { '{"a":1}', "{}", { "a: expected 1, got nothing" } },
  { '{}', '{"a":1}', { "a: expected nothing, got 1" } },
  { '{"a":null}', "{}", { "a: expected null, got nothing" } },
  { '{"a":{"b":[1,{"c":2}]}}', '{"a":{"b":[1,{"c":3}]}}', { "a.b[2].c: expected 2, got 3" } },
  { "[1,2]", "[1]", { "[2]: expected 2, got nothing" } },
  { "[]", "{}", { "the whole: expected [], got {}" } },
  { '{"a":[1]}', '{"a":{"1":1}}', { 'a: expected [1], got {"1":1}' } },
  { '{"a":false}', '{"a":true}', { "a: expected false, got true" } },
}

for _, row in ipairs(DIFFERENCES) do
  test(("%s beside %s"):format(row[1], row[2]), function()
    support.equal(diff.values(support.json(row[1]), support.json(row[2])), row[3])
  end)
end

test("an empty table is an empty list too", function()
  support.equal(#diff.values({}, support.json "[]"), 0)
  support.equal(#diff.values({}, support.json "{}"), 0)
  support.equal(#diff.values({}, support.json "[1]"), 1)
end)

test("a part is looked at alone, a function is asked", function()
  local got = support.json '{"a":1,"b":{"c":[1,2]}}'
  support.equal(#diff.values({ b = { c = { 1, 2 } } }, got, true), 0)
  support.equal(#diff.values({ b = { c = { 1 } } }, got, true), 1)
  local function is_one(value)
    return value == 1, "not one"
  end
  support.equal(#diff.values({ a = is_one }, got, true), 0)
  support.equal(diff.values({ b = is_one }, got, true)[1],
    'b: a function does not accept {"c":[1,2]}: not one')
  local raised = diff.values({ a = function() error "oops" end }, got, true)[1]
  support.contains(raised, "a: the function raised: ")
end)

local TEXTS = {
  { "a", "a", {} },
  { "a\nb\nc", "a\nx\nc", { "  a", "- b", "+ x", "  c" } },
  { "1\n2\n3\n4\n5\n6", "1\n2\n3\n4\n5\n7", { "  ...", "  4", "  5", "- 6", "+ 7" } },
  { "<a><b>1</b></a>", "<a><b>2</b></a>", { "  <a>", "- <b>1</b>", "+ <b>2</b>", "  </a>" } },
  { "", "a", { "- ", "+ a" } },
}

for _, row in ipairs(TEXTS) do
  test(("text: %s beside %s"):format(row[1], row[2]):gsub("\n", " "), function()
    support.equal(diff.texts(row[1], row[2]), row[3])
  end)
end

test("what two states gave is told where it differs", function()
  local function result(body)
    return { steps = { { runs = {}, deliveries = {}, owed = { {
      request = { method = "POST", url = "https://x/", headers = {}, body = body } } } } } }
  end
  local message = compare.states(result "table: 0x1", result "table: 0x2")[1]
  support.contains(message, "not deterministic")
  support.contains(message, "webhook 1 body:")
  support.contains(message, "- table: 0x1")
  support.contains(message, "+ table: 0x2")
end)

test("a case whose two results differ fails, though each is as expected", function()
  assert(case 'given = {}, expect = { { method = "POST" } }')
  local function result(random)
    return core.json.encode { steps = core.array { {
      now_ms = 0, runs = core.array {}, deliveries = core.array {},
      owed = core.array { { workflow = "x", state = "delivered", attempts = 1, request = {
        method = "POST", url = "https://x/", headers = {}, body = random } } },
    } } }
  end
  support.equal(testing.compare(1, result "1", result "1"), "[]")
  support.contains(testing.compare(1, result "1", result "2"), "not deterministic")
end)
