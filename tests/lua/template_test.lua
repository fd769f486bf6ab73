-- Templates in webhooks: what a placeholder becomes where it stands, and what is refused when the
-- file is loaded.
local RECORD = [=[{ "id": 7, "name": "A \"b\" <c> & 'd' \\", "amount": 12500.10, "big": 1e3,
  "note": "two\nlines\u2028]]>--",
  "none": null, "won": true, "tags": ["a", "b\""], "city": "Zürich",
  "account": { "name": "Acme & Co", "rate": 2.50 },
  "lines": [ { "sku": "X-1", "price": 10.10 }, { "sku": "Y\"2", "price": 2.20 } ] }]=]

local function owed(keys)
  local rule = support.rule(support.webhook(keys), "case")
  return support.run(rule, support.event("created", support.json(RECORD)))[1]
end

local function quoted(text)
  return (("%q"):format(text):gsub("\\\n", "\\n"))
end

local function body(encoding, text)
  local item = owed { encoding = quoted(encoding),
    content = ("hook.template(%s)"):format(quoted(text)) }
  if item.invalid then
    error(item.invalid .. ": " .. item.body, 0)
  end
  return item.body, item
end

local BODIES = {
  -- JSON: values
  { "json", "{{ deal.name }}", [["A \"b\" <c> & 'd' \\"]] },
  { "json", "[{{ deal.amount }}, {{ deal.big }}, {{ deal.account.rate }}, {{ deal.id }}]",
    "[12500.10, 1e3, 2.50, 7]" },
  { "json", "[{{ deal.none }}, {{ deal.nosuch }}, {{ deal.won }}, {{ nosuch.a.b }}]",
    "[null, null, true, null]" },
  { "json", "[{{ deal.tags }}, {{ deal.account }}, {{ (1..3) }}]",
    [=[[["a","b\""], {"name":"Acme & Co","rate":2.50}, [1,2,3]]]=] },
  { "json", "{{ deal.tags | json }}", [=[["a","b\""]]=] },
  { "json", "{{ deal.tags | json | raw }}", [=[["a","b\""]]=] },
  { "json", "{{ '[1, 2]' | raw }}", "[1, 2]" },
  { "json", "[{{ deal.amount | times: 2 }}, {{ deal.id | plus: 1 }}, {{ deal.tags | size }}]",
    "[25000.2, 8, 2]" },
  { "json", "{{ record.id }}", "7" },
  { "json", '{ "a": {{ event.id }}, "b": {{ event.type }}, "c": {{ workflow.id }} }',
    '{ "a": "evt-1", "b": "deal.created", "c": "case" }' },
  -- JSON: inside texts
  { "json", '"<{{ deal.name }}>"', [["<A \"b\" <c> & 'd' \\>"]] },
  { "json", '"{{ deal.note }}{{ deal.none }}"', '"two\\nlines\u{2028}]]>--"' },
  { "json", '"{{ deal.amount }} {{ deal.city }} {{ deal.won }}"', '"12500.10 Zürich true"' },
  { "json", '"{{ deal.tags | json }}"', [=["[\"a\",\"b\\\"\"]"]=] },
  { "json", '{ "{{ deal.name }}": 1 }', [[{ "A \"b\" <c> & 'd' \\": 1 }]] },
  -- JSON: branches and loops
  { "json", "[{% for l in deal.lines %}{{ l.sku }}{% unless forloop.last %}, {% endunless %}" ..
    "{% endfor %}]", [=[["X-1", "Y\"2"]]=] },
  { "json", "[{% for l in deal.lines %}{% unless forloop.first %}, {% endunless %}{{ l.price }}" ..
    "{% endfor %}]", "[10.10, 2.20]" },
  { "json", "{% if deal.won %}{{ deal.id }}{% else %}null{% endif %}", "7" },
  { "json", '{ {% if deal.won %}"a": {{ deal.id }},{% endif %} "b": 1 }', '{ "a": 7, "b": 1 }' },
  { "json", '{ "a{% if deal.won %}{{ deal.city }}{% endif %}": 1 }', '{ "aZürich": 1 }' },
  { "json", '{ {% case deal.id %}{% when 7 %}"a": {% else %}"b": {% endcase %}{{ deal.id }} }',
    '{ "a": 7 }' },
  { "json", "[{% for i in (1..9) %}{% if i > 3 %}{% break %}{% endif %}" ..
    "{% if i > 1 %},{% endif %}" ..
    "{{ i }}{% endfor %}]", "[1,2,3]" },
  { "json", "[{% for i in nosuch %}{{ i }}{% else %}0{% endfor %}]", "[0]" },
  { "json", '[{% for i in (1..2) %}{% cycle "a", 1 %}{% if forloop.first %},{% endif %}' ..
    "{% endfor %}]", nil },
  { "json", "[{% increment n %}, {% increment n %}]", "[0, 1]" },
  { "json", "{% assign x = deal.name | upcase %}{% capture y %}<{{ x }}>{% endcapture %}{{ y }}",
    [["<A \"B\" <C> & 'D' \\>"]] },
  { "json", "{% liquid\n assign a = deal.id\n echo a\n %}", "7" },
  { "json", "{% raw %}\"{{ x }}\"{% endraw %}", '"{{ x }}"' },
  { "json", "{% comment %}\" {% x %}{% endcomment %}1", "1" },
  -- XML
  { "xml", "<a>{{ deal.name }}</a>", "<a>A \"b\" &lt;c&gt; &amp; 'd' \\</a>" },
  { "xml", "<a b=\"{{ deal.name }}\" c='{{ deal.name }}'/>",
    "<a b=\"A &quot;b&quot; &lt;c&gt; &amp; 'd' \\\" " ..
      "c='A &quot;b&quot; &lt;c&gt; &amp; &apos;d&apos; \\'/>" },
  { "xml", "<a>{{ deal.account.name | xml_escape }}{{ deal.account.name | escape }}</a>",
    "<a>Acme &amp; CoAcme &amp; Co</a>" },
  { "xml", "<a><!-- {{ deal.note }} --><![CDATA[{{ deal.note }}]]></a>",
    "<a><!-- two\nlines\u{2028}]]>- -  --><![CDATA[two\nlines\u{2028}]]]><![CDATA[]]]>" ..
      "<![CDATA[>--]]></a>" },
  { "xml", "<?xml version='1.0'?><a>{{ deal.amount }}{{ deal.none }}</a>",
    "<?xml version='1.0'?><a>12500.10</a>" },
  { "xml", "<a>{% for l in deal.lines %}<l{% if l.price %} p=\"{{ l.price }}\"{% endif %}>" ..
    "{{ l.sku }}</l>{% endfor %}</a>", "<a><l p=\"10.10\">X-1</l><l p=\"2.20\">Y\"2</l></a>" },
  { "xml", "<a>{% if deal.won %}<b>{% endif %}x{% if deal.won %}</b>{% endif %}</a>",
    "<a><b>x</b></a>" },
  { "xml", "<a>{{ '<b/>' | raw }}</a>", "<a><b/></a>" },
  { "xml", "<a>{% tablerow l in deal.lines %}{{ l.sku }}{% endtablerow %}</a>",
    '<a><tr class="row1">\n<td class="col1">X-1</td><td class="col2">Y"2</td></tr>\n</a>' },
  { "xml_extended", "<a>{{ deal.city }}</a>", "<a>Zürich</a>" },
  -- forms
  { "form", "name={{ deal.name }}&\n  city={{ deal.city }}&n={{ deal.big }}\n",
    "name=A+%22b%22+%3Cc%3E+%26+%27d%27+%5C&city=Z%C3%BCrich&n=1e3" },
  { "form", "a={{ deal.city | url_encode }}&b={{ 'x=1' | raw }}", "a=Z%C3%BCrich&b=x=1" },
}

