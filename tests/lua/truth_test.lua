-- The table of truth of conditions, tests/data/conditions.txt, judged by the library.
local words = require "hookline.words"
local operators = require "hookline.operators"

local MISSING = "missing"

-- The file: its sections, each { items, rows }, of which the rows are { condition, sign, items }.
local function read_table(text)
  local sections, macros, section = {}, {}, nil

  local function items_of(list)
    local items = {}
    for item in (list .. "|"):gmatch "([^|]*)|" do
      item = words.trim(item)
      local macro = item:match "^@(%w+)$"
      if macro then
        table.move(macros[macro] or error("no @" .. macro), 1, #macros[macro], #items + 1, items)
      elseif item ~= "" then
        items[#items + 1] = item
      end
    end
    return items
  end

  text = text:gsub("\n#[^\n]*", ""):gsub("^#[^\n]*", ""):gsub("\n +", " ")
  for line in text:gmatch "[^\n]+" do
    local title, macro = line:match "^%[([%a ]+)%]$", line:match "^@(%w+) = "
    if title then
      section = { items = {}, rows = {}, has_rows = title:find "operators$" ~= nil }
      sections[title] = section
    elseif macro then
      macros[macro] = items_of(line:match "=(.*)$")
    elseif section.has_rows then
      local condition, sign, list = line:match "^(.-) ([+-]) ?(.*)$"
      section.rows[#section.rows + 1] = { condition, sign, items_of(list) }
    else
      for _, item in ipairs(items_of(line)) do
        section.items[#section.items + 1] = item
      end
    end
  end
  return sections
end

local sections = read_table(read_file "tests/data/conditions.txt")

local function rule_of(condition)
  local each, rest = condition:match "^(%[%*%]) (.*)$"
  return support.rule(support.workflow {
    when = ('field "x%s":%s'):format(each or "", rest or condition),
  })
end

local function value_of(json)
  if json == MISSING then
    return nil
  end
  return support.json(json)
end

local function check_row(row, all, fires)
  local condition, is_listed = row[1], {}
  local known = {}
  for _, item in ipairs(all) do
    known[item] = true
  end
  for _, item in ipairs(row[3]) do
    support.equal(known[item], true, item .. " stands in the list of all")
    is_listed[item] = true
  end
  local rule = rule_of(condition)
  for _, item in ipairs(all) do
    local wanted = (row[2] == "+") == (is_listed[item] == true)
    fires(rule, item, wanted, condition .. " for " .. item)
  end
end

local function fires_for_value(rule, item, wanted, what)
  for _, verb in ipairs { "created", "updated", "deleted" } do
    local event = support.event(verb, { id = 1, x = value_of(item) })
    support.equal(support.run(rule, event) ~= nil, wanted, what .. ", " .. verb)
  end
end

local function event_of(item)
  local verb, rest = item:match "^(%a+) (.*)$"
  local before, now = rest:match "^(.*) %-> (.*)$"
  local record = { id = 1, y = 2, x = value_of(now or rest) }
  if verb == "created" or verb == "deleted" then
    return support.event(verb, record)
  elseif verb == "unknown" then
    return support.event("updated", record)
  end
  return support.event("updated", record, { previous = { y = 1, x = before and value_of(before) } })
end

local function fires_for_change(rule, item, wanted, what)
  support.equal(support.run(rule, event_of(item)) ~= nil, wanted, what)
end

for _, row in ipairs(sections.operators.rows) do
  test(row[1], function()
    check_row(row, sections.values.items, fires_for_value)
  end)
end

for _, row in ipairs(sections["change operators"].rows) do
  test("change: " .. row[1], function()
    check_row(row, sections.changes.items, fires_for_change)
  end)
end

test("the table has every operator, in several hundreds of rows", function()
  local seen = {}
  for _, title in ipairs { "operators", "change operators" } do
    for _, row in ipairs(sections[title].rows) do
      seen[row[1]:match "(%a[%w_]*)"] = true
    end
  end
  for name in pairs(operators.table) do
    support.equal(seen[name], true, name .. " is in the table")
  end
  local count = #sections.operators.rows * #sections.values.items
    + #sections["change operators"].rows * #sections.changes.items
  support.equal(count > 6000, true, "cells: " .. count)
end)
