-- Operators over kinds of values: each row is a condition and the JSON values for which it holds
-- and for which it does not. MISSING stands for a record without the field.
local core = require "hookline.core"

local MISSING = {}

local function holds(condition, json)
  local rule = support.rule(support.workflow { when = condition })
  local record = { id = 1 }
  if json ~= MISSING then
    record.x = support.json(json)
  end
  return support.run(rule, support.event("updated", record)) ~= nil
end

local function check(condition, yes, no)
  for _, json in ipairs(yes) do
    support.equal(holds(condition, json), true,
      condition .. " on " .. (json == MISSING and "missing" or json))
  end
  for _, json in ipairs(no) do
    support.equal(holds(condition, json), false,
      condition .. " on " .. (json == MISSING and "missing" or json))
  end
end

-- Values of which none is text "Won", a number 5, or true.
local OTHERS = { MISSING, "null", '""', "[]", "{}", "[5]", '{"a":5}', "0", "false", '" "' }

local function with(list, ...)
  local all = { table.unpack(list) }
  for _, value in ipairs { ... } do
    all[#all + 1] = value
  end
  return all
end

local ROWS = {
  -- text
  { 'field "x":is "Won"', { '"Won"', '"won"', '"WON"' }, with(OTHERS, '"Wo"', '"Won "', "5",
    "true") },
  { 'field "x":is("Won", { case = true })', { '"Won"' }, with(OTHERS, '"won"', '"WON"') },
  { 'field "x":is("Won", { case = false })', { '"Won"', '"won"' }, { '"w"' } },
  { 'field "x":is "STRASSE"', { '"strasse"', '"Strasse"' }, { '"Stra\u{00DF}e"' } },
  { 'field "x":is "\u{00C4}RGER"', { '"\u{00E4}rger"' }, { '"arger"' } },
  { 'field "x":is "\u{03A3}\u{03A3}"', { '"\u{03C3}\u{03C2}"' }, { '"s"' } },
  -- numbers, and text that is exactly one
  { 'field "x":is(5)', { "5", "5.0", "5e0", '"5"', '"5.0"', '"5e0"' },
    with(OTHERS, "5.5", "6", '"05"', '" 5"', '"5 "', '"+5"', '"0x5"', '"five"', "true") },
  { 'field "x":is "5"', { "5", "5.0", '"5"' }, with(OTHERS, '"5.0"', "6", "true") },
  { 'field "x":is("5", { case = true })', { "5", '"5"' }, { '"5.0"', "6" } },
  { 'field "x":is(0)', { "0", "-0", "0.0", '"0"' }, { MISSING, "null", '""', "false", "[]" } },
  { 'field "x":is(9007199254740993)', { "9007199254740993", '"9007199254740993"' },
    { "9007199254740992", "9007199254740994" } },
  { 'field "x":is(12500.5)', { "12500.50", "12500.5", '"12500.50"' }, { "12500.51" } },
  -- true and false
  { 'field "x":is(true)', { "true" }, with(OTHERS, '"true"', "1", '"1"') },
  { 'field "x":is(false)', { "false" }, { MISSING, "null", '""', "[]", "0", '"false"', "true" } },
  -- null is empty
  { 'field "x":is(hook.null)', { MISSING, "null", '""', "[]", "{}" }, { "0", "false", '" "',
    "[null]" } },
  { 'field "x":is_not(hook.null)', { "0", "false", '"a"' }, { MISSING, "null", '""', "[]", "{}" } },
  { 'field "x":is ""', { MISSING, "null", '""', "[]" }, { "0", "false", '" "' } },
  { 'field "x":is_not ""', { "0", "false", '" "' }, { MISSING, "null", '""', "[]" } },
  { 'field "x":is_in { "", "a" }', { MISSING, "null", '""', "[]", '"A"' }, { "0", "false" } },
  -- the negative is the opposite, and holds on empty and on other types
  { 'field "x":is_not "Won"', with(OTHERS, '"Wo"', "5", "true"), { '"Won"', '"wON"' } },
  { 'field "x":is_not(5)', with(OTHERS, "6", '"six"', "true"), { "5", '"5"', "5.0" } },
  { 'field "x":is_not("Won", { case = true })', with(OTHERS, '"won"'), { '"Won"' } },
  { 'field "x":is_not(false)', { MISSING, "null", '""', "0", "true", '"false"' }, { "false" } },
  -- sets
  { 'field "x":is_in { "Won", "Lost" }', { '"Won"', '"lost"' }, with(OTHERS, '"W"', "5") },
  { 'field "x":is_in({ "Won", "Lost" }, { case = true })', { '"Won"', '"Lost"' }, { '"won"',
    '"LOST"' } },
  { 'field "x":is_in { 1, "2", true }', { "1", "1.0", '"1"', '"1.0"', "2", '"2"', "2.0", "true" },
    with(OTHERS, '"2.0"', '"true"', "3") },
  { 'field "x":is_in { "Won", hook.null }', { '"won"', MISSING, "null", '""', "[]" }, { '"Lost"',
    "0" } },
  { 'field "x":is_in { 0 }', { "0", '"0"' }, { MISSING, "null", "false", '""' } },
  { 'field "x":is_not_in { "Won", "Lost" }', with(OTHERS, '"W"', "5"), { '"Won"', '"LOST"' } },
  { 'field "x":is_not_in { 1, 2 }', with(OTHERS, "3", '"one"'), { "1", '"2"' } },
  { 'field "x":is_not_in { hook.null, "Won" }', { "0", "false", '"Lost"' }, { MISSING, "null",
    '"won"' } },
  -- empty
  { 'field "x":is_empty()', { MISSING, "null", '""', "[]", "{}" }, { "0", "false", '" "', "[0]",
    '{"a":null}' } },
  { 'field "x":is_not_empty()', { "0", "false", '" "', "[0]", '{"a":null}', "[null]" },
    { MISSING, "null", '""', "[]", "{}" } },
  -- parts of text
  { 'field "x":contains "newal"', { '"Acme renewal"', '"RENEWAL 2"', '"newal"' },
    with(OTHERS, '"new"', "5", '["renewal"]') },
  { 'field "x":contains("Newal", { case = true })', { '"Newal"' }, { '"newal"', '"NEWAL"' } },
  { 'field "x":contains "%a.*["', { '"x%a.*[y"' }, { '"xyz"' } },
  { 'field "x":contains "5"', { '"a5"' }, { "5", "15" } },
  { 'field "x":starts_with "Acme"', { '"acme"', '"ACME Inc"' }, with(OTHERS, '"Acm"', '"The Acme"',
    "5") },
  { 'field "x":starts_with("Acme", { case = true })', { '"Acme Inc"' }, { '"ACME Inc"' } },
  { 'field "x":ends_with "Inc"', { '"inc"', '"Acme INC"' }, with(OTHERS, '"In"', '"Inc."', "5") },
  { 'field "x":ends_with("Inc", { case = true })', { '"Acme Inc"' }, { '"Acme INC"' } },
  -- order of numbers
  { 'field "x":equals(100)', { "100", "100.0", "1e2", '"100"', '"1e2"' }, with(OTHERS, "101",
    '"100 "', "true") },
  { 'field "x":equals "100.50"', { "100.5", '"100.50"', '"100.5"' }, { "100", MISSING } },
  { 'field "x":greater_than(100)', { "101", "100.01", '"101"', "1e300" }, with(OTHERS, "100", "99",
    '"99"', '"abc"') },
  { 'field "x":at_least(100)', { "100", "101", '"100"' }, with(OTHERS, "99.99", '"x"') },
  { 'field "x":less_than(100)', { "99.99", "-1", '"99"', "0" },
    { MISSING, "null", '""', "[]", "{}", "false", "100", '"a"', "true" } },
  { 'field "x":at_most(100)', { "100", "-5", '"100"', "0" },
    { MISSING, "null", '""', "[]", "{}", "false", "100.5", '"a"' } },
  { 'field "x":greater_than(-1)', { "0", '"0"' }, { MISSING, "null", '""', "false" } },
  { 'field "x":at_most(0)', { "0", "-1" }, { MISSING, "null", '""', "false", "[]" } },
  { 'field "x":greater_than(9007199254740992)', { "9007199254740993" }, { "9007199254740992" } },
}

for _, row in ipairs(ROWS) do
  test(row[1], function()
    check(row[1], row[2], row[3])
  end)
end

test("an operator and its negative never agree", function()
  local pairs_of = {
    { 'is "Won"', 'is_not "Won"' },
    { "is(5)", "is_not(5)" },
    { 'is_in { "Won", 5, true }', 'is_not_in { "Won", 5, true }' },
    { "is_empty()", "is_not_empty()" },
  }
  for _, both in ipairs(pairs_of) do
    for _, json in ipairs(with(OTHERS, '"Won"', "5", "true", "[[]]", '"5"', "1e400")) do
      if json ~= "1e400" then
        local positive, negative = 'field "x":' .. both[1], 'field "x":' .. both[2]
        support.equal(holds(positive, json) ~= holds(negative, json), true, both[1])
      end
    end
  end
end)

test("groups: all, any, none, nested, and of one", function()
  local yes, no = 'field "id":is(1)', 'field "id":is(2)'
  local rows = {
    { "hook.all { %y }", true }, { "hook.all { %n }", false },
    { "hook.all { %y, %y }", true }, { "hook.all { %y, %n }", false }, { "hook.all { %n, %y }",
      false },
    { "hook.all { %y, %y, %y }", true }, { "hook.all { %y, %y, %n }", false },
    { "hook.any { %n }", false }, { "hook.any { %n, %y }", true }, { "hook.any { %n, %n, %n }",
      false },
    { "hook.none { %n }", true }, { "hook.none { %y }", false }, { "hook.none { %n, %n }", true },
    { "hook.none { %n, %y }", false },
    { "hook.all { hook.any { %n, %y }, hook.none { %n } }", true },
    { "hook.any { hook.all { %y, %n }, hook.all { %y, %y } }", true },
    { "hook.none { hook.all { %y, %y } }", false },
    { "hook.all { %y, function() return true end }", true },
    { "hook.all { %y, function() return false end }", false },
    { "hook.any { %n, function() return nil end }", false },
    { "hook.any { %n, function() return hook.null end }", false },
    { "hook.any { %n, function() return 0 end }", true },
    { "function(event) return event.record.id == 1 end", true },
    { "%y", true }, { "%n", false },
  }
  for _, row in ipairs(rows) do
    local when = row[1]:gsub("%%y", yes):gsub("%%n", no)
    local rule = support.rule(support.workflow { when = when })
    support.equal(support.run(rule, support.event("created", { id = 1 })) ~= nil, row[2], row[1])
  end
end)

test("a condition function gets the whole event, in a copy of its own", function()
  local rule = support.rule(support.workflow {
    when = [[hook.all {
      function(event)
        assert(event.id == "evt-1" and event.type == "deal.updated" and event.actor.id == 7)
        event.record.amount = 1
        event.record.tags[1] = "gone"
        return true
      end,
      field "amount":is(100),
      function(event) return event.record.amount == 1 end,
    }]],
  })
  local event = support.event("updated", support.json '{"id":1,"amount":100,"tags":["a"]}',
    { actor = { id = 7 } })
  support.equal(support.run(rule, event) ~= nil, true)
  support.equal(event.record.amount, 100)
  support.equal(event.record.tags[1], "a")
  support.equal(support.run(rule, event) ~= nil, true, "a second run has a fresh copy")
end)

test("a condition that raises names its line", function()
  local when = "\n\nfunction(event) return event.nothing.x end"
  local rule = support.rule(support.workflow { when = when })
  local message = support.run_error(rule, support.event("updated", { id = 1 }))
  support.contains(message, "rules/case.lua:3:")
end)

test("without a condition every event of the trigger fires", function()
  local rule = support.rule(support.workflow {})
  support.equal(#support.run(rule, support.event("created", { id = 1 })), 1)
  support.equal(core.is_array(support.json "[]"), true)
end)