for _, row in ipairs(BODIES) do
  test(row[1] .. ": " .. row[2], function()
    if row[3] then
      support.equal((body(row[1], row[2])), row[3])
    else
      body(row[1], row[2])
    end
  end)
end

-- a URL or headers, and a line that the head then has
local HEADS = {
  { url = '"https://a.example.com/d/{{ deal.name }}?q={{ deal.name }}&c={{ deal.city }}"',
    "POST https://a.example.com/d/A%20%22b%22%20%3Cc%3E%20%26%20%27d%27%20%5C"
      .. "?q=A%20%22b%22%20%3Cc%3E%20%26%20%27d%27%20%5C&c=Z%C3%BCrich\n" },
  { url = '"https://a.example.com/{{ \'a b+c\' | url_encode }}?q={{ \'a b+c\' | url_encode }}"',
    "POST https://a.example.com/a%20b%2Bc?q=a%20b%2Bc\n" },
  { url = '"https://a.example.com/{{ \'x/y?z=1\' | raw }}"',
    "POST https://a.example.com/x/y?z=1\n" },
  { url = '"https://{{ \'b.example.com\' | raw }}/{{ deal.id }}"', "POST https://b.example.com/7\n",
    target = "https://b.example.com:443" },
  { url = '"{{ \'http://b.example.com:81\' | raw }}/{{ deal.id }}"',
    "POST http://b.example.com:81/7\n", target = "http://b.example.com:81" },
  { url = '"https://{% if deal.won %}w{% else %}l{% endif %}.example.com/{{ deal.id }}"',
    "POST https://w.example.com/7\n", target = "https://w.example.com:443" },
  { url = '"https://a.example.com/?n={{ deal.big }}"',
    auth = 'hook.api_key("k", { query = "key" })',
    "POST https://a.example.com/?n=1e3&key=k\n" },
  { headers = [["X-A: {{ deal.name }}\nX-B: <{{ deal.amount }}>"]],
    "X-A: A \"b\" <c> & 'd' \\\nX-B: <12500.10>\n" },
  { headers = [[{ ["X-A"] = "{% if deal.won %}yes, {{ deal.city }}{% endif %}" }]],
    "X-A: yes, Zürich\n" },
}

