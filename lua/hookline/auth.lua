-- Authentication of a webhook: what hook.basic, hook.api_key, hook.bearer and hook.oauth2 add to
-- its request.
-- The result is one of
--   header = { name, value }          in plain text
--   query  = { key, value }           in plain text
--   secret = { kind, secret, key, prefix }   for the sender to fill in
local core = require "hookline.core"
local faults = require "hookline.faults"
local headers = require "hookline.headers"
local oauth2 = require "hookline.oauth2"
local opaque = require "hookline.opaque"
local schema = require "hookline.schema"
local secrets = require "hookline.secret"
local words = require "hookline.words"

local auth = {}

auth.KIND = opaque.kind "hook.basic, hook.api_key, hook.bearer or hook.oauth2"

-- A password, key or token: a secret (its data), or plain text.
local function credential(value, what, scope)
  local data = secrets.data(value)
  if scope:passes_over(value, "") then
    return nil
  elseif data then
    return data
  elseif type(value) ~= "string" or value == "" then
    scope:error("", "%s must be hook.secret \"NAME\" or text, not %s", what, words.show(value))
    return nil
  end
  scope:warning("", "%s is plain text here, and so in the store and in what the host shows; "
    .. 'hook.secret "NAME" keeps it out', what)
  return { text = headers.check_value(value, scope, "") }
end

local function takes_no_more(scope, message, ...)
  if select("#", ...) > 0 then
    scope:error("", message)
  end
end

local function result(scope, data)
  data.scope = scope
  return opaque.new(auth.KIND, data)
end

local function header_auth(scope, name, prefix, value)
  if not value then
    return result(scope, {})
  elseif value.name then
    prefix = prefix .. value.prefix
    local place = { kind = "header", secret = value.name, key = name, prefix = prefix }
    return result(scope, { secret = place })
  end
  return result(scope, { header = { name, prefix .. (value.text or "") } })
end

--- Authorization: Basic, of a user and a password.
function auth.basic(user, password, ...)
  local scope = faults.scope()
  takes_no_more(scope, "hook.basic takes a user and a password", ...)
  if scope:passes_over(user, "") then
    user = ""
  elseif type(user) ~= "string" or user == "" or user:find(":", 1, true) then
    scope:error("", "the user of hook.basic is text without a colon, not %s", words.show(user))
    user = ""
  end
  headers.check_value(user, scope, "")
  local value = credential(password, "the password of hook.basic", scope)
  if not value then
    return result(scope, {})
  elseif value.prefix and value.prefix ~= "" then
    scope:error("", "the password of hook.basic is the secret alone, with no text in front of it")
  elseif value.name then
    return result(scope, { secret = { kind = "basic", secret = value.name, key = user } })
  end
  local pair = core.base64(user .. ":" .. (value.text or ""))
  return result(scope, { header = { "Authorization", "Basic " .. pair } })
end

local API_KEY = schema.new {
  name = "the second argument of hook.api_key",
  keys = {
    header = headers.NAME_RULE,
    prefix = { types = { "text" }, check = headers.check_value },
    query = {
      types = { "text" },
      check = function(key, scope, path)
        if key == "" then
          scope:error(path, "the name of the query parameter is empty")
          return nil
        end
        return key
      end,
    },
  },
}

--- A key: Authorization: Token KEY, or another header and prefix, or a query parameter.
function auth.api_key(key, options, ...)
  local scope = faults.scope()
  takes_no_more(scope, "hook.api_key takes a key and its options", ...)
  local values = options ~= nil and API_KEY:read(options, scope) or {}
  local value = credential(key, "the key of hook.api_key", scope)
  if values.query and (values.header or values.prefix) then
    scope:error("query", "a key goes into a header or into the query, not into both")
  end
  if not values.query then
    local prefix = values.prefix or (values.header and "" or "Token ")
    return header_auth(scope, values.header or "Authorization", prefix, value)
  elseif not value then
    return result(scope, {})
  elseif value.name then
    if value.prefix ~= "" then
      scope:error("", "a secret in the query stands alone, with no text in front of it")
    end
    return result(scope, { secret = { kind = "query", secret = value.name, key = values.query } })
  end
  return result(scope, { query = { values.query, value.text or "" } })
end

--- Authorization: Bearer TOKEN.
function auth.bearer(token, ...)
  local scope = faults.scope()
  takes_no_more(scope, "hook.bearer takes a token; hook.api_key takes options", ...)
  local value = credential(token, "the token of hook.bearer", scope)
  return header_auth(scope, "Authorization", "Bearer ", value)
end

--- Authorization: Bearer TOKEN, of a token that the sender gets from a token server.
function auth.oauth2(options, ...)
  local scope = faults.scope()
  takes_no_more(scope, "hook.oauth2 takes one table", ...)
  return result(scope, { secret = oauth2.read(options, scope) })
end

--- For a schema: the key that is an auth, checked to what it adds.
auth.RULE = {
  types = { auth.KIND.__name },
  wrong = {
    ["hook.secret"] = 'write hook.bearer(hook.secret "NAME") or hook.api_key(hook.secret "NAME")',
    text = 'write hook.bearer(hook.secret "NAME") or hook.api_key(hook.secret "NAME")',
  },
  check = function(value, scope, path)
    local data = opaque.data(value, auth.KIND)
    scope:adopt(data.scope, path)
    return data
  end,
}

return auth
