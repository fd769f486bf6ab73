local hook = require "hookline"

return hook.test {
  vars = { CRM_URL = "https://crm.example.com", APPROVE_FROM = 500 },
  cases = {
    {
      name = "host and limit are the settings'",
      given = { record = { amount = 500 } },
      expect = { url = "https://crm.example.com/api/approvals" },
    },
    { name = "below the limit", given = { record = { amount = 499 } }, expect = {} },
  },
}
