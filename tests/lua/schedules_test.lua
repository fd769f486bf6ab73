-- Time triggers: what a rule may write, and the plain schedule that the host gets of it.
local function schedule_of(trigger, keys)
  keys = keys or {}
  keys.trigger = trigger
  local rule = support.rule(support.workflow(keys))
  return rule.schedule, rule
end

-- trigger, the text of its schedule
local RIGHT = {
  { 'hook.daily { at = "09:00" }', "daily 09:00" },
  { 'hook.daily { at = "00:00" }', "daily 00:00" },
  { 'hook.daily { at = "23:59" }', "daily 23:59" },
  { 'hook.weekly { on = "monday", at = "09:00" }', "weekly monday 09:00" },
  { 'hook.weekly { on = "Sunday", at = "09:00" }', "weekly sunday 09:00" },
  { 'hook.weekly { on = { "friday", "monday" }, at = "09:00" }', "weekly monday,friday 09:00" },
  { 'hook.monthly { day = 31, at = "09:00" }', "monthly 31 09:00" },
  { 'hook.monthly { day = 1, at = "07:05" }', "monthly 1 07:05" },
  { 'hook.date { field = "closed_date", offset = "-3d", at = "09:00" }',
    "date closed_date -3d 09:00" },
  { 'hook.date { field = "closed_date", offset = "+3d", at = "09:00" }',
    "date closed_date +3d 09:00" },
  { 'hook.date { field = "account.renewal", at = "09:00" }', "date account.renewal +0d 09:00" },
  { 'hook.date { field = "d", offset = "48h", at = "09:00" }', "date d +2d 09:00" },
}

for _, row in ipairs(RIGHT) do
  test(row[1], function()
    local schedule, rule = schedule_of(row[1])
    support.equal(schedule.text, row[2])
    support.equal(rule.once, false)
    support.equal(next(rule.verbs), nil)
    support.equal(rule.zone, "UTC")
  end)
end

test("what the host gets", function()
  local schedule, rule = schedule_of('hook.weekly { on = { "monday", "sunday" }, at = "09:30" }',
    { zone = '"Europe/Berlin"' })
  support.equal(schedule.kind, "weekly")
  support.equal(schedule.at_minutes, 570)
  support.equal({ schedule.weekdays[1], schedule.weekdays[7] }, { true, true })
  support.equal(schedule.weekdays[2], nil)
  support.equal(rule.zone, "Europe/Berlin")
  schedule = schedule_of 'hook.date { field = "account.renewal", offset = "-7d", at = "06:00" }'
  support.equal(schedule.field, { "account", "renewal" })
  support.equal(schedule.offset_days, -7)
end)

-- trigger, path of the fault, words in its message
local WRONG = {
  { "hook.daily()", "trigger", "takes a table" },
  { "hook.daily {}", "trigger.at", "is missing" },
  { 'hook.daily { at = "9:00" }', "trigger.at", 'write "09:00"' },
  { 'hook.daily { at = "24:00" }', "trigger.at", '"23:59"' },
  { 'hook.daily { at = "09:60" }', "trigger.at", "no time of day" },
  { 'hook.daily { at = "09:00:00" }', "trigger.at", "no time of day" },
  { "hook.daily { at = 9 }", "trigger.at", "wants text" },
  { 'hook.daily { time = "09:00", at = "09:00" }', "trigger.time", 'did you mean "at"?' },
  { 'hook.weekly { at = "09:00" }', "trigger.on", 'on = "monday"' },
  { 'hook.weekly { on = "mondya", at = "09:00" }', "trigger.on[1]", 'did you mean "monday"?' },
  { 'hook.weekly { on = {}, at = "09:00" }', "trigger.on", "needs at least" },
  { 'hook.weekly { on = 1, at = "09:00" }', "trigger.on", "a list of them" },
  { 'hook.monthly { at = "09:00" }', "trigger.day", "day = 31" },
  { 'hook.monthly { day = 0, at = "09:00" }', "trigger.day", "1 to 31" },
  { 'hook.monthly { day = 32, at = "09:00" }', "trigger.day", "1 to 31" },
  { 'hook.monthly { day = 1.5, at = "09:00" }', "trigger.day", "1 to 31" },
  { 'hook.date { at = "09:00" }', "trigger.field", 'field = "closed_date"' },
  { 'hook.date { field = "a[1]", at = "09:00" }', "trigger.field", "is no path" },
  { 'hook.date { field = "a[*].b", at = "09:00" }', "trigger.field", "many dates" },
  { 'hook.date { field = "a", offset = "3h", at = "09:00" }', "trigger.offset", "whole days" },
  { 'hook.date { field = "a", offset = "3", at = "09:00" }', "trigger.offset", '"-3d"' },
  { 'hook.date { field = "a", offset = "36500d", at = "09:00" }', "trigger.offset", "whole days" },
}

for _, row in ipairs(WRONG) do
  test("wrong: " .. row[1], function()
    local faults = support.faults(support.workflow { trigger = row[1] })
    support.equal(#faults, 1)
    support.equal(faults[1].path, row[2], "path")
    support.contains(faults[1].message, row[3])
  end)
end

test("a zone that there is not", function()
  local faults = support.faults(support.workflow {
    trigger = 'hook.daily { at = "09:00" }', zone = '"Europe/Berlni"',
  })
  support.equal(faults[1].path, "zone")
  support.contains(faults[1].message, 'did you mean "Europe/Berlin"?')
end)

local function fires(when, record)
  local _, rule = schedule_of('hook.daily { at = "09:00" }', { when = when })
  return support.run(rule, support.event("scheduled", record)) ~= nil
end

test("conditions see the record as it is; nothing has changed", function()
  support.equal(fires(nil, { id = 1 }), true)
  support.equal(fires('hook.all { field "amount":at_least(100) }', { id = 1, amount = 100 }), true)
  support.equal(fires('hook.all { field "amount":at_least(100) }', { id = 1, amount = 99 }), false)
  local is_old = fires('field "made":older_than("30d")', { id = 1, made = "2026-10-01" })
  support.equal(is_old, true)
  for _, operator in ipairs { "changed()", "not_changed()", 'changed_to("x")', "increased()" } do
    support.equal(fires('field "a":' .. operator, { id = 1, a = "x" }), false, operator)
  end
end)

test("conditions on changes are warned of", function()
  local _, faults = support.rule(support.workflow {
    trigger = 'hook.daily { at = "09:00" }',
    when = 'hook.all { field "a":is(1), hook.none { field "b":not_changed() } }',
  })
  support.equal(#faults, 1)
  support.equal(faults[1].path, "when[2][1]")
  support.contains(faults[1].message, "nothing has changed")
end)

test("no change of a record sets it off, and no other type's time", function()
  local _, rule = schedule_of 'hook.daily { at = "09:00" }'
  support.equal(support.run(rule, support.event("updated", { id = 1 })), nil)
  local of_a_lead = support.event("scheduled", { id = 1 }, { type = "lead.scheduled" })
  support.equal(support.run(rule, of_a_lead), nil)
end)
