local hook = require "hookline"

return hook.workflow {
  name    = "Told",
  record  = "deal",
  trigger = hook.every { "created", "updated" },
  actions = {
    hook.webhook {
      method   = "POST",
      url      = "http://127.0.0.1:9009/",
      encoding = "json",
      content  = hook.fields { "id" },
    },
  },
}
