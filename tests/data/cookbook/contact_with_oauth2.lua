-- An app behind OAuth 2.0: the host gets an access token with the client's id and secret, keeps it
-- until it expires, and sends it along.
local hook = require "hookline"

return hook.workflow {
  name    = "Contact to the directory",
  record  = "contact",
  trigger = hook.every { "created", "updated", watch = { "email", "phone" } },
  actions = {
    hook.webhook {
      method   = "PUT",
      url      = "https://directory.example.com/v2/people/{{ contact.id }}",
      auth     = hook.oauth2 {
        token_url     = "https://login.example.com/oauth2/token",
        client_id     = "crm",
        client_secret = hook.secret "DIRECTORY_SECRET",
        scope         = "people.write",
      },
      encoding = "json",
      content  = hook.fields { "email", "phone" },
    },
  },
}
