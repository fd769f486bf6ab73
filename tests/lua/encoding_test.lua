-- The encodings beside JSON, hook.ordered in all of them, and hook.encode.
local RECORD = [[{
  "id": 4021, "name": "Acme & Co", "amount": 12500.10, "won": true, "tags": [],
  "list": [1, {"a": 2.50}],
  "closed_date": null, "closes_on": "2026-12-31",
  "sales_account": { "id": 88, "name": "Acme Inc" }
}]]

local EVENT = '<event id="evt-1" type="deal.created" time="2026-11-23T09:15:00Z" workflow="case"/>'

local function event()
  return support.event("created", support.json(RECORD))
end

local function run(keys)
  return support.run(support.rule(support.webhook(keys)), event())[1]
end

local FIELDS = 'hook.fields { "won", "amount", "sales_account.name", "closed_date", "tags" }'
local TABLE = "function() return { b = 1, a = { d = true, c = 2.5 }, e = { 'x' } } end"
local ORDERED = 'function() return hook.ordered { { "b", 1 }, { "a", hook.ordered { { "z", "&" }, '
  .. '{ "y", hook.null } } }, { "e", { hook.ordered {} } } } end'

local BODIES = {
  { "xml", FIELDS, nil, "<deal><won>true</won><amount>12500.10</amount><sales_account>"
    .. "<name>Acme Inc</name></sales_account><closed_date/><tags/></deal>" },
  { "xml", FIELDS, "a 1", "<a_1><won>true</won><amount>12500.10</amount><sales_account>"
    .. "<name>Acme Inc</name></sales_account><closed_date/><tags/></a_1>" },
  { "xml", TABLE, nil, "<deal><a><c>2.5</c><d>true</d></a><b>1</b><e><item>x</item></e></deal>" },
  { "xml", ORDERED, nil, "<deal><b>1</b><a><z>&amp;</z><y/></a><e><item/></e></deal>" },
  { "xml", "function() return { 1, 2 } end", nil, "<deal><item>1</item><item>2</item></deal>" },
  { "xml", "function(e) return { l = e.record.list } end", "r",
    "<r><l><item>1</item><item><a>2.50</a></item></l></r>" },
  { "xml", "function() return '<x>\\n</x>' end", nil, "<x>\n</x>" },
  { "xml", '"<x/>"', nil, "<x/>" },
  { "xml_extended", 'hook.fields { "name", "closes_on", "id", "closed_date", "list", "won" }', nil,
    "<deal>" .. EVENT .. '<name>Acme &amp; Co</name><closes_on type="date">2026-12-31</closes_on>'
    .. '<id type="integer">4021</id><closed_date nil="true"/><list type="array">'
    .. '<item type="integer">1</item><item><a type="decimal">2.50</a></item></list>'
    .. '<won type="boolean">true</won></deal>' },
  { "xml_extended", TABLE, "r", "<r>" .. EVENT .. '<a><c type="decimal">2.5</c>'
    .. '<d type="boolean">true</d></a><b type="integer">1</b><e type="array"><item>x</item></e>'
    .. "</r>" },
  { "form", FIELDS, nil,
    "won=true&amount=12500.10&sales_account%5Bname%5D=Acme+Inc&closed_date=&tags=" },
  { "form", TABLE, nil, "a%5Bc%5D=2.5&a%5Bd%5D=true&b=1&e%5B0%5D=x" },
  { "form", TABLE, "d l", "d+l%5Ba%5D%5Bc%5D=2.5&d+l%5Ba%5D%5Bd%5D=true&d+l%5Bb%5D=1"
    .. "&d+l%5Be%5D%5B0%5D=x" },
  { "form", ORDERED, nil, "b=1&a%5Bz%5D=%26&a%5By%5D=&e%5B0%5D=" },
  { "form", "function() return { 1 } end", "l", "l%5B0%5D=1" },
  { "form", "function() return 'a=1&b' end", nil, "a=1&b" },
  { "json", ORDERED, nil, '{"b":1,"a":{"z":"&","y":null},"e":[{}]}' },
  { "json", ORDERED, "r", '{"r":{"b":1,"a":{"z":"&","y":null},"e":[{}]}}' },
}

