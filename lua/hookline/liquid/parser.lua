-- Turns the pieces of a template into functions of the rendering's context. A node is { run, blank,
-- text }: blank says that it never shows anything but white space, text is its constant text. What
-- runs returns "break" or "continue" where the loop around it is to end or go on, else nothing.
local core = require "hookline.core"
local expressions = require "hookline.liquid.expressions"
local faults = require "hookline.liquid.faults"
local lexer = require "hookline.liquid.lexer"
local values = require "hookline.liquid.values"
local words = require "hookline.liquid.words"

local parser = {}
parser.__index = parser

local DEPTH_MAX = 100

local output = values.output

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

--- A node that shows a value.
function parser.output_node(value)
  return {
    blank = false,
    run = function(context)
      local shown = value(context)
      if type(shown) ~= "string" then
        shown = output(shown)
      end
      local n = context.n + 1
      context.n = n
      context.out[n] = shown
    end,
  }
end

local function nothing()
end

--- One function that runs all of a body's nodes; without the white space that is text in it, where
--- nothing else of the block shows.
function parser.body_run(body, drops_text)
  local list, count = {}, 0
  for _, node in ipairs(body.nodes) do
    if not (drops_text and node.text) then
      count = count + 1
      list[count] = node.run
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

function parser.new(tags, source, pieces)
  return setmetatable({ tags = tags, source = source, pieces = pieces, next = 1, depth = 0 },
    parser)
end

--- The words of a tag's markup.
function parser.words(_, tag)
  return words.new(tag.text, tag.at)
end

--- A parser of the lines of a {% liquid %} tag.
function parser:lines(tag)
  local inner = parser.new(self.tags, self.source, lexer.lines(self.source, tag.text, tag.at))
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

local function parse_piece(self, piece, opener)
  if piece.kind == "text" then
    return parser.text_node(piece.text)
  elseif piece.kind == "output" then
    return parser.output_node(expressions.parse_filtered(words.new(piece.text, piece.at)))
  elseif piece.kind == "raw" then
    local node = parser.text_node(piece.text)
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
