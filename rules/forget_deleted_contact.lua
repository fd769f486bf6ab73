-- A contact is deleted: the support desk deletes its copy. The contact's id is in the URL, so the
-- webhook is made by a function for each event.
local hook = require "hookline"

local desk  = hook.var("DESK_URL", "https://desk.example.com")
local token = hook.secret "DESK_TOKEN"

return hook.workflow {
  name    = "Delete a contact at the support desk",
  record  = "contact",
  trigger = hook.every { "deleted" },
  actions = function(event)
    return {
      hook.webhook {
        method  = "DELETE",
        url     = ("%s/api/contacts/%s"):format(desk, event.record.id),
        headers = { ["X-Desk-Token"] = token },
      },
    }
  end,
}