for i, row in ipairs(BODIES) do
  test(("%d: %s of %s"):format(i, row[1], row[2]), function()
    local owed = run {
      encoding = ("%q"):format(row[1]), content = row[2], root = row[3] and ("%q"):format(row[3]),
    }
    support.equal(owed.body, row[4])
    support.equal(owed.invalid, nil)
    support.equal(owed.dropped, nil)
  end)
end

test("transform sees the values, whatever the encoding", function()
  for _, row in ipairs {
    { "xml", "<deal><amount>12500.10</amount><x>1</x></deal>" },
    { "form", "amount=12500.10&x=1" },
  } do
    local owed = run {
      encoding = ("%q"):format(row[1]), content = 'hook.fields { "amount" }',
      transform = "function(body) body.x = 1 return body end",
    }
    support.equal(owed.body, row[2])
  end
  local text = run {
    encoding = '"xml"', content = '"<x/>"',
    transform = 'function(text) return "<y>" .. text .. "</y>" end',
  }
  support.equal(text.body, "<y><x/></y>")
end)

local TYPES = {
  { "json", nil, "application/json" },
  { "xml", nil, "application/xml; charset=utf-8" },
  { "xml_extended", nil, "application/xml; charset=utf-8" },
  { "form", nil, "application/x-www-form-urlencoded" },
  { "xml", "text/xml", "text/xml" },
}

for _, row in ipairs(TYPES) do
  test(("content type of %s, %s"):format(row[1], row[2] or "not given"), function()
    local owed = run {
      encoding = ("%q"):format(row[1]), content_type = row[2] and ("%q"):format(row[2]),
    }
    support.contains(owed.head, "\nContent-Type: " .. row[3] .. "\n")
  end)
end

test("text that is no JSON is invalid, with its line and column", function()
  local owed = run { content = [[function() return "{\n  \"ä\": x}" end]] }
  support.contains(owed.invalid, "the content is not legal JSON: line 2, column 8: ")
  support.equal(owed.body, '{\n  "ä": x}')
end)

test("text that is no XML is invalid, with its line and column", function()
  for _, row in ipairs {
    { "<a>\n<b></a>", "the content is not legal XML: line 2, column " },
    { "{}", "line 1, column 1" },
    { "", "line 1, column 1" },
    { "<!DOCTYPE a><a/>", "DOCTYPE" },
  } do
    local owed = run { encoding = '"xml"', content = ("function() return %q end"):format(row[1]) }
    support.contains(owed.invalid, row[2])
    support.equal(owed.body, row[1])
  end
end)

local LOAD_FAULTS = {
  { { encoding = '"xml"', content = '"<a>"' }, "actions[1].content",
    "the text is not legal XML: line 1, column " },
  { { encoding = '"json"', content = '"{"' }, "actions[1].content", "the text is not legal JSON" },
  { { encoding = '"xmll"' }, "actions[1].encoding", 'did you mean "xml"?' },
  { { encoding = '"xml"', content = '"<a/>"', root = '"x"' }, "actions[1].root", "not text" },
}

