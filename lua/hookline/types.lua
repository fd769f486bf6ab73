-- hook.type: what a file of types/ returns, a catalogue of a record type: its fields, what kind of
-- value each has, and what people call it. It is optional. It changes nothing of what conditions
-- hold for: `check` warns by it, editors complete by it, and XML (extended) has its types.
local core = require "hookline.core"
local faults = require "hookline.faults"
local loading = require "hookline.loading"
local modules = require "hookline.modules"
local opaque = require "hookline.opaque"
local paths = require "hookline.paths"
local schema = require "hookline.schema"
local words = require "hookline.words"

local types = {}

types.KIND = opaque.kind "hook.type"

local FOLDER = "types/"
local DEPTH_MAX = 8 -- of fields within fields

--- The kinds of field, and how each reads in a sentence.
types.WORDS = {
  text = "text",
  integer = "a whole number",
  decimal = "a number",
  boolean = "true or false",
  date = "a date",
  datetime = "a date and time",
  choice = "a choice",
  choices = "a list of choices",
  record = "a record",
  list = "a list",
  any = "anything",
}

local NAMES = words.sorted_keys(types.WORDS)

-- What other systems call them.
local ELSEWHERE = {
  string = "text", number = "decimal", float = "decimal", int = "integer", bool = "boolean",
  checkbox = "boolean", timestamp = "datetime", time = "datetime", dropdown = "choice",
  enum = "choice", select = "choice", multiselect = "choices", object = "record",
  table = "record", lookup = "record", array = "list",
}

local function check_type(value, scope, path)
  if types.WORDS[value] then
    return value
  end
  scope:error(path, "%s is none of %s%s", words.show(value), words.list(NAMES, "and"),
    words.did_you_mean(ELSEWHERE[value:lower()] or words.nearest(value, NAMES)))
  return nil
end

local CHOICES = schema.new {
  name = "choices",
  items = {
    types = { "text", "number" },
    what = "one choice, such as \"Won\"",
    least = 1,
    check = function(value, scope, path)
      if value == "" then
        scope:error(path, "is empty, which is no choice: a field may be empty at any time")
        return nil
      end
      return value
    end,
  },
}

local read_field, read_fields -- each is within the other

local FIELD = schema.new {
  name = "a field",
  keys = {
    type = { types = { "text" }, required = 'type = "text"', check = check_type },
    label = { types = { "text" } },
    description = { types = { "text" } },
    choices = {
      types = { "table" },
      what = 'a list, choices = { "Open", "Won" }',
      check = function(value, scope, path)
        return CHOICES:read(value, scope, path)
      end,
    },
    of = { types = { "text" } },
    fields = {
      types = { "table" },
      check = function(value, scope, path)
        return read_fields(value, scope, path)
      end,
    },
    items = {
      types = { "text", "table" },
      check = function(value, scope, path)
        return read_field(value, scope, path)
      end,
    },
  },
  hints = { name = "label", title = "label", options = "choices", values = "choices",
    record = "of", kind = "type" },
}

-- Which key goes with which types.
local GOES_WITH = {
  choices = { choice = true, choices = true },
  of = { record = true },
  fields = { record = true },
  items = { list = true },
}

local function check_together(field, scope, path)
  for _, key in ipairs { "choices", "fields", "items", "of" } do
    if field[key] and field.type and not GOES_WITH[key][field.type] then
      scope:error(path .. "." .. key, 'goes with type = "%s", not with "%s"',
        table.concat(words.sorted_keys(GOES_WITH[key]), '" or "'), field.type)
    end
  end
  if field.of and field.fields then
    scope:error(path .. ".of", "says where the fields are: fields says it again")
  elseif GOES_WITH.choices[field.type] and not field.choices then
    scope:error(path .. ".choices", 'is missing: "%s" needs it, as in choices = { "Open", "Won" }',
      field.type)
  end
end

-- A field: a table of the keys above, or its type alone.
function read_field(value, scope, path)
  if select(2, path:gsub("%.fields%.", "")) + select(2, path:gsub("%.items", "")) > DEPTH_MAX then
    scope:error(path, "is over %d fields deep", DEPTH_MAX)
    return nil
  elseif type(value) == "string" then
    value = { type = value }
  end
  local field = FIELD:read(value, scope, path)
  if field then
    check_together(field, scope, path)
  end
  return field
end

function read_fields(list, scope, path)
  local fields = {}
  for key in pairs(list) do
    local parsed = paths.parse(key)
    if not parsed or #parsed.parts ~= 1 then
      scope:error(path, "takes fields by their names, such as amount = { type = \"decimal\" }, "
        .. "not %s", words.show(key))
    end
  end
  for _, name in ipairs(words.sorted_keys(list)) do
    fields[name] = read_field(list[name], scope, path .. "." .. name)
  end
  return fields
end

