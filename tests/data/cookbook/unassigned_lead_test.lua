local hook = require "hookline"

return hook.test {
  given = { type = "lead.created", record = { id = 3, name = "Acme" } },
  cases = {
    {
      name = "nobody takes it",
      steps = {
        { given = {}, deliveries = { state = "pending", next_attempt_in = "1h" } },
        {
          after = "1h",
          deliveries = {
            state = "delivered",
            body = { text = "Nobody has taken Acme for an hour" },
          },
        },
      },
    },
    {
      name = "somebody takes it within the hour",
      steps = {
        { given = {}, expect = { {} } },
        {
          after = "59m",
          given = { type = "lead.updated", record = { owner_id = 7 } },
          expect = {},
        },
        {
          after = "1m",
          deliveries = { state = "cancelled", attempts = 0, reason = "held no longer" },
        },
      },
    },
    {
      name = "it has an owner from the start",
      given = { record = { owner_id = 7 } },
      expect = {},
    },
  },
}
