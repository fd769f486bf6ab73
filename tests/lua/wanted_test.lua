-- What operators may be given, and what a pattern may be; what is wrong is told when the file is
-- loaded. And how much what is seen may cost.
local pattern = require "hookline.pattern"

-- operator and its arguments, words in the message
local WRONG = {
  { "not_contains(5)", 'write not_contains "5"' },
  { 'not_contains ""', "holds for no text" },
  { "matches(5)", "matches compares text, not a number" },
  { 'matches ""', "holds for every text" },
  { "matches()", "matches wants a value" },
  { 'matches "[a-"', "a set has no ]" },
  { 'matches "a%"', "ends with %" },
  { 'matches "(a"', "a ( has no )" },
  { 'matches "a)"', "a ) has no (" },
  { 'matches "%1"', "%1 is no part in round brackets" },
  { 'matches "%u+"', "{ case = true }" },
  { 'matches("a", { caze = true })', ".caze", 'unknown key "caze"' },
  { 'not_equals "many"', 'for text write is_not "many"' },
  { "not_equals()", "wants a value" },
  { "between(1)", "wants two values" },
  { "between(1, 2, 3)", "wants two values" },
  { "between { 1, 2 }", "wants two values" },
  { "between(nil, 2)", "wants two values" },
  { "between(2, 1)", "never holds" },
  { 'between(1, "2026-11-23")', "two numbers, or two of" },
  { 'between("2026-11-23", "2026-11-22")', "never holds" },
  { 'between("2026-11-23", "2026-11-23T00:00:00+01:00")', "never holds" },
  { 'between("a", "b")', "two numbers, or two of" },
  { "between(0 / 0, 1)", "two numbers, or two of" },
  { 'on "2026-02-29"', 'on wants a date, as "2026-11-23"' },
  { 'on "23.11.2026"', "wants a date" },
  { "on(20261123)", "not 20261123" },
  { 'before "2026-11-23T09:15:00"', "a time with its offset" },
  { 'after "today"', 'not "today"' },
  { "after(hook.null)", "not hook.null" },
  { 'on("2026-11-23", "2026-11-24")', "wants one value" },
  { 'in_last "7"', 'a duration, such as "7d"' },
  { "in_last(7)", "not 7" },
  { 'in_next "1w"', 'not "1w"' },
  { 'older_than "-3d"', "a duration" },
  { 'older_than "99999d"', "a duration" },
  { 'contains_any "a"', 'contains_any { "a" }' },
  { "contains_all {}", "needs at least one value" },
  { "contains_none { {} }", "[1]", "one value" },
  { "is_true(true)", "takes nothing" },
  { "is_false(1)", "takes nothing" },
  { "not_changed(1)", "takes nothing" },
  { "increased(1)", "takes nothing" },
  { 'changed_from_to "a"', "wants two values" },
  { "changed_from_to({}, 1)", "wants text, a number" },
  { 'changed_from_to("a", "b", "c")', "wants two values" },
}

for _, row in ipairs(WRONG) do
  test(row[1], function()
    local faults = support.faults(support.workflow { when = 'field "x":' .. row[1] })
    support.equal(#faults, 1, "faults")
    support.equal(faults[1].line, 1, "line")
    support.equal(faults[1].path, row[3] and "when" .. row[2] or "when", "path")
    support.contains(faults[1].message, row[3] or row[2])
  end)
end

test("increased compares one value", function()
  for _, name in ipairs { "increased", "decreased" } do
    local faults = support.faults(support.workflow { when = ('field "p[*].n":%s()'):format(name) })
    support.equal(#faults, 1)
    support.contains(faults[1].message, "p[*].n are many")
  end
end)

test("an operator for lists behind [*] is told of", function()
  local _, warnings = support.rule(support.workflow { when = 'field "tags[*]":contains_any { 1 }' })
  support.equal(#warnings, 1)
  support.contains(warnings[1].message, 'write field "tags"')
  _, warnings = support.rule(support.workflow { when = 'field "p[*].tags":contains_any { 1 }' })
  support.equal(#warnings, 0)
end)

-- A text is a pattern here exactly where the matcher never calls it malformed.
local PATTERNS = {
  "a", "^a$", "$", "^", "[]]", "[^]]", "[%]]", "[a%-z]", "[%w_]+", "(a)(b)%1%2", "()", "((a)b)",
  "%b()", "%f[%w]%w+", "%%", "%.", "a-", "a*?", "[[]", "[a]]", "%f[^%s]", "\u{E4}+",
}
local MALFORMED = {
  "%", "a%", "[", "[]", "[^]", "[%]", "(", "((a)", ")", "(a))", "%b", "%ba", "%f", "%fa", "%f[a",
  "%1", "(a%1)", "%0", "(a)%2", ("()"):rep(33),
}

test("patterns that are right and wrong", function()
  for _, text in ipairs(PATTERNS) do
    support.equal(pattern.fault(text), nil, text)
    support.equal(pcall(string.find, ("ab"):rep(40), text), true, text)
  end
  for _, text in ipairs(MALFORMED) do
    support.equal(type(pattern.fault(text)), "string", text)
  end
end)

test("patterns for folded text keep their classes", function()
  support.equal(pattern.fold "^%S[A-Z]%AÄ%%B%.C", "^%S[a-z]%Aä%%b%.c")
  support.equal(pattern.has_upper "a%u", true)
  support.equal(pattern.has_upper "a%%u", false)
  support.equal(pattern.has_upper "[%U]", false)
end)

test("what is seen from the event's time is so from each event's own", function()
  local rule = support.rule(support.workflow { when = 'field "x":in_last "1d"' })
  local other = support.rule(support.workflow { when = 'field "x":older_than "1d"' })
  local function fires(description, time)
    local event = support.event("updated", { id = 1, x = "2026-11-23T09:00:00Z" })
    event.time = time
    return support.run(description, event) ~= nil
  end
  local rows = {
    { "2026-11-23T09:00:00Z", true, false }, { "2026-11-24T10:00:00+01:00", true, false },
    { "2026-11-24T10:00:01+01:00", false, true }, { "2026-11-23T08:59:59Z", false, false },
    { false, false, false }, -- no event of the host's is without
  }
  for _, row in ipairs(rows) do
    support.equal(fires(rule, row[1] or nil), row[2], row[1] or "no time")
    support.equal(fires(other, row[1] or nil), row[3], row[1] or "no time")
  end
end)
