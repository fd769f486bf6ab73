local hook = require "hookline"

return hook.test {
  given = {
    type = "deal.updated",
    record = { id = 1, name = 'Acme "Gold"', amount = 75000, deal_stage = "Default Pipeline:Won" },
    previous = { deal_stage = "Default Pipeline:Negotiation" },
  },
  cases = {
    {
      name = "a big deal that is won is told",
      given = {},
      expect = { body = { channel = "#sales", text = 'Acme "Gold" is won: 75000 EUR' } },
    },
    { name = "a small one is not", given = { record = { amount = 49999 } }, expect = {} },
    { name = "a later change is not", given = { previous = { amount = 1 } }, expect = {} },
  },
}
