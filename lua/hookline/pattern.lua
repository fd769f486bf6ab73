-- The patterns of matches(): Lua's (Lua 5.4 manual, 6.4.1), found anywhere in the text unless ^ or
-- $ tie them, with the matcher that counts its steps. They are checked when the file is loaded,
-- since the matcher would tell of a fault only when it gets there.
local core = require "hookline.core"

local pattern = {}

local CAPTURES_MAX = 32

-- The place behind the set that begins at `at`; nil where it never ends.
local function set_end(text, at)
  at = at + 1
  if text:sub(at, at) == "^" then
    at = at + 1
  end
  repeat -- a ] in front stands for itself
    local char = text:sub(at, at)
    if char == "" then
      return nil
    end
    at = at + (char == "%" and 2 or 1)
  until text:sub(at, at) == "]"
  return at + 1
end

-- The place behind what begins with the % at `at`; nil and why where it is wrong.
local function escape_end(text, at, closed)
  local char = text:sub(at + 1, at + 1)
  if char == "" then
    return nil, "ends with %"
  elseif char == "b" then
    if #text < at + 3 then
      return nil, "%b wants the two characters that open and close, as in %b()"
    end
    return at + 4
  elseif char == "f" then
    if text:sub(at + 2, at + 2) ~= "[" then
      return nil, "%f wants a set, as in %f[%w]"
    end
    return at + 2 -- the set is read next
  elseif char == "0" or char:find "[1-9]" and not closed[tonumber(char)] then
    return nil, ("%%%s is no part in round brackets that has ended"):format(char)
  end
  return at + 2
end

--- Why a text is no pattern; nil where it is one.
function pattern.fault(text)
  local open, closed, count = {}, {}, 0
  local at = 1
  while at <= #text do
    local char = text:sub(at, at)
    local after, message = at + 1, nil
    if char == "%" then
      after, message = escape_end(text, at, closed)
    elseif char == "[" then
      after, message = set_end(text, at), "a set has no ]"
    elseif char == "(" then
      count = count + 1
      open[#open + 1] = count
    elseif char == ")" then
      if #open == 0 then
        return "a ) has no ("
      end
      closed[table.remove(open)] = true
    end
    if not after then
      return message
    end
    at = after
  end
  if #open > 0 then
    return "a ( has no )"
  elseif count > CAPTURES_MAX then
    return ("has %d parts in round brackets, at most %d"):format(count, CAPTURES_MAX)
  end
  return nil
end

--- Whether it asks for a letter in upper case, which folded text has none of.
function pattern.has_upper(text)
  return text:gsub("%%%%", ""):find("%u", 1, true) ~= nil
end

--- The pattern for folded text: its letters folded, its classes (%S, %d) as they are.
function pattern.fold(text)
  return (text:gsub("([^%%]*)(%%?[%z\1-\127]?)", function(plain, class)
    return core.fold(plain) .. (class:sub(1, 1) == "%" and class or core.fold(class))
  end))
end

return pattern
