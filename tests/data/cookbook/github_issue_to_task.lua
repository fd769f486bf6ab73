-- An issue with the label "customer" becomes a task. rules/sources/github_issues.lua makes GitHub's
-- webhooks into events of the record type "issue".
local hook  = require "hookline"
local field = hook.field

return hook.workflow {
  name    = "Task for a customer's issue",
  record  = "issue",
  trigger = hook.once { "created", "updated" },
  when    = field "labels":contains_any { "customer" },
  actions = {
    hook.webhook {
      method   = "POST",
      url      = "https://crm.example.com/api/tasks",
      auth     = hook.api_key(hook.secret "CRM_KEY"),
      encoding = "json",
      root     = "task",
      content  = hook.fields { "title", "url", "author as contact.login" },
    },
  },
}
