-- The rules of empty and of sameness that conditions rest on.
--
-- Empty is: missing, null, the text "", a list or an object with nothing in it. 0 and false are
-- values. In a condition hook.null and "" both stand for empty.
local core = require "hookline.core"

local values = {}

local null = core.null
local is_array = core.is_array

function values.is_empty(value)
  if value == nil or value == null or value == "" then
    return true
  end
  return type(value) == "table" and next(value) == nil
end

local is_empty = values.is_empty

local function is_same(a, b)
  if a == b then
    return true
  elseif a == nil or a == null then
    return b == nil or b == null
  elseif type(a) ~= "table" or type(b) ~= "table" or is_array(a) ~= is_array(b) then
    return false
  end
  for key, value in pairs(a) do
    if not is_same(value, b[key]) then
      return false
    end
  end
  for key, value in pairs(b) do
    if a[key] == nil and value ~= null then
      return false
    end
  end
  return true
end

--- Whether two values are the same data: null and a missing key are, 1 and 1.0 are, "1" and 1 are
--- not.
values.is_same = is_same

--- Whether a field has changed from one to the other, as a person sees it: from empty to empty it
--- has not.
function values.is_changed(before, now)
  return not is_same(before, now) and not (is_empty(before) and is_empty(now))
end

return values
