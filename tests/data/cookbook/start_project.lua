-- Second of two: the project is made, and its id is in the answer.
local hook  = require "hookline"
local field = hook.field

return hook.workflow {
  name    = "Start the project that was made",
  record  = "webhook",
  trigger = hook.every { "delivered" },
  when    = hook.all {
    field "workflow":is "create_project",
    field "response.json.id":is_not_empty(),
  },
  actions = {
    hook.webhook {
      method   = "PATCH",
      url      = "https://projects.example.com/api/projects/{{ record.response.json.id }}",
      encoding = "json",
      content  = hook.template [=[{ "state": "started", "deal": {{ record.event.record.id }} }]=],
    },
  },
}
