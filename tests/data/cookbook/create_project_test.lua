local hook = require "hookline"

return hook.test {
  given = {
    type = "deal.updated",
    record = { id = 12, name = "Acme", amount = 900, deal_stage = "Default Pipeline:Won" },
  },
  cases = {
    {
      name = "a won deal makes a project, once",
      steps = {
        { given = {}, expect = { method = "POST", body = { name = "Acme", budget = 900 } } },
        { given = { record = { amount = 950 } }, expect = {} },
      },
    },
  },
}
