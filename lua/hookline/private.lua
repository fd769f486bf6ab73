-- The private copy of an event that a rule's functions get: made when the first function of a run
-- asks for it, the same for all functions of that run, and gone with it.
local core = require "hookline.core"

local private = {}

local copy

--- At the start and at the end of each run that has functions.
function private.forget()
  copy = nil
end

function private.event(event)
  if not copy then
    copy = core.copy(event)
  end
  return copy
end

return private
