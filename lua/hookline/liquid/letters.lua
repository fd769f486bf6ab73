-- Upper and lower case of all of Unicode's letters that have both as one character.
local core = require "hookline.core"

local letters = {}

-- Where letters with two cases are. Outside of ASCII the first character that folds to another one
-- is its upper case.
local RANGES = {
  { 0xC0, 0x24F }, { 0x370, 0x58F }, { 0x10A0, 0x10FF }, { 0x1E00, 0x1FFF }, { 0x2160, 0x2188 },
  { 0x24B6, 0x24E9 }, { 0x2C00, 0x2D2F }, { 0xA640, 0xA7FF }, { 0xFF21, 0xFF5A },
  { 0x10400, 0x1044F },
}

local lower, upper

local function learn()
  lower = {}
  upper = { ["ß"] = "SS", ["ı"] = "I", ["ſ"] = "S", ["µ"] = "Μ", ["ς"] = "Σ" }
  for _, range in ipairs(RANGES) do
    for code = range[1], range[2] do
      local letter = utf8.char(code)
      local folded = core.fold(letter)
      if folded ~= letter and #folded > 1 and not upper[folded] then
        upper[folded], lower[letter] = letter, folded
      end
    end
  end
  lower["ẞ"] = "ß"
end

local function change(text, ascii, map)
  text = ascii(text)
  if core.is_ascii(text) then
    return text
  end
  if not lower then
    learn()
  end
  return (text:gsub("[\xc2-\xf4][\x80-\xbf]+", map == "upper" and upper or lower))
end

function letters.upper(text)
  return change(text, string.upper, "upper")
end

function letters.lower(text)
  return change(text, string.lower, "lower")
end

--- The first character large, the others small.
function letters.capitalize(text)
  local first = text:match("^" .. utf8.charpattern) or ""
  return letters.upper(first) .. letters.lower(text:sub(#first + 1))
end

return letters