local OPTIONS = schema.new {
  name = "hook.type",
  keys = {
    label = { types = { "text" } },
    description = { types = { "text" } },
    fields = {
      types = { "table" },
      required = 'fields = { amount = { type = "decimal" } }',
      check = function(value, scope, path)
        return read_fields(value, scope, path)
      end,
    },
  },
  hints = { name = "label", title = "label", properties = "fields" },
}

--- A catalogue. Its data: { scope, label, description, fields }, fields by name.
function types.new(options)
  local scope = faults.scope()
  if not faults.is_loading() then
    scope:error("", "hook.type is for the file itself, not for its functions")
  end
  local values = OPTIONS:read(options, scope) or {}
  values.scope = scope
  return opaque.new(types.KIND, values)
end

-- --- the folder ----------------------------------------------------------------------------------

local function path_of(record)
  return FOLDER .. record .. ".lua"
end

--- The record type whose catalogue stands at a path of the rules folder, or nil.
function types.record_of(path)
  return path:match "^types/([^/]+)%.lua$"
end

--- The record types that have a catalogue, sorted.
function types.names()
  local names = {}
  for _, path in ipairs(core.files.list(FOLDER)) do
    names[#names + 1] = types.record_of(path)
  end
  return names
end

--- The catalogue of a record type from the texts in use, { file, label, fields }; nil where there
--- is none, or none without a mistake. While a file is loaded.
function types.load(record)
  local path = path_of(record)
  local value = core.files.text(path) and modules.load(path) or nil
  local data = opaque.data(value, types.KIND)
  if not data or data.scope.is_faulty then
    return nil
  end
  data.file = core.files.shown(path)
  return data
end

local function check_of(fields, names, scope, path)
  for _, name in ipairs(words.sorted_keys(fields)) do
    local field, at = fields[name], path .. "." .. name
    while field.items do
      field, at = field.items, at .. ".items"
    end
    local is_lost = field.of and not core.files.text(path_of(field.of))
    local near = is_lost and words.nearest(field.of, names)
    if near then
      scope:warning(at .. ".of", "there is no %s%s", core.files.shown(path_of(field.of)),
        words.did_you_mean(near))
    end
    check_of(field.fields or {}, names, scope, at .. ".fields")
  end
end

--- The faults of a catalogue, each told here alone if no workflow has needed it before.
function types.check(path)
  local _, list = loading.run(path, function()
    local value, message = modules.load(path)
    local data = opaque.data(value, types.KIND)
    if data and not data.scope.is_faulty then
      check_of(data.fields, types.names(), data.scope, "fields")
    elseif not message and not data then
      faults.file_scope(path):error("", "a file of types/ ends with return hook.type { ... }; "
        .. "this one returns %s", words.kind(value))
    end
  end)
  for _, fault in ipairs(list) do
    fault.module = fault.module or path
  end
  return list
end

--- The fields of a field that is a record, where they are known.
function types.fields_of(field)
  local catalogue = field.of and types.load(field.of)
  return catalogue and catalogue.fields or field.fields
end

-- --- what stands at a path -----------------------------------------------------------------------

local IS_LIST = { list = true, choices = true }

-- The fields within a field, and what a message calls their owner; nil where the catalogue does not
-- say, and why there are none, if that is so.
local function inside(field, name, part)
  if field.of then
    local catalogue = types.load(field.of)
    return catalogue and catalogue.fields, catalogue and catalogue.file
  elseif field.type == "record" then
    return field.fields, '"' .. name .. '"'
  elseif IS_LIST[field.type] then
    return nil, nil, ('"%s" is a list: "%s[*].%s" looks at each of it'):format(name, name, part)
  elseif field.type ~= "any" then
    return nil, nil, ('"%s" is %s: there is no "%s" in it'):format(name, types.WORDS[field.type],
      part)
  end
  return nil
end

-- What each of a list is.
local function each_of(field, name)
  if field.type == "choices" then
    return { type = "choice", choices = field.choices }
  elseif field.type ~= "list" and field.type ~= "any" then
    return nil, ('"%s" is %s, and [*] is for lists'):format(name, types.WORDS[field.type])
  end
  return field.items
end

local function named(fields, owner, part)
  if fields[part] or part == "id" then -- every record has an id
    return fields[part]
  end
  return nil, ('%s has no field "%s"%s'):format(owner, part,
    words.did_you_mean(words.nearest(part, words.sorted_keys(fields))))
end

--- The field at a path's parts in a catalogue; nil where the catalogue does not say, and then why
--- nothing can ever be there, in words, if that is so.
function types.at(catalogue, parts)
  local fields, owner, message = catalogue.fields, catalogue.file, nil
  local field, name
  for i, part in ipairs(parts) do
    if part == paths.EACH then
      field, message = each_of(field, name)
    else
      if i > 1 then
        fields, owner, message = inside(field, name, part)
      end
      if fields then
        field, message = named(fields, owner, part)
      else
        field = nil
      end
      name = part
    end
    if not field then
      return nil, message
    end
  end
  return field
end

return types
