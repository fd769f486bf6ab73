-- hook.source: what a file of sources/ returns. It turns another system's request into record
-- events, which then go the way of all events.
local core = require "hookline.core"
local faults = require "hookline.faults"
local modules = require "hookline.modules"
local opaque = require "hookline.opaque"
local schema = require "hookline.schema"
local verify = require "hookline.verify"
local words = require "hookline.words"

local sources = {}

sources.KIND = opaque.kind "hook.source"

local EVENTS_MAX = 10000 -- of one request, as of one body of /v1/events

local OPTIONS = schema.new {
  name = "hook.source",
  keys = {
    name = { types = { "text" } },
    description = { types = { "text" } },
    verify = verify.RULE,
    events = {
      types = { "function" },
      required = "events = function(request) return { type = ..., record = ... } end",
    },
  },
  hints = { event = "events", transform = "events", ["function"] = "events", auth = "verify",
    signature = "verify" },
}

--- An adapter. Its data: { scope, events, verify, name, description }.
function sources.new(options)
  local scope = faults.scope()
  if not faults.is_loading() then
    scope:error("", "hook.source is for the file itself, not for its functions")
  end
  local values = OPTIONS:read(options, scope) or {}
  values.scope = scope
  return opaque.new(sources.KIND, values)
end

--- Loads sources/NAME.lua from the texts in use. Returns its data; nil where it has an error, which
--- is then among the faults.
function sources.load(path)
  local value, message = modules.load(path)
  local data = opaque.data(value, sources.KIND)
  if not message and not data then
    faults.file_scope(path):error("", "a file of sources/ ends with return hook.source { ... }; "
      .. "this one returns %s", words.kind(value))
  elseif data and not data.scope.is_faulty then
    data.source = path:match "([^/]+)%.lua$"
    return data
  end
  return nil
end

-- The id that the sender gave the request, by which it is known when it comes again.
local function id_of(request)
  local headers = request.headers
  local id = headers["webhook-id"] or headers["x-github-delivery"] or headers["idempotency-key"]
  if not id and headers["stripe-signature"] and type(request.json) == "table" then
    id = request.json.id
  end
  return type(id) == "string" and id ~= "" and id or nil
end

local function check_event(event, i)
  if type(event) ~= "table" or opaque.name(event) then
    error(("events returned %s as number %d; an event is a table { type = ..., record = ... }")
      :format(words.kind(event), i), 0)
  end
end

--- Calls the adapter. request: { headers, query, body, json }. Returns the events as the JSON text
--- of an array, and how many there are.
function sources.run(data, request)
  faults.enter_run()
  local id = id_of(request)
  request.id = id and data.source .. ":" .. id
  local list = data.events(request)
  if list == nil or list == core.null then
    return "[]", 0
  elseif type(list) ~= "table" or opaque.name(list) then
    error(("events returned %s; an event, a list of events or nil is wanted")
      :format(words.kind(list)), 0)
  elseif list.type ~= nil then
    list = { list }
  end
  local events = core.array {}
  for i = 1, math.min(#list, EVENTS_MAX + 1) do
    check_event(list[i], i)
    local event = {}
    for key, value in pairs(list[i]) do
      event[key] = value
    end
    if event.id == nil and request.id then
      event.id = #list == 1 and request.id or ("%s:%d"):format(request.id, i)
    end
    events[i] = event
  end
  local text, message = core.json.encode(events, "events")
  if not text then
    error(message, 0)
  end
  return text, #events
end

return sources
