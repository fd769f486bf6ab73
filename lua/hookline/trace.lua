-- Why a workflow fires for an event or does not: each condition, the value seen, the value
-- wanted, the verdict, and a note where the verdict could surprise. Everything is judged, also
-- what a run would skip.
local core = require "hookline.core"
local changes = require "hookline.changes"
local paths = require "hookline.paths"
local times = require "hookline.times"
local values = require "hookline.values"
local words = require "hookline.words"

local trace = {}

local null = core.null

local function show_json(value)
  return core.json.encode(value) or words.kind(value)
end

-- Why a positive operator cannot hold for a value of this kind; nil where it could.
local function mismatch(node, seen)
  local compares, shown, kind = node.compares, node.shown, type(seen)
  local is_number = kind == "number" or kind == "string" and core.number(seen) ~= nil
  if compares == "list" then
    return not core.is_array(seen) and ("%s is no list"):format(words.kind(seen)) or nil
  elseif kind == "table" and compares then
    return core.is_array(seen) and "a list is compared by its elements: write [*] behind its name"
      or "an object is compared by its fields: write the path of one"
  elseif compares == "text" and kind ~= "string" then
    return ("%s is no text"):format(words.kind(seen))
  elseif compares == "number" and not is_number then
    return ("%s is no number"):format(kind == "string" and "this text" or words.kind(seen))
  elseif compares == "time" and not times.span(seen) then
    return ("%s is no date and no time with an offset"):format(
      kind == "string" and "this text" or words.kind(seen))
  elseif compares == "boolean" and kind ~= "boolean" then
    return ("%s is neither true nor false"):format(words.kind(seen))
  elseif compares == "scalar" and type(shown) ~= "table" and type(shown) ~= kind
    and not (type(shown) == "number" and is_number)
    and not (type(shown) == "string" and kind == "number" and core.number(shown)) then
    return ("%s never equals %s"):format(words.kind(seen), words.kind(shown))
  end
  return nil
end

local function value_note(node, seen, event)
  if values.is_empty(seen) then
    return seen == nil and "the record has no such value" or "the value is empty"
  end
  local note = mismatch(node, seen)
  if not note and node.row.is_timed then
    note = event.time and "seen from the event's time, " .. event.time
      or "the event has no time to see it from"
  end
  return note
end

local function change_note(node, event, verb, now)
  local is_changed, before = changes.reader(node.field)(event, verb)
  if not is_changed then
    return changes.unknown(event, verb) or "the field did not change"
  end
  local note = "was " .. show_json(before == nil and null or before)
  if node.compares == "number" then
    local fault = mismatch(node, before) or mismatch(node, now)
    note = fault and note .. "; " .. fault or note
  end
  return note
end

local function field_trace(node, event, verb)
  local path, row = node.field, node.row
  local read = path.has_each and paths.collector(path) or paths.reader(path)
  local seen = read(event.record)
  local note
  if row.change then
    note = change_note(node, event, verb, seen)
  elseif path.has_each then
    note = #seen == 0 and "the list has no elements" or nil
  else
    note = value_note(node, seen, event)
  end
  if path.has_each then
    seen = core.array(seen)
  elseif seen == nil then
    seen = null
  end
  local wanted = node.shown
  if type(wanted) == "table" then
    wanted = core.array(table.move(wanted, 1, #wanted, 1, {}))
  elseif wanted == nil then
    wanted = null
  end
  return {
    field = path.text,
    operator = node.operator,
    wanted = wanted,
    seen = seen,
    verdict = node.test(event, verb),
    note = note or null,
  }
end

local function function_trace(node, event, verb)
  local is_fine, verdict = pcall(node.test, event, verb)
  return {
    field = null,
    operator = "function",
    wanted = null,
    seen = null,
    verdict = is_fine and verdict,
    note = is_fine and "a function in the table at " .. node.place
      or "raised: " .. tostring(verdict),
  }
end

local function group_verdict(name, children)
  for _, child in ipairs(children) do
    if child.verdict ~= (name == "all") then
      return name == "any"
    end
  end
  return name ~= "any"
end

--- The trace of a condition: { all|any|none = [...], verdict }, and leaves { field, operator,
--- wanted, seen, verdict, note }.
function trace.of(node, event, verb)
  if node.fn then
    return function_trace(node, event, verb)
  elseif node.field then
    return field_trace(node, event, verb)
  end
  local children = {}
  for i, child in ipairs(node.children) do
    children[i] = trace.of(child, event, verb)
  end
  return { [node.group] = core.array(children), verdict = group_verdict(node.group, children) }
end

return trace
