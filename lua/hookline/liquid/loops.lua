-- The loops: for and tablerow, and what ends them.
local core = require "hookline.core"
local expressions = require "hookline.liquid.expressions"
local faults = require "hookline.liquid.faults"
local fork = require "hookline.liquid.fork"
local parser = require "hookline.liquid.parser"
local values = require "hookline.liquid.values"

local loops = {}

local null = core.null
local SMALL = values.SMALL
local body_run = parser.body_run

local FORLOOP = {}
for _, name in ipairs { "index", "index0", "rindex", "rindex0", "first", "last", "length", "name",
  "parentloop" } do
  FORLOOP[name] = true
end

local TABLEROW = setmetatable({}, { __index = FORLOOP })
for _, name in ipairs { "col", "col0", "col_first", "col_last", "row" } do
  TABLEROW[name] = true
end

local function get_forloop(self, name)
  if FORLOOP[name] then
    return self[name]
  end
  return nil
end

local function get_tablerow(self, name)
  if TABLEROW[name] then
    return self[name]
  end
  return nil
end

--- What a body sees as `forloop`; loops.step() gives it its numbers. Made with room for all.
function loops.forloop(name, length, parent)
  return values.drop { get = get_forloop, name = name, length = length, parentloop = parent,
    index = 1, index0 = 0, first = true, last = false, rindex = length, rindex0 = length - 1 }
end

--- The loop is at its element i.
function loops.step(loop, i)
  local length = loop.length
  loop.index, loop.index0, loop.first, loop.last = i, i - 1, i == 1, i == length
  loop.rindex, loop.rindex0 = length - i + 1, length - i
end

local function step_tablerow(row, i, columns)
  local column = (i - 1) % columns
  loops.step(row, i)
  row.col, row.col0, row.row = column + 1, column, (i - 1) // columns + 1
  row.col_first, row.col_last = column == 0, column + 1 == columns
end

-- --- their markup --------------------------------------------------------------------------------

-- VARIABLE in LIST, then the attributes that the tag has.
local function parse_header(self, tag, attributes)
  local stream = self:words(tag)
  local loop = { variable = stream:expect("id", "a variable's name").value, tag = tag }
  if not stream:take("id", "in") then
    faults.raise(stream:peek().at, "expected 'in'")
  end
  local from = stream:peek().at
  self.compilation:bind(loop.variable)
  self.compilation:bind(tag.name == "for" and "forloop" or "tablerowloop")
  loop.list = expressions.parse(stream)
  local to = stream:peek().at
  loop.name = loop.variable .. "-" .. self.source:sub(from, to - 1):match "^(.-)%s*$"
  while stream:peek().kind ~= "end" do
    if not stream:take(",") then
      local word = stream:expect("id", "an attribute")
      if not attributes[word.value] then
        faults.raise(word.at, "%s has no attribute '%s'", tag.name, word.value)
      elseif word.value == "reversed" then
        loop.reversed = true
      else
        stream:expect(":")
        if word.value == "offset" and stream:take("id", "continue") then
          loop.continues = true
        else
          loop[word.value] = expressions.parse(stream)
        end
      end
    end
  end
  return loop
end

local function number(context, loop, name)
  local value = loop[name] and loop[name](context)
  if value == nil then
    return nil
  end
  context.at = loop.tag.at
  return values.integer(value, name)
end

-- Notes that a loop goes round so often; beyond what is small the run counts its steps.
local function note_rounds(context, rounds)
  rounds = context.rounds + rounds
  context.rounds = rounds
  if rounds > SMALL then
    core.count()
  end
end

-- The elements of one run of a loop.
local function elements(context, loop)
  local offset
  if loop.continues then
    offset = context.continues[loop.name] or 0
  else
    offset = number(context, loop, "offset") or 0
  end
  local limit = number(context, loop, "limit")
  local list = values.segment(loop.list(context), offset, limit and math.max(limit, 0))
  return list, offset
end

-- --- for -----------------------------------------------------------------------------------------

local function run_for(loop, run, otherwise)
  local variable, name = loop.variable, loop.name
  return function(context)
    local list, offset = elements(context, loop)
    local length = #list
    context.continues[name] = offset + length
    if length == 0 then
      return otherwise and otherwise(context)
    end
    note_rounds(context, length)
    local locals = context.locals
    local outer, outer_loop = locals[variable], locals.forloop
    local forloop = loops.forloop(name, length, context.loop)
    local parent = context.loop
    context.loop, locals.forloop = forloop, forloop
    local signal
    local step = loops.step
    for i = 1, length do
      step(forloop, i)
      locals[variable] = list[loop.reversed and length + 1 - i or i]
      signal = run(context)
      if signal == "break" then
        break
      end
    end
    locals[variable], locals.forloop, context.loop = outer, outer_loop, parent
  end
end

loops["for"] = function(self, tag)
  local loop = parse_header(self, tag, { limit = true, offset = true, reversed = true })
  local way = self:fork(tag)
  way:enter_loop()
  local body, ending = self:body(tag, { ["else"] = true, endfor = true })
  way:leave_loop(ending.tag_at)
  local otherwise
  if ending.name == "else" then
    otherwise, ending = self:body(tag, { endfor = true })
    way:branch(ending.tag_at)
  end
  local blank = body.blank and (not otherwise or otherwise.blank)
  way:join(ending.tag_at, true, blank)
  return {
    blank = blank,
    run = run_for(loop, body_run(body, blank), otherwise and body_run(otherwise, blank)),
  }
end

local function interrupt(signal)
  return function(self, tag)
    self:words(tag):finish()
    fork.interrupt(self.compilation, tag.tag_at)
    return { blank = false, run = function() return signal end }
  end
end

loops["break"] = interrupt "break"
loops.continue = interrupt "continue"

-- --- tablerow ------------------------------------------------------------------------------------

local function append(context, text)
  local n = context.n + 1
  context.n = n
  context.out[n] = text
end

local function run_tablerow(loop, run)
  local variable = loop.variable
  return function(context)
    local value = loop.list(context)
    if value == nil or value == null then
      return
    end
    local list = elements(context, loop)
    local length = #list
    note_rounds(context, length)
    local columns = math.max(number(context, loop, "cols") or length, 1)
    local row = values.drop { get = get_tablerow, name = loop.name, length = length }
    local locals = context.locals
    local outer, outer_row = locals[variable], locals.tablerowloop
    locals.tablerowloop = row
    append(context, '<tr class="row1">\n')
    for i = 1, length do
      step_tablerow(row, i, columns)
      locals[variable] = list[i]
      append(context, ('<td class="col%d">'):format(row.col))
      local signal = run(context)
      append(context, "</td>")
      if signal == "break" then
        break
      elseif row.col_last and i < length then
        append(context, ('</tr>\n<tr class="row%d">'):format(row.row + 1))
      end
    end
    append(context, "</tr>\n")
    locals[variable], locals.tablerowloop = outer, outer_row
  end
end

function loops.tablerow(self, tag)
  local loop = parse_header(self, tag, { limit = true, offset = true, cols = true })
  local place, way = self.compilation.place, self:fork(tag)
  if place then
    place:markup(tag.tag_at)
  end
  way:enter_loop()
  local body, ending = self:body(tag, { endtablerow = true })
  way:leave_loop(ending.tag_at)
  way:join(ending.tag_at, true)
  return { blank = false, run = run_tablerow(loop, body_run(body)) }
end

return loops
