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
      name = "touched last week",
      given = { record = { updated_at = "2026-11-16T10:00:00Z" } },
      expect = {},
    },
  },
}
