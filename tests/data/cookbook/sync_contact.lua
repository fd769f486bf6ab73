-- A contact's name or address changes: the newsletter has it, too. Other changes are nothing to it.
local hook  = require "hookline"
local field = hook.field

return hook.workflow {
  name    = "Keep the newsletter's contacts in step",
  record  = "contact",
  trigger = hook.every { "created", "updated", watch = { "email", "first_name", "last_name" } },
  when    = field "email":is_not_empty(),
  actions = {
    hook.webhook {
      method   = "PUT",
      url      = "https://news.example.com/api/contacts/{{ contact.id }}",
      auth     = hook.api_key(hook.secret "NEWS_KEY"),
      encoding = "json",
      content  = hook.fields { "email", "first_name as name.first", "last_name as name.last" },
    },
  },
}
