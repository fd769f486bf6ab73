local hook = require "hookline"

return hook.test {
  given = {
    type = "webhook.terminated",
    record = {
      workflow = "invoice",
      request = { url = "https://invoices.example.com/api/invoices" },
      attempts = 17,
      reason = "answered 503",
    },
  },
  cases = {
    {
      name = "a webhook that was given up is told",
      given = {},
      expect = { body = { text = "invoice: answered 503 (17 attempts)" } },
    },
    {
      name = "one of its own is not",
      given = { record = { workflow = "tell_of_given_up" } },
      expect = {},
    },
  },
}
