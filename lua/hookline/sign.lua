-- How a webhook is signed: the key `sign`, and hook.hmac. What it gives are lines of the request's
-- head, which the sender fills in at each attempt.
local faults = require "hookline.faults"
local headers = require "hookline.headers"
local keys = require "hookline.keys"
local opaque = require "hookline.opaque"
local schema = require "hookline.schema"
local secrets = require "hookline.secret"

local sign = {}

sign.KIND = opaque.kind "hook.hmac"

local SIGNED, VALUE = { "id", "timestamp", "body" }, { "id", "timestamp", "signature" }

-- A text whose placeholders are among names; `needed` is one that it must have.
local function check_text(names, needed)
  return function(value, scope, path)
    for name in value:gmatch "{([%w_]+)}" do
      local is_known = false
      for _, known in ipairs(names) do
        is_known = is_known or name == known
      end
      if not is_known then
        scope:error(path, "there is no {%s} here; there are {%s}", name,
          table.concat(names, "}, {"))
        return nil
      end
    end
    if not value:find("{" .. needed .. "}", 1, true) then
      scope:error(path, "has no {%s} in it", needed)
      return nil
    end
    return value
  end
end

local check_value_text = check_text(VALUE, "signature")

local function check_value(value, scope, path)
  return headers.check_value(value, scope, path) and check_value_text(value, scope, path)
end

local HMAC = schema.new {
  name = "hook.hmac",
  keys = {
    header = {
      types = { "text" },
      required = 'header = "X-Signature"',
      check = headers.NAME_RULE.check,
    },
    key = {
      types = { secrets.KIND.__name },
      wrong = { text = 'the key is a secret, hook.secret "NAME"' },
      required = 'key = hook.secret "NAME"',
      check = keys.check,
    },
    signed = { types = { "text" }, check = check_text(SIGNED, "body") },
    value = { types = { "text" }, check = check_value },
    encoding = keys.ENCODING_RULE,
    timestamp_header = headers.NAME_RULE,
  },
}

--- A signature of another form: HMAC-SHA256 of `signed`, in a header.
function sign.hmac(options)
  local scope = faults.scope()
  local values = HMAC:read(options, scope)
  local data = { scope = scope }
  if values and not scope.is_faulty then
    local timestamp = values.timestamp_header
    if timestamp and timestamp:lower() == values.header:lower() then
      scope:error("timestamp_header", "is the header of the signature itself: give another one")
    end
    data.headers = { values.header, timestamp }
    data.secrets = { {
      kind = "hmac",
      secret = values.key,
      key = values.header,
      timestamp = timestamp or "",
      signed = values.signed or "{body}",
      value = values.value or "{signature}",
      is_base64 = values.encoding == "base64",
    } }
  end
  return opaque.new(sign.KIND, data)
end

--- For a schema: the key `sign`, checked to { headers, secrets }: the names of the headers that it
--- gives, and its lines of the head.
sign.RULE = {
  types = { secrets.KIND.__name, "table", sign.KIND.__name },
  what = 'hook.secret "NAME", a list of two, or hook.hmac { ... }',
  wrong = { text = 'the key is a secret, hook.secret "NAME"' },
  check = function(value, scope, path)
    local data = opaque.data(value, sign.KIND)
    if data then
      scope:adopt(data.scope, path)
      return data.secrets and data or nil
    end
    local result = { headers = {}, secrets = {} }
    for i, name in ipairs(keys.names(value, scope, path)) do
      result.secrets[i] = { kind = "sign", secret = name }
    end
    return result
  end,
}

return sign
