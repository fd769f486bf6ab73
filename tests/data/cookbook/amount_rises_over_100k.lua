-- A deal's amount rises over 100,000: told when it crosses the line, not at each change above it.
local hook  = require "hookline"
local field = hook.field

return hook.workflow {
  name    = "Amount over 100,000",
  record  = "deal",
  trigger = hook.every { "created", "updated", edge = "rising" },
  when    = field "amount":greater_than(100000),
  actions = {
    hook.webhook {
      method   = "POST",
      url      = "https://approvals.example.com/api/requests",
      encoding = "json",
      content  = hook.fields { "id", "amount", "owner.email as requested_by" },
    },
  },
}
