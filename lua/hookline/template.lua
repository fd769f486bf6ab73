-- Templates of webhooks: hook.template, hook.template_file, and the placeholders in URLs and
-- headers. Each is compiled for the place that it is written into when the file is loaded.
local core = require "hookline.core"
local faults = require "hookline.faults"
local liquid = require "hookline.liquid"
local opaque = require "hookline.opaque"
local private = require "hookline.private"
local words = require "hookline.words"

local template = {}

template.KIND = opaque.kind "hook.template"

local FOLDER = "templates/"
local MS_PER_S = 1000

-- Where a text begins that a call at a scope was given: { line, column } in the file that is being
-- loaded. nil: it stands there with escapes, or was put together, or elsewhere.
local function find_origin(scope, source)
  local text, name = core.files.loading()
  if name ~= scope.file or not text then
    return nil
  end
  local line, at = 1, 1
  while line < scope.line do
    line, at = line + 1, (text:find("\n", at, true) or #text) + 1
  end
  local from = text:find(source, at, true)
  if not from then
    return nil
  end
  local next_line = text:find("\n", at, true)
  while next_line and next_line < from do
    line, at = line + 1, next_line + 1
    next_line = text:find("\n", at, true)
  end
  return { line = line, column = from - at + 1 }
end

--- hook.template: content that is rendered from a text.
function template.new(source)
  local scope = faults.scope()
  if type(source) ~= "string" then
    return scope:refuse("hook.template takes a text, hook.template [=[ ... ]=], not %s",
      words.kind(source))
  end
  return opaque.new(template.KIND, { scope = scope, source = source, compiled = {},
    origin = find_origin(scope, source) })
end

-- A partial's text, by its exact name in the folder of templates.
local function load_file(name)
  local text = core.files.text(FOLDER .. name)
  if not text then
    return nil, ("there is no template '%s' in the rules folder: it would be the file %s%s")
      :format(name, FOLDER, name)
  end
  return text
end

--- hook.template_file: the same, its text that of a file in the folder of templates.
function template.file(name)
  local scope = faults.scope()
  if type(name) ~= "string" then
    return scope:refuse("hook.template_file takes a file's name, hook.template_file "
      .. '"invoice.json", not %s', words.kind(name))
  end
  local source, message = load_file(name)
  if not source then
    return scope:refuse(message)
  end
  return opaque.new(template.KIND, { scope = scope, source = source, name = name, compiled = {} })
end

--- Whether a text has a placeholder or a tag.
function template.is_in(text)
  return text:find("{{", 1, true) ~= nil or text:find("{%", 1, true) ~= nil
end

-- Reports a placed fault of a template at a path: at its own line and column where the text is that
-- of a file, or stands in the workflow's file as it is.
local function report(scope, path, fault, origin)
  if fault.name then
    scope:error_in(core.files.shown(FOLDER .. fault.name), fault.line, fault.column, path,
      fault.message)
  elseif origin then
    local column = fault.column + (fault.line == 1 and origin.column - 1 or 0)
    scope:error_in(scope.file, origin.line + fault.line - 1, column, path, fault.message)
  else
    scope:error(path, "template, line %d, column %d: %s", fault.line, fault.column, fault.message)
  end
end

-- --- the data ------------------------------------------------------------------------------------

local function make_data(event, description)
  local record = event.record
  return {
    [description.record] = record,
    record = record,
    previous = event.previous,
    event = event,
    workflow = description.shown,
  }
end

-- What templates see as variables: the same for all templates of a run.
local function data_of(event, description)
  local data = private.template_data()
  if not data then
    data = make_data(event, description)
    private.keep_template_data(data)
  end
  return data
end

-- --- compiling -----------------------------------------------------------------------------------

local function reads_time(uses)
  for _, use in ipairs(uses) do
    if use.filter == "date" then
      return true
    end
  end
  return false
end

-- data: { source, name, origin }.
local function compile(data, place, scope, path)
  local found = {}
  local compiled, fault = liquid.compile(data.source, data.name,
    { place = place.new(), load = load_file, found = found })
  found[#found + 1] = fault
  for _, one in ipairs(found) do
    report(scope, path, one, data.origin)
  end
  if #found > 0 then
    return nil
  end
  local needs_now = reads_time(compiled.uses)
  return {
    uses = compiled.uses,
    render = function(event, description)
      local text, wrong = liquid.render(compiled, data_of(event, description),
        needs_now and (core.time(event.time) or 0) // MS_PER_S or 0)
      if not text then
        report(scope, path, wrong, data.origin)
      end
      return text
    end,
  }
end

--- Compiles a hook.template's data for a place (a module of hookline.places): { render(event,
--- description) -> text, uses }, or nil after its faults have been reported at a path.
function template.compile(data, place, scope, path)
  local compiled = data.compiled[place]
  if not compiled then
    compiled = compile(data, place, scope, path)
    data.compiled[place] = compiled
  end
  return compiled
end

--- The same for a text with placeholders.
function template.compile_text(text, place, scope, path)
  return compile({ source = text, origin = find_origin(scope, text) }, place, scope, path)
end

-- --- what is read --------------------------------------------------------------------------------

local EVENT_FIELDS = { id = true, type = true, time = true }

--- Adds what templates read to names, those of the record's own fields. Returns false where that
--- cannot be told, and whether the event's id or time is read.
function template.add_reads(uses, record_type, names)
  local has_time = false
  for _, use in ipairs(uses) do
    local root, field = use.root, use.field
    if use.is_computed then
      return false, true
    elseif root == "event" then
      has_time = true
      if not EVENT_FIELDS[field] then
        return false, true
      end
    elseif root == "record" or root == record_type then
      if not field then
        return false, true
      end
      names[#names + 1] = field
    elseif use.filter == "date" then
      has_time = true
    end
  end
  return true, has_time
end

return template
