-- Expressions: each compiles to a function of the rendering's context that gives its value.
local core = require "hookline.core"
local faults = require "hookline.liquid.faults"
local filters = require "hookline.liquid.filters"
local values = require "hookline.liquid.values"

local expressions = {}

local count_steps, SMALL = core.count, values.SMALL
local path = core.template.path
local plain, field, get = values.plain, values.field, values.get

local function constant(value)
  return function() return value end
end

local LITERALS = {
  ["nil"] = constant(nil),
  null = constant(nil),
  ["true"] = constant(true),
  ["false"] = constant(false),
  empty = constant(values.empty),
  blank = constant(values.blank),
}

--- The value of a variable: of a loop or an argument, assigned, counted, or of the data.
local function find(context, name)
  local value = context.locals[name]
  if value == nil then
    value = context.assigns[name]
    if value == nil then
      value = context.counters[name]
      if value == nil then
        value = context.data[name]
      end
    end
  end
  return plain(value)
end

local function variable(name)
  return function(context) return find(context, name) end
end

local function computed_variable(key)
  return function(context)
    local name = key(context)
    if type(name) ~= "string" then
      return nil
    end
    return find(context, name)
  end
end

local parse

local PATH_NAMES_MAX = 32

local function extended(names, name)
  if not names or #names == PATH_NAMES_MAX then
    return nil
  end
  local longer = table.move(names, 1, #names, 1, {})
  longer[#longer + 1] = name
  return longer
end

local function parse_brackets(stream)
  local inside = parse(stream)
  stream:expect("]")
  return inside
end

-- The value at the end of what leads on from another one; `names`: of the variable that it begins
-- with and of all fields so far, nil where they are not all written down.
local function parse_lookups(stream, value, names)
  while true do
    local of = value
    if stream:take(".") then
      local name = stream:expect("id", "a name").value
      value = function(context) return field(of(context), name) end
      names = extended(names, name)
    elseif stream:take("[") then
      local key = parse_brackets(stream)
      value = function(context) return get(of(context), key(context)) end
      names = nil
    elseif names then
      return path(names, value, false), path(names, value, true)
    else
      return value
    end
  end
end

-- Notes a variable, with the name of the field of it that is read where that is written down.
local function note_use(stream, root)
  local word, field_name = stream:peek(), nil
  if word.kind == "." and stream:peek(1).kind == "id" then
    field_name = stream:peek(1).value
  elseif word.kind == "[" and stream:peek(1).kind == "string" and stream:peek(2).kind == "]" then
    field_name = stream:peek(1).value
  end
  stream.uses[#stream.uses + 1] = { root = root, field = field_name }
end

local function parse_range(stream)
  local first = parse(stream)
  stream:expect("..")
  local last = parse(stream)
  stream:expect(")")
  return function(context)
    return values.range(values.range_end(first(context)), values.range_end(last(context)))
  end
end

local function parse_value(stream)
  local word = stream:take("string") or stream:take("number")
  if word then
    return constant(word.value)
  elseif stream:take("(") then
    return parse_range(stream)
  elseif stream:take("[") then
    stream.uses[#stream.uses + 1] = { is_computed = true }
    return parse_lookups(stream, computed_variable(parse_brackets(stream)))
  end
  local name = stream:expect("id", "a value").value
  local follows = stream:peek().kind
  if LITERALS[name] and follows ~= "." and follows ~= "[" then
    return LITERALS[name]
  end
  note_use(stream, name)
  return parse_lookups(stream, variable(name), { name })
end

--- A text, a number, a range, a literal, or a variable with what leads on from it. Where that are
--- names alone: also the function that gives the value and its written form, where it is a number
--- that does not print as it was written.
function parse(stream)
  stream:enter()
  local value, written = parse_value(stream)
  stream:leave()
  return value, written
end

expressions.parse = parse

-- --- filters -------------------------------------------------------------------------------------

local function parse_arguments(stream, positional, named)
  repeat
    if stream:peek().kind == "id" and stream:peek(1).kind == ":" then
      local name = stream:expect("id").value
      stream:expect(":")
      named[name] = parse(stream)
    else
      positional[#positional + 1] = parse(stream)
    end
  until not stream:take(",")
end

local function check_arguments(word, filter, positional, named)
  local count = #positional
  for name in pairs(named) do
    if name ~= filter.named then
      faults.raise(word.at, "the filter %s takes no argument named '%s'", word.value, name)
    end
  end
  if count < filter.least or count > filter.most then
    local wanted = filter.least == filter.most and tostring(filter.least) or
      ("%d to %d"):format(filter.least, filter.most)
    faults.raise(word.at, "the filter %s takes %s argument%s, not %d", word.value, wanted,
      wanted == "1" and "" or "s", count)
  end
end

local function apply(filter, value, arguments, named, at)
  local run, first, second = filter.run, arguments[1], arguments[2]
  if named then
    return function(context)
      context.at = at
      return run(value(context), first and first(context), named(context))
    end
  elseif not first then
    return function(context)
      local input = value(context)
      context.at = at
      if type(input) == "table" and #input > SMALL then
        count_steps()
      end
      return run(input, nil, nil, context)
    end
  elseif not second then
    return function(context)
      local input, argument = value(context), first(context)
      context.at = at
      if type(input) == "table" and #input > SMALL then
        count_steps()
      end
      return run(input, argument, nil, context)
    end
  end
  return function(context)
    local input, argument, other = value(context), first(context), second(context)
    context.at = at
    if type(input) == "table" and #input > SMALL then
      count_steps()
    end
    return run(input, argument, other, context)
  end
end

local function parse_filter(stream, value, word)
  local filter = filters[word.value]
  if not filter then
    faults.raise(word.at, "there is no filter '%s'%s", word.value, filters.advice(word.value))
  end
  local positional, named = {}, {}
  if stream:take(":") then
    parse_arguments(stream, positional, named)
  end
  check_arguments(word, filter, positional, named)
  for i = #positional + 1, filter.most do
    if filter.missing[i] ~= nil then
      positional[i] = constant(filter.missing[i])
    end
  end
  return apply(filter, value, positional, filter.named and named[filter.named], word.at)
end

-- `raw` is no filter of values: it says that what is shown is not escaped.
local function finish_raw(stream, word, is_output)
  if not is_output then
    faults.raise(word.at, "raw belongs where a value is shown, {{ ... | raw }}")
  elseif stream:peek().kind ~= "end" then
    faults.raise(word.at, "raw is the last filter, or it does nothing")
  end
end

--- A value with its filters, up to the end of the markup. Nothing at all is nil. Of what is shown
--- (is_output) also { filter (the last one's name), written (as parse gives it) }.
function expressions.parse_filtered(stream, is_output)
  if stream:peek().kind == "end" then
    return LITERALS["nil"], {}
  end
  local value, written = parse(stream)
  local shown = { written = written }
  while stream:take("|") do
    local word = stream:expect("id", "a filter's name")
    shown.filter = word.value
    if word.value == "raw" then
      finish_raw(stream, word, is_output)
    else
      shown.written = nil
      stream.uses[#stream.uses + 1] = { filter = word.value }
      value = parse_filter(stream, value, word)
    end
  end
  stream:finish()
  return value, shown
end

-- --- conditions ----------------------------------------------------------------------------------

local function parse_comparison(stream)
  local left = parse(stream)
  local word = stream:take("compare") or stream:take("id", "contains")
  if not word then
    return left
  end
  local operate, right, at = values.operators[word.value], parse(stream), word.at
  return function(context)
    local a, b = left(context), right(context)
    context.at = at
    return operate(a, b)
  end
end

local is_true = values.is_true

--- Comparisons joined by and, or; the last two are joined first. Gives a boolean.
function expressions.parse_condition(stream)
  local left = parse_comparison(stream)
  stream:enter()
  if stream:take("id", "and") then
    local right = expressions.parse_condition(stream)
    return function(context) return is_true(left(context)) and right(context) end
  elseif stream:take("id", "or") then
    local right = expressions.parse_condition(stream)
    return function(context) return is_true(left(context)) or right(context) end
  end
  stream:finish()
  return function(context) return is_true(left(context)) end
end

return expressions
