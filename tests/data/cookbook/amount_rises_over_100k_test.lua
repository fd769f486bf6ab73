local hook = require "hookline"

local function from(before, now)
  return { type = "deal.updated", record = { amount = now }, previous = { amount = before } }
end

return hook.test {
  cases = {
    {
      name = "over the line",
      given = from(90000, 120000),
      expect = { body_has = { amount = 120000 } },
    },
    { name = "above it already", given = from(120000, 130000), expect = {} },
    { name = "down again", given = from(130000, 90000), expect = {} },
    {
      name = "made above it",
      given = { type = "deal.created", record = { amount = 100001 } },
      expect = { {} },
    },
  },
}
