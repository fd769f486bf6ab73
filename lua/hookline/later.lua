-- Functions of the language that a later version brings. Each refuses itself by name, so that a
-- rule that uses one is told so, and never does less than it says.
local faults = require "hookline.faults"

local later = {}

local NAMES = {
  "daily", "weekly", "monthly", "date", "template", "template_file", "oauth2", "hmac",
}

--- A function that refuses `name`.
function later.refuse(name)
  return function()
    return faults.scope():refuse(name .. " is not there yet")
  end
end

--- Whether a text has a template's placeholder, and so was refused.
function later.refuse_placeholder(text, what, scope, path)
  local has_placeholder = text:find("{{", 1, true) or text:find("{%", 1, true)
  if has_placeholder then
    scope:error(path, "%s has a placeholder; templates are not there yet", what)
  end
  return has_placeholder ~= nil
end

--- Adds them all to the public table.
function later.add(hook)
  for _, name in ipairs(NAMES) do
    hook[name] = later.refuse("hook." .. name)
  end
end

return later
