local hook = require "hookline"

return hook.test {
  vars = { DESK_URL = "https://desk.example.com" },
  cases = {
    {
      name = "a deleted contact is deleted at the desk",
      given = { type = "contact.deleted", record = { id = 207, first_name = "Ada" } },
      expect = {
        method = "DELETE",
        url = "https://desk.example.com/api/contacts/207",
        headers = { ["X-Desk-Token"] = "****" },
        body = "",
      },
    },
    {
      name = "a contact that changes is not",
      given = { type = "contact.updated", record = { id = 207, first_name = "Ada" } },
      expect = {},
    },
    {
      name = "a contact that the desk never had is gone for good",
      given = { type = "contact.deleted", record = { id = 208 } },
      answers = 410,
      expect = { state = "terminated", attempts = 1 },
    },
  },
}
