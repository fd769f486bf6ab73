-- A map service that wants its key in the URL. The key is in no log and no list: it shows as ****.
local hook  = require "hookline"
local field = hook.field

return hook.workflow {
  name    = "Place of an account",
  record  = "sales_account",
  trigger = hook.every { "created", "updated", watch = { "address" } },
  when    = field "address":is_not_empty(),
  actions = {
    hook.webhook {
      method = "GET",
      url    = "https://maps.example.com/geocode?q={{ sales_account.address }}",
      auth   = hook.api_key(hook.secret "MAPS_KEY", { query = "api_key" }),
    },
  },
}
