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
      name = "three days before, at nine in Berlin, and again when the date is moved",
      now = "2026-11-20T00:00:00Z",
      records = {
        { id = 1, closed_date = "2026-11-26", deal_stage = "Default Pipeline:New" },
        { id = 2, closed_date = "2026-11-26", deal_stage = "Default Pipeline:Lost" },
        { id = 3, deal_stage = "Default Pipeline:New" },
      },
      steps = {
        { after = "3d", expect = {} },
        { after = "8h", expect = { { body_has = { id = 1, closed_date = "2026-11-26" } } } },
        {
          given = {
            type = "deal.updated",
            record = { id = 1, closed_date = "2026-12-10", deal_stage = "Default Pipeline:New" },
          },
          expect = {},
        },
        { after = "13d", expect = {} },
        { after = "1d", expect = { { body_has = { id = 1, closed_date = "2026-12-10" } } } },
        { after = "60d", expect = {} },
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
