local hook = require "hookline"

return hook.test {
  given = {
    type = "deal.updated",
    record = { id = 4, amount = 12.5, deal_stage = "Default Pipeline:Contract" },
    previous = { deal_stage = "Default Pipeline:New" },
  },
  cases = {
    { name = "a number", given = {}, expect = { body = { reference = 4, cents = 1250 } } },
    {
      name = "a text",
      given = { record = { amount = "0.29" } },
      expect = { body = { reference = 4, cents = 29 } },
    },
  },
}
