-- What hook functions give to a rule: handles. A rule can pass a handle on and nothing else; what
-- is behind it stays with the library, so that it is checked once, where it is made.
local core = require "hookline.core"

local opaque = {}

local contents = setmetatable({}, { __mode = "k" })

local function refuse_write(handle)
  error(opaque.name(handle) .. " cannot be changed", 2)
end

--- A new kind of handle. `name` is what messages call it ("hook.webhook"); metamethods may add to
--- it.
function opaque.kind(name, metamethods)
  local kind = {
    __name = name,
    __metatable = name,
    __newindex = refuse_write,
    __tostring = function()
      return name
    end,
  }
  for key, value in pairs(metamethods or {}) do
    kind[key] = value
  end
  core.mark_handles(kind)
  return kind
end

function opaque.new(kind, data)
  local handle = setmetatable({}, kind)
  contents[handle] = { kind = kind, data = data }
  return handle
end

--- What is behind a handle of that kind, else nil.
function opaque.data(value, kind)
  local content = contents[value]
  if content and content.kind == kind then
    return content.data
  end
  return nil
end

--- "hook.webhook" for a handle of that kind, nil for any other value.
function opaque.name(value)
  local content = value ~= nil and contents[value]
  return content and content.kind.__name or nil
end

--- What a hook function returns after a fault, where nothing better can be returned: takes calls,
--- names as keys and `..`, and every check passes over it, so that one mistake is reported once.
local BROKEN
BROKEN = opaque.kind("a value that was refused", {
  __concat = function(left, right)
    return opaque.is_broken(left) and left or right
  end,
  __call = function(handle)
    return handle
  end,
  __index = function(handle, key)
    if math.type(key) == "integer" then
      return nil -- a loop over it ends
    end
    return handle
  end,
})

--- scope: of the call, for who takes the value to adopt.
function opaque.broken(scope)
  return opaque.new(BROKEN, { scope = scope })
end

--- The data { scope } of such a value, nil for any other.
function opaque.broken_data(value)
  return opaque.data(value, BROKEN)
end

function opaque.is_broken(value)
  return opaque.data(value, BROKEN) ~= nil
end

return opaque
