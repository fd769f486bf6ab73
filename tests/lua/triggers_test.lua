-- Execution triggers, as functions and in words.
local function trigger_of(text, record)
  local rule = support.rule(support.workflow { trigger = text, record = record })
  local verbs = {}
  for _, verb in ipairs { "created", "updated", "deleted", "delivered", "terminated" } do
    if rule.verbs[verb] then
      verbs[#verbs + 1] = verb
    end
  end
  return (rule.once and "once " or "every ") .. table.concat(verbs, " ")
end

local RIGHT = {
  { 'hook.once { "created", "updated" }', "once created updated" },
  { 'hook.once { "updated", "created" }', "once created updated" },
  { 'hook.once { "deleted" }', "once deleted" },
  { 'hook.once "created"', "once created" },
  { 'hook.every { "created", "updated", "deleted" }', "every created updated deleted" },
  { 'hook.every { "updated" }', "every updated" },
  { [["Once, when it's created or updated"]], "once created updated" },
  { [["Once, when it's created"]], "once created" },
  { [["Once, when it's updated"]], "once updated" },
  { [["Once, when it's deleted"]], "once deleted" },
  { [["Every time, when it's created"]], "every created" },
  { [["Every time, when it's updated"]], "every updated" },
  { [["Every time, when it's deleted"]], "every deleted" },
  { [["Every time, when it's created or updated"]], "every created updated" },
  { [["Every time, when it's created, updated or deleted"]], "every created updated deleted" },
  -- apostrophes, case, spacing, and what people write instead
  { '"Once, when it\u{2019}s created or updated"', "once created updated" },
  { '"Once, when it\u{02BC}s created or updated"', "once created updated" },
  { '"Once, when it`s created or updated"', "once created updated" },
  { [["  ONCE ,  When It's   Created  OR updated. "]], "once created updated" },
  { '"Once,\u{00A0}when it\u{2019}s created"', "once created" },
  { '"once when it is created or updated"', "once created updated" },
  { '"Once when its created"', "once created" },
  { [["Every time it's updated"]], "every updated" },
  { [["Everytime, when it's updated"]], "every updated" },
  { [["Once, when it's updated or created"]], "once created updated" },
  { [["Once, when it's created and updated"]], "once created updated" },
  { '"Once, when it\\n is created"', "once created" },
}

for _, row in ipairs(RIGHT) do
  test(row[1], function()
    support.equal(trigger_of(row[1]), row[2])
  end)
end

local OUTCOMES = {
  { 'hook.every { "delivered" }', "every delivered" },
  { 'hook.once { "delivered", "terminated" }', "once delivered terminated" },
  { [["Every time, when it's delivered"]], "every delivered" },
  { [["Once, when it's terminated"]], "once terminated" },
  { [["Every time, when it's delivered or terminated"]], "every delivered terminated" },
}

for _, row in ipairs(OUTCOMES) do
  test("of a webhook: " .. row[1], function()
    support.equal(trigger_of(row[1], '"webhook"'), row[2])
  end)
end

-- trigger, path of the fault, words in its message
local WRONG = {
  { '"Twice, when it\'s created"', "trigger", [["Every time, when it's updated"]] },
  { '"Once"', "trigger", "no execution trigger" },
  { '"created"', "trigger", 'write hook.once "created" for once a record' },
  { '"Update"', "trigger", 'hook.once "updated"' },
  { '"created or updated"', "trigger", 'hook.once { "created", "updated" }' },
  { '"Once, when it\'s"', "trigger", "no execution trigger" },
  { '"Once, when it\'s made"', "trigger", "no execution trigger" },
  { '"Once, when it\'s created or created"', "trigger", "no execution trigger" },
  { '"Oncewhen it\'s created"', "trigger", "no execution trigger" },
  { '""', "trigger", "no execution trigger" },
  { "{ \"created\" }", "trigger", "put hook.once or hook.every in front of it" },
  { "true", "trigger", "wants hook.once or hook.every or text, not true or false" },
  { "hook.once {}", "trigger", 'needs at least one of "created", "updated", "deleted"' },
  { 'hook.once { "create" }', "trigger[1]", 'did you mean "created"?' },
  { 'hook.once { "created", "update" }', "trigger[2]", 'did you mean "updated"?' },
  { 'hook.once { "created", "created" }', "trigger[2]", "stands twice" },
  { "hook.once { created }", "trigger", "needs at least one of" },
  { "hook.once { 5 }", "trigger[1]", "not a number" },
  { "hook.once()", "trigger", "takes a table, not nothing" },
  { 'hook.every { "updated", wach = { "amount" } }', "trigger.wach", 'did you mean "watch"?' },
  { 'hook.every { "updated", watch = "amount" }', "trigger.watch", 'watch = { "amount" }' },
  { 'hook.every { "updated", watch = {} }', "trigger.watch", "needs at least a field's path" },
  { 'hook.every { "updated", watch = { 5 } }', "trigger.watch[1]", "wants a field's path" },
  { 'hook.every { "updated", watch = { "a", "a[1]" } }', "trigger.watch[2]", "is no path" },
  { 'hook.every { "updated", watch = { "b", x = "a" } }', "trigger.watch.x", "unknown key" },
  { 'hook.every { "created", watch = { "a" } }', "trigger.watch", 'is for "updated"' },
  { 'hook.every { "updated", edge = "falling" }', "trigger.edge", 'there is "rising"' },
  { 'hook.every { "updated", edge = true }', "trigger.edge", "wants text" },
  { 'hook.once { "updated", "deleted", edge = "rising" }', "trigger.edge", 'not for "deleted"' },
  { 'hook.every { "updated", edge = "rising" }', "trigger.edge", "needs conditions" },
  { 'hook.every { "scheduled" }', "trigger[1]", "hook.daily" },
  { 'hook.every { "delivered" }', "trigger", 'it goes with record = "webhook"' },
  { [["Once, when it's updated or terminated"]], "trigger", 'goes with record = "webhook"' },
  { "nil", "trigger", "is missing" },
}

for _, row in ipairs(WRONG) do
  test("wrong: " .. row[1], function()
    local faults = support.faults(support.workflow { trigger = row[1] })
    support.equal(#faults, 1)
    support.equal(faults[1].path, row[2], "path")
    support.contains(faults[1].message, row[3])
  end)
end

local WRONG_OF_WEBHOOK = {
  { 'hook.every { "created" }', "trigger", 'a webhook is never "created"' },
  { 'hook.every { "delivered", "updated" }', "trigger", 'a webhook is never "updated"' },
  { [["Once, when it's deleted"]], "trigger", 'a webhook is never "deleted"' },
  { 'hook.daily { at = "09:00" }', "trigger", "a webhook is no stored record" },
  { 'hook.every { "delivered", edge = "rising" }', "trigger.edge", 'not for "delivered"' },
  { 'hook.every { "delivered", watch = { "state" } }', "trigger.watch", 'is for "updated"' },
}

for _, row in ipairs(WRONG_OF_WEBHOOK) do
  test("wrong of a webhook: " .. row[1], function()
    local text = support.workflow { trigger = row[1], record = '"webhook"' }
    local faults = support.faults(text)
    support.equal(#faults, 1)
    support.equal(faults[1].path, row[2], "path")
    support.contains(faults[1].message, row[3])
  end)
end

test("conditions look into the answer and into the event that caused it", function()
  local rule = support.rule(support.workflow {
    record = '"webhook"',
    trigger = 'hook.every { "delivered" }',
    when = 'hook.all { field "workflow":is "first", field "response.status":equals(201), '
      .. 'field "response.json.id":greater_than(40), field "event.record.amount":at_least(10) }',
  })
  local record = support.json [[{ "id": "dlv_1", "workflow": "first",
    "response": { "status": 201, "json": { "id": 41 } }, "event": { "record": { "amount": 10 } } }]]
  local more = { type = "webhook.delivered" }
  support.equal(support.run(rule, support.event("delivered", record, more)) ~= nil, true)
  record.response.json.id = 40
  support.equal(support.run(rule, support.event("delivered", record, more)), nil)
end)

test("a workflow is judged for its record type and its verbs alone", function()
  local rule = support.rule(support.workflow { trigger = 'hook.once { "created" }' })
  support.equal(rule.record, "deal")
  support.equal(support.run(rule, support.event("created", { id = 1 })) ~= nil, true)
  support.equal(support.run(rule, support.event("updated", { id = 1 })), nil)
  support.equal(support.run(rule, support.event("created", { id = 1 }, { type = "lead.created" })),
    nil)
end)
