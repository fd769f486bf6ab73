-- Templates in Liquid: compiled to closures, which append what they show to one list of texts.
local faults = require "hookline.liquid.faults"
local lexer = require "hookline.liquid.lexer"
local loops = require "hookline.liquid.loops"
local parser = require "hookline.liquid.parser"
local partials = require "hookline.liquid.partials"
local tags = require "hookline.liquid.tags"
local values = require "hookline.liquid.values"

local liquid = {}

local all_tags = {}
for _, list in ipairs { tags, { ["for"] = loops["for"], ["break"] = loops["break"],
  continue = loops.continue, tablerow = loops.tablerow }, partials } do
  for name, parse in pairs(list) do
    all_tags[name] = parse
  end
end

--- Key lists of the data's objects, by object; it holds them weakly.
liquid.order = values.order

-- A fault with its place: { name, line, column, message }.
local function placed(fault, source, name, at)
  local line, column = faults.place(source, fault.at or at or 1)
  return { name = name, line = line, column = column, message = fault.message }
end

local function compile(source, name)
  local body = parser.new(all_tags, source, lexer.pieces(source)):body()
  return { run = parser.body_run(body), source = source, name = name }
end

--- Compiles a template: an object for liquid.render, or nil and a fault. What is no fault of the
--- template is raised.
function liquid.compile(source, name)
  local is_fine, result = pcall(compile, source, name)
  if is_fine then
    return result
  elseif faults.is_fault(result) then
    return nil, placed(result, source, name)
  end
  return error(result, 0)
end

-- The partial of a name, compiled once for a rendering.
local function find_partial(context, name)
  local template = context.partials[name]
  if not template then
    local source, message
    if context.load_partial then
      source, message = context.load_partial(name)
    end
    if not source then
      faults.raise(nil, "%s", message or ("there is no partial '%s'"):format(name))
    end
    local fault
    template, fault = liquid.compile(source, name)
    if not template then
      error(fault, 0)
    end
    context.partials[name] = template
  end
  return template
end

local function render(context, template)
  template.run(context)
  return table.concat(context.out, "", 1, context.n)
end

--- Renders a compiled template: its text, or nil and a fault. data: what its variables are;
--- options: now_s (what "now" is), load_partial(name) -> text | nil, message.
function liquid.render(template, data, options)
  local context = {
    out = {}, n = 0, at = 1, depth = 0, template = template,
    locals = {}, assigns = {}, counters = {}, cycles = {}, continues = {}, partials = {},
    data = data, now_s = options.now_s, load_partial = options.load_partial, partial = find_partial,
  }
  local is_fine, result = pcall(render, context, template)
  if is_fine then
    return result
  elseif faults.is_fault(result) then
    local at = context.template
    return nil, placed(result, at.source, at.name, context.at)
  elseif type(result) == "table" and result.message then
    return nil, result -- of a partial that is not valid
  end
  return error(result, 0)
end

--- Compiles and renders. Returns the text, or nil, name, line, column, message.
function liquid.render_text(source, name, data, now_s, load_partial)
  local text
  local template, fault = liquid.compile(source, name)
  if template then
    text, fault = liquid.render(template, data, { now_s = now_s, load_partial = load_partial })
  end
  if text then
    return text
  end
  return nil, fault.name, fault.line, fault.column, fault.message
end

return liquid
