-- What has changed: the change operators by verb and by what `previous` says, and updates that
-- are known to have changed nothing.
local function fires(condition, verb, record, previous)
  local rule = support.rule(support.workflow { when = condition })
  local event = support.event(verb, support.json(record))
  event.previous = previous and support.json(previous)
  return support.run(rule, event) ~= nil
end

-- condition, verb, record, previous (false: none), fires
local ROWS = {
  -- updated, known
  { "changed()", "updated", '{"id":1,"x":"b"}', '{"x":"a"}', true },
  { "changed()", "updated", '{"id":1,"x":"a","y":2}', '{"y":1}', false },
  { "changed()", "updated", '{"id":1,"x":"a","y":2}', '{"x":"a","y":1}', false },
  { "changed()", "updated", '{"id":1,"x":"A"}', '{"x":"a"}', true },
  { "changed()", "updated", '{"id":1,"x":1.0,"y":2}', '{"x":1,"y":1}', false },
  { "changed()", "updated", '{"id":1,"x":"1"}', '{"x":1}', true },
  { "changed()", "updated", '{"id":1,"x":0}', '{"x":null}', true },
  { "changed()", "updated", '{"id":1,"x":false}', '{"x":null}', true },
  { "changed()", "updated", '{"id":1,"x":null}', '{"x":"a"}', true },
  { "changed()", "updated", '{"id":1}', '{"x":"a"}', true },
  { "changed()", "updated", '{"id":1,"y":2}', '{"x":null,"y":1}', false },
  { "changed()", "updated", '{"id":1,"x":"","y":2}', '{"x":null,"y":1}', false },
  { "changed()", "updated", '{"id":1,"x":[1,2]}', '{"x":[2,1]}', true },
  { "changed()", "updated", '{"id":1,"x":[1,2],"y":2}', '{"x":[1,2],"y":1}', false },
  { "changed()", "updated", '{"id":1,"x":[1,2]}', '{"x":[1,2,3]}', true },
  { "changed()", "updated", '{"id":1,"x":{"a":1}}', '{"x":{"a":2}}', true },
  { "changed()", "updated", '{"id":1,"x":{"a":1,"b":null},"y":2}', '{"x":{"a":1},"y":1}', false },
  { 'changed_to "Won"', "updated", '{"id":1,"x":"won"}', '{"x":"Lost"}', true },
  { 'changed_to("Won", { case = true })', "updated", '{"id":1,"x":"won"}', '{"x":"Lost"}', false },
  { 'changed_to "Won"', "updated", '{"id":1,"x":"Lost"}', '{"x":"Won"}', false },
  { 'changed_to "Won"', "updated", '{"id":1,"x":"Won","y":2}', '{"y":1}', false },
  { "changed_to(5)", "updated", '{"id":1,"x":"5"}', '{"x":4}', true },
  { "changed_to(true)", "updated", '{"id":1,"x":true}', '{"x":false}', true },
  { "changed_to(hook.null)", "updated", '{"id":1,"x":null}', '{"x":"a"}', true },
  { "changed_to(hook.null)", "updated", '{"id":1,"x":"b"}', '{"x":"a"}', false },
  { 'changed_from "Lost"', "updated", '{"id":1,"x":"Won"}', '{"x":"LOST"}', true },
  { 'changed_from "Lost"', "updated", '{"id":1,"x":"Lost"}', '{"x":"Won"}', false },
  { 'changed_from "Lost"', "updated", '{"id":1,"x":"Lost","y":2}', '{"y":1}', false },
  { "changed_from(hook.null)", "updated", '{"id":1,"x":"b"}', '{"x":null}', true },
  { "changed_from(hook.null)", "updated", '{"id":1,"x":"b"}', '{"x":"a"}', false },
  -- updated, unknown
  { "changed()", "updated", '{"id":1,"x":"b"}', false, false },
  { 'changed_to "b"', "updated", '{"id":1,"x":"b"}', false, false },
  { 'changed_from "a"', "updated", '{"id":1,"x":"b"}', false, false },
  -- created: everything was empty before
  { "changed()", "created", '{"id":1,"x":"b"}', false, true },
  { "changed()", "created", '{"id":1,"x":0}', false, true },
  { "changed()", "created", '{"id":1,"x":false}', false, true },
  { "changed()", "created", '{"id":1}', false, false },
  { "changed()", "created", '{"id":1,"x":null}', false, false },
  { "changed()", "created", '{"id":1,"x":""}', false, false },
  { "changed()", "created", '{"id":1,"x":[]}', false, false },
  { "changed()", "created", '{"id":1,"x":"b"}', '{"x":"b"}', true },
  { 'changed_to "b"', "created", '{"id":1,"x":"B"}', false, true },
  { 'changed_to "b"', "created", '{"id":1,"x":"c"}', false, false },
  { 'changed_from "b"', "created", '{"id":1,"x":"c"}', '{"x":"b"}', false },
  { "changed_from(hook.null)", "created", '{"id":1,"x":"c"}', false, true },
  { "changed_from(hook.null)", "created", '{"id":1}', false, false },
  -- deleted: nothing has changed
  { "changed()", "deleted", '{"id":1,"x":"b"}', false, false },
  { "changed()", "deleted", '{"id":1,"x":"b"}', '{"x":"a"}', false },
  { 'changed_to "b"', "deleted", '{"id":1,"x":"b"}', '{"x":"a"}', false },
}

