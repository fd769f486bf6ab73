-- Each Monday at eight in Berlin every open deal of some size goes to the digest app, which makes
-- one mail of them. Each deal is a webhook of its own, with the day as the key of the digest.
local hook  = require "hookline"
local field = hook.field

return hook.workflow {
  name    = "Weekly digest of open deals",
  record  = "deal",
  zone    = "Europe/Berlin",
  trigger = hook.weekly { on = "monday", at = "08:00" },
  when    = hook.all {
    field "deal_stage":is_not_in { "Default Pipeline:Won", "Default Pipeline:Lost" },
    field "amount":at_least(10000),
  },
  actions = {
    hook.webhook {
      method   = "POST",
      url      = "https://digest.example.com/api/{{ event.time | date: '%Y-%m-%d' }}/deals",
      encoding = "json",
      content  = hook.fields { "id", "name", "amount", "closed_date", "owner.email as owner" },
    },
  },
}
