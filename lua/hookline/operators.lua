-- The operators of conditions. Each is one function from (the value seen, what is wanted) to true
-- or false. A negative operator is the opposite of its positive one, always: so it holds on
-- empty, and, for a path with [*], where no element is what is wanted. A mismatch of types is no
-- match and never an error.
--
-- To add one: write its function, and its row in the table at the end.
local core = require "hookline.core"
local values = require "hookline.values"
local wanted = require "hookline.wanted"

local number = core.number
local null = core.null
local is_empty = values.is_empty

-- Many workflows look at the same field of an event: the text folded last is kept.
local FOLDED_BYTES_MAX = 256
local seen_last, folded_last = "", ""

local function fold(text)
  if text == seen_last then
    return folded_last
  end
  local folded = core.fold(text)
  if #text <= FOLDED_BYTES_MAX then
    seen_last, folded_last = text, folded
  end
  return folded
end

local function has_value(seen)
  return not is_empty(seen)
end

-- Text compares with text by folding, a number with text that is exactly that number.
local function is(seen, want)
  if want.is_empty then
    return is_empty(seen)
  elseif seen == want.value then
    return true
  end
  local kind = type(seen)
  if kind == "string" then
    if want.is_text then
      return want.folded ~= nil and fold(seen) == want.folded
    end
    return want.number ~= nil and number(seen) == want.number
  end
  return kind == "number" and seen == want.number
end

local function is_in(seen, want)
  if seen == nil or seen == null then
    return want.has_empty == true
  elseif want.values[seen] then
    return true
  end
  local kind = type(seen)
  if kind == "string" then
    if want.folded and want.folded[fold(seen)] then
      return true
    elseif want.numbers then
      local n = number(seen)
      if n and want.numbers[n] then
        return true
      end
    end
  elseif kind == "number" and want.numeric_texts[seen] then
    return true
  end
  return want.has_empty == true and is_empty(seen)
end

-- The text that is seen, folded where case does not count; nil where it is no text.
local function text_of(seen, want)
  if type(seen) ~= "string" then
    return nil
  end
  return want.is_exact and seen or fold(seen)
end

local function contains(seen, want)
  local text = text_of(seen, want)
  return text ~= nil and text:find(want.text, 1, true) ~= nil
end

local function starts_with(seen, want)
  local text = text_of(seen, want)
  return text ~= nil and text:sub(1, #want.text) == want.text
end

local function ends_with(seen, want)
  local text = text_of(seen, want)
  return text ~= nil and text:sub(-#want.text) == want.text
end

local function number_of(seen)
  if type(seen) == "number" then
    return seen
  end
  return type(seen) == "string" and number(seen) or nil
end

local function equals(seen, want)
  return number_of(seen) == want
end

local function greater_than(seen, want)
  local n = number_of(seen)
  return n ~= nil and n > want
end

local function at_least(seen, want)
  local n = number_of(seen)
  return n ~= nil and n >= want
end

local function less_than(seen, want)
  local n = number_of(seen)
  return n ~= nil and n < want
end

local function at_most(seen, want)
  local n = number_of(seen)
  return n ~= nil and n <= want
end

-- Operators on a change are asked only where the field has changed.
local function changed()
  return true
end

local function changed_to(_, now, want)
  return is(now, want)
end

local function changed_from(before, _, want)
  return is(before, want)
end

local operators = {}

--- name -> { holds, takes, negative }: what the operator's function is, what it may be given, and
--- whether it is the opposite of that function. `change` has (before, now, wanted) in place of
--- (seen, wanted).
operators.table = {
  is = { holds = is, takes = wanted.scalar, compares = "scalar" },
  is_not = { holds = is, takes = wanted.scalar, compares = "scalar", negative = true },
  is_in = { holds = is_in, takes = wanted.scalars, compares = "scalar" },
  is_not_in = { holds = is_in, takes = wanted.scalars, compares = "scalar", negative = true },
  is_empty = { holds = has_value, takes = wanted.nothing, negative = true },
  is_not_empty = { holds = has_value, takes = wanted.nothing },
  contains = { holds = contains, takes = wanted.text, compares = "text" },
  starts_with = { holds = starts_with, takes = wanted.text, compares = "text" },
  ends_with = { holds = ends_with, takes = wanted.text, compares = "text" },
  equals = { holds = equals, takes = wanted.number, compares = "number" },
  greater_than = { holds = greater_than, takes = wanted.number, compares = "number" },
  at_least = { holds = at_least, takes = wanted.number, compares = "number" },
  less_than = { holds = less_than, takes = wanted.number, compares = "number" },
  at_most = { holds = at_most, takes = wanted.number, compares = "number" },
  changed = { change = changed, takes = wanted.nothing },
  changed_to = { change = changed_to, takes = wanted.scalar, sees = "now" },
  changed_from = { change = changed_from, takes = wanted.scalar, sees = "before" },
}

--- Operators of a later version: refused by name.
operators.later = {
  "not_contains", "matches", "not_equals", "between", "on", "before", "after", "in_last",
  "in_next", "older_than", "contains_any", "contains_all", "contains_none", "is_true", "is_false",
  "not_changed", "changed_from_to", "increased", "decreased",
}

return operators
