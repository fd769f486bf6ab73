-- The filters of lists.
local core = require "hookline.core"
local faults = require "hookline.liquid.faults"
local values = require "hookline.liquid.values"

local null = core.null
local kind, plain, text = values.kind, values.plain, values.text

local function stored(value)
  if value == nil then
    return null
  end
  return value
end

-- item[key]; "nothing to ask" is told by a second value, a key that cannot be asked raises.
local function property(item, key)
  local what = kind(item)
  if what == "object" or what == "drop" then
    return values.get(item, key)
  elseif what == "string" and type(key) == "string" then
    return item:find(key, 1, true) and key or nil
  elseif what == "string" or what == "array" then
    if math.type(key) == "integer" then
      return what == "string" and values.text_part(item, key, 1) or values.get(item, key)
    end
  elseif math.type(item) ~= "integer" then
    return nil, true
  end
  faults.raise(nil, "%s has no property %s", values.shown(item), values.shown(key))
end

-- Calls visit(item, is_match, index) for each element until it returns true. False where an
-- element is of no kind that has properties.
local function each_match(value, key, target, visit)
  for i, item in ipairs(values.list(value)) do
    local found, has_none = property(plain(item), key)
    if has_none then
      return false
    end
    local is_match
    if target == nil then
      is_match = values.is_true(found)
    else
      is_match = values.is_equal(found, target)
    end
    if visit(item, is_match, i) then
      break
    end
  end
  return true
end

local function selected(wanted)
  return function(value, key, target)
    local list = core.array {}
    local is_fine = each_match(value, key, target, function(item, is_match)
      if is_match == wanted then
        list[#list + 1] = item
      end
    end)
    return is_fine and list or nil
  end
end

local function first_match(value, key, target)
  local found, index
  local is_fine = each_match(value, key, target, function(item, is_match, i)
    if is_match then
      found, index = item, i
    end
    return is_match
  end)
  return is_fine, found, index
end

local function find(value, key, target)
  local _, found = first_match(value, key, target)
  return plain(found)
end

local function find_index(value, key, target)
  local _, _, index = first_match(value, key, target)
  return index and index - 1
end

local function has(value, key, target)
  local is_fine, found = first_match(value, key, target)
  if not is_fine and found == nil then
    return nil
  end
  return found ~= nil
end

-- --- order ---------------------------------------------------------------------------------------

-- Sorts by is_less on keys; equal ones stay as they were.
local function merge_sort(list, keys, compare)
  local order, spare = {}, {}
  for i = 1, #list do
    order[i] = i
  end
  local width = 1
  while width < #list do
    for from = 1, #list, 2 * width do
      local middle, to = math.min(from + width, #list + 1), math.min(from + 2 * width, #list + 1)
      local left, right = from, middle
      for at = from, to - 1 do
        if left < middle and
           (right >= to or compare(plain(keys[order[left]]), plain(keys[order[right]])) <= 0) then
          spare[at], left = order[left], left + 1
        else
          spare[at], right = order[right], right + 1
        end
      end
    end
    order, spare = spare, order
    width = 2 * width
  end
  local sorted = core.array {}
  for i = 1, #list do
    sorted[i] = list[order[i]]
  end
  return sorted
end

-- What is nothing stands last.
local function compare_nothing(a, b)
  return a == nil and (b == nil and 0 or 1) or -1
end

local function compare(a, b)
  if a == nil or b == nil then
    return compare_nothing(a, b)
  end
  local order = values.compare(a, b)
  if not order then
    faults.raise(nil, "%s and %s have no order", values.shown(a), values.shown(b))
  end
  return order
end

local function compare_folded(a, b)
  if a == nil or b == nil then
    return compare_nothing(a, b)
  end
  a, b = text(a):lower(), text(b):lower()
  return a < b and -1 or a > b and 1 or 0
end

local function sorted_by(order)
  return function(value, key)
    local list = values.list(value)
    if key == nil then
      return merge_sort(list, list, order)
    end
    local keys = {}
    for i, item in ipairs(list) do
      local found, has_none = property(plain(item), key)
      if has_none then
        return nil
      end
      keys[i] = stored(found)
    end
    return merge_sort(list, keys, order)
  end
end

-- --- the others ----------------------------------------------------------------------------------

local function join(value, glue)
  local pieces = values.list(value)
  for i = 1, #pieces do
    pieces[i] = text(pieces[i])
  end
  return table.concat(pieces, text(glue))
end

local function concat(value, other)
  local what = kind(other)
  if what ~= "array" and what ~= "range" then
    faults.raise(nil, "concat takes a list, not %s", values.shown(other))
  end
  local list = values.list(value)
  local more = what == "range" and values.list(other) or other
  table.move(more, 1, #more, #list + 1, list)
  return core.array(list)
end

local function map(value, key)
  local list = values.list(value)
  for i, item in ipairs(list) do
    list[i] = stored((property(plain(item), key)))
  end
  return core.array(list)
end

local function reverse(value)
  local list = values.list(value)
  local turned, count = {}, #list
  for i = 1, count do
    turned[i] = list[count + 1 - i]
  end
  return core.array(turned)
end

local function compact(value, key)
  local kept = core.array {}
  for _, item in ipairs(values.list(value)) do
    local asked = plain(item)
    if key ~= nil then
      asked = property(asked, key)
    end
    if asked ~= nil then
      kept[#kept + 1] = item
    end
  end
  return kept
end

-- A key under which equal values meet; 1 and 1.0 are apart.
local function identity(value)
  local what = kind(value)
  if what == "number" then
    return math.type(value) .. value
  elseif what == "array" or what == "object" then
    return what .. values.text(value)
  end
  return what .. values.text(value)
end

local function uniq(value, key)
  local kept, seen = core.array {}, {}
  for _, item in ipairs(values.list(value)) do
    local asked = plain(item)
    if key ~= nil then
      asked = property(asked, key)
    end
    local id = identity(asked)
    if not seen[id] then
      seen[id] = true
      kept[#kept + 1] = item
    end
  end
  return kept
end

return {
  compact = { 0, 1, compact },
  concat = { 1, 1, concat },
  find = { 1, 2, find },
  find_index = { 1, 2, find_index },
  first = { 0, 0, values.first },
  has = { 1, 2, has },
  join = { 0, 1, join, missing = { " " } },
  last = { 0, 0, values.last },
  map = { 1, 1, map },
  reject = { 1, 2, selected(false) },
  reverse = { 0, 0, reverse },
  size = { 0, 0, function(value) return values.size(value) or 0 end },
  sort = { 0, 1, sorted_by(compare) },
  sort_natural = { 0, 1, sorted_by(compare_folded) },
  uniq = { 0, 1, uniq },
  where = { 1, 2, selected(true) },
}
