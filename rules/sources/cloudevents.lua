-- CloudEvents 1.0 over HTTP: structured, batched and binary mode. The type's last two words are the
-- record type and what happened ("com.example.deal.updated"), the data is the record, or an object
-- with `record` and `previous`. Without `verify` the sender needs a token of the host's.
local hook = require "hookline"

-- A header's value has %XX for what it cannot hold (HTTP protocol binding 1.0.2, 3.1.3.2).
local function decoded(value)
  return (value:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

local function event_of(attributes, data)
  local record_type, verb = attributes.type:match "([%w_-]+)%.(%l+)$"
  if not record_type or type(data) ~= "table" then
    error("a CloudEvent of type " .. tostring(attributes.type) .. " is no record event")
  end
  local record, previous = data, nil
  if type(data.record) == "table" then
    record, previous = data.record, data.previous
  end
  if record.id == nil then
    record.id = attributes.subject
  end
  return {
    id       = attributes.source .. "#" .. attributes.id, -- both together are unique
    type     = record_type .. "." .. verb,
    time     = attributes.time,
    record   = record,
    previous = previous,
  }
end

local function structured(envelope)
  return event_of(envelope, envelope.data)
end

local function binary(request)
  local attributes = {}
  for name, value in pairs(request.headers) do
    local attribute = name:match "^ce%-(.*)$"
    if attribute then
      attributes[attribute] = decoded(value)
    end
  end
  return event_of(attributes, request.json)
end

return hook.source {
  name   = "CloudEvents 1.0",
  events = function(request)
    local media_type = (request.headers["content-type"] or ""):lower()
    if media_type:find("application/cloudevents-batch+json", 1, true) then
      local events = {}
      for i, envelope in ipairs(request.json) do
        events[i] = structured(envelope)
      end
      return events
    elseif media_type:find("application/cloudevents+json", 1, true) then
      return structured(request.json)
    end
    return binary(request)
  end,
}
