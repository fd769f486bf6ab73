-- Option tables: each wrong key, type and value, with its line, its path and the right name.

-- A rule's text and its faults: line, path, words in the message.
local ROWS = {
  { "an unknown key of a webhook", [[
return hook.workflow {
  record = "deal", trigger = hook.once { "created" },
  actions = {
    hook.webhook {
      method = "GET",
      url = "https://app.example.com/",
      header = "X-A: b",
    },
  },
}]], { 4, "actions[1].header", 'unknown key "header"; did you mean "headers"?' } },
  { "all errors of a file, by line", [[
return hook.workflow {
  record = 5, trigger = hook.once { "creatd" }, nmae = "x",
  when = hook.all {
    field "a":iss "b",
    field "c":greater_than "many",
  },
  actions = {
    hook.webhook { method = "POST", url = "ftp://app.example.com/", encoding = "json",
      content = hook.fields { "" } },
    hook.webhook { url = "https://app.example.com/", method = "FETCH" },
  },
}]],
    { 1, "nmae", 'did you mean "name"?' },
    { 1, "record", "wants text, not a number" },
    { 2, "trigger[1]", 'did you mean "created"?' },
    { 4, "when[1]", 'there is no operator "iss"; did you mean "is"?' },
    { 5, "when[2]", 'greater_than compares numbers, not "many"' },
    { 8, "actions[1].url", "" },
    { 9, "actions[1].content[1]", "a path is wanted" },
    { 10, "actions[2].method", "GET, POST, PUT, PATCH and DELETE" } },
  { "missing keys", "return hook.workflow {}",
    { 1, "actions", "is missing" }, { 1, "record", "is missing" }, { 1, "trigger", "is missing" } },
  { "no table", "return hook.workflow()", { 1, "", "hook.workflow takes a table, not nothing" } },
  { "a handle is no table", "return hook.workflow(hook.fields { 'a' })",
    { 1, "", "takes a table, not hook.fields" } },
  { "positional values",
    'return hook.workflow { "deal", record = "deal", trigger = hook.once "created", '
    .. 'actions = { hook.webhook { method = "GET", url = "https://a.example.com" } } }',
    { 1, "[1]", "takes named keys only" } },
  { "a webhook without what it needs", support.workflow { actions = "{ hook.webhook {} }" },
    { 1, "actions[1].method", 'as in method = "POST"' },
    { 1, "actions[1].url", "is missing" } },
  { "a webhook that is not in a list",
    support.workflow { actions = 'hook.webhook { method = "GET", url = "https://a.example.com" }' },
    { 1, "actions", "put it into a list" } },
  { "no action", support.workflow { actions = "{}" }, { 1, "actions", "at least one" } },
  { "an action that is something else", support.workflow { actions = '{ { method = "GET" } }' },
    { 1, "actions[1]", "wants one hook.webhook { ... }, not a table" } },
  { "a hole in a list", support.workflow { when = 'hook.all { nope, field "a":is(1) }' },
    { 1, "when[1]", "is nil" } },
  { "an empty group", support.workflow { when = "hook.any {}" }, { 1, "when",
    "at least one condition" } },
  { "a group of names", support.workflow { when = 'hook.all { a = field "a":is(1) }' },
    { 1, "when.a", 'unknown key "a"; hook.all takes a list' }, { 1, "when",
      "at least one condition" } },
  { "a list without a group", support.workflow { when = '{ field "a":is(1) }' },
    { 1, "when", "put hook.all, hook.any or hook.none in front" } },
  { "a field without an operator", support.workflow { when = 'hook.all { field "a" }' },
    { 1, "when[1]", "it lacks an operator" } },
  { "a dot before the operator", support.workflow { when = 'field "a".is "b"' },
    { 1, "when", "write a colon before the operator" } },
  { "nested groups", support.workflow { when = 'hook.all { hook.any { field "a":is() } }' },
    { 1, "when[1][1]", "is wants a value" } },
  { "is with a list", support.workflow { when = 'field "a":is { "b" }' }, { 1, "when",
    "is_in { ... }" } },
  { "is_not with a list", support.workflow { when = 'field "a":is_not { "b" }' },
    { 1, "when", "is_not_in { ... }" } },
  { "is_in with a text", support.workflow { when = 'field "a":is_in "b"' },
    { 1, "when", 'is_in { "b" }' } },
  { "is_in with a hole", support.workflow { when = 'field "a":is_in { "b", nil, "c" }' },
    { 1, "when[2]", "is nil" } },
  { "is_in with a name", support.workflow { when = 'field "a":is_in { "b", c = 1 }' },
    { 1, "when.c", 'unknown key "c"' } },
  { "is_in of nothing", support.workflow { when = 'field "a":is_in {}' }, { 1, "when",
    "needs at least one value" } },
  { "is_in of a table", support.workflow { when = 'field "a":is_in { { 1 } }' },
    { 1, "when[1]", "not a table" } },
  { "is with two values", support.workflow { when = 'field "a":is("b", "c")' },
    { 1, "when", "wants one value" } },
  { "is with an unknown option", support.workflow { when = 'field "a":is("b", { cas = true })' },
    { 1, "when.cas", 'did you mean "case"?' } },
  { "is with an option that is no boolean",
    support.workflow { when = 'field "a":is("b", { case = 1 })' },
    { 1, "when.case", "true or false" } },
  { "changed_to with a list", support.workflow { when = 'field "a":changed_to { "b" }' },
    { 1, "when", "changed_to compares with one value" } },
  { "is with NaN", support.workflow { when = 'field "a":is(0/0)' }, { 1, "when", "not" } },
  { "is with a secret", support.workflow { when = 'field "a":is(hook.secret "A")' },
    { 1, "when", "not hook.secret" } },
  { "is_empty with a value", support.workflow { when = 'field "a":is_empty(1)' },
    { 1, "when", "takes nothing" } },
  { "contains with a number", support.workflow { when = 'field "a":contains(5)' },
    { 1, "when", 'write contains "5"' } },
  { "contains nothing", support.workflow { when = 'field "a":contains ""' }, { 1, "when",
    "every text" } },
  { "equals with a text", support.workflow { when = 'field "a":equals "Won"' },
    { 1, "when", 'for text write is "Won"' } },
  { "an operator that no one knows", support.workflow { when = 'field "a":frobnicates(1)' },
    { 1, "when", "there are after, at_least" } },
  { "a function that is not there", "local x = hook.webhok {}\n" .. support.workflow {},
    { 1, "", 'there is no hook.webhok; did you mean "hook.webhook"?' } },
  { "active", support.workflow { active = '"no"' }, { 1, "active",
    'wants true, false or "dry", not "no"' } },
  { "active of another type", support.workflow { active = "1" },
    { 1, "active", 'true, false or "dry"' } },
  { "a when_stopped that is none", support.workflow { when_stopped = '"holt"' },
    { 1, "when_stopped", 'did you mean "hold"?' } },
  { "a text to notify", support.workflow { notify = '"a@example.com"' },
    { 1, "notify", "a list of mail addresses" } },
  { "nobody to notify", support.workflow { notify = "{}" }, { 1, "notify", "at least a mail" } },
  { "what is no address", support.workflow { notify = '{ "a@b.example", "a@b\\r\\nBcc: c@d" }' },
    { 1, "notify[2]", "is no mail address" } },
  { "two addresses in one", support.workflow { notify = '{ "a@b.example, c@d.example" }' },
    { 1, "notify[1]", "is no mail address" } },
  { "a cooldown that is none", support.workflow { cooldown = '"soon"' },
    { 1, "cooldown", "no time to wait" } },
  { "a cooldown of nothing", support.workflow { cooldown = '"0s"' },
    { 1, "cooldown", "no time to wait" } },
  { "a cooldown of once", support.workflow { cooldown = '"1h"', trigger = 'hook.once "created"' },
    { 1, "cooldown", "is for hook.every" } },
  { "an id", support.workflow { id = '"a b"' }, { 1, "id", '"a b" is no id' } },
  { "an id that is a path", support.workflow { id = '"../a"' }, { 1, "id", "is no id" } },
  { "a record type", support.workflow { record = '"deal.updated"' }, { 1, "record",
    "is no record type" } },
  { "names from elsewhere", support.workflow { conditions = "{}", enabled = "true", event = '"x"' },
    { 1, "conditions", 'did you mean "when"?' },
    { 1, "enabled", 'did you mean "active"?' },
    { 1, "event", 'did you mean "trigger"?' } },
  { "a method in small letters", support.webhook { method = '"post"' },
    { 1, "actions[1].method", 'did you mean "POST"?' } },
  { "an encoding", support.webhook { encoding = '"jason"' }, { 1, "actions[1].encoding",
    'there are "json", "xml", "xml_extended" and "form"; did you mean "json"?' } },
  { "a timeout without a unit", support.webhook { timeout = "10" }, { 1, "actions[1].timeout",
    "with its unit" } },
  { "a timeout that is too short", support.webhook { timeout = '"500ms"' },
    { 1, "actions[1].timeout", "from 1s to 100s" } },
  { "a timeout that is too long", support.webhook { timeout = '"101s"' },
    { 1, "actions[1].timeout", "from 1s to 100s" } },
  { "a timeout that is none", support.webhook { timeout = '"soon"' }, { 1, "actions[1].timeout",
    "no timeout" } },
  { "retry without hook.retry", support.webhook { retry = '{ { "1s" } }' },
    { 1, "actions[1].retry", "put hook.retry in front of it" } },
  { "retry that goes back", support.webhook({}, { retry = 'hook.retry { { "2m", "1m" } }' }), { 1,
    "retry", "" } },
  { "retry without windows", support.webhook { retry = 'hook.retry { "1s", "2s" }' },
    { 1, "actions[1].retry[1]", "a window is a table" }, { 1, "actions[1].retry[2]",
      "a window is a table" } },
  { "retry with a name in a window",
    support.webhook { retry = 'hook.retry { { "15s", jitter = 1 } }' },
    { 1, "actions[1].retry[1].jitter", 'unknown key "jitter"' } },
  { "retry with a number", support.webhook { retry = "hook.retry { { 15 } }" },
    { 1, "actions[1].retry[1][1]", 'wants a time such as "15s"' } },
  { "content that is missing", support.webhook { content = false, encoding = false },
    { 1, "actions[1].encoding", "POST needs it" }, { 1, "actions[1].content", "POST needs it" } },
  { "content of a GET", support.webhook { method = '"GET"', root = '"a"' },
    { 1, "actions[1].encoding", "GET has no content" },
    { 1, "actions[1].content", "GET has no content" },
    { 1, "actions[1].root", "GET has no content" } },
  { "content of a DELETE", support.webhook { method = '"DELETE"', content = false },
    { 1, "actions[1].encoding", "DELETE has no content" } },
  { "content that is a table", support.webhook { content = '{ "amount" }' },
    { 1, "actions[1].content", 'hook.fields { "amount" }' } },
  { "content that is no JSON", support.webhook { content = '"{"' },
    { 1, "actions[1].content", "not legal JSON" } },
  { "content type", support.webhook { content_type = '"json"' }, { 1, "actions[1].content_type",
    "no content type" } },
  { "root of a text", support.webhook { content = '"{}"', root = '"a"' }, { 1, "actions[1].root",
    "not text" } },
  { "fields that are no list", support.webhook { content = 'hook.fields "amount"' },
    { 1, "actions[1].content", "takes a table, not text" } },
  { "fields, none", support.webhook { content = "hook.fields {}" }, { 1, "actions[1].content",
    "at least one field" } },
  { "fields, twice", support.webhook { content = 'hook.fields { "a", "a" }' },
    { 1, "actions[1].content", "stands twice" } },
  { "fields, inside one another", support.webhook { content = 'hook.fields { "a", "a.b" }' },
    { 1, "actions[1].content", "chosen as a whole" } },
  { "fields, the other way round", support.webhook { content = 'hook.fields { "a.b", "a" }' },
    { 1, "actions[1].content", "stands twice" } },
  { "fields, without the new name", support.webhook { content = 'hook.fields { "a as ", "b as" }' },
    { 1, "actions[1].content[1]", "lacks a name" },
    { 1, "actions[1].content[2]", "lacks a name" } },
  { "fields, without the old name", support.webhook { content = 'hook.fields { "as b" }' },
    { 1, "actions[1].content[1]", "lacks a name" } },
  { "fields of a list", support.webhook { content = 'hook.fields { "products[*].sku" }' },
    { 1, "actions[1].content[1]", 'here the list goes as a whole: "products"' } },
  { "a URL of a private address", support.webhook { url = '"http://127.0.0.1:8080/x"' },
    { 1, "actions[1].url", "--allow-target" } },
  { "a URL without a scheme", support.webhook { url = '"app.example.com/x"' }, { 1,
    "actions[1].url", "http" } },
  { "auth that is text", support.webhook { auth = '"Bearer x"' }, { 1, "actions[1].auth",
    "hook.bearer" } },
  { "a secret as a URL", support.webhook { url = 'hook.secret "A"' },
    { 1, "actions[1].url", "a secret may stand only in auth" } },
  { "a secret inside a URL",
    support.webhook { url = '"https://a.example.com/" .. hook.secret "A"' },
    { 1, "actions[1].url", "a secret may stand only in auth" } },
  { "text behind a secret", support.webhook { headers = '{ ["X-A"] = hook.secret "A" .. "b" }' },
    { 1, 'actions[1].headers["X-A"]', "nothing behind it" } },
  { "field for fields", support.webhook { content = 'hook.field { "amount" }' },
    { 1, "actions[1].content", "hook.fields chooses several" } },
  { "a secret's name", support.webhook { auth = 'hook.bearer(hook.secret "a b")' },
    { 1, "actions[1].auth", "letters, digits and _" } },
  { "a secret's name that hookline secrets refuses",
    support.webhook { auth = 'hook.bearer(hook.secret "password")' },
    { 1, "actions[1].auth", "capital letters" } },
  { "a setting that is not there", support.webhook { url = 'hook.var "NOT_THERE" .. "/x"' },
    { 1, "actions[1].url", "NOT_THERE is not set" } },
  { "hook.array of a text", 'local x = hook.array "a"\n' .. support.workflow {}, { 1, "",
    "takes a table" } },
  { "too many webhooks", support.workflow { actions = '(function() local t = {} for i = 1, 101 do '
    .. 't[i] = hook.webhook { method = "GET", url = "https://a.example.com" } end '
    .. "return t end)()" },
    { 1, "actions", "at most 100" } },
}

