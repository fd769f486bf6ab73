-- Where the mistakes of a rule file go. While a file is loaded all of them are collected; in a
-- run the first one is raised. A scope is one call of a hook function: its faults have the line
-- of that call, and the path of the key in the table that it was given. Who takes the call's
-- result into a table of its own adopts the scope, which puts its own key in front: `headers`
-- becomes `actions[1].headers`.
local core = require "hookline.core"
local opaque = require "hookline.opaque"

local faults = {}

local collected -- of the file that is being loaded; nil in a run

local Scope = {}
Scope.__index = Scope

--- Begins to collect, for one file. Returns what was collected for the file that needs this one,
--- for faults.finish.
function faults.begin()
  local outer = collected
  collected = {}
  return outer
end

--- Ends collecting; returns all faults, the file's own by line, then those of its modules.
function faults.finish(outer)
  local list = collected
  collected = outer
  for i, fault in ipairs(list) do
    fault.order = i
  end
  table.sort(list, function(a, b)
    if (a.module or "") ~= (b.module or "") then
      return (a.module or "") < (b.module or "")
    elseif (a.line or 0) ~= (b.line or 0) then
      return (a.line or 0) < (b.line or 0)
    end
    return a.order < b.order
  end)
  return list
end

--- At the start of a run: what is wrong from here on is raised, also where a load was stopped
--- half-way.
function faults.enter_run()
  collected = nil
end

function faults.is_loading()
  return collected ~= nil
end

--- A scope for what is wrong at a place in a file, as it is shown.
function faults.scope_at(file, line)
  return setmetatable({ file = file, line = line, entries = {}, is_faulty = false }, Scope)
end

--- A scope for the hook function that is being called by a rule.
function faults.scope()
  return faults.scope_at(core.where(1))
end

--- A scope for what is wrong with a file as a whole, or at a line of it that no call stands for.
function faults.file_scope(file, line)
  local scope = faults.scope_at(file, line or 0)
  scope.is_whole = true
  return scope
end

--- "rules/x.lua:12", where the call stands.
function Scope:place()
  return ("%s:%d"):format(self.file or "?", self.line or 0)
end

local function add(scope, fault)
  fault.file = fault.file or not scope.is_whole and scope.file or nil
  fault.line = fault.line or scope.line
  scope.entries[#scope.entries + 1] = fault
  collected[#collected + 1] = fault
end

--- Adds a fault that was collected for another file.
function faults.put(fault)
  collected[#collected + 1] = fault
end

-- Without arguments the text is the message as it is: it may come from elsewhere and hold a %.
local function message_of(text, ...)
  return select("#", ...) == 0 and text or text:format(...)
end

--- path: the key in the table that the call was given, "" for the call itself. Then a message, or
--- a format and its arguments.
function Scope:error(path, ...)
  local message = message_of(...)
  self.is_faulty = true
  if not collected then -- a tail call has left no place
    local place = self.file and self:place() .. ": " or ""
    local key = path ~= "" and path .. ": " or ""
    error(place .. key .. message, 0)
  end
  add(self, { path = path, message = message, warning = false })
end

--- The same for what stands at a line and column of the file, or of another one.
function Scope:error_in(file, line, column, path, message)
  self.is_faulty = true
  message = ("column %d: %s"):format(column, message)
  if not collected then
    error(("%s: %s:%d: %s"):format(self:place(), file, line, message), 0)
  end
  add(self, { file = file ~= self.file and file or nil, line = line, column = column, path = path,
    message = message, warning = false })
end

--- An error of the call itself, with what the call then returns in place of a value.
function Scope:refuse(...)
  self:error("", ...)
  return opaque.broken(self)
end

function Scope:warning(path, ...)
  if collected then
    add(self, { path = path, message = message_of(...), warning = true })
  end
end

local function join(outer, inner)
  if inner == "" or outer == "" or inner:sub(1, 1) == "[" then
    return outer .. inner
  end
  return outer .. "." .. inner
end

--- Takes over the faults of a call whose result stands at `path` in this one's table.
function Scope:adopt(child, path)
  self.is_faulty = self.is_faulty or child.is_faulty
  for _, fault in ipairs(child.entries) do
    fault.path = join(path, fault.path)
    self.entries[#self.entries + 1] = fault
  end
  child.entries = {} -- a result that stands in two places keeps the path of the first
end

--- Whether the value at `path` is what a hook function gave after a fault: it is passed over, since
--- the fault is told already.
function Scope:passes_over(value, path)
  local data = opaque.broken_data(value)
  if data then
    self:adopt(data.scope, path)
  end
  return data ~= nil
end

return faults
