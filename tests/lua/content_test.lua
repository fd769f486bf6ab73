-- The body of a webhook: chosen fields, functions, transform, root, text.
local RECORD = [[{
  "id": 4021, "name": "Acme \"renewal\"", "amount": 12500.10, "big": 9007199254740993, "rate": 1e3,
  "closed_date": null, "won": true, "tags": [], "meta": {}, "list": [1, {"a": 2.50}],
  "sales_account": { "id": 88, "name": "Acme Inc", "owner": { "name": "Kim" } }
}]]

local function run(keys, workflow_keys)
  local rule = support.rule(support.webhook(keys, workflow_keys))
  return support.run(rule, support.event("created", support.json(RECORD)))[1]
end

local FIELDS = {
  { '"amount"', '{"amount":12500.10}' },
  { '"name", "id"', '{"name":"Acme \\"renewal\\"","id":4021}' },
  { '"big", "rate"', '{"big":9007199254740993,"rate":1e3}' },
  { '"closed_date", "missing", "won"', '{"closed_date":null,"missing":null,"won":true}' },
  { '"tags", "meta", "list"', '{"tags":[],"meta":{},"list":[1,{"a":2.50}]}' },
  { '"sales_account.name"', '{"sales_account":{"name":"Acme Inc"}}' },
  { '"sales_account.name", "id", "sales_account.id"',
    '{"sales_account":{"name":"Acme Inc","id":88},"id":4021}' },
  { '"sales_account.owner.name"', '{"sales_account":{"owner":{"name":"Kim"}}}' },
  { '"sales_account"',
    '{"sales_account":{"id":88,"name":"Acme Inc","owner":{"name":"Kim"}}}' },
  { '"sales_account.name as customer"', '{"customer":"Acme Inc"}' },
  { '"  sales_account.name   as   customer "', '{"customer":"Acme Inc"}' },
  { '"sales_account.name as customer.name", "id as customer.deal"',
    '{"customer":{"name":"Acme Inc","deal":4021}}' },
  { '"amount", "amount as total"', '{"amount":12500.10,"total":12500.10}' },
  { '"missing.a.b", "name.first", "closed_date.year"',
    '{"missing":{"a":{"b":null}},"name":{"first":null},"closed_date":{"year":null}}' },
  { '"id as quo\\"te"', '{"quo\\"te":4021}' },
  { '"id as as"', '{"as":4021}' },
}

for _, row in ipairs(FIELDS) do
  test("fields " .. row[1], function()
    support.equal(run({ content = ("hook.fields { %s }"):format(row[1]) }).body, row[2])
  end)
end

local BODIES = {
  { "fields in a root", { content = 'hook.fields { "id", "sales_account.name" }', root = '"deal"' },
    '{"deal":{"id":4021,"sales_account":{"name":"Acme Inc"}}}' },
  { "a root with odd characters", { content = 'hook.fields { "id" }', root = [['a "b"']] },
    '{"a \\"b\\"":{"id":4021}}' },
  { "a function's table, keys sorted",
    { content = "function() return { b = 1, a = { d = true, c = 2.5 } } end" },
    '{"a":{"c":2.5,"d":true},"b":1}' },
  { "a function's list", { content = 'function() return { "a", "b" } end' }, '["a","b"]' },
  { "an empty table and an empty list",
    { content = "function() return { a = {}, b = hook.array {}, "
    .. "c = hook.array() } end" }, '{"a":{},"b":[],"c":[]}' },
  { "null", { content = "function() return { a = hook.null } end" }, '{"a":null}' },
  { "subtrees of the event keep their form",
    { content = "function(e) return { deal = e.record.list, amount = e.record.amount } end" },
    '{"amount":12500.1,"deal":[1,{"a":2.50}]}' },
  { "a function's table in a root", { content = "function() return { a = 1 } end",
    root = '"deal"' },
    '{"deal":{"a":1}}' },
  { "a function's text goes as it is",
    { content = "function() return '{ \"b\": 1,  \"a\": 2.50 }' end" },
    '{ "b": 1,  "a": 2.50 }' },
  { "text of hook.encode.json",
    { content = "function() return hook.encode.json { a = hook.array {} } end" },
    '{"a":[]}' },
  { "hook.decode.json",
    { content = "function() return hook.decode.json '{\"a\":[],\"b\":{}}' end" },
    '{"a":[],"b":{}}' },
  { "a constant text", { content = [=[ [[{ "hello": "world" }]] ]=] }, '{ "hello": "world" }' },
  { "transform of fields",
    { content = 'hook.fields { "amount", "tags", "closed_date", "sales_account.id" }',
      transform = "function(body) body.more = 1; return body end" },
    '{"amount":12500.10,"closed_date":null,"more":1,"sales_account":{"id":88},"tags":[]}' },
  { "transform sees no root, and the root comes after",
    { content = 'hook.fields { "id" }', root = '"deal"',
      transform = "function(body) assert(body.id == 4021); return { x = body.id } end" },
    '{"deal":{"x":4021}}' },
  { "transform of a function's table, with the event",
    { content = "function() return { a = 1 } end",
      transform = "function(body, event) body.id = event.record.id; return body end" },
    '{"a":1,"id":4021}' },
  { "transform of a text", { content = "function() return 'abc' end",
    transform = "function(text) return { text = text } end" }, '{"text":"abc"}' },
  { "transform of a constant", { content = '"[1]"',
    transform = "function(b) b[2] = 2; return b end" }, "[1,2]" },
  { "transform to text", { content = 'hook.fields { "id" }',
    transform = "function() return '[]' end" }, "[]" },
  { "GET has no body", { method = '"GET"', encoding = false, content = false }, "" },
}

