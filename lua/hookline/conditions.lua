-- The tree of conditions: hook.all, hook.any, hook.none over `field "path":operator(...)` and Lua
-- functions. Each node is compiled, when it is made, to one closure (event, verb) -> true or
-- false.
local core = require "hookline.core"
local changes = require "hookline.changes"
local faults = require "hookline.faults"
local opaque = require "hookline.opaque"
local operators = require "hookline.operators"
local paths = require "hookline.paths"
local private = require "hookline.private"
local schema = require "hookline.schema"
local times = require "hookline.times"
local words = require "hookline.words"

local conditions = {}

local null = core.null

-- A condition: the result of an operator or of a group. Its data is a node:
--   test(event, verb), has_functions, scope, and for the trace either
--   field, operator, row, want, shown, compares (a leaf),
--   group, children (a group),
--   or fn, place (a function).
conditions.KIND = opaque.kind "a condition"
local CONDITION = conditions.KIND

-- Leaves ----------------------------------------------------------------------------------------

local function value_test(row, path, want)
  local holds = row.holds
  if path.has_each then
    local some = paths.some(path)
    return function(event)
      return some(event.record, holds, want)
    end
  elseif #path.parts == 1 then -- the most frequent case, with one call less
    local key = path.parts[1]
    return function(event)
      return holds(event.record[key], want)
    end
  end
  local read = paths.reader(path)
  return function(event)
    return holds(read(event.record), want)
  end
end

-- Seen from the event's time, which is put beside what is wanted.
local function timed(test, want)
  return function(event, verb)
    want.now_ms = times.of_event(event)
    return test(event, verb)
  end
end

local function change_test(row, path, want)
  local read = changes.reader(path)
  if row.is_unchanged then
    return function(event, verb)
      return not read(event, verb) and changes.is_known(event, verb)
    end
  end
  local holds = path.has_each and row.each or row.change
  return function(event, verb)
    local is_changed, before, now = read(event, verb)
    return is_changed and holds(before, now, want)
  end
end

local function negated(test)
  return function(event, verb)
    return not test(event, verb)
  end
end

local function leaf(path, name, arguments, scope)
  local row = operators.table[name]
  local want, shown = row.takes(name, arguments, scope)
  if row.each == false and path.has_each then
    scope:error("", "%s compares one value, and %s are many", name, path.text)
  elseif row.compares == "list" and path.parts[#path.parts] == paths.EACH then
    scope:warning("", 'with [*] each element is seen by itself, and %s looks into a list: write '
      .. 'field "%s"', name, (path.text:gsub("%[%*%]$", "")))
  end
  local node = {
    scope = scope,
    field = path,
    operator = name,
    row = row,
    want = want,
    shown = shown,
    compares = row.compares or type(want) == "table" and want.compares or nil,
    has_functions = false,
  }
  if want then
    local test = row.change and change_test(row, path, want) or value_test(row, path, want)
    test = row.is_timed and timed(test, want) or test
    node.test = row.negative and negated(test) or test
  end
  return opaque.new(CONDITION, node)
end

-- Fields ----------------------------------------------------------------------------------------

local FIELD

local operator_names = words.sorted_keys(operators.table)

local function refuse_operator(name)
  local scope = faults.scope()
  local near = words.nearest(name, operator_names)
  return scope:refuse('there is no operator "%s"%s', tostring(name),
    near and words.did_you_mean(near) or "; there are " .. words.list(operator_names, "and"))
end

-- What `field "x".is` gives: called with the field in front, it makes a condition.
local methods = {}
for name in pairs(operators.table) do
  methods[name] = function(handle, ...)
    local scope = faults.scope()
    local data = opaque.data(handle, FIELD)
    if not data then
      return scope:refuse('write a colon before the operator: field "...":%s(...)', name)
    end
    return leaf(data.path, name, table.pack(...), scope)
  end
end

FIELD = opaque.kind("hook.field", {
  __index = function(_, name)
    local method = methods[name]
    if method then
      return method
    end
    return refuse_operator(name)
  end,
})

--- A field of the record, by its path. An operator makes a condition of it.
function conditions.field(text)
  local scope = faults.scope()
  if scope:passes_over(text, "") then
    return opaque.broken(scope)
  elseif type(text) == "table" then
    return scope:refuse('hook.field takes one path, field "amount"; hook.fields chooses several')
  end
  local path, message = paths.parse(text)
  if not path then
    return scope:refuse(message)
  end
  return opaque.new(FIELD, { path = path })
end

-- Functions -------------------------------------------------------------------------------------

local function function_node(fn, place)
  return {
    fn = fn,
    place = place,
    has_functions = true,
    test = function(event)
      local verdict = fn(private.event(event))
      return verdict ~= nil and verdict ~= false and verdict ~= null
    end,
  }
end

-- The node of a condition or a function.
local function node_of(value, scope, path)
  if type(value) == "function" then
    return function_node(value, scope:place())
  end
  local node = opaque.data(value, CONDITION)
  scope:adopt(node.scope, path)
  return node
end

--- For a schema: a key or an item that is a condition, checked to its node.
conditions.RULE = {
  types = { "a condition", "function" },
  what = 'a condition, such as field "deal_stage":is "Won", or a function',
  wrong = {
    ["hook.field"] = 'it lacks an operator, as in field "deal_stage":is "Won"',
    table = "put hook.all, hook.any or hook.none in front of the list",
  },
  check = node_of,
}

-- Groups ----------------------------------------------------------------------------------------

local function all_test(tests)
  local count, first, second = #tests, tests[1], tests[2]
  if count == 1 then
    return first
  elseif count == 2 then
    return function(event, verb)
      return first(event, verb) and second(event, verb)
    end
  end
  return function(event, verb)
    for i = 1, count do
      if not tests[i](event, verb) then
        return false
      end
    end
    return true
  end
end

local function any_test(tests)
  local count = #tests
  return function(event, verb)
    for i = 1, count do
      if tests[i](event, verb) then
        return true
      end
    end
    return false
  end
end

local function none_test(tests)
  return negated(any_test(tests))
end

local function group(name, make_test)
  local items = schema.new {
    name = "hook." .. name,
    items = {
      types = conditions.RULE.types,
      what = 'one condition, such as field "deal_stage":is "Won"',
      wrong = conditions.RULE.wrong,
      check = conditions.RULE.check,
      least = 1,
    },
  }
  return function(list)
    local scope = faults.scope()
    local children = items:read(list, scope) or {}
    local tests, has_functions = {}, false
    for i, child in ipairs(children) do
      tests[i] = child.test
      has_functions = has_functions or child.has_functions
    end
    return opaque.new(CONDITION, {
      scope = scope,
      group = name,
      children = children,
      has_functions = has_functions,
      test = not scope.is_faulty and make_test(tests) or nil,
    })
  end
end

conditions.all = group("all", all_test)
conditions.any = group("any", any_test)
conditions.none = group("none", none_test)

return conditions
