-- Catalogues of record types, and the warnings by them.
local host = require "hookline.host"

local PRELUDE = 'local hook = require "hookline"\n'

local DEAL = [[
return hook.type { label = "Deal", fields = {
  name = "text",
  amount = { type = "decimal", label = "Deal value" },
  open = "boolean",
  stage = { type = "choice", choices = { "New", "Won" } },
  rank = { type = "choice", choices = { 1, 2 } },
  tags = { type = "choices", choices = { "hot", "cold" } },
  closed_date = "date",
  account = { type = "record", of = "account" },
  products = { type = "list", items = { type = "record", fields = { sku = "text" } } },
  extra = "any",
  other = { type = "record", of = "nobody" },
} }]]

add_file("types/deal.lua", PRELUDE .. DEAL)
add_file("types/account.lua", PRELUDE .. "return hook.type { fields = { name = 'text' } }")

local function warnings(keys, webhook)
  local text = webhook and support.webhook(webhook, keys) or support.workflow(keys)
  local _, faults = support.rule(text)
  return faults
end

-- Conditions, and what is said of each; nil: nothing.
local CONDITIONS = {
  { 'field "amount":at_least(5)' },
  { 'field "id":is(5)' },
  { 'field "amuont":at_least(5)',
    'rules/types/deal.lua has no field "amuont"; did you mean "amount"?' },
  { 'field "zzzzzzzz":is_empty()', 'has no field "zzzzzzzz"' },
  { 'field "stage":is "won"' },
  { 'field "stage":is(hook.null)' },
  { 'field "stage":contains "o"' },
  { 'field "stage":is "Wonn"', '"stage": "Wonn" is none of its choices; did you mean "Won"?' },
  { 'field "stage":is_in { "Won", "other" }', '"other" is none of its choices, "New" and "Won"' },
  { 'field "stage":changed_to "Lost"', '"Lost" is none of its choices' },
  { 'field "stage":changed_from_to("Neww", "Won")', 'did you mean "New"?' },
  { 'field "rank":is "2"' },
  { 'field "rank":is(3)', "3 is none of its choices" },
  { 'field "tags":contains_any { "hot" }' },
  { 'field "tags":contains_any { "hott" }', 'did you mean "hot"?' },
  { 'field "tags[*]":is "cold"' },
  { 'field "tags":is "hot"', 'is compares single values, and "tags" is a list of choices' },
  { 'field "name":is(5)' },
  { 'field "name":is(true)', "true is never text" },
  { 'field "name":greater_than(5)', 'greater_than compares numbers, and "name" is text' },
  { 'field "name":contains_any { "a" }', "contains_any compares lists" },
  { 'field "amount":is "12.50"' },
  { 'field "amount":is "big"', '"amount": "big" is never a number' },
  { 'field "amount":before "2026-11-11"', "before compares dates" },
  { 'field "amount":between(1, 2)' },
  { 'field "amount":between("2026-01-01", "2026-02-01")', "between compares dates" },
  { 'field "amount":contains "5"', "contains compares text" },
  { 'field "open":is_true()' },
  { 'field "open":is "yes"', '"yes" is never true or false' },
  { 'field "amount":is_true()', "is_true compares true and false" },
  { 'field "closed_date":before "2026-11-11"' },
  { 'field "closed_date":starts_with "2026"' },
  { 'field "closed_date":is(7)', "7 is never a date" },
  { 'field "account.name":is "x"' },
  { 'field "account.id":is(5)' },
  { 'field "account.nmae":is "x"', 'rules/types/account.lua has no field "nmae"' },
  { 'field "account":is_empty()' },
  { 'field "account":is "x"', "a record in the catalogue" },
  { 'field "other.anything.at_all":is "x"' },
  { 'field "extra.a[*].b":greater_than(1)' },
  { 'field "products[*].sku":is "x"' },
  { 'field "products[*].skuu":is "x"', '"products" has no field "skuu"; did you mean "sku"?' },
  { 'field "products.sku":is "x"', '"products[*].sku" looks at each of it' },
  { 'field "name[*]":is "x"', '"name" is text, and [*] is for lists' },
  { 'field "amount.cents":is(1)', '"amount" is a number: there is no "cents" in it' },
}