for _, row in ipairs(HEADS) do
  test((row.url or row.headers), function()
    local item = owed { url = row.url, headers = row.headers, auth = row.auth }
    support.equal(item.invalid, nil)
    support.contains(item.head, row[1])
    support.equal(item.target, row.target
      or row.url and "https://a.example.com:443" or "https://app.example.com:443")
  end)
end

local INVALID = {
  { "json", "{{ 'x' | raw }}", "the content is not legal JSON: line 1, column 1" },
  { "json", "[\n{% for i in (1..2) %}{{ i }},{% endfor %}]", "not legal JSON: line 2, column 5" },
  { "xml", "<a>\n{{ '<b>' | raw }}</a>", "not legal XML: line 2, column " },
}

for _, row in ipairs(INVALID) do
  test("invalid: " .. row[2], function()
    local item = owed { encoding = quoted(row[1]),
      content = ("hook.template(%s)"):format(quoted(row[2])) }
    support.contains(item.invalid, row[3])
  end)
end

local INVALID_HEADS = {
  { headers = '"X-A: {{ deal.note }}"', "a header's value has a line break (0x0a) at byte 3" },
  { url = '"https://a.example.com/{{ deal.note | raw }}"', "the URL has a control character" },
  { url = '"https://a.example.com/{{ \'..\' }}/x"', "has a part that is . or .." },
  { url = '"https://{{ \'127.0.0.1\' | raw }}/"', "no webhook goes to 127.0.0.1 (loopback)" },
  { url = '"https://{{ deal.none | raw }}/"', "the URL has no host" },
  { url = '"https://{{ \'a@b.example.com\' | raw }}/"', "the URL has a user or password" },
}

for _, row in ipairs(INVALID_HEADS) do
  test("invalid: " .. (row.url or row.headers), function()
    local item = owed { url = row.url, headers = row.headers }
    support.contains(item.invalid, row[1])
    support.contains(item.head, "POST https://")
    support.equal(item.head:find("lines", 1, true), nil)
  end)
end

