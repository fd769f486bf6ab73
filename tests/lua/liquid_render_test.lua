-- Templates: what is shown. Each row: a template, its data as JSON, what comes out.
local liquid = require "hookline.liquid"

local PARTIALS = {
  greet = "{{ greeting }} {{ name | default: 'nobody' }}",
  line = "{{ forloop.index }}/{{ forloop.length }} {{ line.sku }};",
  ["parts/item.html"] = "[{{ item }}]",
  sets = "{% assign seen = 'inside' %}",
  stop = "{% break %}",
}

local function load_partial(name)
  return PARTIALS[name]
end

local function render(template, data)
  local text, name, line, column, message = liquid.render_text(template, "case",
    support.json(data or "{}"), 0, load_partial)
  if not text then
    error(("%s:%d:%d: %s"):format(name, line, column, message), 0)
  end
  return text
end

local DEAL = [[{ "deal": { "name": "Big \"one\"", "amount": 12500.5, "count": 3, "won": true,
  "lost": false, "owner": null, "tags": ["b", "a", null, "C"],
  "lines": [ { "sku": "X-1", "price": 10.1, "paid": true }, { "sku": "Y-2", "price": 2.2 } ] } }]]

local ROWS = {
  { "plain { text } %} }}", "plain { text } %} }}" },
  { "{{ deal.name }}, {{ deal['amount'] }}, {{deal.count}}", 'Big "one", 12500.5, 3' },
  { "{{ deal.owner }}|{{ deal.owner.name }}|{{ nosuch }}", "||" },
  { "{{ deal.lines[-1].sku }} {{ deal.lines[7].sku }} {{ deal.lines.size }}", "Y-2  2" },
  { "{{ deal.lines.first.sku }}-{{ deal.lines.last.sku }}", "X-1-Y-2" },
  { "{{ deal.tags }}{{ deal.won }}{{ deal.lost }}", "baCtruefalse" },
  { "{{ 1.0 }} {{ 1e }} ", nil },
  { "{{ (1..3) }} {{ (3..1) | size }}", "1..3 0" },
  -- white space
  { "a {{- ' b ' -}} c", "a b c" },
  { "a  {%- if true -%}  b  {%- endif -%}  c", "abc" },
  { "x{%if true%} {% assign a = 1 %} {%endif%}y", "xy" },
  -- branches
  { "{% if deal.won and deal.lost or deal.count %}yes{% else %}no{% endif %}", "yes" },
  { "{% if deal.count > 2 and deal.count <= 3 %}yes{% endif %}", "yes" },
  { "{% if deal.tags contains 'a' %}yes{% endif %}", "yes" },
  { "{% if deal.owner == blank and deal.owner != empty %}yes{% endif %}", "yes" },
  { "{% unless deal.won %}a{% elsif deal.lost %}b{% else %}c{% endunless %}", "c" },
  { "{% case deal.count %}{% when 1, 2 %}few{% when 3 or 4 %}some{% endcase %}", "some" },
  { "{% case 9 %}{% when 1 %}few{% else %}many{% endcase %}", "many" },
  -- loops
  { "{% for l in deal.lines %}{{ l.sku }}{% unless forloop.last %},{% endunless %}{% endfor %}",
    "X-1,Y-2" },
  { "{% for i in (1..9) reversed limit: 3 offset: 2 %}{{ i }}{% endfor %}", "543" },
  { "{% for i in (1..9) %}{% if i == 2 %}{% continue %}{% endif %}" ..
    "{% if i > 3 %}{% break %}{% endif %}{{ i }}{% endfor %}!", "13!" },
  { "{% for i in nosuch %}x{% else %}none{% endfor %}", "none" },
  { "{% for i in (1..2) %}{% for j in (1..2) %}{{ forloop.parentloop.index }}" ..
    "{{ forloop.rindex0 }} {% endfor %}{% endfor %}{{ forloop.index }}", "11 10 21 20 " },
  { "{% for i in (1..4) limit: 2 %}{{ i }}{% endfor %}" ..
    "{% for i in (1..4) offset: continue %}-{{ i }}{% endfor %}", "12-3-4" },
  { "{% for i in (1..3) %}{% cycle 'a', 'b' %}{% endfor %}", "aba" },
  { "{% tablerow i in (1..3) cols: 2 %}{{ i }}{% endtablerow %}",
    '<tr class="row1">\n<td class="col1">1</td><td class="col2">2</td></tr>\n' ..
    '<tr class="row2"><td class="col1">3</td></tr>\n' },
  { "a{% break %}b", "a" },
  -- variables
  { "{% assign x = deal.count | plus: 1 %}{{ x }}{% capture y %}<{{ x }}>{% endcapture %}{{ y }}",
    "4<4>" },
  { "{% for x in (1..2) %}{% assign x = 9 %}{{ x }}{% endfor %}{{ x }}", "129" },
  { "{% increment n %}{% increment n %}{{ n }}{% decrement m %}{% assign n = 'x' %}{{ n }}",
    "012-1x" },
  { "{% ifchanged %}a{% endifchanged %}{% ifchanged %}a{% endifchanged %}" ..
    "{% ifchanged %}b{% endifchanged %}", "ab" },
  -- what is not rendered
  { "{% comment %}{{ | }}{% nosuch %}{% endcomment %}{%# x %}{% doc %}{{{% enddoc %}.", "." },
  { "{% raw %}{{ deal }}{% if %}{% endraw %}", "{{ deal }}{% if %}" },
  { "{% liquid\n if deal.won\n  assign a = 'won'\n  echo a | upcase\n endif\n %}", "WON" },
  -- partials
  { "{% render 'greet', greeting: 'Hi', name: 'Kim' %}", "Hi Kim" },
  { "{% assign greeting = 'x' %}{% render 'greet' %}", " nobody" },
  { "{% render 'line' for deal.lines %}", "1/2 X-1;2/2 Y-2;" },
  { "{% render 'line' with deal.lines[1] %}", "/ Y-2;" },
  { "{% render 'parts/item.html' with 5 as item %}", "[5]" },
  { "{% assign seen = 'out' %}{% render 'sets' %}{{ seen }}{% include 'sets' %}{{ seen }}",
    "outinside" },
  { "{% for i in (1..3) %}{{ i }}{% include 'stop' %}{% endfor %}", "1" },
  { "{% for i in (1..3) %}{{ i }}{% render 'stop' %}{% endfor %}", "123" },
  { "{% include 'greet', greeting: 'Hi' %}{{ greeting }}", "Hi nobody" },
}

for _, row in ipairs(ROWS) do
  test(row[1], function()
    if row[2] then
      support.equal(render(row[1], DEAL), row[2])
    else
      support.equal(pcall(render, row[1], DEAL), false)
    end
  end)
end

test("a template renders twice the same", function()
  local template = assert(liquid.compile("{% increment a %}{% cycle 1, 2 %}{{ x }}" ..
    "{% assign x = 1 %}", "case"))
  support.equal(liquid.render(template, {}, {}), "01")
  support.equal(liquid.render(template, {}, {}), "01")
end)

test("data is not changed", function()
  local data = support.json '{"a": [2, 1], "n": 5}'
  support.equal(liquid.render_text("{% assign a = a | sort | concat: a %}{% increment n %}" ..
    "{{ a }}{% for n in a %}{% endfor %}", "case", data), "51221")
  support.equal(data, support.json '{"a": [2, 1], "n": 5}')
end)
