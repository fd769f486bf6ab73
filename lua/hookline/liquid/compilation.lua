-- One template with its partials, while it is compiled. Where it is for a place, its partials are
-- compiled with it, each in the place of its call; else they are when they are first shown.
local faults = require "hookline.liquid.faults"
local lexer = require "hookline.liquid.lexer"
local parser = require "hookline.liquid.parser"
local plain = require "hookline.places.plain"

local Compilation = {}
Compilation.__index = Compilation

local compilation = {}

--- options: place (places/common.lua); load(name) -> a partial's text | nil, message; found, the
--- list of the faults that do not end the compiling. It notes `uses`, what is read of the data, and
--- `bound`, the names that the template itself gives values.
function compilation.new(tags, options)
  return setmetatable({ tags = tags, place = options.place, load = options.load,
    found = options.found, uses = {}, bound = {}, partials = {} }, Compilation)
end

--- Compiles one text. Raises a placed fault.
function Compilation:template(source, name)
  local template = { source = source, name = name }
  local is_fine, result = pcall(function()
    local pieces = lexer.pieces(source)
    template.piece_count = #pieces
    return parser.new(template, pieces, self):body()
  end)
  if is_fine then
    template.run = parser.body_run(result)
    return template
  elseif faults.is_fault(result) then
    result = faults.placed(result, source, name)
  end
  return error(result, 0)
end

--- Notes a name that a tag gives a value.
function Compilation:bind(name)
  self.bound[name] = true
end

--- The uses; is_free: of a name that no tag gives a value, so the data must have it.
function Compilation:all_uses()
  for _, use in ipairs(self.uses) do
    use.is_free = use.root ~= nil and not use.is_implied and not self.bound[use.root]
  end
  return self.uses
end

--- After a fault of the place no more is said about places.
function Compilation:lose_place()
  self.place, self.is_lost = plain.new(), true
end

-- A partial that shows itself is taken to end where it begins until it is known to.
local function open_partial(self, name, at, start)
  local source, message = self.load(name)
  if not source then
    faults.raise(at, "%s", message)
  end
  return { stop = start, is_open = true, template = { source = source, name = name } }
end

--- The partial of a name, compiled for the place where it is called, which then moves behind it.
--- at: of the call.
function Compilation:partial(name, at)
  local place = self.place
  local start = place:mark()
  local loop = self.loop and self.loop.place and place:key(self.loop.start) or ""
  local key = ("%s %s %s"):format(place:key(start), loop, name)
  local entry = self.partials[key]
  if not entry then
    entry = open_partial(self, name, at, start)
    self.partials[key] = entry
    entry.template.run = self:template(entry.template.source, name).run
    entry.is_open, entry.is_over = false, self.is_over
    local stop = place:mark()
    if entry.is_recursive and not place:join(start, stop) then
      faults.raise(at, "%s shows itself, and does not end in the place that it begins in", name)
    end
    entry.stop = stop
  end
  entry.is_recursive = entry.is_recursive or entry.is_open
  self.is_over = entry.is_over
  place:go(entry.stop)
  return entry.template
end

return compilation
