-- What an event says has changed. A created record was empty before. An update says it in
-- `previous`: the old values of the fields that changed, as it was sent or as the host found it in
-- the record's stored state; without either what changed is unknown. Of a nested path the first
-- name decides: previous.sales_account is the whole old value of that field.
local paths = require "hookline.paths"
local values = require "hookline.values"

local changes = {}

local is_changed = values.is_changed
local is_same = values.is_same

--- Whether an update is known to have changed nothing at all.
function changes.is_none(event)
  local previous = event.previous
  if type(previous) ~= "table" then
    return false
  end
  local record = event.record
  for key, before in next, previous do
    local now = record[key]
    if now ~= before and not is_same(before, now) then
      return false
    end
  end
  return true
end

--- Whether it is known what an event has changed.
function changes.is_known(event, verb)
  return verb ~= "scheduled" and (verb ~= "updated" or type(event.previous) == "table")
end

--- The names of the fields that an update with `previous` has changed, sorted.
function changes.names(event)
  local names = {}
  for key, before in next, event.previous do
    if is_changed(before, event.record[key]) then
      names[#names + 1] = key
    end
  end
  table.sort(names)
  return names
end

--- Why nothing is known of what changed, in words; nil where it is known.
function changes.unknown(event, verb)
  if changes.is_known(event, verb) and verb ~= "deleted" then
    return nil
  elseif verb == "updated" then
    return "what changed is unknown: the event has no previous"
  elseif verb == "scheduled" then
    return "at a time of the schedule nothing has changed"
  end
  return ("a record that is %s has not changed"):format(verb)
end

--- A function (event, verb) -> was it changed, before, now. For a path with [*] before and now
--- are lists.
function changes.reader(path)
  local first = path.parts[1]
  local read = path.has_each and paths.collector(path) or paths.reader(path)
  return function(event, verb)
    if verb == "created" then
      local before = nil
      if path.has_each then
        before = {}
      end
      local now = read(event.record)
      return is_changed(before, now), before, now
    end
    local previous = event.previous
    if verb ~= "updated" or type(previous) ~= "table" or previous[first] == nil then
      return false, nil, nil
    end
    local before, now = read(previous), read(event.record)
    return is_changed(before, now), before, now
  end
end

return changes
