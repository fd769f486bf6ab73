-- The body of a webhook: from its keys `encoding`, `content`, `transform` and `root` one function
-- is made, when it is declared, that renders the body for an event.
local core = require "hookline.core"
local fields = require "hookline.fields"
local opaque = require "hookline.opaque"
local private = require "hookline.private"
local template = require "hookline.template"
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

-- What is rendered is parsed again: nothing that is not legal goes out.
local function template_render(webhook)
  local render, fault = webhook.template.render, webhook.encoding.fault
  return function(event, description)
    local text = render(event, description)
    return text, fault(text)
  end
end

local function constant_render(text)
  return function()
    return text, nil
  end
end

-- The Lua value of the content, before transform gets it. Of a template that is not legal: nil,
-- what was rendered, why.
local function value_source(webhook)
  local source = webhook.content
  local data = opaque.data(source, fields.KIND)
  if data then
    local plan = fields.plan(data)
    return function(event)
      return decode(encode_fields(plan, event.record))
    end
  elseif webhook.template then
    local render = template_render(webhook)
    return function(event, description)
      local text, fault = render(event, description)
      if fault then
        return nil, text, fault
      end
      return (webhook.encoding.decode(text))
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
    local given, text, fault = source(event, description)
    if fault then
      return text, fault
    end
    local value = transform(given, private.event(event))
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
  local types_of = webhook.types
  return function(event, description)
    local text, message = encode_json(encode_fields(plan, event.record), root, event, description,
      types_of[description.record])
    if not text then
      scope:error("content", message)
    end
    return text, nil
  end
end

--- The paths into the record that a content of chosen fields reads, each a list of names.
function content.paths(source)
  local data = opaque.data(source, fields.KIND)
  return data and fields.paths(data) or {}
end

--- The function (event, workflow's description) -> body, and why it is not legal (or nil), of a
--- webhook { encoding (as encoding.named gives it), content, template (the content compiled, where
--- it is one), transform, root, types, scope } whose keys have been checked.
function content.renderer(webhook)
  local data = opaque.data(webhook.content, fields.KIND)
  if type(webhook.content) == "function" or webhook.transform then
    return function_render(webhook)
  elseif data then
    return fields_render(data, webhook)
  elseif webhook.template then
    return template_render(webhook)
  end
  return constant_render(webhook.content or "")
end

--- What a catalogue says of the chosen fields, as the encoding takes it; nil where it does not
--- matter.
function content.types(source, used, catalogue)
  local data = used.has_types and opaque.data(source, fields.KIND)
  return data and fields.types(data, catalogue) or nil
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
  types = { "hook.fields", "hook.template", "function", "text" },
  wrong = {
    table = 'hook.fields { "amount" } chooses fields, and a function(event) can return any table',
  },
  check = function(value, scope, path)
    local data = opaque.data(value, fields.KIND) or opaque.data(value, template.KIND)
    if data then
      scope:adopt(data.scope, path)
    elseif type(value) == "string" and template.is_in(value) then
      scope:error(path, "this text goes out as it is, placeholders too: write hook.template "
        .. "[=[ ... ]=] for them to be filled in")
      return nil
    end
    return value
  end,
}

return content
