-- hook.verify.*: how the sender of a foreign event proves that it is the one. The forms are data;
-- the host checks them before the adapter runs, and no secret's value comes into Lua. A second
-- secret, as a list of two, holds while keys are rotated.
local core = require "hookline.core"
local faults = require "hookline.faults"
local headers = require "hookline.headers"
local keys = require "hookline.keys"
local opaque = require "hookline.opaque"
local schema = require "hookline.schema"
local words = require "hookline.words"

local verify = {}

verify.KIND = opaque.kind "hook.verify"

local TOLERANCE_MS = 5 * 60 * 1000 -- Standard Webhooks 1.0.0, "Verifying webhook authenticity"

local function new(scope, data)
  data.scope = scope
  return opaque.new(verify.KIND, data)
end

local function check_tolerance(value, scope, path)
  local ms = core.duration(value)
  if not ms or ms < 1000 then
    scope:error(path, '%s is no tolerance of a second or more, such as "5m"', words.show(value))
    return nil
  end
  return ms
end

local TIMED = schema.new {
  name = "the second argument",
  keys = { tolerance = { types = { "text" }, check = check_tolerance } },
}

local function timed(form)
  return function(secret, options)
    local scope = faults.scope()
    local values = options ~= nil and TIMED:read(options, scope) or {}
    return new(scope, {
      form = form,
      secrets = keys.names(secret, scope, ""),
      tolerance_ms = values.tolerance or TOLERANCE_MS,
    })
  end
end

local functions = {}

--- Standard Webhooks 1.0.0: webhook-id, webhook-timestamp and webhook-signature.
functions.standard = timed "standard"

--- Stripe's form: Stripe-Signature: t=TIME,v1=HEX, over "TIME.BODY".
functions.stripe = timed "stripe"

local HMAC = schema.new {
  name = "hook.verify.hmac",
  keys = {
    header = {
      types = { "text" },
      required = 'header = "X-Signature"',
      check = headers.NAME_RULE.check,
    },
    key = { types = keys.TYPES, required = 'key = hook.secret "NAME"' },
    encoding = keys.ENCODING_RULE,
    prefix = { types = { "text" } },
  },
}

--- HMAC-SHA256 of the body in a header.
function functions.hmac(options)
  local scope = faults.scope()
  local values = HMAC:read(options, scope) or {}
  return new(scope, {
    form = "hmac",
    header = values.header,
    prefix = values.prefix or "",
    is_base64 = values.encoding == "base64",
    secrets = values.key and keys.names(values.key, scope, "key") or {},
  })
end

--- GitHub's form: X-Hub-Signature-256: sha256=HEX, over the body.
function functions.github(secret)
  local scope = faults.scope()
  return new(scope, {
    form = "hmac",
    header = "X-Hub-Signature-256",
    prefix = "sha256=",
    is_base64 = false,
    secrets = keys.names(secret, scope, ""),
  })
end

local TOKEN = schema.new {
  name = "the second argument of hook.verify.token",
  keys = {
    header = headers.NAME_RULE,
    query = { types = { "text" } },
  },
}

--- A token that the sender repeats: Authorization: Bearer TOKEN, another header as it is, or a
--- query parameter.
function functions.token(secret, options)
  local scope = faults.scope()
  local values = options ~= nil and TOKEN:read(options, scope) or {}
  if values.header and values.query then
    scope:error("query", "the token comes in a header or in the query, not in both")
  end
  local is_bearer = not values.header and not values.query
  return new(scope, {
    form = "token",
    header = values.header or is_bearer and "Authorization" or nil,
    query = values.query,
    prefix = is_bearer and "Bearer " or "",
    secrets = keys.names(secret, scope, ""),
  })
end

--- hook.verify.
verify.functions = functions

--- For a schema: the key `verify`, checked to its data { form, secrets, header, query, prefix,
--- is_base64, tolerance_ms }.
verify.RULE = {
  types = { verify.KIND.__name },
  wrong = {
    ["hook.secret"] = 'write hook.verify.token(hook.secret "NAME")',
    ["function"] = "the host checks it; hook.verify.github, .stripe, .standard, .hmac and .token "
      .. "say how",
  },
  check = function(value, scope, path)
    local data = opaque.data(value, verify.KIND)
    scope:adopt(data.scope, path)
    return data
  end,
}

return verify
