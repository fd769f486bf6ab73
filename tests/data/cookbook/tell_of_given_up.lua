-- A webhook is given up, or refused for good: the operators hear of it. Their own channel is left
-- out, or a channel that is down would be told that it is down.
local hook  = require "hookline"
local field = hook.field

return hook.workflow {
  name    = "Tell of webhooks that were given up",
  record  = "webhook",
  trigger = hook.every { "terminated" },
  when    = field "workflow":is_not "tell_of_given_up",
  actions = {
    hook.webhook {
      method   = "POST",
      url      = "https://chat.example.com/api/ops",
      encoding = "json",
      content  = hook.template [=[{
        "text": "{{ record.workflow }}: {{ record.reason }} ({{ record.attempts }} attempts)"
      }]=],
    },
  },
}
