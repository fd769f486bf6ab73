-- Templates in Liquid: compiled to closures, which append what they show to one list of texts.
local compilation = require "hookline.liquid.compilation"
local core = require "hookline.core"
local faults = require "hookline.liquid.faults"
local loops = require "hookline.liquid.loops"
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

--- Compiles a template: an object for liquid.render, or nil and a fault. options: those of
--- compilation.new. What is no fault of the template is raised.
function liquid.compile(source, name, options)
  local compiling = compilation.new(all_tags, options or {})
  local place = compiling.place
  local is_fine, result = pcall(function()
    local template = compiling:template(source, name)
    if place and not compiling.is_lost then
      place:finish(#source + 1)
    end
    return template
  end)
  if is_fine then
    result.uses = compiling:all_uses()
    return result
  elseif faults.is_fault(result) then
    return nil, faults.placed(result, source, name)
  elseif type(result) == "table" and result.message then
    return nil, result
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

--- Renders a compiled template: its text, or nil and a fault. data: what its variables are; now_s:
--- what "now" is; load_partial(name) -> text | nil, message, for partials that are not compiled.
function liquid.render(template, data, now_s, load_partial)
  local context = {
    out = core.template.list(template.piece_count), n = 0, at = 1, depth = 0, rounds = 0,
    template = template, locals = { forloop = nil, item = nil }, -- with room for a loop's
    assigns = {}, counters = {}, cycles = {}, continues = {}, partials = {},
    data = data, now_s = now_s, load_partial = load_partial, partial = find_partial,
  }
  local is_fine, result = pcall(render, context, template)
  if is_fine then
    return result
  elseif faults.is_fault(result) then
    local at = context.template
    return nil, faults.placed(result, at.source, at.name, context.at)
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
    text, fault = liquid.render(template, data, now_s, load_partial)
  end
  if text then
    return text
  end
  return nil, fault.name, fault.line, fault.column, fault.message
end

return liquid
