-- The values of templates: how they read as text and as numbers, what is the same, what is less,
-- what is in them. Null of JSON is nil wherever a value is asked for, and stands in lists.
local core = require "hookline.core"
local faults = require "hookline.liquid.faults"

local values = {}

local null = core.null

-- Work on small values is bounded by the template. With a list, or a number of rounds, beyond this
-- the run begins to count its steps, which makes all of it slower.
values.SMALL = 100
local SMALL = values.SMALL

-- Key lists of objects whose order is known; others are read in the order of their names.
values.order = setmetatable({}, { __mode = "k" })

local Range = {}
local Special = {}
local Drop = {}

--- The literals: equal to whatever is empty, or blank.
values.empty = setmetatable({ name = "empty" }, Special)
values.blank = setmetatable({ name = "blank" }, Special)

function values.range(first, last)
  return setmetatable({ first = first, last = last }, Range)
end

--- Makes an object whose fields are worked out, by its own get(self, name).
function values.drop(object)
  return setmetatable(object, Drop)
end

function values.plain(value)
  if value == null then
    return nil
  end
  return value
end

local plain = values.plain

--- "array", "object", "range", "special", "drop", or what type() says; null is "nil".
function values.kind(value)
  if type(value) ~= "table" then
    return value == null and "nil" or type(value)
  end
  local mark = getmetatable(value)
  if mark == nil then
    return "object"
  elseif mark == Range then
    return "range"
  elseif mark == Special then
    return "special"
  elseif mark == Drop then
    return "drop"
  end
  return "array"
end

local kind = values.kind

