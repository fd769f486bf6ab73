local hook = require "hookline"

return hook.test {
  cases = {
    {
      name = "an order with two lines",
      given = {
        record = {
          number = "A-1",
          total = 12.5,
          status = "confirmed",
          lines = { { sku = "x&y", n = 1 }, { sku = "z", n = 2 } },
        },
      },
      expect = {
        headers = { ["Content-Type"] = "application/xml; charset=utf-8" },
        body = "<Order><Number>A-1</Number><Total>12.5</Total><Lines>"
          .. "<item><n>1</n><sku>x&amp;y</sku></item><item><n>2</n><sku>z</sku></item>"
          .. "</Lines></Order>",
      },
    },
    { name = "a draft is not sent", given = { record = { status = "draft" } }, expect = {} },
  },
}
