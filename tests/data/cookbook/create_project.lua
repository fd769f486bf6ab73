-- First of two: a won deal makes a project. start_project.lua goes on with the answer.
local hook  = require "hookline"
local field = hook.field

return hook.workflow {
  name    = "Make a project for a won deal",
  record  = "deal",
  trigger = hook.once { "created", "updated" },
  when    = field "deal_stage":is "Default Pipeline:Won",
  actions = {
    hook.webhook {
      method   = "POST",
      url      = "https://projects.example.com/api/projects",
      encoding = "json",
      content  = hook.fields { "name", "amount as budget" },
    },
  },
}
