-- Secrets: only their names are in Lua. The value is read by the host when a request is sent.
local faults = require "hookline.faults"
local opaque = require "hookline.opaque"
local words = require "hookline.words"

local secret = {}

local SECRET
local NAME_BYTES_MAX = 64 -- as `hookline secrets set` has it

-- "Token " .. hook.secret "KEY": a constant prefix, for a header's value.
local function concat(left, right)
  local scope = faults.scope()
  local data = opaque.data(right, SECRET)
  if type(left) == "number" then
    left = tostring(left)
  end
  if not data or type(left) ~= "string" then
    return scope:refuse('a secret may have text in front of it, as in "Token " .. hook.secret '
      .. '"KEY", and nothing behind it')
  end
  return opaque.new(SECRET, { name = data.name, prefix = left .. data.prefix })
end

SECRET = opaque.kind("hook.secret", { __concat = concat })
secret.KIND = SECRET

--- A secret by its name: DATA/secrets/NAME, else the environment's HOOKLINE_SECRET_NAME.
function secret.new(name)
  local scope = faults.scope()
  if scope:passes_over(name, "") then
    return opaque.broken(scope)
  elseif type(name) ~= "string" or not name:find "^%u[%u%d_]*$" or #name > NAME_BYTES_MAX then
    return scope:refuse("hook.secret wants a name of capital letters, digits and _, a letter "
      .. "first, such as INVOICE_PASSWORD, not %s", words.show(name))
  end
  return opaque.new(SECRET, { name = name, prefix = "" })
end

--- { name, prefix } of a secret, nil for any other value.
function secret.data(value)
  return opaque.data(value, SECRET)
end

return secret
