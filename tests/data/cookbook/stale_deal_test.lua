local hook = require "hookline"

return hook.test {
  now = "2026-11-23T14:00:00Z",
  given = {
    type = "deal.scheduled",
    record = {
      id = 9,
      name = "Acme",
      deal_stage = "Default Pipeline:Negotiation",
      updated_at = "2026-10-01T10:00:00Z",
      owner = { manager_email = "eve@example.com" },
    },
  },
  cases = {
    {
      name = "untouched for over 30 days",
      given = {},
      expect = {
        body = { to = "eve@example.com", subject = "Acme is untouched since 01 October" },
      },
    },
    {
      name = "at most once a week",
      steps = {
        { given = {}, expect = { {} } },
        { after = "1d", given = {}, expect = {} },
        { after = "6d", given = {}, expect = { {} } },
      },
    },
    {
      name = "each morning in New York, until somebody touches it",
      now = "2026-11-23T13:00:00Z",
      records = {
        {
          id = 9,
          deal_stage = "Default Pipeline:Negotiation",
          updated_at = "2026-10-25T10:00:00Z",
          owner = { manager_email = "eve@example.com" },
        },
      },
      steps = {
        { after = "1h", expect = {} },
        { after = "1d", expect = { {} } },
        { after = "6d", expect = {} },
        { after = "1d", expect = { {} } },
        {
          given = { type = "deal.updated", record = { updated_at = "2026-12-01T15:00:00Z" } },
          expect = {},
        },
        { after = "14d", expect = {} },
      },
    },
    {
      name = "touched last week",
      given = { record = { updated_at = "2026-11-16T10:00:00Z" } },
      expect = {},
    },
  },
}