-- encoding, template, line and column, words
local REFUSED = {
  { "json", "{{ deal.name", "line 1, column 1", "{{ is not closed" },
  { "json", "[\n  {{ deal.name | upcas }}]", "line 2, column 18", "did you mean upcase?" },
  { "json", "{ {{ deal.name }}: 1 }", "line 1, column 5", "write it in double quotes" },
  { "json", "{ } {{ deal.name }}", "line 1, column 7", "behind the end of the JSON" },
  { "json", "[{{ deal.id }}{{ deal.id }}]", "line 1, column 17", "a comma between them" },
  { "json", "[{{ deal.id }} 5]", "line 1, column 16", "a comma between them" },
  { "json", '{ "a" {{ deal.id }} }', "line 1, column 9", "write a colon" },
  { "json", '{ "a": {{ deal.id }}.00 }', "line 1, column 21", ".00 is no JSON value" },
  { "json", "{ 'a': {{ deal.id }} }", "line 1, column 3", "a text stands in double quotes" },
  { "json", '{ "a": nil }', "line 1, column 8", "nil is no JSON value" },
  { "json", '{ "a": "{{ deal.id }} }', "line 1, column 8", "a text is not closed" },
  { "json", '{ "a": {{ deal.id }}', "line 1, column 21", "'{' is not closed" },
  { "json", '{ "a": 1 ]', "line 1, column 10", "']' cannot close '{'" },
  { "json", '[1, ]', "line 1, column 5", "a comma stands in front of ']'" },
  { "json", '"a\nb"', "line 1, column 3", "no line break" },
  { "json", '"\\{{ deal.id }}"', "line 1, column 2", "a backslash" },
  { "json", "  ", "line 1, column 3", "no JSON value" },
  { "json", '{ "a": {% if deal.won %}"{{ deal.id }}{% endif %} }', "line 1, column 42",
    "a way through {% if %} ends inside" },
  { "json", '[{% for l in deal.lines %}[{{ l.sku }}{% endfor %}]', "line 1, column 42",
    "the loop begins inside [ and ends inside [[" },
  { "json", '[{% for l in deal.lines %}"{% break %}"{% endfor %}]', "line 1, column 31",
    "the loop begins" },
  { "json", '{ {% case deal.id %}{% when deal.x %}"a": {% else %}"b": {% endcase %}1 }',
    "line 1, column 6", "write if and elsif" },
  { "xml", "<!DOCTYPE a><a/>", "line 1, column 1", "DOCTYPE" },
  { "json", "{% tablerow l in deal.lines %}{% endtablerow %}", "line 1, column 4", "writes HTML" },
  { "json", "{% include deal.name %}", "line 1, column 12", "in quotes" },
  { "json", "{% render 'nosuch' %}", "line 1, column 4", "there is no template 'nosuch'" },
  { "json", "{% assign a = deal.id | raw %}1", "line 1, column 25", "raw belongs where" },
  { "json", "{{ deal.id | raw | upcase }}", "line 1, column 14", "raw is the last filter" },
  { "xml", "<a b={{ deal.id }}/>", "line 1, column 8", "write double quotes around" },
  { "xml", "<a {{ deal.id }}/>", "line 1, column 6", "in an attribute's value alone" },
  { "xml", "<{{ deal.id }}/>", "line 1, column 1", "the name of an element" },
  { "xml", "<a></{{ deal.id }}>", "line 1, column 4", "the name of an element" },
  { "xml", "<a></a {{ deal.id }}>", "line 1, column 10", "inside a closing tag" },
  { "xml", "<a><b></a></b>", "line 1, column 10", "</a> cannot close <b>" },
  { "xml", "<a>{{ deal.id }}", "line 1, column 17", "<a> is not closed" },
  { "xml", "<a b=\"{{ deal.id }}", "line 1, column 20", "ends inside an attribute's value" },
  { "xml", "{{ deal.id }}<a/>", "line 1, column 3", "outermost element" },
  { "xml", "<a>1 < {{ deal.id }}</a>", "line 1, column 6", "&lt;" },
  { "xml", "<?x {{ deal.id }}?><a/>", "line 1, column 7", "inside <? ?>" },
  { "xml", "<a><!-- -{{ deal.id }}--></a>", "line 1, column 9", "cannot stand at the end" },
  { "xml", "<a>{% if deal.won %}<!--{% endif %}--></a>", "line 1, column 28",
    "ends inside a comment" },
  { "form", "a={{ deal.id }} &b=1", "line 1, column 16", "write + or %20" },
  { "form", "a=ä", "line 1, column 3", "percent-encode" },
}

