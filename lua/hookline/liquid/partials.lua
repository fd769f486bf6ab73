-- The tags that show other templates: render, which sees its arguments and the data alone, and
-- include, which sees all and whose variables stay.
local core = require "hookline.core"
local expressions = require "hookline.liquid.expressions"
local faults = require "hookline.liquid.faults"
local loops = require "hookline.liquid.loops"
local values = require "hookline.liquid.values"

local partials = {}

local null = core.null

local DEPTH_MAX = 100

local function stored(value)
  if value == nil then
    return null
  end
  return value
end

-- NAME [with VALUE | for VALUE] [as ALIAS] [, ARGUMENT: VALUE] ...
local function parse_call(self, tag, name)
  local stream = self:words(tag)
  local call = { at = tag.at, name = name(stream), arguments = {} }
  local word = stream:peek()
  if stream:peek(1).kind ~= ":" and (stream:take("id", "with") or stream:take("id", "for")) then
    call.value, call.is_loop = expressions.parse(stream), word.value == "for"
  end
  if stream:peek(1).kind ~= ":" and stream:take("id", "as") then
    call.alias = stream:expect("id", "a name").value
  end
  while stream:peek().kind ~= "end" do
    if not stream:take(",") then
      local argument = stream:expect("id", "an argument's name").value
      stream:expect(":")
      table.insert(call.arguments, { name = argument, value = expressions.parse(stream) })
    end
  end
  return call
end

-- The variable that a value is bound to: the alias, else the last part of the template's name.
local function bound_name(call, name)
  return call.alias or name:match "[^/]*$":gsub("%.[^.]*$", "")
end

-- Where a template is compiled for a place, what it shows must be known then.
local function compile_call(self, tag, call, name)
  local compilation = self.compilation
  for _, argument in ipairs(call.arguments) do
    compilation:bind(argument.name)
  end
  if not compilation.place then
    return
  end
  compilation:bind((bound_name(call, name)))
  compilation:bind "forloop"
  local way
  if call.value then -- a list is shown element by element
    way = self:fork(tag)
    way:enter_loop()
  end
  call.template = compilation:partial(name, tag.tag_at)
  if way then
    way:leave_loop(tag.tag_at)
    way:join(tag.tag_at, true)
  end
end

local function find_template(context, call, name)
  context.at = call.at
  if call.template and context.depth < DEPTH_MAX then
    return call.template
  end
  if type(name) ~= "string" then
    faults.raise(call.at, "a partial's name is a text, not %s", values.shown(name))
  end
  if context.depth >= DEPTH_MAX then
    faults.raise(call.at, "partials show each other more than %d deep", DEPTH_MAX)
  end
  return context:partial(name)
end

-- Runs a template with some variables in front of the others, which come back after it.
local function run_template(context, template, names, given)
  local locals, outer = context.locals, {}
  context.rounds = context.rounds + 1
  if context.rounds > values.SMALL then
    core.count()
  end
  for i, name in ipairs(names) do
    outer[i] = stored(locals[name])
    locals[name] = given[i]
  end
  local caller, depth = context.template, context.depth
  context.template, context.depth = template, depth + 1
  local signal = template.run(context)
  context.template, context.depth = caller, depth
  for i = #names, 1, -1 do
    local value = outer[i]
    if value == null then
      value = nil
    end
    locals[names[i]] = value
  end
  return signal
end

local function read_arguments(context, call)
  local names, given = {}, {}
  for i, argument in ipairs(call.arguments) do
    names[i], given[i] = argument.name, stored(argument.value(context))
  end
  return names, given
end

local function literal_name(stream)
  local word = stream:take("string")
  if not word then
    faults.raise(stream:peek().at, "the name of a template stands here, in quotes")
  end
  return word.value
end

-- A template that render shows sees no loop around it, and no include.
local function compile_render(self, tag, call)
  local compilation = self.compilation
  local loop, is_isolated, is_over = compilation.loop, compilation.is_isolated, compilation.is_over
  compilation.loop, compilation.is_isolated = nil, true
  compile_call(self, tag, call, call.name)
  compilation.loop, compilation.is_isolated, compilation.is_over = loop, is_isolated, is_over
end

-- Without a value an include reads the variable of its own name.
local function compile_include(self, tag, call)
  if self.compilation.is_isolated then
    faults.raise(tag.tag_at, "include cannot stand in a template that render shows; write render")
  end
  local uses = self.compilation.uses
  uses[#uses + 1] = { root = bound_name(call, call.name), is_implied = true }
  compile_call(self, tag, call, call.name)
end

function partials.include(self, tag)
  local is_known = self.compilation.place ~= nil
  local call = parse_call(self, tag, is_known and literal_name or expressions.parse)
  if is_known then
    compile_include(self, tag, call)
  end
  return {
    blank = false,
    run = function(context)
      context.at = call.at
      if context.is_isolated then
        faults.raise(call.at, "include cannot stand in a template that render shows")
      end
      local name = is_known and call.name or call.name(context)
      local template = find_template(context, call, name)
      local names, given = read_arguments(context, call)
      local bound = bound_name(call, name)
      local value
      if call.value then
        value = call.value(context)
      elseif not call.alias then
        value = context.locals[bound]
        value = value == nil and context.assigns[bound] or value
        value = value == nil and context.data[bound] or value
      end
      names[#names + 1] = bound
      if values.kind(value) ~= "array" then
        given[#names] = stored(value)
        if value == nil and not call.value then
          names[#names] = nil
        end
        return run_template(context, template, names, given)
      end
      for i = 1, #value do
        given[#names] = value[i]
        local signal = run_template(context, template, names, given)
        if signal then
          return signal
        end
      end
    end,
  }
end

local ISOLATED = { "locals", "assigns", "counters", "cycles", "continues" }

-- Runs a template where nothing of the caller's variables is seen or changed: what it is given
-- counts as assigned.
local function run_isolated(context, template, names, given)
  local kept = { loop = context.loop, changed = context.changed, flag = context.is_isolated }
  for _, name in ipairs(ISOLATED) do
    kept[name], context[name] = context[name], {}
  end
  context.loop, context.changed, context.is_isolated = nil, nil, true
  for i, name in ipairs(names) do
    context.assigns[name] = given[i]
  end
  run_template(context, template, {}, {})
  context.loop, context.changed, context.is_isolated = kept.loop, kept.changed, kept.flag
  for _, name in ipairs(ISOLATED) do
    context[name] = kept[name]
  end
end

function partials.render(self, tag)
  local call = parse_call(self, tag, literal_name)
  local bound = bound_name(call, call.name)
  compile_render(self, tag, call)
  return {
    blank = false,
    run = function(context)
      local template = find_template(context, call, call.name)
      local names, given = read_arguments(context, call)
      local value = call.value and call.value(context)
      if call.value then
        names[#names + 1] = bound
      end
      local what = values.kind(value)
      if call.is_loop and (what == "array" or what == "range" or what == "object") then
        local list = values.segment(value, 0)
        names[#names + 1] = "forloop"
        local forloop = loops.forloop(bound, #list)
        for i = 1, #list do
          loops.step(forloop, i)
          given[#names - 1], given[#names] = list[i], forloop
          run_isolated(context, template, names, given)
        end
        return
      end
      if call.value then
        given[#names] = stored(value)
      end
      run_isolated(context, template, names, given)
    end,
  }
end

return partials
