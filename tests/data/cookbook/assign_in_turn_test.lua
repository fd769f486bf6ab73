local hook = require "hookline"

local cases = {}
for id, owner in pairs { [300] = "ada", [301] = "bob", [302] = "eve", [303] = "ada" } do
  cases[#cases + 1] = {
    name = ("lead %d is %s's"):format(id, owner),
    given = { record = { id = id } },
    expect = { body = { owner = owner .. "@example.com" } },
  }
end

return hook.test { cases = cases }