for _, row in ipairs(REFUSED) do
  test("refused: " .. row[2], function()
    local faults = support.faults(support.webhook { encoding = quoted(row[1]),
      content = ("hook.template(%s)"):format(quoted(row[2])) })
    support.equal(#faults, 1)
    support.equal(faults[1].path, "actions[1].content")
    support.contains(faults[1].message, row[3] .. ":")
    support.contains(faults[1].message, row[4])
  end)
end

local REFUSED_KEYS = {
  { "url", '"https://{{ deal.id }}.example.com/"', "actions[1].url", "write {{ ... | raw }}" },
  { "url", '"{{ deal.id }}"', "actions[1].url", "write {{ ... | raw }}" },
  { "url", '"https://a.example.com/{{ deal.id }}#x"', "actions[1].url", "never sent" },
  { "url", '"https://a.example.com/{{ deal.id }} x"', "actions[1].url", "no spaces" },
  { "url", '"https://10.0.0.1/{{ deal.id }}"', "actions[1].url", "10.0.0.1 (private) unless" },
  { "url", 'hook.template "https://a.example.com/"', "actions[1].url", "wants text" },
  { "headers", '"X-A: {{ deal.id | nosuch }}"', "actions[1].headers", "no filter 'nosuch'" },
  { "headers", '{ ["X-A"] = "{{ deal.id" }', 'actions[1].headers["X-A"]', "{{ is not closed" },
  { "headers", '"X-A: {% if deal.won %}\\n{% endif %}"', "actions[1].headers", "is not closed" },
  { "content", '[[{"a": "{{ deal.id }}"}]]', "actions[1].content", "write hook.template" },
  { "content", "hook.template {}", "actions[1].content", "hook.template takes a text" },
}

for _, row in ipairs(REFUSED_KEYS) do
  test("refused: " .. row[1] .. " = " .. row[2], function()
    local faults = support.faults(support.webhook { [row[1]] = row[2] })
    support.equal(faults[1].path, row[3])
    support.contains(faults[1].message, row[4])
  end)
end

test("all faults of a file are told", function()
  local faults = support.faults(support.webhook {
    url = '"https://a.example.com/{{ deal.id | a }}"', headers = '"X-A: {{ deal.id | b }}"',
    content = 'hook.template "[{{ deal.id | c }}, {{ deal.id | d }}, {{ | }}]"' })
  support.equal(#faults, 5)
end)

test("a root does not go with a template", function()
  local faults = support.faults(support.webhook { content = 'hook.template "{}"', root = '"a"' })
  support.equal(faults[1].path, "actions[1].root")
end)

test("a transform gets what the template gives", function()
  local item = owed { content = [[hook.template '{ "a": {{ deal.amount }} }']],
    transform = "function(body, event) body.b = event.record.id; return body end" }
  support.equal(item.body, '{"a":12500.10,"b":7}')
  item = owed { content = [[hook.template '{{ "x" | raw }}']],
    transform = "function() error 'not called' end" }
  support.contains(item.invalid, "not legal JSON")
end)

test("what a filter refuses is the workflow's error, with its place", function()
  local rule = support.rule(support.webhook {
    content = [[hook.template '[1,\n{{ deal.id | divided_by: 0 }}]']] })
  local message = support.run_error(rule, support.event("created", support.json(RECORD)))
  support.contains(message, "rules/case.lua:1: content: template, ")
  support.contains(message, "line 2, column ")
end)

test("previous is what was before, null where it is not known", function()
  local rule = support.rule(support.webhook { content = "hook.template '[{{ previous.amount }}]'" })
  local event = support.event("updated", support.json(RECORD))
  event.previous = { amount = 5 }
  support.equal(support.run(rule, event)[1].body, "[5]")
  support.equal(support.run(rule, support.event("created", { id = 1 }))[1].body, "[null]")
end)

-- a template, the fields that its workflow reads (nil: all of them), whether the time too
local READS = {
  { "[{{ deal.a }}, {{ record.b.c }}, {{ deal['d'] }}]", "a b d", false },
  { "{% for l in deal.lines %}{{ l.x }}{% endfor %}", "lines", false },
  { "[{{ previous.a }}, {{ workflow.name }}]", "", false },
  { "[{{ deal.a }}, {{ event.id }}]", "a", true },
  { "[{{ deal.a | date: '%Y' }}]", "a", true },
  { "{{ deal }}", nil },
  { "{{ deal[deal.a] }}", nil },
  { "{{ event.depth }}", nil },
  { "{{ ['deal'].a }}", nil },
  { "{% assign d = deal %}{{ d.a }}", nil },
}

for _, row in ipairs(READS) do
  test("reads: " .. row[1], function()
    local content = ("hook.template(%s)"):format(quoted(row[1]:find "for" and "[" .. row[1] .. "]"
      or row[1]))
    local rule = support.rule(support.webhook { content = content })
    support.equal(rule.reads and table.concat(rule.reads, " "), row[2])
    support.equal(rule.reads_time, row[3] ~= false)
  end)
end
