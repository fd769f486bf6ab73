local hook = require "hookline"

return hook.test {
  given = {
    record = {
      id = 4021,
      name = "Acme renewal",
      closed_date = "2026-11-26",
      deal_stage = "Default Pipeline:Negotiation",
      sales_account = { id = 88, name = "Acme Inc" },
    },
  },
  cases = {
    {
      name = "of a deal that is open its owner's app is told",
      given = {},
      expect = {
        method = "POST",
        url = "https://reminders.example.com/deals",
        body = {
          id = 4021,
          name = "Acme renewal",
          closed_date = "2026-11-26",
          sales_account = { name = "Acme Inc" },
        },
      },
    },
    {
      name = "of one that is won it is not",
      given = { record = { deal_stage = "Default Pipeline:Won" } },
      expect = {},
    },
    {
      name = "of one that is lost it is not",
      given = { record = { deal_stage = "Default Pipeline:Lost" } },
      expect = {},
    },
    {
      name = "a change of a deal is no time of it",
      given = { type = "deal.updated" },
      expect = {},
    },
  },
}
