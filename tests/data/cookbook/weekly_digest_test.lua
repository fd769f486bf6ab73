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
    {
      name = "each Monday at eight in Berlin, for the deals that are open then",
      now = "2026-11-23T06:30:00Z",
      records = {
        { id = 1, amount = 20000, deal_stage = "Default Pipeline:New" },
        { id = 2, amount = 30000, deal_stage = "Default Pipeline:New" },
        { id = 3, amount = 500, deal_stage = "Default Pipeline:New" },
      },
      steps = {
        { after = "29m", expect = {} },
        {
          after = "1m",
          expect = {
            { url = "https://digest.example.com/api/2026-11-23/deals", body_has = { id = 1 } },
            { body_has = { id = 2 } },
          },
        },
        { given = { type = "deal.deleted", record = { id = 2 } }, expect = {} },
        { after = "6d", expect = {} },
        {
          after = "1d",
          expect = {
            { url = "https://digest.example.com/api/2026-11-30/deals", body_has = { id = 1 } },
          },
        },
      },
    },
  },
}
