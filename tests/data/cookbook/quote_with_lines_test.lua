local hook = require "hookline"

return hook.test {
  given = {
    type = "deal.updated",
    record = {
      id = 8,
      deal_stage = "Default Pipeline:Proposal",
      products = { { sku = "x", name = 'The "X"', price = 12.5 }, { sku = "y", price = 3 } },
    },
    previous = { deal_stage = "Default Pipeline:New" },
  },
  cases = {
    {
      name = "two lines",
      given = {},
      expect = {
        body = {
          quote = 8,
          lines = {
            { sku = "x", text = 'The "X"', cents = 1250 },
            { sku = "y", text = "y", cents = 300 },
          },
        },
      },
    },
    {
      name = "no lines",
      given = { record = { products = hook.array {} } },
      expect = { body = { quote = 8, lines = hook.array {} } },
    },
  },
}
