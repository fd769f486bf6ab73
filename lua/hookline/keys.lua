-- Keys of signatures: one secret, or a list of two while keys are rotated. Only their names are in
-- Lua.
local opaque = require "hookline.opaque"
local schema = require "hookline.schema"
local secrets = require "hookline.secret"
local words = require "hookline.words"

local keys = {}

local KEYS_MAX = 2

--- For a schema: the types of such a value.
keys.TYPES = { secrets.KIND.__name, "table" }

--- For a schema: how a signature is written, "hex" or "base64".
keys.ENCODING_RULE = {
  types = { "text" },
  check = function(value, scope, path)
    if value ~= "hex" and value ~= "base64" then
      scope:error(path, '%s is no encoding of a signature; there are "hex" and "base64"',
        words.show(value))
    end
    return value
  end,
}

--- The name of a secret that stands alone, with no text in front of it.
function keys.check(value, scope, path)
  local data = secrets.data(value)
  if data.prefix ~= "" then
    scope:error(path, "the secret stands alone here, with no text in front of it")
  end
  return data.name
end

local LIST = schema.new {
  name = "the list of secrets",
  items = {
    types = { secrets.KIND.__name },
    what = 'hook.secret "NAME"',
    least = 1,
    most = KEYS_MAX,
    check = keys.check,
  },
}

--- The names of one secret or a list of them, which stands at a path of the scope's table.
function keys.names(value, scope, path)
  if scope:passes_over(value, path) then
    return {}
  elseif secrets.data(value) then
    return { keys.check(value, scope, path) }
  elseif type(value) ~= "table" or opaque.name(value) then
    scope:error(path, 'wants hook.secret "NAME", or a list of two while keys are rotated, not %s',
      words.kind(value))
    return {}
  end
  return LIST:read(value, scope, path) or {}
end

return keys
