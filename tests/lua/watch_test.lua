-- watch and edge = "rising": which changes of a record a trigger lets through.
local host = require "hookline.host"

local function fires(rule, verb, record, previous)
  local event = support.event(verb, support.json(record))
  event.previous = previous and support.json(previous)
  local has_fired = support.run(rule, event) ~= nil
  support.equal(host.explain(rule, event).verdict, has_fired, "explain")
  return has_fired
end

-- trigger, condition (nil: none), verb, record, previous (false: none), fires
local BOTH = '{ "created", "updated", watch = { "amount", "account.name" } }'
local RISING = '{ "created", "updated", edge = "rising" }'
local WON = 'field "stage":is "Won"'
local BIG = 'field "amount":at_least(100)'
local FUNCTION = 'function(event) return event.record.stage == "Won" end'

local ROWS = {
  { BOTH, nil, "updated", '{"id":1,"amount":2}', '{"amount":1}', true },
  { BOTH, nil, "updated", '{"id":1,"amount":2,"x":2}', '{"x":1}', false },
  { BOTH, nil, "updated", '{"id":1,"amount":2,"x":2}', '{"x":1,"amount":2}', false },
  { BOTH, nil, "updated", '{"id":1,"amount":2,"x":2}', '{"x":1,"amount":2.0}', false },
  { BOTH, nil, "updated", '{"id":1,"amount":null,"x":2}', '{"x":1,"amount":""}', false },
  { BOTH, nil, "updated", '{"id":1,"account":{"name":"B"}}', '{"account":{"name":"A"}}', true },
  { BOTH, nil, "updated", '{"id":1,"account":{"name":"A","id":2}}',
    '{"account":{"name":"A","id":1}}', false },
  { BOTH, nil, "updated", '{"id":1,"amount":2}', false, false },
  { BOTH, nil, "updated", '{"id":1,"amount":2}', "null", false },
  { BOTH, nil, "created", '{"id":1}', false, true },
  { BOTH, WON, "updated", '{"id":1,"amount":2,"stage":"Won"}', '{"amount":1}', true },
  { BOTH, WON, "updated", '{"id":1,"amount":2,"stage":"Lost"}', '{"amount":1}', false },
  { '{ "updated", "deleted", watch = { "a" } }', nil, "deleted", '{"id":1}', false, true },
  { '{ "updated", watch = { "p[*].sku" } }', nil, "updated", '{"id":1,"p":[{"sku":1},{"sku":2}]}',
    '{"p":[{"sku":1}]}', true },
  { '{ "updated", watch = { "p[*].sku" } }', nil, "updated", '{"id":1,"p":[{"sku":1,"n":2}]}',
    '{"p":[{"sku":1,"n":1}]}', false },
  -- rising
  { RISING, WON, "updated", '{"id":1,"stage":"Won"}', '{"stage":"Lost"}', true },
  { RISING, WON, "updated", '{"id":1,"stage":"Won"}', '{"stage":null}', true },
  { RISING, WON, "updated", '{"id":1,"stage":"Won","x":2}', '{"x":1}', false },
  { RISING, WON, "updated", '{"id":1,"stage":"won"}', '{"stage":"WON"}', false },
  { RISING, WON, "updated", '{"id":1,"stage":"Lost"}', '{"stage":"Won"}', false },
  { RISING, WON, "updated", '{"id":1,"stage":"Won"}', false, false },
  { RISING, WON, "created", '{"id":1,"stage":"Won"}', false, true },
  { RISING, WON, "created", '{"id":1,"stage":"Lost"}', false, false },
  { RISING, BIG, "updated", '{"id":1,"amount":120}', '{"amount":99}', true },
  { RISING, BIG, "updated", '{"id":1,"amount":120}', '{"amount":100}', false },
  { RISING, 'hook.all { ' .. WON .. ", " .. BIG .. " }", "updated",
    '{"id":1,"amount":120,"stage":"Won"}', '{"amount":99}', true },
  { RISING, 'hook.all { ' .. WON .. ", " .. BIG .. " }", "updated",
    '{"id":1,"amount":120,"stage":"Won","x":2}', '{"x":1}', false },
  { RISING, 'hook.none { field "stage":is "Open" }', "updated", '{"id":1,"stage":"Won"}',
    '{"stage":"Open"}', true },
  { RISING, 'field "stage":changed_to "Won"', "updated", '{"id":1,"stage":"Won"}',
    '{"stage":"Lost"}', true },
  { RISING, 'field "tags":contains_any { "vip" }', "updated", '{"id":1,"tags":["a","vip"]}',
    '{"tags":["a"]}', true },
  { RISING, 'field "d":in_last "7d"', "updated", '{"id":1,"d":"2026-11-23"}',
    '{"d":"2026-10-23"}', true },
  { RISING, FUNCTION, "updated", '{"id":1,"stage":"Won"}', '{"stage":"Lost"}', true },
  { RISING, FUNCTION, "updated", '{"id":1,"stage":"Won","x":2}', '{"x":1}', false },
  { '{ "updated", watch = { "stage" }, edge = "rising" }', BIG, "updated",
    '{"id":1,"amount":120}', '{"amount":1}', false },
}

