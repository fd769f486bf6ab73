-- A new rule beside the old one: it is judged and stored, and sends nothing. `hookline deliveries
-- --workflow dry_rollout` shows what it would have sent. Take `active` out when it is right.
local hook  = require "hookline"
local field = hook.field

return hook.workflow {
  name    = "New discount rule, on trial",
  record  = "deal",
  trigger = hook.every { "updated", watch = { "discount" } },
  when    = field "discount":at_least(20),
  active  = "dry",
  actions = {
    hook.webhook {
      method   = "POST",
      url      = "https://approvals.example.com/api/discounts",
      encoding = "json",
      content  = hook.fields { "id", "discount" },
    },
  },
}
