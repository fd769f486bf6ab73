-- A deal reaches the contract stage: the payment app makes a link. It counts in cents, and always
-- wants a currency: a transform changes the chosen fields before they are sent.
local hook  = require "hookline"
local field = hook.field

return hook.workflow {
  name    = "Make a payment link when a deal reaches the contract stage",
  record  = "deal",
  trigger = hook.every { "updated" },
  when    = hook.all {
    field "deal_stage":changed_to "Default Pipeline:Contract",
    field "amount":greater_than(0),
  },
  actions = {
    hook.webhook {
      method    = "POST",
      url       = hook.var("PAYMENT_URL", "https://pay.example.com") .. "/v1/links",
      auth      = hook.bearer(hook.secret "PAYMENT_TOKEN"),
      headers   = "X-Api-Version: 2026-01",
      encoding  = "json",
      root      = "link",
      content   = hook.fields { "id as reference", "name as title", "amount", "currency" },
      transform = function(body)
        body.amount_cents = math.floor(body.amount * 100 + 0.5)
        body.amount = nil
        if body.currency == hook.null then
          body.currency = "EUR"
        end
        return body
      end,
    },
  },
}
