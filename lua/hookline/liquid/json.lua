-- A value as JSON.
local core = require "hookline.core"
local faults = require "hookline.liquid.faults"
local values = require "hookline.liquid.values"

local encode = core.json.encode

--- The JSON of any value of a template; what only templates have is a list or a text.
return function(value)
  if type(value) == "table" then
    local what = values.kind(value)
    if what == "range" then
      value = core.array(values.list(value))
    elseif what == "special" or what == "drop" then
      value = values.text(value)
    end
  end
  local text, message = encode(value)
  if not text then
    faults.raise(nil, "json: %s", message)
  end
  return text
end
