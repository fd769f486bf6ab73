-- A template with a loop in the rule itself: the message that a mail service sends.
local hook  = require "hookline"
local field = hook.field

return hook.workflow {
  name    = "Order confirmation",
  record  = "order",
  trigger = hook.once { "created", "updated" },
  when    = hook.all { field "status":is "confirmed", field "contact.email":is_not_empty() },
  actions = {
    hook.webhook {
      method   = "POST",
      url      = "https://mail.example.com/v1/send",
      auth     = hook.bearer(hook.secret "MAIL_TOKEN"),
      encoding = "json",
      content  = hook.template [=[{
        "to": {{ order.contact.email }},
        "subject": "Your order {{ order.number }}",
        "lines": [
          {% for line in order.lines %}
            "{{ line.count }} x {{ line.name }}"{% unless forloop.last %},{% endunless %}
          {% endfor %}
        ]
      }]=],
    },
  },
}
