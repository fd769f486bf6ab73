local hook = require "hookline"

return hook.test {
  cases = {
    {
      name = "the token is masked",
      given = { type = "contact.created", record = { id = 7, email = "a@b.example", phone = "1" } },
      expect = {
        method = "PUT",
        url = "https://directory.example.com/v2/people/7",
        headers = { Authorization = "Bearer ****" },
        body = { email = "a@b.example", phone = "1" },
      },
    },
  },
}
