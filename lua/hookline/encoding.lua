-- The encodings of content. All of them begin with the JSON of a value, which the host turns into
-- the others token by token: so the order of keys, written numbers and the refusals are the same
-- for all.
local core = require "hookline.core"
local faults = require "hookline.faults"
local private = require "hookline.private"
local opaque = require "hookline.opaque"
local schema = require "hookline.schema"
local words = require "hookline.words"

local encoding = {}

local NO_RUN_ROOT = "record"

---@class hookline.Encoding
---@field is_json? boolean     what JSON gives is the body
---@field content_type string
---@field root_wraps boolean  root wraps the value in an object; else it names the outermost element
---@field has_types? boolean  what the catalogue says of chosen fields is told to encode
---@field encode fun(json: string, root?: string, event?: table, workflow?: table, types?: table):
--- string?, string?
---@field place table       where a template of the content stands
---@field fault fun(text: string): string?  why a text is not legal
---@field decode fun(text: string): any     a text, as transform gets it

local function as_it_is(text)
  return text
end

local function record_type(workflow)
  return workflow and workflow.record or NO_RUN_ROOT
end

-- text, dropped | nil, message.
local function note_dropped(text, dropped)
  if not text then
    return nil, dropped
  elseif dropped > 0 then
    private.note_dropped(dropped)
  end
  return text
end

local function json_fault(text)
  local is_legal, message = core.encode.check_json(text)
  return not is_legal and "the content is not legal JSON: " .. message or nil
end

local function xml_fault(text)
  local is_legal, message = core.encode.check_xml(text)
  return not is_legal and "the content is not legal XML: " .. message or nil
end

local BY_NAME = {
  json = {
    is_json = true,
    place = require "hookline.places.json",
    content_type = "application/json",
    root_wraps = true,
    encode = as_it_is,
    fault = json_fault,
    decode = core.json.decode,
  },
  xml = {
    place = require "hookline.places.xml",
    -- The body has no declaration, and some receivers guess another one.
    content_type = "application/xml; charset=utf-8",
    root_wraps = false,
    encode = function(json, root, _, workflow)
      return note_dropped(core.encode.xml(json, root or record_type(workflow)))
    end,
    fault = xml_fault,
    decode = as_it_is,
  },
  xml_extended = {
    place = require "hookline.places.xml",
    content_type = "application/xml; charset=utf-8",
    root_wraps = false,
    has_types = true,
    encode = function(json, root, event, workflow, types)
      root = root or record_type(workflow)
      if not event then
        return note_dropped(core.encode.xml_extended(json, root))
      end
      return note_dropped(core.encode.xml_extended(json, root, event.id, event.type, event.time,
        workflow.id, types))
    end,
    fault = xml_fault,
    decode = as_it_is,
  },
  form = {
    place = require "hookline.places.form",
    content_type = "application/x-www-form-urlencoded",
    root_wraps = true,
    encode = core.encode.form,
    fault = function() end,
    decode = as_it_is,
  },
}

--- The encoding of that name, or nil.
function encoding.named(name)
  return BY_NAME[name]
end

local NAMES = { "json", "xml", "xml_extended", "form" }

-- Words that others have for an encoding.
local function meant(wrong)
  local text = wrong:lower()
  if text:find("form", 1, true) or text:find("url", 1, true) then
    return "form"
  end
  return words.nearest(wrong, NAMES) or text:match "json" or text:match "xml"
end

--- For a schema: the key `encoding`.
encoding.RULE = {
  types = { "text" },
  check = function(value, scope, path)
    if BY_NAME[value] then
      return value
    end
    scope:error(path, "%s is no encoding; there are %s%s", words.show(value),
      words.list(NAMES, "and", true), words.did_you_mean(meant(value)))
    return nil
  end,
}

-- The event and the workflow at hand; none while a file is loaded.
local function current()
  if faults.is_loading() then
    return nil
  end
  return private.current()
end

-- A function of hook.encode. Without a root it is the record type of the workflow that runs.
local function encoder(name)
  local encode, wraps = BY_NAME[name].encode, BY_NAME[name].root_wraps
  return function(value, root)
    if root ~= nil and (type(root) ~= "string" or root == "") then
      return faults.scope():refuse("hook.encode.%s: the root is a name, not %s", name,
        words.kind(root))
    end
    local json, message = core.json.encode(wraps and root and { [root] = value } or value)
    local text
    if json then
      text, message = encode(json, root, current())
    end
    if not text then
      return faults.scope():refuse("hook.encode.%s: %s", name, message)
    end
    return text
  end
end

--- hook.encode.
encoding.functions = {}
for _, name in ipairs(NAMES) do
  encoding.functions[name] = encoder(name)
end

local PAIRS = schema.new {
  name = "hook.ordered",
  items = {
    types = { "table" },
    what = 'a pair, such as { "amount", 5 }',
    check = function(pair, scope, at)
      if type(pair[1]) ~= "string" then
        scope:error(at, "a pair begins with its name: { \"amount\", 5 }")
      end
      for key in pairs(pair) do
        if key ~= 1 and key ~= 2 then
          scope:error(at, "a pair is a name and one value, and nothing else")
          break
        end
      end
      return pair
    end,
  },
}

--- hook.ordered: an object whose names keep the order in which they are written.
function encoding.ordered(list)
  local scope = faults.scope()
  local result, seen = {}, {}
  for i, pair in ipairs(PAIRS:read(list, scope) or {}) do
    local name = pair[1]
    if type(name) == "string" and seen[name] then
      scope:error(("[%d]"):format(i), "%s stands twice", words.show(name))
    end
    seen[name or i] = true
    result[i] = pair
  end
  if scope.is_faulty then
    return opaque.broken(scope)
  end
  return core.ordered(result)
end

return encoding
