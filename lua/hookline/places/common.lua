-- What the places of a template share. A place follows the literal text of a template while it is
-- compiled and knows, at each placeholder, where it stands: that says how its value is escaped.
--
-- Each place has these functions, the faults of which are raised (hookline.liquid.faults):
--
--   text(self, text, at)        -> the literal text to show; the place moves behind it
--   output(self, filter, at)    -> escape(value) -> text, is_value; the place moves behind it.
--                                  filter: the last one's name. is_value: a number may go as it is
--                                  written
--   markup(self, at)            raises where HTML's tags cannot stand
--   mark(self) -> mark, go(self, mark)      where it is, as a table that is never changed
--   join(self, a, b) -> mark | nil          two branches that end there go on as one
--   key(self, mark) -> text                 tells marks apart
--   words(self, mark) -> text               "inside a text"
--   finish(self, at)            raises where a template cannot end
local faults = require "hookline.liquid.faults"
local values = require "hookline.liquid.values"

local common = {}

local NOWHERE = {}

--- A place that is the same everywhere. name: for words. escape: of every placeholder; own: filters
--- after which a value is not escaped again.
function common.even(name, escape, own)
  local place = {}
  place.__index = place

  function place.new()
    return setmetatable({}, place)
  end

  function place.text(_, text)
    return text
  end

  function place.output(_, filter)
    if filter == "raw" or own and own[filter] then
      return values.output
    end
    return escape
  end

  function place.markup(_, at)
    faults.raise(at, "tablerow writes HTML, which cannot stand in %s", name)
  end

  function place.mark()
    return NOWHERE
  end

  function place.go()
  end

  function place.join()
    return NOWHERE
  end

  function place.key()
    return ""
  end

  function place.words()
    return "in " .. name
  end

  function place.finish()
  end

  return place
end

return common
