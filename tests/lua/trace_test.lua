-- The trace: why a workflow fires or does not.
local host = require "hookline.host"

local function explain(when, record, verb, previous)
  local rule = support.rule(support.workflow { when = when })
  local event = support.event(verb or "updated", support.json(record))
  event.previous = previous and support.json(previous)
  return host.explain(rule, event)
end

-- condition, record, previous; what the leaf holds, note in words (nil: null)
local LEAVES = {
  { 'field "x":is "Won"', '{"x":"won"}', nil, "won", "Won", true },
  { 'field "x":is "Won"', "{}", nil, nil, "Won", false, "the record has no such value" },
  { 'field "x":is "Won"', '{"x":null}', nil, nil, "Won", false, "the value is empty" },
  { 'field "x":is "Won"', '{"x":5}', nil, 5, "Won", false, "a number never equals text" },
  { 'field "x":is_not "Won"', '{"x":5}', nil, 5, "Won", true, "a number never equals text" },
  { 'field "x":is(5)', '{"x":"five"}', nil, "five", 5, false, "text never equals a number" },
  { 'field "x":is(5)', '{"x":"6"}', nil, "6", 5, false },
  { 'field "x":is(true)', '{"x":"true"}', nil, "true", true, false,
    "text never equals true or false" },
  { 'field "x":is_in { "a", "b" }', '{"x":"B"}', nil, "B", '["a","b"]', true },
  { 'field "x":is_empty()', '{"x":0}', nil, 0, nil, false },
  { 'field "x":contains "a"', '{"x":5}', nil, 5, "a", false, "a number is no text" },
  { 'field "x":contains "a"', '{"x":["a"]}', nil, '["a"]', "a", false,
    "write [*] behind its name" },
  { 'field "x":is "a"', '{"x":{"a":1}}', nil, '{"a":1}', "a", false, "write the path of one" },
  { 'field "x":at_least(5)', '{"x":"many"}', nil, "many", 5, false, "this text is no number" },
  { 'field "x":at_least(5)', '{"x":"7"}', nil, "7", 5, true },
  { 'field "x[*]":is "a"', '{"x":["a","b"]}', nil, '["a","b"]', "a", true },
  { 'field "x[*]":is "a"', '{"x":[]}', nil, "[]", "a", false, "the list has no elements" },
  { 'field "x":changed()', '{"x":2}', '{"x":1}', 2, nil, true, "was 1" },
  { 'field "x":changed_to(2)', '{"x":2}', '{"x":"a"}', 2, 2, true, 'was "a"' },
  { 'field "x":changed_to(2)', '{"x":2}', '{"x":null}', 2, 2, true, "was null" },
  { 'field "x":changed()', '{"x":2,"y":1}', '{"y":2}', 2, nil, false, "the field did not change" },
  { 'field "x":changed()', '{"x":2}', nil, 2, nil, false, "what changed is unknown" },
  { 'field "x":not_changed()', '{"x":2}', nil, 2, nil, false, "what changed is unknown" },
  { 'field "x":not_changed()', '{"x":2,"y":1}', '{"y":2}', 2, nil, true, "did not change" },
  { 'field "x":changed_from_to(1, 2)', '{"x":2}', '{"x":1}', 2, "[1,2]", true, "was 1" },
  { 'field "x":increased()', '{"x":2}', '{"x":"a"}', 2, nil, false,
    'was "a"; this text is no number' },
  { 'field "x":decreased()', '{"x":1}', '{"x":2}', 1, nil, true, "was 2" },
  { 'field "x":matches "a"', '{"x":5}', nil, 5, "a", false, "a number is no text" },
  { 'field "x":between(1, 5)', '{"x":"many"}', nil, "many", "[1,5]", false, "is no number" },
  { 'field "x":between("2026-11-23", "2026-11-24")', '{"x":5}', nil, 5,
    '["2026-11-23","2026-11-24"]', false, "a number is no date" },
  { 'field "x":on "2026-11-23"', '{"x":"today"}', nil, "today", "2026-11-23", false,
    "this text is no date and no time with an offset" },
  { 'field "x":on "2026-11-23"', '{"x":"2026-11-23T09:00:00Z"}', nil, "2026-11-23T09:00:00Z",
    "2026-11-23", true },
  { 'field "x":in_last "7d"', '{"x":"2026-11-23"}', nil, "2026-11-23", "7d", true,
    "seen from the event's time, 2026-11-23T09:15:00Z" },
  { 'field "x":in_last "7d"', '{"x":true}', nil, true, "7d", false, "true or false is no date" },
  { 'field "x":contains_any { "a" }', '{"x":"a"}', nil, "a", '["a"]', false, "text is no list" },
  { 'field "x":contains_all { "a" }', '{"x":["a"]}', nil, '["a"]', '["a"]', true },
  { 'field "x":is_true()', '{"x":"true"}', nil, "true", nil, false, "neither true nor false" },
}

