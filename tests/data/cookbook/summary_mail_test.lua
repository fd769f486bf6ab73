local hook = require "hookline"

return hook.test {
  cases = {
    {
      name = "a line of text for each line of the order",
      given = {
        record = {
          number = "A-1",
          status = "confirmed",
          contact = { name = "Ada", email = "ada@example.com" },
          lines = { { count = 2, name = 'Pipe 1"' }, { count = 1, name = "Cup" } },
        },
      },
      expect = {
        body = {
          to = "ada@example.com",
          subject = "Your order A-1",
          lines = { '2 x Pipe 1"', "1 x Cup" },
        },
      },
    },
    {
      name = "nobody to write to",
      given = { record = { status = "confirmed", contact = { name = "Ada" } } },
      expect = {},
    },
  },
}
