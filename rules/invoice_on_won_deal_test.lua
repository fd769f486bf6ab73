local hook = require "hookline"

return hook.test {
  -- What the deal of each case is, unless the case says otherwise.
  given = {
    type = "deal.updated",
    record = {
      id = 4021,
      deal_stage = "Default Pipeline:Won",
      amount = 12500.50,
      closed_date = "2026-11-23",
      created_at = "2026-10-01T08:00:00Z",
      product = "Gold plan",
      sales_account = { id = 88, name = "Acme Inc" },
    },
  },
  cases = {
    {
      name = "a deal that is won makes an invoice",
      given = { previous = { deal_stage = "Default Pipeline:Negotiation" } },
      expect = {
        method = "POST",
        url = "https://invoices.example.com/api/invoices",
        headers = { ["Authorization"] = "Basic ****", ["X-Sample-CustomHeader1"] = "VALUE" },
        body = {
          amount = 12500.50,
          closed_date = "2026-11-23",
          created_at = "2026-10-01T08:00:00Z",
          product = "Gold plan",
          sales_account = { name = "Acme Inc" },
        },
      },
    },
    {
      name = "a deal at another stage makes none",
      given = { record = { deal_stage = "Default Pipeline:Negotiation" } },
      expect = {},
    },
    {
      name = "a deal makes one invoice, whatever comes later",
      steps = {
        { given = {}, expect = { { method = "POST" } } },
        { given = { record = { amount = 13000 } }, expect = {} },
        { given = { record = { id = 4022 } }, expect = { { method = "POST" } } },
      },
    },
    {
      name = "an invoice app that is busy is asked again",
      answers = { 503, "timeout", 201 },
      steps = {
        { given = {}, deliveries = { state = "retrying", next_attempt_in = "15s" } },
        { after = "15s", deliveries = { state = "retrying", attempts = 2 } },
        { after = "45s", deliveries = { state = "delivered", attempts = 3 } },
      },
    },
    {
      name = "after two days it is given up",
      answers = 503,
      steps = {
        { given = {}, expect = { { method = "POST" } } },
        { after = "49h", deliveries = { state = "terminated", attempts = 17 } },
      },
    },
  },
}
