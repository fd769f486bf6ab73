-- hook.oauth2: an access token of a token server (RFC 6749 section 4.4, client credentials). What
-- it gives is a line of the request's head; the sender gets the token.
local core = require "hookline.core"
local keys = require "hookline.keys"
local schema = require "hookline.schema"
local secrets = require "hookline.secret"
local template = require "hookline.template"
local words = require "hookline.words"

local oauth2 = {}

local PLACES = { "basic", "body" }
-- Parameters that have a key of their own here, or that make it another grant.
local OWN = { "client_id", "client_secret", "grant_type", "scope" }

local function check_url(value, scope, path)
  if template.is_in(value) then
    scope:error(path, "takes no template: all events have the same token server")
    return nil
  end
  local target, message = core.http.target(value)
  if not target then
    scope:error(path, message)
    return nil
  elseif value:find "^[Hh][Tt][Tt][Pp]:" then
    scope:warning(path, "the client's secret and the token go over the net unencrypted: use https")
  end
  return value
end

local function check_text(value, scope, path)
  if value == "" or value:find "%c" then
    scope:error(path, "wants text without control characters, not %s", words.show(value))
    return nil
  end
  return value
end

local SCOPES = schema.new {
  name = "the list of scopes",
  items = { types = { "text" }, what = 'a scope, "invoices.write"', least = 1, check = check_text },
}

-- A text, or a list of them, which are parted by spaces.
local function check_scope(value, scope, path)
  if type(value) == "string" then
    return check_text(value, scope, path)
  end
  local list = SCOPES:read(value, scope, path)
  return list and table.concat(list, " ")
end

local function check_place(value, scope, path)
  for _, place in ipairs(PLACES) do
    if value == place then
      return value
    end
  end
  scope:error(path, 'wants "basic" or "body", not %s', words.show(value))
  return nil
end

local function is_own(name)
  for _, own in ipairs(OWN) do
    if name == own then
      return true
    end
  end
  return false
end

-- More parameters, by name: checked to the form that they make.
local function check_params(value, scope, path)
  for key in pairs(value) do
    if type(key) ~= "string" then
      scope:error(path, "takes names as keys")
      return nil
    end
  end
  local form = {}
  for _, name in ipairs(words.sorted_keys(value)) do
    local at, given = ('%s["%s"]'):format(path, name), value[name]
    if is_own(name) then
      scope:error(at, name == "grant_type" and "is client_credentials, and no other"
        or ("is no parameter to give here: hook.oauth2 has the key %s"):format(name))
    elseif secrets.data(given) then
      scope:error(at, "takes no secret: only client_secret is one")
    elseif type(given) ~= "string" and math.type(given) ~= "integer" then
      if not scope:passes_over(given, at) then
        scope:error(at, "wants text, not %s", words.kind(given))
      end
    else
      form[#form + 1] = ("&%s=%s"):format(core.percent(name), core.percent(tostring(given)))
    end
  end
  return table.concat(form)
end

local OPTIONS = schema.new {
  name = "hook.oauth2",
  keys = {
    token_url = {
      types = { "text" },
      required = 'token_url = "https://login.example.com/oauth2/token"',
      check = check_url,
    },
    client_id = { types = { "text" }, required = 'client_id = "crm"', check = check_text },
    client_secret = {
      types = { secrets.KIND.__name },
      wrong = { text = 'write client_secret = hook.secret "NAME"' },
      required = 'client_secret = hook.secret "NAME"',
      check = keys.check,
    },
    scope = { types = { "text", "table" }, check = check_scope },
    client_auth = { types = { "text" }, what = '"basic" or "body"', check = check_place },
    params = { types = { "table" }, check = check_params },
  },
  hints = {
    audience = "params",
    resource = "params",
    auth_style = "client_auth",
    id = "client_id",
    scopes = "scope",
    secret = "client_secret",
    url = "token_url",
  },
}

--- The place of the token in the request's head, or nil after a fault.
function oauth2.read(options, scope)
  local values = OPTIONS:read(options, scope)
  if not values or not (values.token_url and values.client_id and values.client_secret) then
    return nil
  end
  local asked = values.scope and "&scope=" .. core.percent(values.scope) or ""
  return {
    kind = "oauth2",
    secret = values.client_secret,
    key = values.client_id,
    token_url = values.token_url,
    is_in_body = values.client_auth == "body",
    form = "grant_type=client_credentials" .. asked .. (values.params or ""),
  }
end

return oauth2
