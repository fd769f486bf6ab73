-- A deal of 50,000 or more is won: Slack's channel hears of it.
local hook  = require "hookline"
local field = hook.field

return hook.workflow {
  name    = "Tell Slack of big won deals",
  record  = "deal",
  trigger = hook.every { "created", "updated" },
  when    = hook.all {
    field "deal_stage":changed_to "Default Pipeline:Won",
    field "amount":at_least(50000),
  },
  actions = {
    hook.webhook {
      method   = "POST",
      url      = "https://slack.com/api/chat.postMessage",
      auth     = hook.bearer(hook.secret "SLACK_TOKEN"),
      encoding = "json",
      content  = hook.template [=[{
        "channel": "#sales",
        "text": "{{ deal.name }} is won: {{ deal.amount }} {{ deal.currency | default: "EUR" }}"
      }]=],
    },
  },
}
