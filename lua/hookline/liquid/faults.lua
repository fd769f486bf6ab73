-- Faults of a template: what is wrong and where. They are raised as tables, so that they are told
-- apart from a mistake in the library itself.
local faults = {}

local Fault = {}

--- Line and column (in characters) of an offset in a text, both from 1.
function faults.place(text, at)
  local line, line_at, from = 1, 1, 1
  while true do
    local found = text:find("\n", from, true)
    if not found or found >= at then
      break
    end
    line, line_at, from = line + 1, found + 1, found + 1
  end
  local before = text:sub(line_at, at - 1)
  return line, (utf8.len(before) or #before) + 1
end

--- Raises a fault at a byte offset of the source that is being compiled or rendered. Without an
--- offset it stands where the rendering is.
function faults.raise(at, format, ...)
  error(setmetatable({ at = at, message = format:format(...) }, Fault), 0)
end

--- A fault with its place: { name, line, column, message }. at: the offset, where it has none.
function faults.placed(fault, source, name, at)
  local line, column = faults.place(source, fault.at or at or 1)
  return { name = name, line = line, column = column, message = fault.message }
end

function faults.is_fault(value)
  return getmetatable(value) == Fault
end

return faults
