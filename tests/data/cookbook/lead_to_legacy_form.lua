-- An old application takes a form, as a browser posts it.
local hook = require "hookline"

return hook.workflow {
  name    = "Lead to the legacy application",
  record  = "lead",
  trigger = hook.once "created",
  actions = {
    hook.webhook {
      method   = "POST",
      url      = "https://legacy.example.com/cgi-bin/lead.pl",
      encoding = "form",
      content  = function(event)
        local lead = event.record
        return hook.ordered {
          { "action", "add" },
          { "name", lead.first_name .. " " .. lead.last_name },
          { "mail", lead.email },
        }
      end,
    },
  },
}
