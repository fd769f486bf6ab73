-- New leads go to the sales people in turn, by the lead's number: the same lead always to the same
-- one, also when the event is replayed. A rule keeps no counter: each run is alone with its event.
local hook = require "hookline"

local people = { "ada@example.com", "bob@example.com", "eve@example.com" }

return hook.workflow {
  name    = "Assign leads in turn",
  record  = "lead",
  trigger = hook.once "created",
  when    = hook.field "owner_id":is_empty(),
  actions = {
    hook.webhook {
      method   = "PATCH",
      url      = "https://crm.example.com/api/leads/{{ lead.id }}",
      encoding = "json",
      content  = function(event)
        return { owner = people[event.record.id % #people + 1] }
      end,
    },
  },
}
