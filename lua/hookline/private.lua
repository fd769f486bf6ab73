-- What belongs to one run: the event and the workflow at hand, the private copy of the event that a
-- rule's functions get (made when the first function of a run asks for it, and the same for all
-- functions of that run), and how many characters the encodings had to drop.
local core = require "hookline.core"

local private = {}

local copy
local current_event, current_workflow
local dropped, template_data

--- Between two runs.
function private.forget()
  copy, current_event, current_workflow, dropped, template_data = nil, nil, nil, nil, nil
end

--- At the start of a run with functions.
function private.enter(event, workflow)
  current_event, current_workflow = event, workflow
end

--- The event and the workflow's description; nil where no function runs for an event.
function private.current()
  return current_event, current_workflow
end

function private.event(event)
  if not copy then
    copy = core.copy(event)
  end
  return copy
end

function private.note_dropped(count)
  dropped = (dropped or 0) + count
end

--- How many were dropped since it was asked last; nil for none.
function private.take_dropped()
  local count = dropped
  dropped = nil
  return count
end

--- What the templates of this run see, once it has been kept.
function private.template_data()
  return template_data
end

function private.keep_template_data(data)
  template_data = data
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
