-- The values that conditions compare with, as rules write them, checked and made ready when the
-- file is loaded: text folded, text that is a number read as one, lists turned into sets.
local core = require "hookline.core"
local opaque = require "hookline.opaque"
local pattern = require "hookline.pattern"
local schema = require "hookline.schema"
local times = require "hookline.times"
local words = require "hookline.words"

local wanted = {}

local null = core.null

local OPTIONS = schema.new {
  name = "the last argument",
  keys = { case = { types = { "boolean" } } },
}

local function value_list(name)
  return schema.new {
    name = name,
    items = {
      types = { "text", "number", "boolean", "null" },
      what = "one value, which is text, a number, true, false or hook.null",
      least = 1,
    },
  }
end

local LISTS = {}
for _, name in ipairs { "is_in", "is_not_in", "contains_any", "contains_all", "contains_none" } do
  LISTS[name] = value_list(name)
end

local function is_plain_table(value)
  return type(value) == "table" and not opaque.name(value) and not core.is_array(value)
end

-- A last { case = true } apart from the arguments before it: the arguments, and whether case
-- counts.
local function split_options(arguments, scope)
  local last = arguments[arguments.n]
  if arguments.n < 2 or not is_plain_table(last) then
    return arguments, false
  end
  local rest = { n = arguments.n - 1, table.unpack(arguments, 1, arguments.n - 1) }
  local options = OPTIONS:read(last, scope)
  return rest, options ~= nil and options.case == true
end

local function is_number(value)
  return type(value) == "number" and value == value and value ~= math.huge and value ~= -math.huge
end

-- One value that text, numbers, true and false are compared with. nil after a report.
local function scalar(value, scope, path, is_exact)
  if scope:passes_over(value, path) then
    return nil
  elseif value == null or value == "" then -- both are empty
    return { value = value, is_empty = true }
  elseif type(value) == "string" then
    return {
      value = value,
      is_text = true,
      folded = not is_exact and core.fold(value) or nil,
      number = core.number(value),
    }
  elseif is_number(value) then
    return { value = value, number = value }
  elseif type(value) == "boolean" then
    return { value = value }
  else
    scope:error(path, "wants text, a number, true, false or hook.null, not %s",
      type(value) == "number" and words.show(value) or words.kind(value))
  end
  return nil
end

local function one_argument(name, example, arguments, scope)
  if arguments.n == 1 and arguments[1] ~= nil then
    return true
  elseif arguments.n <= 1 then
    scope:error("", "%s wants a value, as in %s", name, example)
  else
    scope:error("", "%s wants one value, as in %s, not %d", name, example, arguments.n)
  end
  return false
end

local function two_arguments(name, example, arguments, scope)
  if arguments.n == 2 and arguments[1] ~= nil and arguments[2] ~= nil then
    return true
  end
  scope:error("", "%s wants two values, as in %s", name, example)
  return false
end

--- Nothing: changed(), is_empty().
function wanted.nothing(name, arguments, scope)
  if arguments.n > 0 then
    scope:error("", "%s takes nothing between its brackets", name)
    return nil
  end
  return {}, nil
end

--- One scalar: is(x). Returns what the operator is given, and the value as the rule wrote it.
function wanted.scalar(name, arguments, scope)
  local rest, is_exact = split_options(arguments, scope)
  if not one_argument(name, name .. ' "Won"', rest, scope) then
    return nil
  end
  if is_plain_table(rest[1]) then
    scope:error("", "%s compares with one value%s", name,
      LISTS[name .. "_in"] and ("; for a list write %s_in { ... }"):format(name) or "")
    return nil
  end
  return scalar(rest[1], scope, "", is_exact), rest[1]
end

local function list_set(items, scope, is_exact)
  local set = { values = {}, numeric_texts = {} }
  for i, item in ipairs(items) do
    local one = scalar(item, scope, ("[%d]"):format(i), is_exact)
    if one and one.is_empty then
      set.has_empty = true
    elseif one then
      set.values[one.value] = true
      if one.folded then
        set.folded = set.folded or {}
        set.folded[one.folded] = true
      end
      if one.is_text and one.number then
        set.numeric_texts[one.number] = true
      elseif one.number then
        set.numbers = set.numbers or {}
        set.numbers[one.number] = true
      end
    end
  end
  return set
end

-- The list that an operator was given, and whether case counts; nil after a report.
local function read_list(name, arguments, scope)
  local rest, is_exact = split_options(arguments, scope)
  local list = rest[1]
  if not one_argument(name, name .. ' { "Won", "Lost" }', rest, scope) then
    return nil
  elseif type(list) ~= "table" then
    scope:error("", "%s wants a list: %s { %s }", name, name, words.show(list))
    return nil
  end
  return LISTS[name]:read(list, scope), is_exact
end

--- A list of scalars: is_in { ... }, as a set.
function wanted.scalars(name, arguments, scope)
  local items, is_exact = read_list(name, arguments, scope)
  if not items then
    return nil
  end
  return list_set(items, scope, is_exact), items
end

