-- The words of one markup while they are read.
local faults = require "hookline.liquid.faults"
local lexer = require "hookline.liquid.lexer"

local words = {}
words.__index = words

--- uses: the list that the variables and filters that are read are added to.
function words.new(text, at, uses)
  return setmetatable({ list = lexer.words(text, at), next = 1, depth = 0, uses = uses }, words)
end

local DEPTH_MAX = 200

--- Called where an expression begins inside another one, and leave() where it ends.
function words:enter()
  self.depth = self.depth + 1
  if self.depth > DEPTH_MAX then
    faults.raise(self:peek().at, "values stand in each other more than %d deep", DEPTH_MAX)
  end
end

function words:leave()
  self.depth = self.depth - 1
end

function words:peek(ahead)
  return self.list[math.min(self.next + (ahead or 0), #self.list)]
end

--- The next word, if it is of the kind (and the value); then it is taken.
function words:take(kind, value)
  local word = self.list[self.next]
  if word.kind == kind and (value == nil or word.value == value) then
    if kind ~= "end" then
      self.next = self.next + 1
    end
    return word
  end
  return nil
end

local function shown(word)
  return word.kind == "end" and "its end" or ("'%s'"):format(word.text)
end

function words:expect(kind, what)
  local word = self:take(kind)
  if not word then
    word = self:peek()
    faults.raise(word.at, "expected %s before %s", what or ("'%s'"):format(kind), shown(word))
  end
  return word
end

--- Raises where anything is left.
function words:finish()
  local word = self:peek()
  if word.kind ~= "end" then
    faults.raise(word.at, "%s is not expected here", shown(word))
  end
end

return words