for _, row in ipairs(BODIES) do
  test(row[1], function()
    local owed = run(row[2])
    support.equal(owed.body, row[3])
    support.equal(owed.invalid, nil)
  end)
end

for _, text in ipairs { "{", "", "nope", "{} {}", "\\255", "{\\\"a\\\":1,}" } do
  test("text that is no JSON is invalid: " .. text, function()
    local owed = run { content = ('function() return "%s" end'):format(text) }
    support.contains(owed.invalid, "the content is not legal JSON: ")
    support.equal(type(owed.body), "string")
  end)
end

-- content, transform, words in the error, which names the line of the webhook
local ERRORS = {
  { "function() end", nil,
    "rules/case.lua:1: content: returned nothing; a table or text is wanted" },
  { "function() return 5 end", nil, "content: returned a number" },
  { "function() return true end", nil, "content: returned true or false" },
  { "function() return hook.null end", nil, "content: returned hook.null" },
  { 'function() return hook.secret "A" end', nil, "content: returned hook.secret" },
  { 'function() return "x" .. hook.secret "A" end', nil, "content: returned hook.secret" },
  { 'function() return { a = { hook.secret "A" } } end', nil, "content.a[1]" },
  { "function() return { a = { b = print } } end", nil, "content.a.b" },
  { "function() return { a = 0/0 } end", nil, "content.a" },
  { "function() return { a = 1/0 } end", nil, "content.a" },
  { "function() return { 1, a = 2 } end", nil, "content" },
  { "function() local t = {} t.t = t return t end", nil, "content.t" },
  { 'hook.fields { "id" }', "function() end", "transform: returned nothing" },
  { 'hook.fields { "id" }', "function(b) b.x = print return b end", "transform.x" },
  { "function(event) return event.a.b end", nil, "rules/case.lua:1:" },
  { "function() return hook.encode.json(print) end", nil, "hook.encode.json: " },
  { "function() return hook.decode.json(5) end", nil, "hook.decode.json takes text" },
  { "function() return hook.filds {} end", nil,
    'there is no hook.filds; did you mean "hook.fields"?' },
  { "function() return hook.template '{}' end", nil, "content: returned hook.template" },
  { 'function() return hook.workflow {} end', nil, "hook.workflow is for the file itself" },
}

for _, row in ipairs(ERRORS) do
  test("raises: " .. row[1] .. (row[2] and ", " .. row[2] or ""), function()
    local rule = support.rule(support.webhook { content = row[1], transform = row[2] or false })
    local message = support.run_error(rule, support.event("created", support.json(RECORD)))
    support.contains(message, row[3])
  end)
end

test("a function's text in a root is refused, text alone is not", function()
  local rule = support.rule(support.webhook { content = "function() return '{}' end",
    root = '"a"' })
  local message = support.run_error(rule, support.event("created", { id = 1 }))
  support.contains(message, "returned text, which root cannot wrap")
end)

test("hook.decode.json tells what is wrong", function()
  local owed = run { content = [[function()
    local value, message = hook.decode.json "{"
    assert(value == nil and type(message) == "string")
    assert(hook.decode.json "null" == hook.null)
    assert(hook.decode.json "false" == false)
    return {}
  end]] }
  support.equal(owed.body, "{}")
end)

-- Actions as a function -------------------------------------------------------------------------

local GET = 'hook.webhook { method = "GET", url = "https://a.example.com" }'

