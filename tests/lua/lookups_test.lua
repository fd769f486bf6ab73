-- What of conditions the host can look up: hookline.lookups.
-- A lookup in one line: "a=won|5", "a:changed_to=won", "a:number[5,inf]", "a!" (changed),
-- "(x & y)", "(x / y)"; "-" for none.
local function show_value(value)
  return type(value) == "userdata" and "empty" or tostring(value)
end

local show

local function show_group(list, between)
  local shown = {}
  for i, lookup in ipairs(list) do
    shown[i] = show(lookup)
  end
  return "(" .. table.concat(shown, between) .. ")"
end

function show(lookup)
  if not lookup then
    return "-"
  elseif lookup.all then
    return show_group(lookup.all, " & ")
  elseif lookup.any then
    return show_group(lookup.any, " / ")
  elseif lookup.changed then
    return lookup.changed .. "!"
  end
  local path = {}
  for i, part in ipairs(lookup.path) do
    path[i] = type(part) == "string" and part or "*"
  end
  local place = table.concat(path, ".") .. (lookup.view ~= "now" and ":" .. lookup.view or "")
  if lookup.axis then
    return ("%s:%s[%s,%s]"):format(place, lookup.axis, lookup.low, lookup.high)
  end
  local values = {}
  for i, value in ipairs(lookup.values) do
    values[i] = show_value(value)
  end
  table.sort(values)
  return place .. "=" .. table.concat(values, "|")
end

local CASES = {
  { 'field "a":is "Won"', "a=won" },
  { 'field "a":is("Won", { case = true })', "a=won" },
  { 'field "a":is "5"', "a=5|5" },
  { 'field "a":is(hook.null)', "a=empty" },
  { 'field "o.a":is ""', "-" },
  { 'field "o.a":is_in { "X", 2 }', "o.a=2|x" },
  { 'field "a":is_empty()', "a=empty" },
  { 'field "a":is_not "Won"', "-" },
  { 'field "a":contains "on"', "-" },
  { 'field "a":is_true()', "a=true" },
  { 'field "n":equals(5)', "n=5" },
  { 'field "n":greater_than(5)', "n:number[5,inf]" },
  { 'field "n":between(1, 2)', "n:number[1,2]" },
  { 'field "d":on "1970-01-02"', "d:time[86400000,172800000]" },
  { 'field "d":in_next "1h"', "d:age[-3600000,86400000]" },
  { 'field "l":contains_any { "X" }', "l.*=x" },
  { 'field "l":contains_all { "X", "Y" }', "(l.*=x & l.*=y)" },
  { 'field "p[*].s":is "X"', "p.*.s=x" },
  { 'field "o.a":changed()', "o!" },
  { 'field "a":not_changed()', "-" },
  { 'field "a":changed_to "X"', "a:changed_to=x" },
  { 'field "a":changed_from_to("X", "Y")', "(a:before=x & a:changed_to=y)" },
  { 'field "n":increased()', "(n:before:number[-inf,inf] & n:changed_to:number[-inf,inf])" },
  -- groups
  { 'hook.all { field "a":is "X", field "b":contains "y" }', "a=x" },
  { 'hook.any { field "a":is "X", field "b":is "Y" }', "(a=x / b=y)" },
  { 'hook.any { field "a":is "X", field "b":contains "y" }', "-" },
  { 'hook.none { field "a":is_not "X", field "b":is "Y" }', "a=x" },
  { 'hook.none { hook.all { field "a":is_not "X", field "b":is_not "Y" } }', "(a=x / b=y)" },
  { 'hook.all { field "n":at_least(1), field "n":at_most(9) }', "n:number[1,9]" },
  { 'hook.all { field "l[*]":at_least(1), field "l[*]":at_most(9) }',
    "(l.*:number[1,inf] & l.*:number[-inf,9])" },
  -- a function is called before what stands behind it is asked
  { "function() return true end", "-" },
  { 'hook.all { field "a":is "X", function() return true end, field "b":is "Y" }', "a=x" },
  { 'hook.all { function() return true end, field "b":is "Y" }', "-" },
  { 'hook.any { field "a":is "X", function() return true end }', "-" },
  { 'hook.all { hook.any { field "a":is "X", hook.all { field "b":is "Y", '
    .. 'function() return true end } }, field "c":is "Z" }', "(a=x / b=y)" },
}

test("what an event must have for conditions to hold", function()
  for _, case in ipairs(CASES) do
    local rule = support.rule(support.workflow { when = case[1] })
    support.equal({ case[1], show(rule.lookups.when) }, case)
  end
end)

test("what an update must have changed", function()
  local rule = support.rule(support.workflow {
    trigger = 'hook.every { "updated", watch = { "a", "o.b" } }',
  })
  support.equal(show(rule.lookups.watch), "(a! / o!)")
end)
