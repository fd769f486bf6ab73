-- Templates that are not valid: line, column, what is wrong. Rows: template, line, column, words.
local liquid = require "hookline.liquid"

local ROWS = {
  { "{{ a", 1, 1, "{{ is not closed; write }}" },
  { "x\n{% if a", 2, 1, "{% is not closed" },
  { "x\n  {% if a %}", 2, 6, "{% if %} is not closed; write {% endif %}" },
  { "{% for a in b %}{% if a %}{% endfor %}", 1, 30, "write {% endif %} first" },
  { "{% endif %}", 1, 4, "{% endif %} has nothing that it belongs to" },
  { "{% else %}", 1, 4, "belongs to" },
  { "ä\nää {% nosuch %}", 2, 7, "there is no tag {% nosuch %}" },
  { "{% asign a = 1 %}", 1, 4, "did you mean assign?" },
  { "{% %}", 1, 1, "a tag has no name" },
  { "{{ a | upcas }}", 1, 8, "there is no filter 'upcas'; did you mean upcase?" },
  { "{{ a | append }}", 1, 8, "takes 1 argument, not 0" },
  { "{{ a | slice: 1, 2, 3 }}", 1, 8, "takes 1 to 2 arguments, not 3" },
  { "{{ a | upcase: x: 1 }}", 1, 8, "no argument named 'x'" },
  { "{{ a b }}", 1, 6, "'b' is not expected here" },
  { "{{ a | }}", 1, 8, "expected a filter's name before its end" },
  { "{{ a. }}", 1, 7, "expected a name" },
  { "{{ a[1 }}", 1, 8, "expected ']'" },
  { "{{ 'a }}", 1, 4, "a text is not closed" },
  { "{{ @a }}", 1, 4, "'@' cannot stand here" },
  { "{{ €a }}", 1, 4, "'€' cannot stand here" },
  { "{% assign %}", 1, 11, "expected NAME = VALUE" },
  { "{% for a b %}", 1, 10, "expected 'in'" },
  { "{% for a in b nosuch: 1 %}", 1, 15, "for has no attribute 'nosuch'" },
  { "{% if a = 1 %}{% endif %}", 1, 9, "'=' cannot stand here" },
  { "{% if not a %}{% endif %}", 1, 11, "'a' is not expected here" },
  { "{% render a %}", 1, 11, "in quotes" },
  { "{% comment %}", 1, 4, "{% comment %} is not closed" },
  { "{% raw %}", 1, 4, "{% raw %} is not closed" },
  { "{% liquid\n echo a\n ecko b\n%}", 3, 2, "there is no tag {% ecko %}; did you mean echo?" },
  { "{%# a\n b %}", 2, 2, "begins with #" },
  -- while it is rendered
  { "\n{{ 1 | divided_by: 0 }}", 2, 8, "divided by 0" },
  { "{{ a | concat: 'x' }}", 1, 8, "concat takes a list, not 'x'" },
  { "{% if 'a' < 1 %}{% endif %}", 1, 11, "compares a text with a number" },
  { "{{ 'a' | slice: 'x' }}", 1, 10, "slice's offset must be a whole number, not 'x'" },
  { "{% for a in (1..3) limit: 'x' %}{% endfor %}", 1, 8, "limit must be a whole number" },
  { "{{ '%%%' | base64_decode }}", 1, 12, "is not Base64" },
  { "{% include 'nosuch' %}", 1, 12, "there is no partial 'nosuch'" },
  { "{% include 5 %}", 1, 12, "a partial's name is a text, not 5" },
  { "{% include 'self' %}", 1, 12, "more than 100 deep" },
}

local function load_partial(name)
  return name == "self" and "           {% include 'self' %}"
    or name == "includes" and "{% include 'self' %}" or nil
end

local function fault(template)
  local text, name, line, column, message = liquid.render_text(template, "case", {}, 0,
    load_partial)
  if text then
    error("no error in it", 2)
  end
  return { name = name, line = line, column = column, message = message }
end

for _, row in ipairs(ROWS) do
  test(row[1], function()
    local found = fault(row[1])
    support.contains(found.message, row[4])
    if found.name == "case" then
      support.equal(("%d:%d"):format(found.line, found.column), ("%d:%d"):format(row[2], row[3]))
    end
  end)
end

test("blocks have a greatest depth", function()
  support.contains(fault(("{% if a %}"):rep(200) .. ("{% endif %}"):rep(200)).message, "deep")
  local nested = ("a["):rep(300) .. "a" .. ("]"):rep(300)
  support.contains(fault("{{ " .. nested .. " }}").message, "deep")
end)

test("include is refused in what render shows", function()
  local found = fault "{% render 'includes' %}"
  support.equal(found.name, "includes")
  support.contains(found.message, "include cannot stand")
end)
