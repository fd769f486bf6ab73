local hook = require "hookline"

return hook.test {
  given = { type = "ticket.updated", record = { id = 1, subject = "Down", priority = "urgent" } },
  cases = {
    {
      name = "once in ten minutes",
      steps = {
        { given = {}, expect = { {} } },
        { after = "9m", given = { record = { subject = "Down again" } }, expect = {} },
        { after = "1m", given = { record = { subject = "Still" } }, expect = { {} } },
      },
    },
    {
      name = "each record has its own",
      steps = {
        { given = {}, expect = { {} } },
        { given = { record = { id = 2 } }, expect = { {} } },
      },
    },
  },
}
