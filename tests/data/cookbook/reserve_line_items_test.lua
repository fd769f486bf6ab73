local hook = require "hookline"

return hook.test {
  cases = {
    {
      name = "two lines are two webhooks",
      given = {
        record = {
          id = 5,
          status = "confirmed",
          lines = { { sku = "x", count = 1 }, { sku = "y", count = 2 } },
        },
      },
      expect = {
        { body = { order = 5, sku = "x", count = 1 } },
        { body = { order = 5, sku = "y", count = 2 } },
      },
    },
    { name = "no lines are none", given = { record = { status = "confirmed" } }, expect = {} },
  },
}
