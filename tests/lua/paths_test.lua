-- Paths into records: related records and lists.
local RECORD = [[{
  "id": 1, "flag": false,
  "sales_account": { "name": "Acme Inc", "owner": { "name": "Kim", "team": { "id": 9 } } },
  "products": [ { "sku": "A-1", "qty": 2 }, { "sku": "B-2" }, { "qty": 0 }, null ],
  "tags": [ "VIP", "eu" ],
  "none": [],
  "null_account": null,
  "orders": [ { "lines": [ { "sku": "X" } ] }, { "lines": [] }, { "lines": [ { "sku": "Y" },
    { "sku": "Z" } ] } ],
  "grid": [ [1, 2], [3] ]
}]]

local ROWS = {
  { 'field "sales_account.name":is "acme inc"', true },
  { 'field "sales_account.owner.name":is "Kim"', true },
  { 'field "sales_account.owner.team.id":is(9)', true },
  { 'field "sales_account.owner.team.id":is(8)', false },
  { 'field "sales_account.nothing.name":is_empty()', true },
  { 'field "sales_account.name.first":is_empty()', true },
  { 'field "null_account.name":is_empty()', true },
  { 'field "null_account.name":is_not "x"', true },
  { 'field "null_account.a.b":is_empty()', true },
  { 'field "missing.a.b.c":is_empty()', true },
  { 'field "flag":is(false)', true },
  -- a list is not its elements
  { 'field "tags":is "vip"', false },
  { 'field "tags":contains "vip"', false },
  { 'field "products.sku":is_empty()', true },
  -- some element for a positive operator, none for its negative
  { 'field "tags[*]":is "vip"', true },
  { 'field "tags[*]":is "us"', false },
  { 'field "tags[*]":is_not "vip"', false },
  { 'field "tags[*]":is_not "us"', true },
  { 'field "tags[*]":is_in { "us", "eu" }', true },
  { 'field "tags[*]":is_not_in { "us", "eu" }', false },
  { 'field "tags[*]":starts_with "V"', true },
  { 'field "products[*].sku":is "b-2"', true },
  { 'field "products[*].sku":is "C-3"', false },
  { 'field "products[*].sku":is_not "B-2"', false },
  { 'field "products[*].sku":is_not "C-3"', true },
  { 'field "products[*].qty":greater_than(1)', true },
  { 'field "products[*].qty":greater_than(2)', false },
  { 'field "products[*].qty":less_than(1)', true },
  { 'field "products[*].sku":is_not_empty()', true },
  { 'field "products[*].price":is_not_empty()', false },
  { 'field "products[*].price":is_empty()', true },
  { 'field "products[*].sku":is_empty()', false },
  -- lists that are empty, missing, or no lists have no elements
  { 'field "none[*]":is "x"', false },
  { 'field "none[*]":is_not "x"', true },
  { 'field "none[*].a":is_empty()', true },
  { 'field "none[*].a":is_not_empty()', false },
  { 'field "missing[*].a":is "x"', false },
  { 'field "missing[*].a":is_not "x"', true },
  { 'field "id[*]":is(1)', false },
  { 'field "sales_account[*].name":is "Acme Inc"', false },
  { 'field "missing.tags[*]":is_not "x"', true },
  -- lists in lists
  { 'field "orders[*].lines[*].sku":is "z"', true },
  { 'field "orders[*].lines[*].sku":is "w"', false },
  { 'field "orders[*].lines[*].sku":is_not "w"', true },
  { 'field "grid[*][*]":is(3)', true },
  { 'field "grid[*][*]":is(4)', false },
}

for _, row in ipairs(ROWS) do
  test(row[1], function()
    local rule = support.rule(support.workflow { when = row[1] })
    local fires = support.run(rule, support.event("updated", support.json(RECORD))) ~= nil
    support.equal(fires, row[2])
  end)
end

test("false at the end of a path with [*] is a value", function()
  local rule = support.rule(support.workflow { when = 'field "list[*].ok":is(false)' })
  local event = support.event("updated", support.json '{"id":1,"list":[{"ok":true},{"ok":false}]}')
  support.equal(support.run(rule, event) ~= nil, true)
end)

for _, path in ipairs { "", ".", "a.", ".a", "a..b", "a[1]", "a[]", "a[*", "a*]", "[*]", "a[*]b",
  " a", "a .b", "a\\n" } do
  test(("no path: '%s'"):format(path), function()
    local faults = support.faults(support.workflow { when = ('field "%s":is "x"'):format(path) })
    support.equal(#faults, 1)
    support.equal(faults[1].path, "when")
    support.contains(faults[1].message, "path")
  end)
end
