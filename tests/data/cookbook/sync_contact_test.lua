local hook = require "hookline"

return hook.test {
  given = {
    type = "contact.updated",
    record = { id = 7, email = "ada@example.com", first_name = "Ada", last_name = "M" },
  },
  cases = {
    {
      name = "a new address is told",
      given = { previous = { email = "old@example.com" } },
      expect = {
        method = "PUT",
        url = "https://news.example.com/api/contacts/7",
        body = { email = "ada@example.com", name = { first = "Ada", last = "M" } },
      },
    },
    { name = "a move is not", given = { previous = { city = "Bergen" } }, expect = {} },
    {
      name = "without an address nothing is told",
      given = { record = { email = "" }, previous = { email = "old@example.com" } },
      expect = {},
    },
  },
}