test("what conditions say of fields", function()
  for _, row in ipairs(CONDITIONS) do
    local found = warnings { when = "hook.all { hook.none { " .. row[1] .. " } }" }
    support.equal(#found, row[2] and 1 or 0, row[1])
    if row[2] then
      support.contains(found[1].message, row[2], row[1])
      support.equal(found[1].path, "when[1][1]")
      support.equal(found[1].warning, true)
    end
  end
end)

test("without a catalogue nothing is said of fields", function()
  support.equal(#warnings { record = '"ticket"', when = 'field "amuont":is "x"' }, 0)
end)

test("watch, chosen fields and templates", function()
  local found = warnings({ trigger = 'hook.every { "updated", watch = { "name", "nam" } }' }, {
    url = '"https://a.example.com/{{ deal.nmae }}/{{ deal.name }}"',
    content = 'hook.fields { "amount", "account.naem as customer" }',
  })
  local said = {}
  for i, one in ipairs(found) do
    said[i] = one.path .. ": " .. one.message
  end
  local all = table.concat(said, "\n")
  support.equal(#found, 3)
  support.contains(all, 'trigger.watch[2]: rules/types/deal.lua has no field "nam"')
  support.contains(all, 'actions[1].content: rules/types/account.lua has no field "naem"')
  support.contains(all, 'actions[1]: {{ deal.nmae }}: rules/types/deal.lua has no field "nmae"')
end)

test("changes that a trigger never brings", function()
  local function count(verbs, condition)
    return #warnings { trigger = "hook.every { " .. verbs .. " }", when = condition }
  end
  support.equal(count('"created"', 'field "stage":changed_from "New"'), 1)
  support.equal(count('"created"', 'field "stage":changed_from(hook.null)'), 0)
  support.equal(count('"created"', 'field "stage":changed_to "New"'), 0)
  support.equal(count('"created", "updated"', 'field "amount":increased()'), 0)
  support.equal(count('"created", "deleted"', 'field "amount":increased()'), 1)
  support.equal(count('"deleted"', 'field "amount":changed()'), 1)
  support.equal(count('"deleted"', 'field "amount":not_changed()'), 0)
end)

-- Wrong catalogues: the path and the words of each one's only error.
local WRONG = {
  { 'lable = "x", fields = {}', "lable", 'did you mean "label"?' },
  { "", "fields", "is missing" },
  { 'fields = { "amount" }', "fields", "takes fields by their names" },
  { 'fields = { ["a.b"] = "text" }', "fields", 'not "a.b"' },
  { 'fields = { a = "string" }', "fields.a.type", 'did you mean "text"?' },
  { 'fields = { a = { type = "decimel" } }', "fields.a.type", 'did you mean "decimal"?' },
  { "fields = { a = {} }", "fields.a.type", "is missing" },
  { "fields = { a = 5 }", "fields.a", "takes a table, not a number" },
  { 'fields = { a = "choice" }', "fields.a.choices", "is missing" },
  { 'fields = { a = { type = "choice", choices = { "" } } }', "fields.a.choices[1]", "is empty" },
  { 'fields = { a = { type = "text", of = "deal" } }', "fields.a.of", 'goes with type = "record"' },
  { 'fields = { a = { type = "list", items = "txt" } }', "fields.a.items.type", "text" },
}

test("a catalogue's own mistakes", function()
  for i, row in ipairs(WRONG) do
    local path = ("types/wrong%d.lua"):format(i) -- each is loaded once
    add_file(path, PRELUDE .. "return hook.type { " .. row[1] .. " }")
    local faults = host.check_module(path)
    support.equal(#faults, 1, row[1])
    support.equal(faults[1].path, row[2], row[1])
    support.contains(faults[1].message, row[3], row[1])
  end
end)

test("a catalogue that is none, and one that names another wrongly", function()
  add_file("types/odd.lua", "return { fields = {} }")
  support.contains(host.check_module("types/odd.lua")[1].message, "ends with return hook.type")
  add_file("types/near.lua", PRELUDE .. 'return hook.type { fields = { '
    .. 'a = { type = "record", of = "deall" } } }')
  local faults = host.check_module "types/near.lua"
  support.equal(faults[1].warning, true)
  support.contains(faults[1].message, 'did you mean "deal"?')
  support.equal(#host.check_module "types/deal.lua", 0)
end)

test("XML (extended) has the catalogue's types", function()
  add_file("types/order.lua", PRELUDE .. [[return hook.type { fields = {
    amount = "decimal", count = "integer", code = "text", closed = "date", stage = "decimal",
    account = { type = "record", fields = { vat = "text", turnover = "decimal" } },
    lines = { type = "list", items = { type = "record", fields = { price = "decimal" } } },
    other = "any",
  } }]])
  local description = support.rule(support.webhook({
    encoding = '"xml_extended"',
    content = 'hook.fields { "amount as a.total", "count", "code", "closed", "stage", "account", '
      .. '"lines", "other" }',
  }, { record = '"order"' }))
  local owed = support.run(description, support.event("updated", support.json [[{
    "amount": 12500, "count": "7", "code": "2026-11-23", "closed": "2026-11-23", "stage": "late",
    "account": { "vat": "2026-01-01", "turnover": "1.50" },
    "lines": [{ "price": 3 }, { "price": null }], "other": 5 }]], { type = "order.updated" }))
  local body = owed[1].body:gsub("<event.-/>", "")
  support.equal(body, '<order><a><total type="decimal">12500</total></a>'
    .. '<count type="integer">7</count><code>2026-11-23</code>'
    .. '<closed type="date">2026-11-23</closed><stage>late</stage>'
    .. '<account><turnover type="decimal">1.50</turnover><vat>2026-01-01</vat></account>'
    .. '<lines type="array"><item><price type="decimal">3</price></item>'
    .. '<item><price nil="true"/></item></lines><other type="integer">5</other></order>')
end)
