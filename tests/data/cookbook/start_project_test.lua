local hook = require "hookline"

-- The outcome of the first webhook, as the host makes an event of it, and then the whole chain.
return hook.test {
  workflow = { "start_project", "create_project" },
  given = {
    type = "webhook.delivered",
    record = {
      workflow = "create_project",
      response = { status = 201, json = { id = "p-77" } },
      event = { id = "crm-1", record = { id = 12 } },
    },
  },
  cases = {
    {
      name = "the second request uses the first one's answer",
      given = {},
      expect = {
        method = "PATCH",
        url = "https://projects.example.com/api/projects/p-77",
        body = { state = "started", deal = 12 },
      },
    },
    {
      name = "a won deal goes through both",
      given = {
        type = "deal.updated",
        record = { id = 12, name = "Acme", amount = 900, deal_stage = "Default Pipeline:Won" },
      },
      answers = { { status = 201, body = { id = "p-78" } }, 200 },
      expect = {
        { method = "POST", body = { name = "Acme", budget = 900 } },
        {
          method = "PATCH",
          url = "https://projects.example.com/api/projects/p-78",
          body = { state = "started", deal = 12 },
        },
      },
    },
    {
      name = "an answer without an id starts nothing",
      given = { record = { response = { status = 201, json = { ok = true } } } },
      expect = {},
    },
    {
      name = "the answer to another workflow starts nothing",
      given = { record = { workflow = "invoice" } },
      expect = {},
    },
  },
}
