-- delay and recheck: what a file may say, and the conditions judged again.
local RIGHT = { ["1ms"] = 1, ["10m"] = 600000, ["1d"] = 86400000, ["30d"] = 2592000000 }

for text, ms in pairs(RIGHT) do
  test("delay " .. text, function()
    local rule = support.rule(support.workflow { delay = ("%q"):format(text), recheck = "true" })
    support.equal(rule.delay_ms, ms)
    support.equal(rule.recheck, true)
  end)
end

local WRONG = {
  { { delay = '"0s"' }, "delay", 'is no time to wait, such as "10m"' },
  { { delay = '"soon"' }, "delay", "is no time to wait" },
  { { delay = '"-5m"' }, "delay", "is no time to wait" },
  { { delay = '"31d"' }, "delay", "is over 30 days" },
  { { delay = "600" }, "delay", "wants text" },
  { { delay = '"10m"', recheck = '"yes"' }, "recheck", "wants true or false" },
  { { recheck = "true" }, "recheck", "goes with delay" },
}

for i, row in ipairs(WRONG) do
  test("wrong " .. i .. ": " .. row[3], function()
    local faults = support.faults(support.workflow(row[1]))
    support.equal(#faults, 1)
    support.equal(faults[1].path, row[2], "path")
    support.contains(faults[1].message, row[3])
  end)
end

test("recheck = false asks for nothing", function()
  local rule = support.rule(support.workflow { recheck = "false" })
  support.equal(rule.recheck, false)
  support.equal(rule.delay_ms, nil)
end)

-- when, the event's verb, the record now, previous, whether the conditions hold
local AGAIN = {
  { 'field "stage":is "Won"', "updated", { stage = "Won" }, { stage = "New" }, true },
  { 'field "stage":is "Won"', "updated", { stage = "Lost" }, { stage = "New" }, false },
  { 'field "stage":changed_to "Won"', "updated", { stage = "Won" }, { stage = "New" }, true },
  { 'field "stage":changed_to "Won"', "updated", { stage = "Won" }, { amount = 1 }, false },
  { 'field "stage":changed_to "Won"', "created", { stage = "Won" }, nil, true },
  { 'field "stage":changed()', "updated", { stage = "New" }, { stage = "New" }, false },
  { 'field "amount":increased()', "updated", { amount = 3 }, { amount = 2 }, true },
  { 'field "amount":increased()', "updated", { amount = 1 }, { amount = 2 }, false },
  { "function(event) return event.record.amount > 1 end", "updated", { amount = 2 }, nil, true },
  { 'field "stage":is "Won"', "deleted", { stage = "Won" }, nil, true },
}

for i, row in ipairs(AGAIN) do
  test("again " .. i .. ": " .. row[1], function()
    local rule = support.rule(support.workflow { when = ("hook.all { %s }"):format(row[1]),
      delay = '"1m"', recheck = "true" })
    local event = support.event(row[2], row[3], { previous = row[4] })
    support.equal(support.recheck(rule, event), row[5])
  end)
end

test("neither the trigger nor what it watches is asked again", function()
  local rule = support.rule(support.workflow { delay = '"1m"', recheck = "true",
    trigger = 'hook.every { "updated", watch = { "stage" } }' })
  support.equal(support.recheck(rule, support.event("updated", { stage = "x" }, { previous = {} })),
    true)
end)