--- The names in an object, in its order.
function values.keys(object)
  local keys = values.order[object]
  if not keys then
    keys = {}
    for key in pairs(object) do
      keys[#keys + 1] = key
    end
    table.sort(keys)
  end
  return keys
end

function values.text_length(text)
  return utf8.len(text) or #text
end

--- A part of a text in characters, from 0; bytes where it is not UTF-8.
function values.text_part(text, from, length)
  if core.is_ascii(text) or not utf8.len(text) then
    return text:sub(from + 1, from + length)
  end
  local first = utf8.offset(text, from + 1)
  local after = first and utf8.offset(text, length + 1, first)
  return first and text:sub(first, (after or #text + 1) - 1) or ""
end

-- --- text ----------------------------------------------------------------------------------------

local function float_text(number)
  if number ~= number then
    return "NaN"
  elseif number == math.huge or number == -math.huge then
    return number > 0 and "Infinity" or "-Infinity"
  end
  local size = math.abs(number)
  if size >= 1e15 and size < 1e16 then
    return ("%.1f"):format(number)
  end
  local text
  for digits = 15, 17 do
    text = ("%." .. digits .. "g"):format(number)
    if tonumber(text) == number then
      break
    end
  end
  local mantissa, exponent = text:match "^(.-)(e.*)$"
  mantissa = mantissa or text
  if not mantissa:find(".", 1, true) then
    mantissa = mantissa .. ".0"
  end
  return mantissa .. (exponent or "")
end

local inspect

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r" }

local function inspect_all(value, what)
  local pieces = {}
  if what == "array" then
    for i = 1, #value do
      pieces[i] = inspect(value[i])
    end
    return "[" .. table.concat(pieces, ", ") .. "]"
  end
  for i, key in ipairs(values.keys(value)) do
    pieces[i] = inspect(key) .. "=>" .. inspect(value[key])
  end
  return "{" .. table.concat(pieces, ", ") .. "}"
end

-- A value as it reads inside a list or an object that is shown.
function inspect(value)
  local what = kind(value)
  if what == "string" then
    return '"' .. value:gsub('["\\\n\t\r]', ESCAPES) .. '"'
  elseif what == "nil" then
    return "nil"
  elseif what == "array" or what == "object" then
    return inspect_all(value, what)
  end
  return values.text(value)
end

--- A value as text, as filters take it.
function values.text(value)
  if type(value) == "string" then
    return value
  elseif math.type(value) == "integer" then
    return ("%d"):format(value)
  end
  local what = kind(value)
  if what == "number" then
    return float_text(value)
  elseif what == "boolean" then
    return tostring(value)
  elseif what == "array" or what == "object" then
    return inspect_all(value, what)
  elseif what == "range" then
    return values.text(value.first) .. ".." .. values.text(value.last)
  elseif what == "drop" then
    return "forloop"
  end
  return ""
end

--- A value as output shows it: a list is its elements, one behind the other.
function values.output(value)
  if type(value) == "string" then
    return value
  elseif kind(value) == "array" then
    local pieces = {}
    for i = 1, #value do
      pieces[i] = values.output(value[i])
    end
    return table.concat(pieces)
  end
  return values.text(value)
end

-- --- numbers -------------------------------------------------------------------------------------

--- A value as a number: 0 where it is none.
function values.number(value)
  if type(value) == "number" then
    return value
  elseif type(value) == "string" then
    local decimal = value:match "^%s*(%-?%d+%.%d+)%s*$"
    if decimal then
      return tonumber(decimal) + 0.0
    end
    local whole = value:match "^%s*([+-]?%d+)"
    return whole and tonumber((whole:gsub("^%+", ""))) or 0
  end
  return 0
end

--- A value that must be a whole number.
function values.integer(value, what)
  if math.type(value) == "integer" then
    return value
  end
  local whole = values.text(value):match "^%s*([+-]?%d+)%s*$"
  local number = whole and math.tointeger(tonumber((whole:gsub("^%+", ""))))
  if not number then
    faults.raise(nil, "%s must be a whole number, not %s", what, values.shown(value))
  end
  return number
end

--- A value in a message.
function values.shown(value)
  local what = kind(value)
  if what == "nil" then
    return "nothing"
  elseif what == "string" then
    return #value > 60 and "a long text" or ("'%s'"):format(value)
  elseif what == "number" or what == "boolean" then
    return values.text(value)
  end
  return "a value of the kind " .. what
end

--- An end of a range.
function values.range_end(value)
  local number = values.number(value)
  if math.type(number) == "integer" then
    return number
  end
  return math.tointeger(number < 0 and math.ceil(number) or math.floor(number)) or 0
end

-- --- comparisons ---------------------------------------------------------------------------------

function values.is_true(value)
  return value ~= nil and value ~= false and value ~= null
end

local function is_special(special, value)
  local what = kind(value)
  if what == "string" then
    if special == values.blank then
      return not value:find "%S"
    end
    return value == ""
  elseif what == "array" or what == "object" then
    return next(value) == nil
  elseif special == values.blank then
    return what == "nil" or value == false
  end
  return false
end

function values.is_equal(a, b)
  a, b = plain(a), plain(b)
  local kind_a, kind_b = kind(a), kind(b)
  if kind_a == "special" then
    return is_special(a, b)
  elseif kind_b == "special" then
    return is_special(b, a)
  elseif a == b then
    return true
  elseif kind_a ~= kind_b then
    return false
  elseif kind_a == "range" then
    return a.first == b.first and a.last == b.last
  elseif kind_a == "array" then
    if #a ~= #b then
      return false
    end
    core.count()
    for i = 1, #a do
      if not values.is_equal(a[i], b[i]) then
        return false
      end
    end
    return true
  elseif kind_a == "object" then
    core.count()
    for key, value in pairs(a) do
      if b[key] == nil or not values.is_equal(value, b[key]) then
        return false
      end
    end
    for key in pairs(b) do
      if a[key] == nil then
        return false
      end
    end
    return true
  end
  return false
end

--- -1, 0, 1, or nil where the two have no order.
function values.compare(a, b)
  local kind_a, kind_b = kind(a), kind(b)
  if kind_a == kind_b and (kind_a == "number" or kind_a == "string") then
    return a < b and -1 or a > b and 1 or 0
  elseif kind_a == "array" and kind_b == "array" then
    for i = 1, math.min(#a, #b) do
      local order = values.compare(a[i], b[i])
      if order ~= 0 then
        return order
      end
    end
    return #a < #b and -1 or #a > #b and 1 or 0
  end
  return values.is_equal(a, b) and 0 or nil
end

local function ordered(a, b, operator)
  local kind_a, kind_b = kind(a), kind(b)
  if (kind_a ~= "number" and kind_a ~= "string") or (kind_b ~= "number" and kind_b ~= "string") then
    return nil
  elseif kind_a ~= kind_b then
    faults.raise(nil, "%s %s %s compares a text with a number", values.shown(a), operator,
      values.shown(b))
  end
  return true
end

local function contains(a, b)
  a, b = plain(a), plain(b)
  if a == nil or a == false or b == nil or b == false then
    return false
  end
  local what = kind(a)
  if what == "string" then
    return a:find(values.text(b), 1, true) ~= nil
  elseif what == "array" then
    if #a > SMALL then
      core.count()
    end
    for i = 1, #a do
      if values.is_equal(a[i], b) then
        return true
      end
    end
  elseif what == "object" then
    return type(b) == "string" and a[b] ~= nil
  elseif what == "range" then
    return type(b) == "number" and b >= a.first and b <= a.last
  end
  return false
end

local function is_unequal(a, b)
  return not values.is_equal(a, b)
end

values.operators = {
  ["=="] = values.is_equal,
  ["!="] = is_unequal,
  ["<>"] = is_unequal,
  ["<"] = function(a, b) return ordered(a, b, "<") and a < b end,
  [">"] = function(a, b) return ordered(a, b, ">") and a > b end,
  ["<="] = function(a, b) return ordered(a, b, "<=") and a <= b end,
  [">="] = function(a, b) return ordered(a, b, ">=") and a >= b end,
  contains = contains,
}

-- --- what is in them -----------------------------------------------------------------------------

function values.size(value)
  local what = kind(value)
  if what == "string" then
    return values.text_length(value)
  elseif what == "array" then
    return #value
  elseif what == "object" then
    local count = 0
    for _ in pairs(value) do
      count = count + 1
    end
    return count
  elseif what == "range" then
    return math.max(value.last - value.first + 1, 0)
  end
  return nil
end

local function pair(object, key)
  return core.array { key, object[key] }
end

function values.first(value)
  local what = kind(value)
  if what == "array" then
    return plain(value[1])
  elseif what == "object" then
    local key = values.keys(value)[1]
    return key and pair(value, key)
  elseif what == "range" then
    return value.first
  elseif what == "string" and value ~= "" then
    return values.text_part(value, 0, 1)
  end
  return nil
end

function values.last(value)
  local what = kind(value)
  if what == "array" then
    return plain(value[#value])
  elseif what == "range" then
    return value.last
  elseif what == "string" and value ~= "" then
    return values.text_part(value, values.text_length(value) - 1, 1)
  end
  return nil
end

--- value[key], as a filter or brackets ask for it.
function values.get(value, key)
  if type(value) ~= "table" then
    return nil
  end
  local mark = getmetatable(value)
  if mark == nil then
    if type(key) == "string" then
      return plain(value[key])
    end
  elseif mark == Drop then
    return value.get(value, key)
  elseif mark ~= Range and mark ~= Special and math.type(key) == "integer" then
    return plain(value[key < 0 and #value + key + 1 or key + 1])
  end
  return nil
end

local SHORT = { size = values.size, first = values.first, last = values.last }

--- value.name
function values.field(value, name)
  local found = values.get(value, name)
  if found == nil and SHORT[name] and not (kind(value) == "object" and value[name] ~= nil) then
    return SHORT[name](value)
  end
  return found
end

local function range_list(range)
  local list = {}
  if range.last - range.first >= SMALL then
    core.count()
  end
  for number = range.first, range.last do
    list[#list + 1] = number
  end
  return list
end

local function flatten(list, into)
  for i = 1, #list do
    if kind(list[i]) == "array" then
      flatten(list[i], into)
    else
      into[#into + 1] = list[i]
    end
  end
  return into
end

--- What a filter of lists works on: the elements, lists in lists made flat; what is no list is one
--- element, nothing is none.
function values.list(value)
  local what = kind(value)
  if what == "array" then
    return flatten(value, {})
  elseif what == "nil" then
    return {}
  elseif what == "range" then
    return range_list(value)
  end
  return { value }
end

--- What a loop goes through, or nil: a part of it from an offset (from 0), at most limit elements.
function values.segment(value, offset, limit)
  local what = kind(value)
  local list
  offset = math.max(offset, 0)
  if what == "range" then
    local last = value.last
    if limit then
      last = math.min(last, value.first + offset + limit - 1)
    end
    return range_list { first = value.first + offset, last = last }
  elseif what == "array" then
    list = value
    if #list > SMALL then
      core.count()
    end
  elseif what == "object" then
    core.count()
    list = {}
    for i, key in ipairs(values.keys(value)) do
      list[i] = pair(value, key)
    end
  elseif what == "string" and value ~= "" then
    list = { value }
  else
    return {}
  end
  if offset == 0 and (not limit or limit >= #list) then
    return list
  end
  return table.move(list, offset + 1, limit and math.min(offset + limit, #list) or #list, 1, {})
end

return values
