-- What narrows a trigger to some changes. `watch`: an update counts only if one of these fields has
-- changed. `edge = "rising"`: an event counts only if the conditions did not hold for the record as
-- it was. Of an update of which nothing is known neither can be said, so it does not count.
local changes = require "hookline.changes"
local private = require "hookline.private"

local watch = {}

--- A function (event, verb) that tells whether the event is no update or has changed one of the
--- fields.
function watch.test(paths)
  local readers = {}
  for i, path in ipairs(paths) do
    readers[i] = changes.reader(path)
  end
  return function(event, verb)
    if verb ~= "updated" then
      return true
    end
    for i = 1, #readers do
      if readers[i](event, verb) then
        return true
      end
    end
    return false
  end
end

local function shallow_copy(from)
  local copy = {}
  for key, value in next, from do
    copy[key] = value
  end
  return copy
end

-- The event as if the record were what it was: of what changed then nothing is known.
local function event_before(event)
  local before = shallow_copy(event)
  before.record = shallow_copy(event.record)
  for key, value in next, event.previous do
    before.record[key] = value
  end
  before.previous = nil
  return before
end

--- A function (event, verb) that tells whether the conditions did not hold before. A created record
--- was not there, so they did not; where nothing is known they may have.
function watch.rose(test)
  return function(event, verb)
    if verb == "created" then
      return true
    elseif type(event.previous) ~= "table" then
      return false
    end
    return not private.apart(test, event_before(event), verb)
  end
end

return watch