for _, row in ipairs(ROWS) do
  local name = ("%s, %s, %s, previous %s"):format(row[1], row[2], row[3], row[4] or "unknown")
  test(name, function()
    support.equal(fires('field "x":' .. row[1], row[2], row[3], row[4]), row[5])
  end)
end

local NESTED = {
  { 'field "acc.name":changed()', '{"id":1,"acc":{"name":"B"}}', '{"acc":{"name":"A"}}', true },
  { 'field "acc.name":changed()', '{"id":1,"acc":{"name":"A","id":2}}',
    '{"acc":{"name":"A","id":1}}', false },
  { 'field "acc.id":changed_to(2)', '{"id":1,"acc":{"name":"A","id":2}}',
    '{"acc":{"name":"A","id":1}}', true },
  { 'field "acc.name":changed()', '{"id":1,"acc":{"name":"A"}}', '{"acc":null}', true },
  { 'field "acc.name":changed_from "A"', '{"id":1,"acc":null}', '{"acc":{"name":"A"}}', true },
  { 'field "acc.name":changed()', '{"id":1,"acc":{"name":"A"},"y":2}', '{"y":1}', false },
  { 'field "acc":changed()', '{"id":1,"acc":{"name":"B"}}', '{"acc":{"name":"A"}}', true },
  { 'field "acc":changed()', '{"id":1,"acc":{"name":"A"},"y":2}', '{"acc":{"name":"A"},"y":1}',
    false },
  -- lists: what is now and was not before
  { 'field "tags[*]":changed()', '{"id":1,"tags":["a","b"]}', '{"tags":["a"]}', true },
  { 'field "tags[*]":changed()', '{"id":1,"tags":["a"],"y":2}', '{"tags":["a"],"y":1}', false },
  { 'field "tags[*]":changed_to "b"', '{"id":1,"tags":["a","b"]}', '{"tags":["a"]}', true },
  { 'field "tags[*]":changed_to "a"', '{"id":1,"tags":["a","b"]}', '{"tags":["a"]}', false },
  { 'field "tags[*]":changed_from "a"', '{"id":1,"tags":["b"]}', '{"tags":["a"]}', true },
  { 'field "tags[*]":changed_from "a"', '{"id":1,"tags":["a","b"]}', '{"tags":["a"]}', false },
  { 'field "p[*].sku":changed_to "X"', '{"id":1,"p":[{"sku":"x"}]}', '{"p":null}', true },
}

for _, row in ipairs(NESTED) do
  test(("%s, %s, previous %s"):format(row[1], row[2], row[3]), function()
    support.equal(fires(row[1], "updated", row[2], row[3]), row[4])
  end)
end

test("tags of a created record have all changed", function()
  support.equal(fires('field "tags[*]":changed_to "a"', "created", '{"id":1,"tags":["a"]}'), true)
  support.equal(fires('field "tags[*]":changed()', "created", '{"id":1,"tags":[]}'), false)
end)

-- An update known to change nothing matches nothing, whatever the conditions.
local NOTHING = {
  { "updated", '{"id":1,"x":"a"}', "{}", false },
  { "updated", '{"id":1,"x":"a"}', '{"x":"a"}', false },
  { "updated", '{"id":1,"x":1}', '{"x":1.0}', false },
  { "updated", '{"id":1,"x":[{"a":null}]}', '{"x":[{}]}', false },
  { "updated", '{"id":1}', '{"x":null}', false },
  { "updated", '{"id":1,"x":null}', '{"x":null}', false },
  { "updated", '{"id":1,"x":"b"}', '{"x":"a"}', true },
  { "updated", '{"id":1,"x":[]}', '{"x":{}}', true },
  { "updated", '{"id":1,"x":"","y":1}', '{"x":null,"y":1}', true },
  { "updated", '{"id":1,"x":"a"}', false, true },
  { "updated", '{"id":1,"x":"a"}', "null", true },
  { "created", '{"id":1,"x":"a"}', "{}", true },
  { "deleted", '{"id":1,"x":"a"}', "{}", true },
}

for _, row in ipairs(NOTHING) do
  test(("plain trigger, %s, %s, previous %s"):format(row[1], row[2], row[3] or "unknown"),
    function()
    support.equal(fires('field "id":is(1)', row[1], row[2], row[3]), row[4])
  end)
end
