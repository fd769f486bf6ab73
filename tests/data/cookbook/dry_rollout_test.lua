local hook = require "hookline"

return hook.test {
  given = {
    type = "deal.updated",
    record = { id = 1, discount = 25 },
    previous = { discount = 5 },
  },
  cases = {
    {
      name = "what it would send is stored, and is not sent",
      given = {},
      expect = { state = "cancelled", attempts = 0, body = { id = 1, discount = 25 } },
    },
    { name = "a small discount is nothing", given = { record = { discount = 10 } }, expect = {} },
  },
}
