local hook = require "hookline"

return hook.test {
  cases = {
    {
      name = "the address is escaped, the key is masked",
      given = { type = "sales_account.created", record = { address = "1 Main St & Co" } },
      expect = {
        method = "GET",
        url = "https://maps.example.com/geocode?q=1%20Main%20St%20%26%20Co&api_key=****",
      },
    },
  },
}
