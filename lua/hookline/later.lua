-- Functions of the language that a later version brings. Each refuses itself by name, so that a
-- rule that uses one is told so, and never does less than it says.
local faults = require "hookline.faults"

local later = {}

later.names = {
  "oauth2",
}

--- A function that refuses `name`.
function later.refuse(name)
  return function()
    return faults.scope():refuse(name .. " is not there yet")
  end
end

--- Adds them all to the public table.
function later.add(hook)
  for _, name in ipairs(later.names) do
    hook[name] = later.refuse("hook." .. name)
  end
end

return later
