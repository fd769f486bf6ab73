local hook = require "hookline"

local list = "https://lists.example.com"

return hook.test {
  vars = { LIST_URL = list },
  given = {
    type = "lead.created",
    record = {
      id = 311,
      first_name = "Ada",
      last_name = "Moreno",
      email = "ada@acme.example",
      newsletter = true,
      source = "Web form",
    },
  },
  cases = {
    {
      name = "a lead who said yes is on the list",
      given = {},
      expect = {
        url = list .. "/api/members",
        headers = { ["X-Api-Key"] = "****" },
        body = {
          email_address = "ada@acme.example",
          merge_fields = { first_name = "Ada", last_name = "Moreno" },
          source = "Web form",
        },
      },
    },
    {
      name = "a lead who did not is not",
      given = { record = { newsletter = false } },
      expect = {},
    },
    {
      name = "a lead without an address is not, until it has one",
      steps = {
        { given = { record = { email = "" } }, expect = {} },
        {
          given = { type = "lead.updated" },
          expect = { body_has = { email_address = "ada@acme.example" } },
        },
        { given = { type = "lead.updated", record = { source = "Fair" } }, expect = {} },
      },
    },
    {
      name = "our own test leads are not",
      given = { record = { email = "qa@Example.com" } },
      expect = {},
    },
  },
}
