-- A lead has said yes to the newsletter and has an address: the mailing list gets it. The words of
-- the trigger are those of the CRM's own workflow page.
local hook  = require "hookline"
local field = hook.field

return hook.workflow {
  name    = "Send a new lead to the mailing list",
  record  = "lead",
  trigger = "Once, when it's created or updated",
  when    = hook.all {
    field "newsletter":is(true),
    field "email":is_not_empty(),
    hook.none { field "email":ends_with "@example.com" }, -- our own test leads
  },
  actions = {
    hook.webhook {
      method   = "POST",
      url      = hook.var("LIST_URL", "https://lists.example.com") .. "/api/members",
      auth     = hook.api_key(hook.secret "LIST_API_KEY", { header = "X-Api-Key" }),
      encoding = "json",
      -- The list's own names stand behind `as`; a dot makes an object inside.
      content  = hook.fields {
        "email as email_address",
        "first_name as merge_fields.first_name",
        "last_name as merge_fields.last_name",
        "source",
      },
    },
  },
}
