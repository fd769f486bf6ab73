-- The body of a webhook: from its keys `encoding`, `content`, `transform` and `root` one function
-- is made, when it is declared, that renders the body for an event.
local core = require "hookline.core"
local fields = require "hookline.fields"
local later = require "hookline.later"
local opaque = require "hookline.opaque"
local private = require "hookline.private"
local words = require "hookline.words"

local content = {}

local encode = core.json.encode
local decode = core.json.decode
local encode_fields = core.json.fields

-- The root as an object around the value, and the root that is left for the encoding.
local function wrapping_root(webhook)
  return webhook.encoding.root_wraps and webhook.root or nil
end

local function encode_value(value, what, webhook, event, description)
  local scope, root = webhook.scope, wrapping_root(webhook)
  local text, message = encode(root and { [root] = value } or value, what)
  if not text then
    scope:error("", message)
  end
  text, message = webhook.encoding.encode(text, webhook.root, event, description)
  if not text then
    scope:error(what, message)
  end
  return text, nil
end

-- What the function `what` returned, as a body. Text goes out as it is, where it is legal. Returns
-- text, and why it is not legal if it is not.
local function finish(value, what, webhook, event, description)
  local scope = webhook.scope
  if type(value) == "string" then
    if webhook.root then
      scope:error(what, "returned text, which root cannot wrap; return a table")
    end
    return value, webhook.encoding.fault(value)
  elseif type(value) ~= "table" or opaque.name(value) then
    scope:error(what, "returned %s; a table or text is wanted", words.kind(value))
  end
  return encode_value(value, what, webhook, event, description)
end

local function constant_render(text)
  return function()
    return text, nil
  end
end

-- The Lua value of the content, before transform gets it.
local function value_source(webhook)
  local source = webhook.content
  local data = opaque.data(source, fields.KIND)
  if data then
    local plan = fields.plan(data)
    return function(event)
      return decode(encode_fields(plan, event.record))
    end
  elseif type(source) == "string" then
    return function()
      return (webhook.encoding.decode(source))
    end
  end
  return function(event)
    return source(private.event(event))
  end
end

local function function_render(webhook)
  local source, transform = value_source(webhook), webhook.transform
  if not transform then
    return function(event, description)
      return finish(source(event), "content", webhook, event, description)
    end
  end
  return function(event, description)
    local value = transform(source(event), private.event(event))
    return finish(value, "transform", webhook, event, description)
  end
end

local function fields_render(data, webhook)
  local plan = fields.plan(data, wrapping_root(webhook))
  if webhook.encoding.is_json then
    return function(event)
      return encode_fields(plan, event.record), nil
    end
  end
  local encode_json, root, scope = webhook.encoding.encode, webhook.root, webhook.scope
  return function(event, description)
    local text, message =
      encode_json(encode_fields(plan, event.record), root, event, description)
    if not text then
      scope:error("content", message)
    end
    return text, nil
  end
end

--- The names of the record's own fields that a content without functions reads.
function content.reads(source)
  local data = opaque.data(source, fields.KIND)
  return data and fields.reads(data) or {}
end

--- The function (event, workflow's description) -> body, and why it is not legal (or nil), of a
--- webhook { encoding (as encoding.named gives it), content, transform, root, scope } whose keys
--- have been checked.
function content.renderer(webhook)
  local data = opaque.data(webhook.content, fields.KIND)
  if type(webhook.content) == "function" or webhook.transform then
    return function_render(webhook)
  elseif data then
    return fields_render(data, webhook)
  end
  return constant_render(webhook.content or "")
end

--- Reports, at the key `content`, a constant text that is not legal in the encoding.
function content.check_text(text, used, scope)
  local message = used.fault(text)
  if message then
    scope:error("content", (message:gsub("^the content", "the text")))
  end
end

--- For a schema: the key `content`.
content.RULE = {
  types = { "hook.fields", "function", "text" },
  wrong = {
    table = 'hook.fields { "amount" } chooses fields, and a function(event) can return any table',
  },
  check = function(value, scope, path)
    local data = opaque.data(value, fields.KIND)
    if data then
      scope:adopt(data.scope, path)
    elseif type(value) == "string"
      and later.refuse_placeholder(value, "the text", scope, path) then
      return nil
    end
    return value
  end,
}

return content
