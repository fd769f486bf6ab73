-- The filters of numbers. What has a decimal point is reckoned in decimal, as people write it:
-- 10.1 and 2.2 are 12.3.
local faults = require "hookline.liquid.faults"
local values = require "hookline.liquid.values"

local number = values.number

local DIGITS_MAX = 17

-- Up to here doubles hold all whole numbers, and a quotient of two of them is the double nearest to
-- it: so it is the decimal itself.
local EXACT_MAX = 1e15
local SHORT_PLACES_MAX = 6

-- The same as decimal() for what has few digits, without a text.
local function short_decimal(value)
  local power = 1.0
  for places = 0, SHORT_PLACES_MAX do
    local whole = value * power + 0.5
    whole = whole - whole % 1
    if whole >= EXACT_MAX or whole <= -EXACT_MAX then
      return nil
    elseif whole / power == value then
      return whole // 1 | 0, places
    end
    power = power * 10.0
  end
  return nil
end

-- A number as whole * 10^-scale; nil where it has too many digits for that.
local function decimal(value)
  if math.type(value) == "integer" then
    return value, 0
  end
  local whole_value, places = short_decimal(value)
  if whole_value then
    return whole_value, places
  end
  local sign, whole, part = values.text(value):match "^(%-?)(%d+)%.(%d+)$"
  if not whole or #whole + #part > DIGITS_MAX then
    return nil
  elseif part == "0" then
    return math.tointeger(tonumber(sign .. whole)), 0
  end
  return math.tointeger(tonumber(sign .. whole .. part)), #part
end

local function float(whole, scale)
  if scale <= 15 and whole < EXACT_MAX and whole > -EXACT_MAX then
    return whole / 10.0 ^ scale
  end
  return tonumber(("%de-%d"):format(whole, scale)) + 0.0
end

local function digits(whole)
  return #("%d"):format(whole)
end

local function is_integer(a, b)
  return math.type(a) == "integer" and math.type(b) == "integer"
end

-- Both with one scale; nil where they have not room enough.
local function aligned(a, b)
  local whole_a, scale_a = decimal(a)
  local whole_b, scale_b = decimal(b)
  if not whole_a or not whole_b then
    return nil
  end
  local scale = math.max(scale_a, scale_b)
  if digits(whole_a) + scale - scale_a > DIGITS_MAX or
     digits(whole_b) + scale - scale_b > DIGITS_MAX then
    return nil
  end
  return whole_a * 10 ^ (scale - scale_a) // 1 | 0, whole_b * 10 ^ (scale - scale_b) // 1 | 0, scale
end

-- Whole numbers beyond 64 bits go on as floats.
local WHOLE_MAX = 2.0 ^ 63

local function add(a, b)
  if is_integer(a, b) then
    local sum = (a + 0.0) + b
    return math.abs(sum) < WHOLE_MAX and a + b or sum
  end
  local whole_a, whole_b, scale = aligned(a, b)
  return whole_a and float(whole_a + whole_b, scale) or a + b + 0.0
end

local PRODUCT_MAX = 10.0 ^ DIGITS_MAX

local function multiply(a, b)
  if is_integer(a, b) then
    local product = (a + 0.0) * b
    return math.abs(product) < WHOLE_MAX and a * b or product
  end
  local whole_a, scale_a = decimal(a)
  local whole_b, scale_b = decimal(b)
  local size = whole_a and whole_b and (whole_a + 0.0) * whole_b
  if size and size < PRODUCT_MAX and size > -PRODUCT_MAX then
    return float(whole_a * whole_b, scale_a + scale_b)
  end
  return a * b + 0.0
end

local function divisor(value)
  local by = number(value)
  if by == 0 then
    faults.raise(nil, "divided by 0")
  end
  return by
end

local function modulo(value, by)
  local a, b = number(value), divisor(by)
  if is_integer(a, b) then
    return a % b
  end
  local whole_a, whole_b, scale = aligned(a, b)
  return whole_a and float(whole_a % whole_b, scale) or a % b + 0.0
end

local function divide(value, by)
  local a, b = number(value), divisor(by)
  if is_integer(a, b) then
    return a // b
  end
  return a / b
end

-- The nearest of a number's decimal digits, half of one away from 0.
local function to_places(value, places)
  local whole, scale = decimal(value)
  if not whole or places > scale then
    return value
  end
  local unit = 10 ^ (scale - places) // 1 | 0
  local size = math.abs(whole)
  local rest = size % unit
  size = size - rest + (rest * 2 >= unit and unit or 0)
  return float(whole < 0 and -size or size, scale)
end

local PLACES_MAX = 15

local function to_integer(value)
  return math.type(value) == "integer" and value or math.tointeger(value) or value
end

local function round(value, places)
  local a = number(value)
  local n = values.range_end(places)
  n = math.max(math.min(n, PLACES_MAX), -PLACES_MAX)
  if n > 0 then
    return math.type(a) == "integer" and a or to_places(a, n)
  end
  return to_integer(to_places(a, n))
end

local function clamp_to(choose)
  return function(value, bound)
    return choose(number(value), number(bound))
  end
end

local function sum(value, property)
  local total = 0
  for _, item in ipairs(values.list(value)) do
    if property ~= nil then
      local what = values.kind(item)
      if what ~= "object" and what ~= "drop" and what ~= "nil" then
        faults.raise(nil, "%s has no property %s", values.shown(item), values.shown(property))
      end
      item = values.get(item, property)
    end
    total = add(total, number(item))
  end
  return total
end

local function whole(value)
  local found = values.plain(value)
  if type(found) == "boolean" then
    return found and 1 or 0
  end
  return values.range_end(found)
end

return {
  abs = { 0, 0, function(value) return math.abs(number(value)) end },
  at_least = { 1, 1, clamp_to(math.max) },
  at_most = { 1, 1, clamp_to(math.min) },
  ceil = { 0, 0, function(value) return to_integer(math.ceil(number(value))) end },
  floor = { 0, 0, function(value) return to_integer(math.floor(number(value))) end },
  round = { 0, 1, round },
  plus = { 1, 1, function(value, by) return add(number(value), number(by)) end },
  minus = { 1, 1, function(value, by) return add(number(value), -number(by)) end },
  times = { 1, 1, function(value, by) return multiply(number(value), number(by)) end },
  divided_by = { 1, 1, divide },
  modulo = { 1, 1, modulo },
  sum = { 0, 1, sum },
  to_integer = { 0, 0, whole },
}
