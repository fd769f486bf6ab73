local hook = require "hookline"

return hook.test {
  cases = {
    {
      name = "a lead is posted as a form",
      given = { record = { first_name = "Ada", last_name = "M & Co", email = "ada@example.com" } },
      expect = { body = "action=add&name=Ada+M+%26+Co&mail=ada%40example.com" },
    },
    {
      name = "a lead without a name is an error that is told",
      given = { record = { email = "ada@example.com" } },
      error = "concatenate a nil value",
    },
  },
}
