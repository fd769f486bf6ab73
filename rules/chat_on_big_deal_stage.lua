-- A big deal moves to another stage: the sales channel of the chat hears of it, each time.
local hook  = require "hookline"
local field = hook.field

local chat     = hook.var("CHAT_URL", "https://chat.example.com")
local big_from = hook.var("BIG_DEAL_FROM", 50000)

-- "Acme renewal (75000): Default Pipeline:Negotiation -> Default Pipeline:Won"
local function message(event)
  local deal, was = event.record, event.previous.deal_stage
  local text = ("%s (%s): %s -> %s"):format(deal.name, deal.amount, was, deal.deal_stage)
  return { channel = "#sales", text = text }
end

return hook.workflow {
  name    = "Tell the sales channel when a big deal moves stage",
  record  = "deal",
  trigger = hook.every { "updated" },
  when    = hook.all {
    field "deal_stage":changed(),
    field "amount":at_least(big_from),
  },
  -- A message about an old stage helps nobody: after half an hour it is given up.
  retry   = hook.retry { { "15s", "1m", "5m", "30m" } },
  actions = {
    hook.webhook {
      method   = "POST",
      url      = chat .. "/api/messages",
      auth     = hook.bearer(hook.secret "CHAT_TOKEN"),
      encoding = "json",
      content  = message,
      timeout  = "10s",
    },
  },
}
