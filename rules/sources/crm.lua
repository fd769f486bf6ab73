-- A generic CRM posts what changed, with a token in a header:
--   { "object": "Deal", "action": "update", "id": 4021, "at": "2026-11-23T09:15:00Z",
--     "fields": { ... }, "changes": { "stage": { "from": "Negotiation", "to": "Won" } } }
local hook = require "hookline"

local VERBS = { create = "created", update = "updated", delete = "deleted" }

-- Old values by field, as an event has them.
local function previous_of(changes)
  local previous
  for field, change in pairs(changes or {}) do
    previous = previous or {}
    previous[field] = change.from
  end
  return previous
end

return hook.source {
  name   = "Generic CRM",
  verify = hook.verify.token(hook.secret "CRM_TOKEN", { header = "X-CRM-Token" }),
  events = function(request)
    local change = request.json
    local verb = VERBS[change.action]
    if not verb then
      return nil -- a login, a comment: nothing that a workflow runs on
    end
    local record = change.fields or {}
    record.id = change.id
    return {
      type     = change.object:lower() .. "." .. verb,
      time     = change.at,
      record   = record,
      previous = previous_of(change.changes),
    }
  end,
}
