local hook = require "hookline"

return hook.test {
  vars = { PAYMENT_URL = "https://pay.example.com" },
  given = {
    type = "deal.updated",
    record = {
      id = 4021,
      name = "Acme renewal",
      amount = 12500.50,
      currency = "USD",
      deal_stage = "Default Pipeline:Contract",
    },
    previous = { deal_stage = "Default Pipeline:Negotiation" },
  },
  cases = {
    {
      name = "the amount is sent in cents",
      given = {},
      expect = {
        url = "https://pay.example.com/v1/links",
        headers = { ["X-Api-Version"] = "2026-01", Authorization = "Bearer ****" },
        body = {
          link = {
            reference = 4021,
            title = "Acme renewal",
            amount_cents = 1250050,
            currency = "USD",
          },
        },
      },
    },
    {
      name = "a deal without a currency is in euros",
      given = { record = { currency = hook.null } },
      expect = { body_has = { link = { currency = "EUR" } } },
    },
    {
      name = "a deal without an amount makes no link",
      given = { record = { amount = 0 } },
      expect = {},
    },
    {
      name = "a deal that was at that stage before makes no link",
      given = { previous = { amount = 9000 } },
      expect = {},
    },
    {
      name = "each time that it comes back to the stage it makes one",
      steps = {
        { given = {}, expect = { { method = "POST" } } },
        -- Without `previous` an update is compared with the record as it was.
        {
          given = { previous = false, record = { deal_stage = "Default Pipeline:Lost" } },
          expect = {},
        },
        { given = { previous = false }, expect = { { method = "POST" } } },
      },
    },
  },
}
