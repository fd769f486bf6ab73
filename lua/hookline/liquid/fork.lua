-- Branches of a tag, while a template is compiled for a place: each begins where the tag stands,
-- and all must end in one place.
local faults = require "hookline.liquid.faults"

local Fork = {}
Fork.__index = Fork

local fork = {}

--- compilation: the parser's; it may have no place, and then nothing is looked at.
function fork.new(compilation, tag)
  local place = compilation.place
  return setmetatable({ compilation = compilation, place = place, tag = tag,
    start = place and place:mark() }, Fork)
end

-- One way through the tag ends at a mark; at: the offset to blame.
local function end_at(self, mark, at)
  if self.compilation.is_lost then
    return
  end
  local joined = self.stop and self.place:join(self.stop, mark)
  if not self.stop then
    self.stop = mark
  elseif joined then
    self.stop = joined
  elseif not self.is_told then
    self.is_told = true
    local place, name = self.place, self.tag.name
    local words, before = place:words(mark), place:words(self.stop)
    if self.is_loop then
      faults.raise(at, "the loop begins %s and ends %s: it must close what it opens", before,
        words)
    end
    faults.raise(at, "a way through {%% %s %%} ends %s, another one ends %s: all must end in the "
      .. "same place%s", name, words, before, name == "if" and "; write what they share behind "
      .. "{% endif %}" or "")
  end
end

--- A branch ends in front of the tag at an offset; the next one begins.
function Fork:branch(at)
  local compilation = self.compilation
  if not self.place then
    return
  elseif not compilation.is_over then
    end_at(self, self.place:mark(), at)
  end
  compilation.is_over = false
  self.place:go(self.start)
end

--- What has been read since the fork began or the last branch ended is never shown.
function Fork:forget()
  if self.place then
    self.compilation.is_over = false
    self.place:go(self.start)
  end
end

--- All branches have ended. is_complete: one of them is always shown. is_blank: none shows a thing.
function Fork:join(at, is_complete, is_blank)
  if not self.place then
    return
  elseif is_blank then
    self.place:go(self.start)
    return
  elseif not is_complete then
    end_at(self, self.start, at)
  end
  self.compilation.is_over = self.stop == nil
  self.place:go(self.stop or self.start)
end

--- Whether some branch ended in another place than the tag begins in.
function Fork:has_moved()
  return self.place and self.stop
    and self.place:key(self.stop) ~= self.place:key(self.start)
end

--- Makes it the loop that `break` and `continue` leave.
function Fork:enter_loop()
  self.is_loop = true
  self.stop = self.start
  self.outer = self.compilation.loop
  self.compilation.loop = self
end

--- After the loop's body.
function Fork:leave_loop(at)
  self.compilation.loop = self.outer
  self:branch(at)
end

--- `break` or `continue` at an offset: it goes on behind the loop, or at its start.
function fork.interrupt(compilation, at)
  local loop = compilation.loop
  if loop and loop.place then
    end_at(loop, loop.place:mark(), at)
  end
  compilation.is_over = true
end

return fork
