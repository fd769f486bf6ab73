-- Turns the pieces of a template into functions of the rendering's context. A node is { run, blank,
-- text }: blank says that it never shows anything but white space, text is its constant text. What
-- runs returns "break" or "continue" where the loop around it is to end or go on, else nothing.
local core = require "hookline.core"
local expressions = require "hookline.liquid.expressions"
local faults = require "hookline.liquid.faults"
local fork = require "hookline.liquid.fork"
local lexer = require "hookline.liquid.lexer"
local values = require "hookline.liquid.values"
local words = require "hookline.liquid.words"

local parser = {}
parser.__index = parser

local DEPTH_MAX = 100

local output, show = values.output, core.template.show

--- A node for a constant text.
function parser.text_node(text)
  return {
    text = text,
    blank = not text:find "%S",
    run = function(context)
      local n = context.n + 1
      context.n = n
      context.out[n] = text
    end,
  }
end

local function show_value(value)
  return function(context)
    local shown = value(context)
    if type(shown) ~= "string" then
      shown = output(shown)
    end
    local n = context.n + 1
    context.n = n
    context.out[n] = shown
  end
end

--- A node that shows a value at an offset; shown: as expressions.parse_filtered gives it.
function parser:output_node(value, shown, at)
  local place = self.compilation.place
  if not place then
    return { blank = false, run = show_value(value) }
  end
  local escape, is_value = place:output(shown.filter, at)
  local written
  if shown.written then -- a number goes as it was written in the event
    value, written = shown.written, is_value and "raw" or "escaped"
  end
  local function behind(front)
    return show(value, escape, front, written)
  end
  return { blank = false, run = behind(nil), behind = behind }
end

--- The escape of a value that a tag at an offset shows.
function parser:escape(at)
  local place = self.compilation.place
  return place and place:output(nil, at) or output
end

local function nothing()
end

--- One function that runs all of a body's nodes; without the white space that is text in it, where
--- nothing else of the block shows.
function parser.body_run(body, drops_text)
  local list, count, before = {}, 0, nil
  for _, node in ipairs(body.nodes) do
    if not (drops_text and node.text) then
      if before and node.behind then
        list[count] = node.behind(before)
      else
        count = count + 1
        list[count] = node.run
      end
      before = node.text
    end
  end
  if count == 0 then
    return nothing
  elseif count == 1 then
    return list[1]
  end
  return function(context)
    for i = 1, count do
      local signal = list[i](context)
      if signal then
        return signal
      end
    end
  end
end

--- template: { source, name }. compilation: what a template and its partials have in common
--- (compilation.lua).
function parser.new(template, pieces, compilation)
  return setmetatable({ tags = compilation.tags, source = template.source, name = template.name,
    pieces = pieces, next = 1, depth = 0, compilation = compilation }, parser)
end

--- The words of a tag's markup, or of a part of it.
function parser:words(tag, text, at)
  return words.new(text or tag.text, at or tag.at, self.compilation.uses)
end

--- A fork in the template's place, for the branches of a tag.
function parser:fork(tag)
  return fork.new(self.compilation, tag)
end

--- A parser of the lines of a {% liquid %} tag.
function parser:lines(tag)
  local inner = parser.new(self, lexer.lines(self.source, tag.text, tag.at), self.compilation)
  inner.depth = self.depth + 1
  return inner
end

function parser:take()
  local piece = self.pieces[self.next]
  self.next = self.next + 1
  return piece
end

local function unknown_tag(self, tag, opener)
  local name = tag.name
  local block = name:match "^end(.+)$"
  if opener then
    faults.raise(tag.tag_at, "{%% %s %%} cannot stand in {%% %s %%}; write {%% end%s %%} first",
      name, opener.name, opener.name)
  elseif block or name == "else" or name == "elsif" or name == "when" then
    faults.raise(tag.tag_at, "{%% %s %%} has nothing that it belongs to", name)
  end
  local names = {}
  for known in pairs(self.tags) do
    names[#names + 1] = known
  end
  table.sort(names)
  local near = core.nearest(name, names)
  faults.raise(tag.tag_at, "there is no tag {%% %s %%}%s", name,
    near and ("; did you mean %s?"):format(near) or "")
end

local BELONGS = { ["else"] = true, ["elsif"] = true, when = true }

local function parse_tag(self, tag, opener)
  local parse = self.tags[tag.name]
  if not parse then
    local is_end = BELONGS[tag.name] or tag.name:find "^end"
    unknown_tag(self, tag, is_end and opener)
  end
  return parse(self, tag)
end

local function literal(self, piece)
  local place = self.compilation.place
  return place and place:text(piece.text, piece.at) or piece.text
end

-- Calls fn, and notes a fault of it where faults are collected: then the parsing goes on.
local function collect(self, at, fn, ...)
  local found = self.compilation.found
  local is_fine, result, more = pcall(fn, ...)
  if is_fine then
    return result, more
  elseif not found or not faults.is_fault(result) then
    error(result, 0)
  end
  found[#found + 1] = faults.placed(result, self.source, self.name, at)
  return nil
end

-- A fault of the expression leaves the place behind a value; one of the place loses it.
local function parse_output(self, piece)
  local at, compilation = piece.at, self.compilation
  local value, shown = collect(self, at, function()
    return expressions.parse_filtered(self:words(piece), true)
  end)
  if not value then
    value, shown = nothing, {}
  end
  local node = collect(self, at, self.output_node, self, value, shown, at)
  if not node then
    compilation:lose_place()
    node = self:output_node(value, shown, at)
  end
  return node
end

local function parse_piece(self, piece, opener)
  if piece.kind == "text" then
    return parser.text_node(literal(self, piece))
  elseif piece.kind == "output" then
    return parse_output(self, piece)
  elseif piece.kind == "raw" then
    local node = parser.text_node(literal(self, piece))
    return { run = node.run, blank = piece.text == "" }
  elseif piece.kind == "doc" then
    return { run = nothing, blank = true }
  end
  return parse_tag(self, piece, opener)
end

--- The nodes up to a tag whose name `ends` holds: the body, and that tag, which is taken. Without
--- an opener up to the end of the template.
function parser:body(opener, ends)
  local body = { nodes = {}, blank = true }
  self.depth = self.depth + 1
  if self.depth > DEPTH_MAX then
    faults.raise(opener.tag_at, "tags stand in each other more than %d deep", DEPTH_MAX)
  end
  while true do
    local piece = self:take()
    if not piece then
      if opener then
        faults.raise(opener.tag_at, "{%% %s %%} is not closed; write {%% end%s %%}", opener.name,
          opener.name)
      end
      break
    elseif piece.kind == "tag" and ends and ends[piece.name] then
      self.depth = self.depth - 1
      return body, piece
    end
    local node = parse_piece(self, piece, opener)
    body.nodes[#body.nodes + 1] = node
    body.blank = body.blank and node.blank
  end
  self.depth = self.depth - 1
  return body
end

return parser
