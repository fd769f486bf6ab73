-- The payment app takes cents. What turns an amount into cents is a module, which other workflows
-- use too; a change of lib/money.lua loads them all again.
local hook  = require "hookline"
local money = require "lib.money"
local field = hook.field

return hook.workflow {
  name    = "Payment link",
  record  = "deal",
  trigger = hook.every { "updated" },
  when    = hook.all {
    field "deal_stage":changed_to "Default Pipeline:Contract",
    field "amount":greater_than(0),
  },
  actions = {
    hook.webhook {
      method   = "POST",
      url      = "https://pay.example.com/v1/links",
      auth     = hook.bearer(hook.secret "PAY_TOKEN"),
      encoding = "json",
      content  = function(event)
        return { reference = event.record.id, cents = money.cents(event.record.amount) }
      end,
    },
  },
}
