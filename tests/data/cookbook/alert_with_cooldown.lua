-- A ticket that is urgent is told, but at most once in ten minutes, however often it is saved.
local hook  = require "hookline"
local field = hook.field

return hook.workflow {
  name     = "Alert for an urgent ticket",
  record   = "ticket",
  trigger  = hook.every { "created", "updated" },
  when     = field "priority":is "urgent",
  cooldown = "10m",
  actions  = {
    hook.webhook {
      method   = "POST",
      url      = "https://pager.example.com/alerts",
      encoding = "json",
      content  = hook.fields { "id", "subject", "priority" },
    },
  },
}
