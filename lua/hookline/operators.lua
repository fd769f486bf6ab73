-- The operators of conditions. Each is one function from (the value seen, what is wanted) to true
-- or false. A negative operator is the opposite of its positive one, always: so it holds on
-- empty, and, for a path with [*], where no element is what is wanted. A mismatch of types is no
-- match and never an error.
--
-- To add one: write its function, and its row in the table at the end.
local core = require "hookline.core"
local times = require "hookline.times"
local values = require "hookline.values"
local wanted = require "hookline.wanted"

local number = core.number
local null = core.null
local is_array = core.is_array
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

local function matches(seen, want)
  local text = text_of(seen, want)
  return text ~= nil and text:find(want.text) ~= nil
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

local function between(seen, want)
  if want.compares == "time" then
    return times.within(seen, want)
  end
  local n = number_of(seen)
  return n ~= nil and n >= want.low and n <= want.high
end

local function is_true(seen)
  return seen == true
end

local function is_false(seen)
  return seen == false
end

-- Lists -----------------------------------------------------------------------------------------

local function is_list(seen)
  return type(seen) == "table" and is_array(seen)
end

-- Elements are compared as `is` does.
local function contains_any(seen, want)
  for i = 1, is_list(seen) and #seen or 0 do
    if is_in(seen[i], want) then
      return true
    end
  end
  return false
end

-- All that the elements of a list are equal to, so that both lists are walked once.
local function sets_of(list, want)
  local sets = { values = {}, folded = {}, numbers = {}, numeric_texts = {}, has_empty = false }
  for i = 1, #list do
    local value = list[i]
    if is_empty(value) then
      sets.has_empty = true
    elseif type(value) == "string" then
      sets.values[value] = true
      if not want.is_exact then
        sets.folded[fold(value)] = true
      end
      local n = number(value)
      if n then
        sets.numeric_texts[n] = true
      end
    elseif type(value) ~= "table" then
      sets.values[value] = true
      if type(value) == "number" then
        sets.numbers[value] = true
      end
    end
  end
  return sets
end

local function has(sets, one)
  if one.is_empty then
    return sets.has_empty
  elseif sets.values[one.value] or one.folded and sets.folded[one.folded] then
    return true
  elseif not one.number then
    return false
  end
  return (one.is_text and sets.numbers or sets.numeric_texts)[one.number] == true
end

local function contains_all(seen, want)
  if not is_list(seen) then
    return false
  end
  local sets = sets_of(seen, want)
  for i = 1, #want do
    if not has(sets, want[i]) then
      return false
    end
  end
  return true
end

-- Changes: asked only where the field has changed -----------------------------------------------

local function changed()
  return true
end

local function changed_to(_, now, want)
  return is(now, want)
end

local function changed_from(before, _, want)
  return is(before, want)
end

local function changed_from_to(before, now, want)
  return is(before, want.from) and is(now, want.to)
end

local function increased(before, now)
  local was, n = number_of(before), number_of(now)
  return was ~= nil and n ~= nil and n > was
end

local function decreased(before, now)
  local was, n = number_of(before), number_of(now)
  return was ~= nil and n ~= nil and n < was
end

-- Of the values at a path with [*]: whether one has come, or has gone.
local function has_one(list, want)
  for _, value in ipairs(list or {}) do
    if is(value, want) then
      return true
    end
  end
  return false
end

local function one_came(before, now, want)
  return has_one(now, want) and not has_one(before, want)
end

local function one_went(before, now, want)
  return has_one(before, want) and not has_one(now, want)
end

local function one_went_one_came(before, now, want)
  return one_went(before, now, want.from) and one_came(before, now, want.to)
end

local operators = {}

--- name -> { holds, takes, negative }: what the operator's function is, what it may be given, and
--- whether it is the opposite of that function. `compares`: the kind of value it can hold for.
--- `is_timed`: it is seen from the event's time. `change` has (before, now, wanted) in place of
--- (seen, wanted), and `each` stands for it at a path with [*], false: there it is refused.
--- `is_unchanged`: it holds where the field is known not to have changed.
operators.table = {
  is = { holds = is, takes = wanted.scalar, compares = "scalar" },
  is_not = { holds = is, takes = wanted.scalar, compares = "scalar", negative = true },
  is_in = { holds = is_in, takes = wanted.scalars, compares = "scalar" },
  is_not_in = { holds = is_in, takes = wanted.scalars, compares = "scalar", negative = true },
  is_empty = { holds = has_value, takes = wanted.nothing, negative = true },
  is_not_empty = { holds = has_value, takes = wanted.nothing },
  contains = { holds = contains, takes = wanted.text, compares = "text" },
  not_contains = { holds = contains, takes = wanted.text, compares = "text", negative = true },
  starts_with = { holds = starts_with, takes = wanted.text, compares = "text" },
  ends_with = { holds = ends_with, takes = wanted.text, compares = "text" },
  matches = { holds = matches, takes = wanted.pattern, compares = "text" },
  equals = { holds = equals, takes = wanted.number, compares = "number" },
  not_equals = { holds = equals, takes = wanted.number, compares = "number", negative = true },
  greater_than = { holds = greater_than, takes = wanted.number, compares = "number" },
  at_least = { holds = at_least, takes = wanted.number, compares = "number" },
  less_than = { holds = less_than, takes = wanted.number, compares = "number" },
  at_most = { holds = at_most, takes = wanted.number, compares = "number" },
  between = { holds = between, takes = wanted.range }, -- compares as what it was given
  on = { holds = times.within, takes = wanted.time, compares = "time" },
  before = { holds = times.before, takes = wanted.time, compares = "time" },
  after = { holds = times.after, takes = wanted.time, compares = "time" },
  in_last = { holds = times.in_last, takes = wanted.duration, compares = "time", is_timed = true },
  in_next = { holds = times.in_next, takes = wanted.duration, compares = "time", is_timed = true },
  older_than = { holds = times.older_than, takes = wanted.duration, compares = "time",
    is_timed = true },
  contains_any = { holds = contains_any, takes = wanted.scalars, compares = "list" },
  contains_all = { holds = contains_all, takes = wanted.each, compares = "list" },
  contains_none = { holds = contains_any, takes = wanted.scalars, compares = "list",
    negative = true },
  is_true = { holds = is_true, takes = wanted.nothing, compares = "boolean" },
  is_false = { holds = is_false, takes = wanted.nothing, compares = "boolean" },
  changed = { change = changed, each = changed, takes = wanted.nothing },
  not_changed = { change = changed, each = changed, takes = wanted.nothing, is_unchanged = true },
  changed_to = { change = changed_to, each = one_came, takes = wanted.scalar },
  changed_from = { change = changed_from, each = one_went, takes = wanted.scalar },
  changed_from_to = { change = changed_from_to, each = one_went_one_came, takes = wanted.pair },
  increased = { change = increased, each = false, takes = wanted.nothing, compares = "number" },
  decreased = { change = decreased, each = false, takes = wanted.nothing, compares = "number" },
}

return operators