for _, row in ipairs(ROWS) do
  test(row[1], function()
    local faults = support.faults(row[2])
    for i = 3, #row do
      local fault, wanted = faults[i - 2], row[i]
      if not fault then
        error(("only %d faults"):format(#faults))
      end
      support.equal(fault.line, wanted[1], "line of " .. fault.message)
      support.equal(fault.path, wanted[2], "path of " .. fault.message)
      support.contains(fault.message, wanted[3])
      support.equal(fault.warning, false)
    end
    support.equal(#faults, #row - 2, "faults")
  end)
end

test("an error raised in a file is a fault with its line, beside the others", function()
  local faults = support.faults("\n" .. support.workflow { name = "5" }:gsub("^return", "local w =")
    .. "\nlocal x = nil + 1\nreturn w")
  support.equal(#faults, 2)
  support.equal(faults[1].line, 2)
  support.equal(faults[1].path, "name")
  support.equal(faults[2].line, 3)
  support.contains(faults[2].message, "arithmetic on a nil value")
end)

for _, row in ipairs {
  { 'error(setmetatable({}, { __tostring = function() return "odd" end }))', "odd" },
  { "error({ code = 3 })", "raised a table" },
  { "error(nil)", "raised nothing" },
  { "error(42)", "42" },
  { 'error("no place", 0)', "no place" },
  { "error(setmetatable({}, { __tostring = function() error {} end }))", "raised a table" },
} do
  test("an error object has its line and its words: " .. row[1], function()
    local faults = support.faults("\n\n" .. row[1])
    support.equal(#faults, 1)
    support.equal(faults[1].line, 3)
    support.equal(faults[1].message, row[2])
  end)
end

test("a list with a place far behind the others is one fault", function()
  local faults = support.faults(support.workflow {
    when = 'field "a":is_in { "b", [1 << 40] = "c" }' })
  support.equal(#faults, 1)
  support.equal(faults[1].path, "when[2]")
  support.contains(faults[1].message, "is nil")
end)

test("a loop over a value that was refused ends", function()
  local faults = support.faults("for _, host in ipairs(hook.var 'NOT_SET') do local _ = host end "
    .. support.workflow {})
  support.equal(#faults, 1)
  support.contains(faults[1].message, "NOT_SET is not set")
end)

for _, text in ipairs { "", "return {}", "return nil", 'return hook.once { "created" }',
  "return 5" } do
  test("a file that returns no workflow: " .. text, function()
    local faults = support.faults(text)
    support.equal(#faults, 1)
    support.contains(faults[1].message, "return hook.workflow")
  end)
end

test("faults of one file are not those of the next", function()
  support.faults(support.workflow { name = "5" })
  local _, warnings = support.rule(support.workflow {})
  support.equal(#warnings, 0)
end)

test("the file's name is the id and the name, unless they are given", function()
  local rule = support.rule(support.workflow {}, "invoice_on-2.won")
  support.equal(rule.id, "invoice_on-2.won")
  support.equal(rule.name, rule.id)
  support.equal(rule.description, "")
  support.equal(rule.active, true)
  rule = support.rule(support.workflow { id = '"x"', name = '"The name"', description = '"Why."',
    active = "false" })
  support.equal(rule.id, "x")
  support.equal(rule.name, "The name")
  support.equal(rule.description, "Why.")
  support.equal(rule.active, false)
  support.contains(support.faults(support.workflow {}, "two words")[1].message, "file's name")
  support.equal(support.rule(support.workflow { id = '"ok"' }, "two words").id, "ok")
end)

test("has_functions says whether a rule's code runs for an event", function()
  local rows = {
    { support.webhook {}, false },
    { support.webhook({}, { when = 'hook.all { field "a":is(1) }' }), false },
    { support.webhook({}, { when = 'hook.all { field "a":is(1), hook.none { function() end } }' }),
      true },
    { support.webhook({}, { when = "function() end" }), true },
    { support.webhook { content = "function() end" }, true },
    { support.webhook { transform = "function() end" }, true },
    { support.workflow { actions = "function() end" }, true },
  }
  for _, row in ipairs(rows) do
    support.equal(support.rule(row[1]).has_functions, row[2], row[1])
  end
end)

test("warnings do not stop a file", function()
  local rule, faults = support.rule(support.webhook({ headers = '"X-A: a, b"' },
    { record = '"Deal"' }))
  support.equal(rule.record, "Deal")
  support.equal(#faults, 2)
  support.equal(faults[1].warning and faults[2].warning, true)
  support.contains(faults[1].message .. faults[2].message, 'has a comma')
  support.contains(faults[1].message .. faults[2].message, 'this is not "deal"')
end)

test("one result that stands in two places keeps the path of the first", function()
  local faults = support.faults [[
local w = hook.webhook { method = "GET", url = "https://a.example.com", nam = "x" }
return hook.workflow { record = "deal", trigger = hook.once "created", actions = { w, w } }]]
  support.equal(#faults, 1)
  support.equal(faults[1].path, "actions[1].nam")
end)

test("faults of what is made and not used are told too", function()
  local made = "local w = hook.webhook { method = 'GET' }\n"
  local faults = support.faults(made .. support.workflow {})
  support.equal(#faults, 1)
  support.equal(faults[1].path, "url")
  support.equal(faults[1].line, 1)
end)
