-- Three days before a deal is to close, at nine in the morning in Berlin, its owner's app is told:
-- each deal once for each date that it is given. Deals that are there already are loaded with POST
-- /v1/records, which runs no workflow.
local hook  = require "hookline"
local field = hook.field

return hook.workflow {
  name    = "Remind of deals that close in three days",
  record  = "deal",
  zone    = "Europe/Berlin",
  trigger = hook.date { field = "closed_date", offset = "-3d", at = "09:00" },
  when    = field "deal_stage":is_not_in { "Default Pipeline:Won", "Default Pipeline:Lost" },
  actions = {
    hook.webhook {
      method   = "POST",
      url      = "https://reminders.example.com/deals",
      encoding = "json",
      content  = hook.fields { "id", "name", "closed_date", "sales_account.name" },
    },
  },
}
