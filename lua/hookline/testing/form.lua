-- The body of a form as a table, so that a case can expect its fields: "a=1&b%5Bc%5D=x" is
-- { a = "1", b = { c = "x" } }. A form has nothing but text, so what a case wants is made text too.
local core = require "hookline.core"

local form = {}

local TYPE = "application/x-www-form-urlencoded"

--- Whether these headers of a request are those of a form.
function form.is_form(headers)
  for name, value in pairs(headers) do
    if name:lower() == "content-type" then
      return value:lower():sub(1, #TYPE) == TYPE
    end
  end
  return false
end

local function unescape(text)
  return (text:gsub("+", " "):gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

-- "a[b][0]" -> { "a", "b", "0" }.
local function names_of(text)
  local first, rest = text:match "^([^%[]*)(.*)$"
  if not (rest .. "["):gsub("%b[]", ""):match "^%[$" then
    return { text }
  end
  local names = { first }
  for name in rest:gmatch "%[([^%]]*)%]" do
    names[#names + 1] = name
  end
  return names
end

-- What has the names "0", "1", ... and no others is a list.
local function with_lists(value)
  if type(value) ~= "table" then
    return value
  end
  local count, list = 0, {}
  for name, child in pairs(value) do
    value[name] = with_lists(child)
    count = count + 1
  end
  for i = 1, count do
    list[i] = value[tostring(i - 1)]
    if list[i] == nil then
      return value
    end
  end
  return core.array(list)
end

--- The fields of a form.
function form.decode(text)
  local fields = {}
  for pair in text:gmatch "[^&]+" do
    local name, value = pair:match "^([^=]*)=?(.*)$"
    local names, at = names_of(unescape(name)), fields
    for i = 1, #names - 1 do
      if type(at[names[i]]) ~= "table" then
        at[names[i]] = {}
      end
      at = at[names[i]]
    end
    at[names[#names]] = unescape(value)
  end
  for name, value in pairs(fields) do
    fields[name] = with_lists(value)
  end
  return fields
end

--- What a case wants, as the form `got` has it: functions stay, and what is no table is text, a
--- number as it was written where that is the same.
function form.wanted(value, got)
  if value == core.null then
    return ""
  elseif type(value) == "number" then
    return type(got) == "string" and core.number(got) == value and got or core.json.encode(value)
  elseif type(value) == "boolean" then
    return tostring(value)
  elseif type(value) ~= "table" then
    return value
  elseif next(value) == nil and got == "" then
    return got
  end
  local texts = {}
  for key, child in pairs(value) do
    texts[key] = form.wanted(child, type(got) == "table" and got[key] or nil)
  end
  return core.is_array(value) and core.array(texts) or texts
end

return form