for _, row in ipairs(ROWS) do
  local name = ("%s, %s, %s, %s, previous %s"):format(row[1], row[2] or "no condition", row[3],
    row[4], row[5] or "unknown")
  test(name, function()
    local rule = support.rule(support.workflow { trigger = "hook.every " .. row[1],
      when = row[2] or false })
    support.equal(fires(rule, row[3], row[4], row[5]), row[6])
  end)
end

local function note_of(trigger, verb, record, previous)
  local rule = support.rule(support.workflow { trigger = "hook.every " .. trigger, when = WON })
  local event = support.event(verb, support.json(record))
  event.previous = previous and support.json(previous)
  return host.explain(rule, event).all[1].note, host.explain(rule, event).all[1]
end

test("the trace says why the trigger did not let it through", function()
  local won = '{"id":1,"stage":"Won","x":2}'
  local note, leaf = note_of(BOTH, "updated", won, '{"x":1}')
  support.equal(note, "none of these has changed")
  support.equal(leaf.field .. " " .. leaf.operator .. " " .. leaf.seen[1], "watch changed x")
  note, leaf = note_of(BOTH, "updated", won)
  support.equal(note, "unknown what changed: give previous")
  support.equal(#leaf.wanted, 2)
  support.contains(note_of(RISING, "updated", won, '{"x":1}'), "the conditions held before, too")
  support.equal(note_of(RISING, "updated", won), "unknown what changed: give previous")
end)

test("a condition function sees the record as it was in an event of its own", function()
  local rule = support.rule(support.workflow {
    trigger = "hook.every " .. RISING,
    when = [[function(event)
      event.record.seen = (event.record.seen or 0) + 1
      return event.record.seen == 1 and event.record.stage == "Won"
    end]],
    actions = [[function(event)
      assert(event.record.seen == 1 and event.record.stage == "Won" and event.previous)
      return { hook.webhook { method = "GET", url = "https://app.example.com/" } }
    end]],
  })
  local event = support.event("updated", support.json '{"id":1,"stage":"Won"}',
    { previous = support.json '{"stage":"Lost"}' })
  support.equal(#support.run(rule, event), 1)
  support.equal(#support.run(rule, event), 1)
end)

test("what raises for the record as it was is the workflow's error, and explained", function()
  local rule = support.rule(support.workflow {
    trigger = "hook.every " .. RISING,
    when = 'function(event) if event.record.stage == "Lost" then error "no" end return true end',
  })
  local event = support.event("updated", support.json '{"id":1,"stage":"Won"}',
    { previous = support.json '{"stage":"Lost"}' })
  support.contains(support.run_error(rule, event), "no")
  support.contains(host.explain(rule, event).all[1].note, "a condition raised")
end)

test("what is watched is read of an event", function()
  local rule = support.rule(support.workflow { trigger = "hook.every " .. BOTH })
  support.equal(rule.reads, { "amount", "account" })
  support.equal(rule.reads_time, false)
  rule = support.rule(support.workflow { when = 'hook.any { field "d":older_than "1d" }' })
  support.equal(rule.reads_time, true)
end)
