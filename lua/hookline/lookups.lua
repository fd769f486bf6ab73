-- What the host can look up of a condition before it asks it: values or ranges that a field must
-- have, or that it must have changed. A lookup is necessary, not sufficient: an event without it
-- cannot make the condition hold, one with it is judged. It is one of
--   { all = { ... } }, { any = { ... } }
--   { path, view, values }            one of them: text (folded), numbers, booleans, null for empty
--   { path, view, axis, low, high }   the axis is "number", "time" (milliseconds since 1970) or
--                                     "age" (milliseconds before the event's time)
--   { changed }                       the record's field of this name has changed
-- where the view is of the record as it is ("now"), as it is if the field has changed
-- ("changed_to"), or as it was if the field has changed ("before"). The host's side of it, which
-- makes the same of an event's values, is core/engine/index_look.c.
local core = require "hookline.core"
local paths = require "hookline.paths"

local lookups = {}

local null = core.null

local DEPTH_MAX = 50
local DAY_MS = 86400000
local HUGE = math.huge

-- Of text that is a number both are offered, so that it meets either.
local function add_value(values, value)
  if type(value) == "string" then
    values[#values + 1] = core.fold(value)
    values[#values + 1] = core.number(value)
  else
    values[#values + 1] = value
  end
end

-- A field inside another may be missing in many ways: whether it is empty is not looked up.
local function of_values(path, parts, values, has_empty, view)
  if has_empty and #parts > 1 then
    return nil
  elseif has_empty then
    values[#values + 1] = null
  end
  return { path = parts, text = path.text, view = view or "now", values = values }
end

local function scalar_at(path, parts, want, view)
  local values = {}
  if not want.is_empty then
    add_value(values, want.value)
  end
  return of_values(path, parts, values, want.is_empty, view)
end

local function scalars_at(path, parts, want)
  local values = {}
  for value in pairs(want.values) do
    add_value(values, value)
  end
  return of_values(path, parts, values, want.has_empty)
end

local function elements(path)
  local parts = table.move(path.parts, 1, #path.parts, 1, {})
  parts[#parts + 1] = paths.EACH
  return parts
end

-- Each of these is (path, want) -> lookup or nil: what must be so for an operator's function to
-- hold.

local function scalar(path, want)
  return scalar_at(path, path.parts, want)
end

local function scalars(path, want)
  return scalars_at(path, path.parts, want)
end

local function some_element(path, want)
  return scalars_at(path, elements(path), want)
end

local function all_elements(path, want)
  local all = {}
  for _, one in ipairs(want) do
    all[#all + 1] = scalar_at(path, elements(path), one)
  end
  return all[1] and { all = all } or nil
end

local function number(path, want)
  return of_values(path, path.parts, { want })
end

local function constant(value)
  return function(path)
    return of_values(path, path.parts, { value })
  end
end

local function empty(path)
  return of_values(path, path.parts, {}, true)
end

-- bounds gives the low and the high end of what is wanted.
local function range(axis, bounds, view)
  return function(path, want)
    local low, high = bounds(want)
    return {
      path = path.parts,
      text = path.text,
      view = view or "now",
      axis = axis,
      low = low,
      high = high,
    }
  end
end

local above = range("number", function(want)
  return want, HUGE
end)
local below = range("number", function(want)
  return -HUGE, want
end)
local number_between = range("number", function(want)
  return want.low, want.high
end)
local time_between = range("time", function(want)
  return want.from, want.to
end)
local before = range("time", function(want)
  return -HUGE, want.from
end)
local after = range("time", function(want)
  return want.to, HUGE
end)
local in_last = range("age", function(want)
  return 0, want.ms + DAY_MS
end)
local in_next = range("age", function(want)
  return -want.ms, DAY_MS
end)
local older_than = range("age", function(want)
  return want.ms, HUGE
end)

local function between(path, want)
  return (want.compares == "time" and time_between or number_between)(path, want)
end

-- Of a path the first name decides.
local function changed(path)
  return { changed = path.parts[1] }
end

local function changed_to(path, want)
  return scalar_at(path, path.parts, want, "changed_to") or changed(path)
end

local function changed_from(path, want)
  return scalar_at(path, path.parts, want, "before") or changed(path)
end

local function changed_from_to(path, want)
  return { all = { changed_from(path, want.from), changed_to(path, want.to) } }
end

local function every()
  return -HUGE, HUGE
end

local number_before = range("number", every, "before")
local changed_to_number = range("number", every, "changed_to")

local function moved(path)
  return { all = { number_before(path), changed_to_number(path) } }
end

-- By operator, for its function to hold (so of a negative operator: for it to fail).
local OF_HOLDS = {
  is = scalar,
  is_not = scalar,
  is_in = scalars,
  is_not_in = scalars,
  equals = number,
  not_equals = number,
  greater_than = above,
  at_least = above,
  less_than = below,
  at_most = below,
  between = between,
  on = time_between,
  before = before,
  after = after,
  in_last = in_last,
  in_next = in_next,
  older_than = older_than,
  contains_any = some_element,
  contains_none = some_element,
  contains_all = all_elements,
  is_true = constant(true),
  is_false = constant(false),
  changed = changed,
  changed_to = changed_to,
  changed_from = changed_from,
  changed_from_to = changed_from_to,
  increased = moved,
  decreased = moved,
}

-- And for it to fail.
local OF_FAILS = { is_empty = empty, is_not_empty = empty }

-- Two ranges of one value are one. Behind [*] they may be of two.
local function add_necessary(all, lookup)
  for _, other in ipairs(lookup.axis and all or {}) do
    if other.axis == lookup.axis and other.text == lookup.text and other.view == lookup.view
      and not lookup.text:find("[*]", 1, true) then
      other.low, other.high = math.max(other.low, lookup.low), math.min(other.high, lookup.high)
      return
    end
  end
  all[#all + 1] = lookup
end

local of

-- Of a group that holds where all children do. What stands behind a function is not looked up: the
-- function is called before it is asked.
local function of_all(children, must_fail, depth)
  local all = {}
  for _, child in ipairs(children) do
    local lookup = of(child, must_fail, depth)
    if lookup then
      add_necessary(all, lookup)
    end
    if child.has_functions then
      break
    end
  end
  if #all <= 1 then
    return all[1]
  end
  return { all = all }
end

local function of_any(children, must_fail, depth)
  local any = {}
  for i, child in ipairs(children) do
    any[i] = of(child, must_fail, depth)
    if not any[i] then
      return nil
    end
  end
  return #any == 1 and any[1] or { any = any }
end

-- must_fail: what must be so for the node not to hold.
function of(node, must_fail, depth)
  if depth > DEPTH_MAX then
    return nil
  elseif node.group then
    local fails = (node.group == "none") ~= must_fail
    local of_group = (node.group == "any") == must_fail and of_all or of_any
    return of_group(node.children, fails, depth + 1)
  elseif not node.row then
    return nil -- a function
  end
  local fails = must_fail ~= (node.row.negative == true)
  local find = (fails and OF_FAILS or OF_HOLDS)[node.operator]
  return find and find(node.field, node.want)
end

--- What must be so for the condition to hold; nil where it can only be asked.
function lookups.of(node)
  return of(node, false, 1)
end

--- What must be so of an update for one of the paths to have changed.
function lookups.watch(list)
  local any = {}
  for i, path in ipairs(list) do
    any[i] = changed(path)
  end
  return { any = any }
end

return lookups
