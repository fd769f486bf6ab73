-- An open deal that nobody has touched for 30 days: its owner's manager is told, at most once a
-- week.
local hook  = require "hookline"
local field = hook.field

return hook.workflow {
  name     = "Escalate stale deals",
  record   = "deal",
  zone     = "America/New_York",
  trigger  = hook.daily { at = "09:00" },
  cooldown = "7d",
  when     = hook.all {
    field "deal_stage":is_not_in { "Default Pipeline:Won", "Default Pipeline:Lost" },
    field "updated_at":older_than "30d",
    field "owner.manager_email":is_not_empty(),
  },
  actions = {
    hook.webhook {
      method   = "POST",
      url      = "https://mail.example.com/v1/send",
      auth     = hook.bearer(hook.secret "MAIL_TOKEN"),
      encoding = "json",
      content  = hook.template [=[{
        "to": {{ deal.owner.manager_email }},
        "subject": "{{ deal.name }} is untouched since {{ deal.updated_at | date: '%d %B' }}"
      }]=],
    },
  },
}
