local hook = require "hookline"

-- The outcome of the first webhook, as the host makes an event of it.
return hook.test {
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
