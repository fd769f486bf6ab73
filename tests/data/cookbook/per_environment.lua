-- One file for test and live: host and limit come from `vars` in hookline.conf.lua, or from
-- HOOKLINE_VAR_CRM_URL and HOOKLINE_VAR_APPROVE_FROM in the environment.
local hook  = require "hookline"
local field = hook.field

return hook.workflow {
  name    = "Approval of a deal",
  record  = "deal",
  trigger = hook.once { "created", "updated" },
  when    = field "amount":at_least(hook.var("APPROVE_FROM", 10000)),
  actions = {
    hook.webhook {
      method   = "POST",
      url      = hook.var("CRM_URL", "https://crm.test.example.com") .. "/api/approvals",
      encoding = "json",
      content  = hook.fields { "id", "amount" },
    },
  },
}
