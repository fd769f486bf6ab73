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

local FORLOOP = {
  index = function(self) return self.at end,
  index0 = function(self) return self.at - 1 end,
  rindex = function(self) return self.length - self.at + 1 end,
  rindex0 = function(self) return self.length - self.at end,
  first = function(self) return self.at == 1 end,
  last = function(self) return self.at == self.length end,
  length = function(self) return self.length end,
  name = function(self) return self.name end,
  parentloop = function(self) return self.parent end,
}

local function get_forloop(self, name)
  local field = FORLOOP[name]
  return field and field(self)
end

--- What a body sees as `forloop`; the loop sets its `at`.
function loops.forloop(name, length, parent)
  local loop = values.drop(get_forloop)
  loop.name, loop.length, loop.parent, loop.at = name, length, parent, 1
  return loop
end

local function column(self)
  return (self.at - 1) % self.columns + 1
end

local TABLEROW = setmetatable({
  col = column,
  col0 = function(self) return column(self) - 1 end,
  col_first = function(self) return column(self) == 1 end,
  col_last = function(self) return column(self) == self.columns end,
  row = function(self) return (self.at - 1) // self.columns + 1 end,
}, { __index = FORLOOP })

local function get_tablerow(self, name)
  local field = TABLEROW[name]
  return field and field(self)
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
    for i = 1, length do
      forloop.at = i
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
    local columns = number(context, loop, "cols") or length
    local row = values.drop(get_tablerow)
    row.name, row.length, row.at, row.columns = loop.name, length, 1, math.max(columns, 1)
    local locals = context.locals
    local outer, outer_row = locals[variable], locals.tablerowloop
    locals.tablerowloop = row
    append(context, '<tr class="row1">\n')
    for i = 1, length do
      row.at = i
      locals[variable] = list[i]
      append(context, ('<td class="col%d">'):format(column(row)))
      local signal = run(context)
      append(context, "</td>")
      if signal == "break" then
        break
      elseif column(row) == row.columns and i < length then
        append(context, ('</tr>\n<tr class="row%d">'):format(TABLEROW.row(row) + 1))
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
