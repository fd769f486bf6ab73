-- Nobody has taken a lead after an hour: the team lead is told. After the hour the conditions are
-- judged again, for the lead as it then is.
local hook  = require "hookline"
local field = hook.field

return hook.workflow {
  name    = "Lead that nobody takes",
  record  = "lead",
  trigger = hook.once "created",
  when    = field "owner_id":is_empty(),
  delay   = "1h",
  recheck = true,
  actions = {
    hook.webhook {
      method   = "POST",
      url      = "https://chat.example.com/api/messages",
      encoding = "json",
      content  = hook.template [=[{ "text": "Nobody has taken {{ lead.name }} for an hour" }]=],
    },
  },
}
