-- The body of a webhook: from its keys `content`, `transform` and `root` one function is made,
-- when it is declared, that renders the body for an event.
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

local function wrap(value, root)
  return root and { [root] = value } or value
end

-- Text that a function made goes out as it is, where it is legal.
local function judge_text(text)
  local value, message = decode(text)
  if value == nil then
    return text, "the content is not legal JSON: " .. message
  end
  return text, nil
end

-- What the function `what` returned, as a body. Returns text, and why it is not legal if it is
-- not.
local function finish(value, what, webhook)
  local scope = webhook.scope
  if type(value) == "string" then
    if webhook.root then
      scope:error(what, "returned text, which root cannot wrap; return a table")
    end
    return judge_text(value)
  elseif type(value) ~= "table" or opaque.name(value) then
    scope:error(what, "returned %s; a table or text is wanted", words.kind(value))
  end
  local text, message = encode(wrap(value, webhook.root), what)
  if not text then
    scope:error("", message)
  end
  return text, nil
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
      return decode(source)
    end
  end
  return function(event)
    return source(private.event(event))
  end
end

local function function_render(webhook)
  local source, transform = value_source(webhook), webhook.transform
  if not transform then
    return function(event)
      return finish(source(event), "content", webhook)
    end
  end
  return function(event)
    return finish(transform(source(event), private.event(event)), "transform", webhook)
  end
end

--- The names of the record's own fields that a content without functions reads.
function content.reads(source)
  local data = opaque.data(source, fields.KIND)
  return data and fields.reads(data) or {}
end

--- The function (event) -> body, and why it is not legal (or nil), of a webhook { content,
--- transform, root, scope } whose keys have been checked.
function content.renderer(webhook)
  local data = opaque.data(webhook.content, fields.KIND)
  if type(webhook.content) == "function" or webhook.transform then
    return function_render(webhook)
  elseif data then
    local plan = fields.plan(data, webhook.root)
    return function(event)
      return encode_fields(plan, event.record), nil
    end
  end
  return constant_render(webhook.content or "")
end

local function check_text(text, scope, path)
  if later.refuse_placeholder(text, "the text", scope, path) then
    return nil
  end
  local value, message = decode(text)
  if value == nil then
    scope:error(path, "the text is not legal JSON: " .. message)
    return nil
  end
  return text
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
    elseif type(value) == "string" then
      return check_text(value, scope, path)
    end
    return value
  end,
}

return content
