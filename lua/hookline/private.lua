-- The private copy of an event that a rule's functions get: made when the first function of a run
-- asks for it, and the same for all functions of that run.
local core = require "hookline.core"

local private = {}

local copy

--- Between two runs.
function private.forget()
  copy = nil
end

function private.event(event)
  if not copy then
    copy = core.copy(event)
  end
  return copy
end

--- Calls test(event, verb) with a private copy of that event, apart from the run's own.
function private.apart(test, event, verb)
  local kept = copy
  copy = nil
  local verdict = test(event, verb)
  copy = kept
  return verdict
end

return private