--- A list of scalars, one by one: contains_all { ... }.
function wanted.each(name, arguments, scope)
  local items, is_exact = read_list(name, arguments, scope)
  if not items then
    return nil
  end
  local list = { is_exact = is_exact }
  for i, item in ipairs(items) do
    list[#list + 1] = scalar(item, scope, ("[%d]"):format(i), is_exact)
  end
  return list, items
end

--- Two scalars: changed_from_to(a, b).
function wanted.pair(name, arguments, scope)
  local rest, is_exact = split_options(arguments, scope)
  if not two_arguments(name, name .. '("Open", "Won")', rest, scope) then
    return nil
  end
  local from = scalar(rest[1], scope, "", is_exact)
  local to = scalar(rest[2], scope, "", is_exact)
  return from and to and { from = from, to = to }, { rest[1], rest[2] }
end

-- One text that is not empty, and whether case counts; nil after a report.
local function one_text(name, arguments, scope)
  local rest, is_exact = split_options(arguments, scope)
  local value = rest[1]
  if not one_argument(name, name .. ' "renewal"', rest, scope) or scope:passes_over(value, "") then
    return nil
  elseif type(value) ~= "string" then
    scope:error("", "%s compares text, not %s%s", name, words.kind(value),
      type(value) == "number" and (': write %s "%s"'):format(name, value) or "")
    return nil
  elseif value == "" then
    scope:error("", '%s "" holds for %s text', name, name == "not_contains" and "no" or "every")
    return nil
  end
  return value, is_exact
end

--- Some text: contains(s).
function wanted.text(name, arguments, scope)
  local value, is_exact = one_text(name, arguments, scope)
  if not value then
    return nil
  end
  return { text = is_exact and value or core.fold(value), is_exact = is_exact }, value
end

--- A pattern of Lua's: matches(pattern).
function wanted.pattern(name, arguments, scope)
  local value, is_exact = one_text(name, arguments, scope)
  if not value then
    return nil
  end
  local fault = pattern.fault(value)
  if fault then
    scope:error("", "%s is no pattern of Lua's: it %s", words.show(value), fault)
    return nil
  elseif not is_exact and pattern.has_upper(value) then
    scope:error("", "%%u never holds where case does not count: write %s(%s, { case = true })",
      name, words.show(value))
    return nil
  end
  return { text = is_exact and value or pattern.fold(value), is_exact = is_exact }, value
end

local function number_of(value)
  return is_number(value) and value or type(value) == "string" and core.number(value) or nil
end

local FOR_TEXT = { equals = "is", not_equals = "is_not" }

--- A number, or text that is exactly one: greater_than(n).
function wanted.number(name, arguments, scope)
  local value = arguments[1]
  if not one_argument(name, name .. "(100)", arguments, scope) or scope:passes_over(value, "") then
    return nil
  end
  local number = number_of(value)
  if not number then
    local instead = type(value) == "string" and FOR_TEXT[name]
    scope:error("", "%s compares numbers, not %s%s", name, words.show(value),
      instead and (": for text write %s %s"):format(instead, words.show(value)) or "")
    return nil
  end
  return number, value
end

local A_TIME = 'a date, as "2026-11-23", or a time with its offset, as "2026-11-23T09:15:00Z"'

--- A date or a time: before(d), as the milliseconds from its beginning to its end.
function wanted.time(name, arguments, scope)
  local value = arguments[1]
  if not one_argument(name, name .. ' "2026-11-23"', arguments, scope)
    or scope:passes_over(value, "") then
    return nil
  end
  local from, to = times.span(value)
  if not from then
    scope:error("", "%s wants %s, not %s", name, A_TIME, words.show(value))
    return nil
  end
  return { from = from, to = to }, value
end

--- A duration: in_last "7d", in milliseconds.
function wanted.duration(name, arguments, scope)
  local value = arguments[1]
  if not one_argument(name, name .. ' "7d"', arguments, scope) or scope:passes_over(value, "") then
    return nil
  end
  local ms = type(value) == "string" and core.duration(value) or nil
  if not ms then
    scope:error("", '%s wants a duration, such as "7d", "12h" or "30m", not %s', name,
      words.show(value))
    return nil
  end
  return { ms = ms }, value
end

-- What lies between two numbers, two dates or times; nil where they are neither.
local function range_of(low, high)
  local low_number, high_number = number_of(low), number_of(high)
  if low_number and high_number then
    return { compares = "number", low = low_number, high = high_number },
      low_number > high_number
  end
  local low_from = times.span(low)
  local high_from, high_to = times.span(high)
  if low_from and high_from then
    return { compares = "time", from = low_from, to = high_to }, high_to <= low_from
  end
  return nil
end

--- Two numbers, or two dates or times: between(a, b).
function wanted.range(name, arguments, scope)
  local low, high = arguments[1], arguments[2]
  if not two_arguments(name, name .. "(100, 200)", arguments, scope)
    or scope:passes_over(low, "") or scope:passes_over(high, "") then
    return nil
  end
  local range, is_turned = range_of(low, high)
  if not range then
    scope:error("", "%s wants two numbers, or two of %s; not %s and %s", name, A_TIME,
      words.show(low), words.show(high))
    return nil
  elseif is_turned then
    scope:error("", "%s never holds: the first is the lower one, as in %s(%s, %s)", name, name,
      words.show(high), words.show(low))
    return nil
  end
  return range, { low, high }
end

return wanted
