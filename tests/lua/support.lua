-- What the Lua tests share; each file of them finds it as the global `support`. `compile` and
-- `read_file` are given by the runner.
local core = require "hookline.core"
local host = require "hookline.host"

local support = {}

local function show(value)
  if type(value) == "string" then
    return ("%q"):format(value)
  elseif type(value) == "table" then
    return core.json.encode(value) or tostring(value)
  end
  return tostring(value)
end

--- Fails, at the line of the test, unless two values are the same; tables are compared as JSON.
function support.equal(got, wanted, what)
  local is_equal = got == wanted
  if type(got) == "table" and type(wanted) == "table" then
    is_equal = core.json.encode(got) == core.json.encode(wanted)
  end
  if not is_equal then
    error(("%s: got %s, wanted %s"):format(what or "value", show(got), show(wanted)), 2)
  end
end

--- Fails unless the text holds another one.
function support.contains(text, part, what)
  if type(text) ~= "string" or not text:find(part, 1, true) then
    error(("%s: %s does not hold %s"):format(what or "text", show(text), show(part)), 2)
  end
end

--- An event: of a record and its verb, with `previous` and other keys from more.
function support.event(verb, record, more)
  local event = { id = "evt-1", type = "deal." .. verb, time = "2026-11-23T09:15:00Z" }
  event.record = record
  for key, value in pairs(more or {}) do
    event[key] = value
  end
  return event
end

--- A value from JSON, so with null, [] and {} apart and written numbers kept.
function support.json(text)
  local value, message = core.json.decode(text)
  if value == nil then
    error(message, 2)
  end
  return value
end

local PRELUDE = 'local hook = require "hookline"; local field = hook.field; '

--- Loads a rule's text, with `hook` and `field` at hand in its first line, as rules/NAME.lua.
function support.load(text, name)
  local file = ("rules/%s.lua"):format(name or "case")
  return host.load(file, assert(compile(PRELUDE .. text, file)))
end

--- Loads a rule that must be free of errors; returns its description and its warnings.
function support.rule(text, name)
  local description, faults = support.load(text, name)
  if not description then
    local first = faults[1]
    error(("line %d: %s: %s"):format(first.line, first.path, first.message), 2)
  end
  return description, faults
end

--- Loads a rule that must have errors; returns its faults.
function support.faults(text, name)
  local description, faults = support.load(text, name)
  if description then
    error("no error in it", 2)
  end
  return faults
end

--- The text of a workflow with these keys (raw Lua by name) in place of plain ones; false: none.
function support.workflow(keys)
  local all = {
    record = '"deal"',
    trigger = 'hook.every { "created", "updated", "deleted" }',
    actions = '{ hook.webhook { method = "GET", url = "https://app.example.com/" } }',
  }
  for key, value in pairs(keys) do
    all[key] = value
  end
  local names, lines = {}, {}
  for key in pairs(all) do
    names[#names + 1] = key
  end
  table.sort(names)
  for _, key in ipairs(names) do
    if all[key] then
      lines[#lines + 1] = ("%s = %s"):format(key, all[key])
    end
  end
  return "return hook.workflow { " .. table.concat(lines, ", ") .. " }"
end

--- The text of a workflow with one webhook of these keys in place of plain ones.
function support.webhook(keys, workflow_keys)
  local all = {
    method = '"POST"',
    url = '"https://app.example.com/hook"',
    encoding = '"json"',
    content = 'hook.fields { "id" }',
  }
  for key, value in pairs(keys) do
    all[key] = value
  end
  local lines = {}
  for key, value in pairs(all) do
    if value then
      lines[#lines + 1] = ("%s = %s"):format(key, value)
    end
  end
  table.sort(lines)
  local more = { actions = ("{ hook.webhook { %s } }"):format(table.concat(lines, ", ")) }
  for key, value in pairs(workflow_keys or {}) do
    more[key] = value
  end
  return support.workflow(more)
end

--- What a description owes for an event; nil where it does not fire.
function support.run(description, event)
  return host.run(description, event)
end

--- Whether a description's conditions hold for an event with the latest state of its record.
function support.recheck(description, event)
  return host.recheck(description, event)
end

--- The message that a run raises.
function support.run_error(description, event)
  local is_fine, message = pcall(host.run, description, event)
  if is_fine then
    error("no error raised", 2)
  end
  return message
end

return support