for i, row in ipairs(LOAD_FAULTS) do
  test("refused when loaded: " .. i, function()
    local faults = support.faults(support.webhook(row[1]))
    support.equal(#faults, 1)
    support.equal(faults[1].path, row[2])
    support.contains(faults[1].message, row[3])
  end)
end

local RAISES = {
  { "form", "function() return { 1 } end", "content: a form is made of names and values" },
  { "form", "function() return { a = print } end", "content.a: a function is no JSON value" },
  { "xml", "function() return { a = { 0/0 } } end", "content.a[1]" },
  { "xml", "function() return 5 end", "returned a number" },
  { "json", "local o = hook.ordered(5) return o", "hook.ordered takes a table" },
  { "json", "local o = hook.ordered({ a = 1 }) return o", 'unknown key "a"' },
  { "json", "local o = hook.ordered({ 'a' }) return o", "[1]: wants a pair" },
  { "json", "local o = hook.ordered({ { 1, 2 } }) return o", "[1]: a pair begins with its name" },
  { "json", "local o = hook.ordered({ { 'a', 2, 3 } }) return o", "[1]: a pair is a name and one" },
  { "json", "local o = hook.ordered({ { 'a', 2, b = 3 } }) return o", "[1]: a pair is a name" },
  { "json", "local o = hook.ordered({ { 'a', 1 }, { 'a', 2 } }) return o", '"a" stands twice' },
  { "json", "local o = hook.ordered {} o[1] = 5 return o", "takes pairs" },
  { "json", "local o = hook.ordered {} o[1] = { 5 } return o", "is text" },
  { "json", "local o = hook.ordered {} o.a = 5 return o", "a list of pairs" },
  { "json", "local o = hook.ordered {} o[1] = { 'a', o } return o", "a cycle" },
  { "json", "local o = hook.ordered({ { 'a', { print } } }) return o", "content.a[1]" },
  { "json", "function() return { x = hook.encode.xml(print) } end", "hook.encode.xml: a function" },
  { "json", "function() return { x = hook.encode.xml({}, '') } end", "hook.encode.xml: the root" },
  { "json", "function() return { x = hook.encode.form { 1 } } end", "hook.encode.form: a form is" },
}

for i, row in ipairs(RAISES) do
  test(("raises %d: %s"):format(i, row[2]), function()
    local content = row[2]:find "^function" and row[2] or "function() " .. row[2] .. " end"
    local rule = support.rule(support.webhook {
      encoding = ("%q"):format(row[1]), content = content,
    })
    local message = support.run_error(rule, event())
    support.contains(message, row[3])
    support.contains(message, "rules/case.lua:1: ")
  end)
end

test("hook.encode in a run: the record type is the root, and the event is told", function()
  local owed = run { content = [[function(e)
    return hook.ordered {
      { "xml", hook.encode.xml { a = 1 } }, { "root", hook.encode.xml({ a = 1 }, "r") },
      { "extended", hook.encode.xml_extended({ e.record.amount }) },
      { "form", hook.encode.form { a = "b c" } }, { "wrapped", hook.encode.form({ 1 }, "l") },
      { "json", hook.encode.json { a = hook.ordered { { "z", 1 }, { "b", 2 } } } },
    }
  end]] }
  local body = support.json(owed.body)
  support.equal(body.xml, "<deal><a>1</a></deal>")
  support.equal(body.root, "<r><a>1</a></r>")
  support.equal(body.extended, '<deal type="array">' .. EVENT
    .. '<item type="decimal">12500.1</item></deal>')
  support.equal(body.form, "a=b+c")
  support.equal(body.wrapped, "l%5B0%5D=1")
  support.equal(body.json, '{"a":{"z":1,"b":2}}')
end)

test("hook.encode while the file is loaded: there is no event yet", function()
  support.rule('assert(hook.encode.xml { a = 1 } == "<record><a>1</a></record>") '
    .. "assert(hook.encode.xml_extended({ a = 1 }, 'r') == "
    .. "'<r><a type=\"integer\">1</a></r>') " .. support.workflow {})
end)

test("characters that XML may not have are counted, for each webhook", function()
  local rule = support.rule(support.workflow { actions = [[{
    hook.webhook { method = "POST", url = "https://a.example.com", encoding = "xml",
      content = function() return { a = "\0x\1", b = hook.encode.xml "\2" } end },
    hook.webhook { method = "POST", url = "https://a.example.com", encoding = "xml",
      content = hook.fields { "name" } },
    hook.webhook { method = "POST", url = "https://a.example.com", encoding = "form",
      content = hook.fields { "name" } },
  }]] })
  local owed = support.run(rule, support.event("created", { name = "\u{FFFE}y" }))
  support.equal(owed[1].body, "<deal><a>x</a><b>&lt;deal&gt;&lt;/deal&gt;</b></deal>")
  support.equal(owed[1].dropped, 3)
  support.equal(owed[2].body, "<deal><name>y</name></deal>")
  support.equal(owed[2].dropped, 1)
  support.equal(owed[3].body, "name=%EF%BF%BEy")
  support.equal(owed[3].dropped, nil)
end)

test("hook.ordered may grow like a list, and a missing value is null", function()
  local owed = run { content = [[function(e)
    local o = hook.ordered { { "z", e.record.not_there } }
    o[#o + 1] = { "a", e.record.amount }
    return o
  end]] }
  support.equal(owed.body, '{"z":null,"a":12500.1}')
end)
