-- hook.webhook: one request that a workflow owes. Its table is checked, and all of the request
-- that no event changes (its head, target, retry windows, the plan of its content) is made, when
-- it is declared.
local core = require "hookline.core"
local auth = require "hookline.auth"
local content = require "hookline.content"
local encoding = require "hookline.encoding"
local faults = require "hookline.faults"
local headers = require "hookline.headers"
local head = require "hookline.head"
local opaque = require "hookline.opaque"
local retry = require "hookline.retry"
local schema = require "hookline.schema"
local sign = require "hookline.sign"
local template = require "hookline.template"
local words = require "hookline.words"

local webhook = {}

webhook.KIND = opaque.kind "hook.webhook"

local METHODS = { "GET", "POST", "PUT", "PATCH", "DELETE" }
local HAS_CONTENT = { POST = true, PUT = true, PATCH = true }
local CONTENT_KEYS = { "encoding", "content", "content_type", "root", "transform" }
local TIMEOUT_MIN_MS, TIMEOUT_MAX_MS = 1000, 100000

local function check_method(value, scope, path)
  for _, method in ipairs(METHODS) do
    if value == method then
      return value
    end
  end
  scope:error(path, "%s is none of %s%s", words.show(value), words.list(METHODS, "and"),
    words.did_you_mean(core.nearest(value:upper(), METHODS)))
  return nil
end

local function check_content_type(value, scope, path)
  if value:find "^[%w!#$&^_.+-]+/[%w!#$&^_.+-]+%s*;?[^%c]*$" then
    return value
  end
  scope:error(path, "%s is no content type, such as application/json", words.show(value))
  return nil
end

local function check_timeout(value, scope, path)
  local ms = core.duration(value)
  if not ms or ms < TIMEOUT_MIN_MS or ms > TIMEOUT_MAX_MS then
    scope:error(path, "%s is no timeout from 1s to 100s, such as \"10s\"", words.show(value))
    return nil
  end
  return ms
end

local function check_root(value, scope, path)
  if value == "" or value:find "%c" then
    scope:error(path, "wants the name of the object that wraps the content")
    return nil
  end
  return value
end

local function check_order(value, scope, path)
  if value ~= "record" and value ~= "latest" then
    scope:error(path, 'wants "record" or "latest", not %s', words.show(value))
    return nil
  end
  return value
end

--- For a schema: the key `order`.
webhook.ORDER_RULE = { types = { "text" }, what = '"record" or "latest"', check = check_order }

local OPTIONS = schema.new {
  name = "hook.webhook",
  keys = {
    name = { types = { "text" } },
    method = { types = { "text" }, required = 'method = "POST"', check = check_method },
    url = {
      types = { "text" },
      required = 'url = "https://app.example.com/path"',
      check = head.check_url,
    },
    auth = auth.RULE,
    headers = headers.RULE,
    encoding = encoding.RULE,
    content_type = { types = { "text" }, check = check_content_type },
    content = content.RULE,
    root = { types = { "text" }, check = check_root },
    transform = { types = { "function" } },
    timeout = {
      types = { "text" },
      wrong = { number = 'write it with its unit, "10s"' },
      check = check_timeout,
    },
    retry = retry.RULE,
    retry_on = retry.STATUSES,
    give_up_on = retry.STATUSES,
    success = { types = { "function" } },
    sign = sign.RULE,
    order = webhook.ORDER_RULE,
  },
  hints = {
    body = "content",
    data = "content",
    payload = "content",
    verb = "method",
    request_type = "method",
    callback_url = "url",
    uri = "url",
    authentication = "auth",
  },
}

-- The rule of which request types take a body, and must have one. options: as the rule wrote
-- them.
local function check_content_keys(options, values, scope)
  if not values.method then
    return
  elseif not HAS_CONTENT[values.method] then
    for _, key in ipairs(CONTENT_KEYS) do
      if options[key] ~= nil then
        scope:error(key, "%s has no content, so it takes no %s", values.method, key)
      end
    end
    return
  end
  if options.encoding == nil then
    scope:error("encoding", 'is missing: %s needs it, as in encoding = "json"', values.method)
  end
  if options.content == nil then
    scope:error("content", 'is missing: %s needs it, as in content = hook.fields { "id", "name" }',
      values.method)
  end
  if type(values.content) == "string" then
    if values.root then
      scope:error("root", "root wraps chosen fields or the table of a function, not text")
    elseif values.encoding then
      content.check_text(values.content, encoding.named(values.encoding), scope)
    end
  end
end

-- The header that says what the content is, unless a custom one does.
local function content_type(values, scope)
  for _, header in ipairs(values.headers or {}) do
    if header.name:lower() == "content-type" then
      if values.content_type then
        scope:error("headers", '"Content-Type" is what content_type gives: drop one of them')
      end
      return nil
    end
  end
  if values.method and HAS_CONTENT[values.method] then
    local used = encoding.named(values.encoding or "json")
    return { name = "Content-Type", value = values.content_type or used.content_type }
  end
  return nil
end

-- A function that is asked when an attempt has ended is found by its place in the workflow's list
-- of actions.
local function check_asked(values, scope)
  if faults.is_loading() then
    return
  elseif values.success then
    scope:error("success", "a webhook that a function makes is gone when the answer comes: write "
      .. "it in a list of actions, or use retry_on and give_up_on")
  elseif values.retry and values.retry.ask then
    scope:error("retry", "a webhook that a function makes is gone when the answer comes: give the "
      .. "workflow the function, or this webhook a hook.retry")
  end
end

-- The template of the content, compiled for the encoding.
local function compile_content(values, scope)
  local data = opaque.data(values.content, template.KIND)
  if not data then
    return nil
  elseif values.root then
    scope:error("root", "root wraps chosen fields or the table of a function, not a template")
  end
  return template.compile(data, encoding.named(values.encoding or "json").place, scope, "content")
end

-- What templates among the parts read.
local function uses_of(list)
  local uses = {}
  for _, one in ipairs(list) do
    table.move(one.uses, 1, #one.uses, #uses + 1, uses)
  end
  return uses
end

--- A webhook. Its data: { scope, head, target, render_head, policy, timeout_ms, render,
--- has_functions, paths, uses, secrets }. render_head: where templates are in it (head.lua).
function webhook.new(options)
  local scope = faults.scope()
  local values = OPTIONS:read(options, scope)
  local data = { scope = scope }
  if not values then
    return opaque.new(webhook.KIND, data)
  end
  check_content_keys(options, values, scope)
  check_asked(values, scope)
  local content_template = compile_content(values, scope)
  local parts = head.parts(values, content_type(values, scope), scope)
  if not scope.is_faulty then
    data.head, data.target, data.render_head = parts.head, parts.target, parts.render
    data.policy = { retry = values.retry, retry_on = values.retry_on,
      give_up_on = values.give_up_on, success = values.success }
    data.timeout_ms, data.order = values.timeout, values.order
    data.secrets = parts.secrets
    data.has_functions = values.transform ~= nil or type(values.content) == "function"
    data.paths = content.paths(values.content)
    table.insert(parts.templates, content_template)
    data.uses = uses_of(parts.templates)
    data.types = {} -- by record type, when a workflow has it
    data.content, data.encoding = values.content, encoding.named(values.encoding or "json")
    data.render = content.renderer {
      encoding = data.encoding,
      types = data.types,
      content = values.content,
      template = content_template,
      transform = values.transform,
      root = values.root,
      scope = scope,
    }
  end
  return opaque.new(webhook.KIND, data)
end

return webhook
