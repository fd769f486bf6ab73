-- The values that conditions compare with, as rules write them, checked and made ready when the
-- file is loaded: text folded, text that is a number read as one, lists turned into sets.
local core = require "hookline.core"
local opaque = require "hookline.opaque"
local schema = require "hookline.schema"
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

local LISTS = { is_in = value_list "is_in", is_not_in = value_list "is_not_in" }

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

--- A list of scalars: is_in { ... }, as a set.
function wanted.scalars(name, arguments, scope)
  local rest, is_exact = split_options(arguments, scope)
  local list = rest[1]
  if not one_argument(name, name .. ' { "Won", "Lost" }', rest, scope) then
    return nil
  elseif type(list) ~= "table" then
    scope:error("", "%s wants a list: %s { %s }", name, name, words.show(list))
    return nil
  end
  local items = LISTS[name]:read(list, scope)
  if not items then
    return nil
  end
  return list_set(items, scope, is_exact), items
end

--- Some text: contains(s).
function wanted.text(name, arguments, scope)
  local rest, is_exact = split_options(arguments, scope)
  local value = rest[1]
  if not one_argument(name, name .. ' "renewal"', rest, scope) or scope:passes_over(value, "") then
    return nil
  elseif type(value) ~= "string" then
    scope:error("", "%s compares text, not %s%s", name, words.kind(value),
      type(value) == "number" and (': write %s "%s"'):format(name, value) or "")
    return nil
  elseif value == "" then
    scope:error("", '%s "" holds for every text', name)
    return nil
  end
  return { text = is_exact and value or core.fold(value), is_exact = is_exact }, value
end

--- A number, or text that is exactly one: greater_than(n).
function wanted.number(name, arguments, scope)
  local value = arguments[1]
  if not one_argument(name, name .. "(100)", arguments, scope) or scope:passes_over(value, "") then
    return nil
  end
  local number = is_number(value) and value or type(value) == "string" and core.number(value) or nil
  if not number then
    local is_text = name == "equals" and type(value) == "string"
    scope:error("", "%s compares numbers, not %s%s", name, words.show(value),
      is_text and ": for text write is " .. words.show(value) or "")
    return nil
  end
  return number, value
end

return wanted
