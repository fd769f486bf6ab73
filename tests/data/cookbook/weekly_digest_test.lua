local hook = require "hookline"

return hook.test {
  now = "2026-11-23T07:00:00Z",
  given = {
    record = {
      id = 9,
      name = "Acme",
      amount = 20000,
      closed_date = "2026-12-01",
      deal_stage = "Default Pipeline:Negotiation",
      owner = { email = "ada@example.com" },
    },
  },
  cases = {
    {
      name = "an open deal is in the digest of the day",
      given = {},
      expect = {
        url = "https://digest.example.com/api/2026-11-23/deals",
        body_has = { id = 9, owner = "ada@example.com" },
      },
    },
    {
      name = "a deal that is won is not",
      given = { record = { deal_stage = "Default Pipeline:Won" } },
      expect = {},
    },
    { name = "a small one is not", given = { record = { amount = 500 } }, expect = {} },
  },
}
