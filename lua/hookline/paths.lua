-- Paths into a record: "amount", "sales_account.name", "products[*].sku". Parsed when a file is
-- loaded, and made into readers that do no work with text when they are called.
local paths = {}

--- Stands in `path.parts` for [*]: every element of a list.
paths.EACH = {}
local EACH = paths.EACH

local MAX_PARTS = 32

--- Parses a path. Returns { text =, parts = { "products", EACH, "sku" }, has_each = } or nil,
--- message.
function paths.parse(text)
  if type(text) ~= "string" or text == "" then
    return nil, 'a path is wanted, such as "deal_stage" or "sales_account.name"'
  end
  local parts, has_each = {}, false
  for segment in (text .. "."):gmatch("([^.]*)%.") do
    local key, brackets = segment:match("^([^%[%]]*)(.*)$")
    if key == "" or key:find("%c") or key ~= key:match("^%s*(.-)%s*$") then
      return nil, ('"%s" is no path: names with dots between them, as in "sales_account.name"')
        :format(text)
    end
    parts[#parts + 1] = key
    while brackets ~= "" do
      if brackets:sub(1, 3) ~= "[*]" then
        return nil, ('"%s" is no path: a list is reached with [*], as in "products[*].sku"')
          :format(text)
      end
      parts[#parts + 1] = EACH
      has_each = true
      brackets = brackets:sub(4)
    end
  end
  if #parts > MAX_PARTS then
    return nil, ("a path has at most %d names"):format(MAX_PARTS)
  end
  return { text = text, parts = parts, has_each = has_each }
end

--- A function from a record to the value at a path without [*]; nil where there is none.
function paths.reader(path)
  local parts = path.parts
  local first, second = parts[1], parts[2]
  if #parts == 1 then
    return function(record)
      return record[first]
    end
  elseif #parts == 2 then
    return function(record)
      local value = record[first]
      if type(value) == "table" then
        return value[second]
      end
      return nil
    end
  end
  return function(record)
    local value = record
    for i = 1, #parts do
      if type(value) ~= "table" then
        return nil
      end
      value = value[parts[i]]
    end
    return value
  end
end

local function some(parts, i, value, holds, wanted)
  for j = i, #parts do
    local part = parts[j]
    if part == EACH then
      for k = 1, type(value) == "table" and #value or 0 do
        if some(parts, j + 1, value[k], holds, wanted) then
          return true
        end
      end
      return false
    end
    if type(value) == "table" then
      value = value[part]
    else
      value = nil
    end
  end
  return holds(value, wanted)
end

--- A function (record, holds, wanted) that tells whether holds(element, wanted) for some element
--- at a path with [*]. What is no list has no elements; an element that lacks the key is seen as
--- missing.
function paths.some(path)
  local parts = path.parts
  return function(record, holds, wanted)
    return some(parts, 1, record, holds, wanted)
  end
end

local function append(value, list)
  if value ~= nil then
    list[#list + 1] = value
  end
  return false
end

--- A function from a record to the list of all values at a path with [*].
function paths.collector(path)
  local each = paths.some(path)
  return function(record)
    local list = {}
    each(record, append, list)
    return list
  end
end

return paths