for _, row in ipairs(LEAVES) do
  test(row[1] .. " on " .. row[2], function()
    local leaf = explain(row[1], row[2], "updated", row[3])
    local hook_null = support.json "null"
    local function same(got, wanted, what)
      if type(got) == "table" then
        support.equal(got, support.json(wanted), what)
      elseif wanted == nil then
        support.equal(got, hook_null, what)
      else
        support.equal(got, wanted, what)
      end
    end
    support.equal(leaf.field, row[1]:match '"([^"]*)"')
    support.equal(leaf.operator, row[1]:match ":([%w_]+)")
    same(leaf.seen, row[4], "seen")
    same(leaf.wanted, row[5], "wanted")
    support.equal(leaf.verdict, row[6], "verdict")
    if row[7] then
      support.contains(leaf.note, row[7])
    else
      support.equal(leaf.note, hook_null, "note")
    end
  end)
end

test("groups show all of their conditions, also those that a run skips", function()
  local tree = explain('hook.all { field "a":is(1), hook.any { field "b":is(1), field "c":is(1) }, '
    .. 'hook.none { field "d":is(1) } }', '{"a":2,"b":2,"c":1,"d":1}')
  support.equal(tree.verdict, false)
  support.equal(#tree.all, 3)
  support.equal(tree.all[1].verdict, false)
  support.equal(tree.all[2].verdict, true)
  support.equal(tree.all[2].any[1].verdict, false)
  support.equal(tree.all[2].any[2].verdict, true)
  support.equal(tree.all[3].verdict, false)
  support.equal(tree.all[3].none[1].verdict, true)
end)

test("functions have their place, and what they raise is told", function()
  local tree = explain("hook.any { function() return true end, function() error 'no' end }", "{}")
  support.equal(tree.verdict, true)
  support.equal(tree.any[1].operator, "function")
  support.contains(tree.any[1].note, "rules/case.lua:1")
  support.equal(tree.any[2].verdict, false)
  support.contains(tree.any[2].note, "raised: rules/case.lua:1: no")
end)

test("a trigger that stands in the way is a leaf of its own", function()
  local rule = support.rule(support.workflow { trigger = 'hook.once { "created" }',
    when = 'field "id":is(1)' })
  local tree = host.explain(rule, support.event("updated", { id = 1 }))
  support.equal(tree.verdict, false)
  support.equal(tree.all[1].operator, "trigger")
  support.equal(tree.all[1].wanted, { "deal.created" })
  support.equal(tree.all[1].seen, "deal.updated")
  support.equal(tree.all[2].verdict, true)
end)

test("an update that is known to have changed nothing says so", function()
  local tree = explain('field "id":is(1)', '{"id":1}', "updated", "{}")
  support.equal(tree.verdict, false)
  support.contains(tree.all[1].note, "changed nothing")
end)

test("without conditions there is an empty tree that holds", function()
  local rule = support.rule(support.workflow {})
  support.equal(host.explain(rule, support.event("created", { id = 1 })),
    support.json '{"all":[],"verdict":true}')
end)

test("trace and run agree", function()
  local whens = {
    'field "a":is(1)', 'field "a":is_not(1)', 'hook.none { field "a":is(1) }',
      'field "b[*]":is_not "x"',
    'hook.all { field "a":is(1), field "b":is_empty() }', 'field "a":changed()',
      'field "a":changed_to(1)',
    'hook.any { field "a":is(2), function(e) return e.record.a == 1 end }',
  }
  local records = { '{"a":1}', '{"a":2}', '{"a":"1","b":["x"]}', '{"b":["y"]}', "{}" }
  for _, when in ipairs(whens) do
    local rule = support.rule(support.workflow { when = when })
    for _, record in ipairs(records) do
      for _, previous in ipairs { '{"a":5}', '{"c":1}' } do
        local event = support.event("updated", support.json(record),
          { previous = support.json(previous) })
        support.equal(host.explain(rule, event).verdict, support.run(rule, event) ~= nil,
          when .. record)
      end
    end
  end
end)