local function actions(body)
  return support.rule(support.workflow { actions = "function(event)\n" .. body .. "\nend" })
end

test("actions as a function: a webhook for each line item", function()
  local rule = actions [[
    local list = {}
    for i, id in ipairs(event.record.list) do
      list[i] = hook.webhook {
        method = "PUT", url = "https://a.example.com/" .. id, encoding = "json",
        content = function(e) return { id = id, deal = e.record.id } end,
      }
    end
    return list]]
  local owed = support.run(rule, support.event("created", { id = 7, list = { "a", "b" } }))
  support.equal(#owed, 2)
  support.equal(owed[1].head, "PUT https://a.example.com/a\nContent-Type: application/json\n")
  support.equal(owed[2].body, '{"deal":7,"id":"b"}')
  support.equal(support.run(rule, support.event("created", { id = 7, list = {} })), {}, "no item")
end)

test("actions as a function: the workflow's retry is the default", function()
  local rule = support.rule(support.workflow {
    retry = 'hook.retry { { "1m" } }',
    actions = ("function() return { %s } end"):format(GET),
  })
  support.equal(support.run(rule, support.event("created", { id = 1 }))[1].retry, "1m")
end)

test("actions as a function: webhooks made when the file is loaded", function()
  local rule = support.rule(("local w = %s\n"):format(GET)
    .. support.workflow { actions = "function() return { w, w } end" })
  support.equal(#support.run(rule, support.event("created", { id = 1 })), 2)
end)

local WRONG_ACTIONS = {
  { "return nil", "actions takes a table, not nothing" },
  { "return 5", "actions takes a table, not a number" },
  { "return { 5 }", "actions[1]: wants one hook.webhook" },
  { "return { a = 1 }", 'actions.a: unknown key "a"' },
  { 'return hook.webhook { method = "GET", url = "https://a.example.com" }', "not hook.webhook" },
  { 'return { hook.webhook { method = "GET", urll = "x" } }',
    'rules/case.lua:2: urll: unknown key' },
  { 'return { hook.webhook { method = "GET", url = "http://127.0.0.1/" } }',
    "rules/case.lua:2: url: " },
  { "return { hook.webhook {} }", "is missing" },
  { 'local s = hook.var "NOT_THERE" return {}', "NOT_THERE is not set" },
  { 'local t = hook.once { "creatd" } return {}',  '"creatd" is none of' },
  { "error('my own')", "rules/case.lua:2: my own" },
}

for _, row in ipairs(WRONG_ACTIONS) do
  test("actions as a function, wrong: " .. row[1], function()
    support.contains(support.run_error(actions(row[1]), support.event("created", { id = 1 })),
      row[2])
  end)
end

test("an error in one run leaves nothing behind for the next", function()
  local rule = support.rule(support.webhook {
    content = "function(e) if e.record.id == 1 then error 'x' end return { id = e.record.id } end",
  })
  support.run_error(rule, support.event("created", { id = 1 }))
  support.equal(support.run(rule, support.event("created", { id = 2 }))[1].body, '{"id":2}')
end)

test("what a run owes is made for that run", function()
  local rule = support.rule(support.webhook { content = 'hook.fields { "id" }' })
  local first = support.run(rule, support.event("created", { id = 1 }))
  support.equal(first[1].body, '{"id":1}')
  local second = support.run(rule, support.event("created", { id = 2 }))
  support.equal(second[1].body, '{"id":2}')
  support.equal(support.run(rule, support.event("created", { id = 3 }, { type = "lead.created" })),
    nil)
  support.equal(second[1].body, nil, "bodies are not kept")
end)

test("hook.var: a setting, its default, its kind", function()
  support.rule([[
assert(hook.var "INVOICE_HOST" == "invoices.example.com")
assert(hook.var("INVOICE_HOST", "other") == "invoices.example.com")
assert(hook.var("NOT_THERE", "other") == "other")
assert(hook.var("NOT_THERE", 5) == 5)
]] .. support.workflow {})
  local wrong = {
    { 'hook.var("INVOICE_HOST", 5)', "which is no number" },
    { 'hook.var("A B")', "letters" },
    { 'hook.var("A", {})', "the default" },
    { 'hook.var "NOT_THERE"', "HOOKLINE_VAR_NOT_THERE" },
  }
  for _, row in ipairs(wrong) do
    local faults = support.faults("local x = " .. row[1] .. "\n" .. support.workflow {})
    support.equal(#faults, 1)
    support.contains(faults[1].message, row[2])
  end
end)
