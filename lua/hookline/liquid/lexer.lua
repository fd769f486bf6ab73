-- Cuts a template into text, output and tags, and what stands in them into words.
--
-- A piece is { kind = "text"|"output"|"tag"|"raw"|"doc", text, at, ... }; `at` is the byte offset
-- of `text` in the source. A tag has `name` and `tag_at` besides, `text` being what follows its
-- name.
local faults = require "hookline.liquid.faults"

local lexer = {}

local RAW_ENDS = {
  raw = "(){%%(%-?)%s*endraw%s*(%-?)%%}()",
  doc = "(){%%(%-?)%s*enddoc%s*(%-?)%%}()",
}

-- The bounds of what stands in { } without the signs of white space control: from, to, and whether
-- there is one at the end.
local function inner(source, open, close)
  local from, to = open + 2, close - 1
  if source:byte(from) == 45 and from <= to then
    from = from + 1
  end
  local trims = to >= from and source:byte(to) == 45
  if trims then
    to = to - 1
  end
  return from, to, trims or source:sub(open + 2, close - 1) == "-"
end

local function add_text(pieces, source, from, to, trims_left, trims_right)
  local text = source:sub(from, to)
  if trims_left then
    text = text:match "^%s*(.*)$"
    from = to + 1 - #text
  end
  if trims_right then
    text = text:match "^(.-)%s*$"
  end
  if text ~= "" then
    pieces[#pieces + 1] = { kind = "text", text = text, at = from }
  end
end

--- Reads the name of a tag from source[from, to]: a piece without more than its place.
function lexer.tag(source, from, to, tag_at)
  local text = source:sub(from, to)
  local name_at, name, rest_at = text:match "^%s*()([%w_]+)%s*()"
  if not name then
    name_at, name, rest_at = text:match "^%s*()(#)()"
  end
  if not name then
    faults.raise(tag_at, "a tag has no name")
  end
  return { kind = "tag", name = name, tag_at = from + name_at - 1, text = text:sub(rest_at),
    at = from + rest_at - 1 }
end

-- What stands between a tag that is read as it is, and its end. Returns the offset behind it, and
-- whether white space behind is dropped.
local function verbatim(pieces, source, tag, from)
  if tag.text:match "%S" then
    faults.raise(tag.at, "{%% %s %%} takes nothing", tag.name)
  end
  local stop, _, trims, after = source:match(RAW_ENDS[tag.name], from)
  if not stop then
    faults.raise(tag.tag_at, "{%% %s %%} is not closed; write {%% end%s %%}", tag.name, tag.name)
  end
  local text = source:sub(from, stop - 1)
  if tag.name == "doc" and text:find "{%%%-?%s*doc[%s%%%-]" then
    faults.raise(tag.tag_at, "{%% doc %%} cannot stand in another one")
  end
  pieces[#pieces + 1] = { kind = tag.name, text = text, at = from }
  return after, trims == "-"
end

--- The pieces of a whole template.
function lexer.pieces(source)
  local pieces, at, trims = {}, 1, false
  while true do
    local open, sign = source:match("(){([{%%])", at)
    if not open then
      add_text(pieces, source, at, #source, trims, false)
      return pieces
    end
    add_text(pieces, source, at, open - 1, trims, source:byte(open + 2) == 45)
    local is_output = sign == "{"
    local close = source:find(is_output and "}}" or "%}", open + 2, true)
    if not close then
      faults.raise(open, "%s is not closed; write %s", is_output and "{{" or "{%",
        is_output and "}}" or "%}")
    end
    local from, to, trims_next = inner(source, open, close)
    at, trims = close + 2, trims_next
    if is_output then
      pieces[#pieces + 1] = { kind = "output", text = source:sub(from, to), at = from }
    else
      local tag = lexer.tag(source, from, to, open)
      if RAW_ENDS[tag.name] then
        at, trims = verbatim(pieces, source, tag, at)
      else
        pieces[#pieces + 1] = tag
      end
    end
  end
end

--- The pieces of a {% liquid %} tag: a tag in each line.
function lexer.lines(source, text, text_at)
  local pieces, from = {}, 1
  while from <= #text do
    local to = (text:find("\n", from, true) or #text + 1) - 1
    if text:find("%S", from) and text:sub(from, to):find "%S" then
      pieces[#pieces + 1] = lexer.tag(source, text_at + from - 1, text_at + to - 1,
        text_at + from - 1)
    end
    from = to + 2
  end
  return pieces
end

-- --- words ---------------------------------------------------------------------------------------

local COMPARISONS = { ["=="] = true, ["!="] = true, ["<>"] = true, ["<="] = true, [">="] = true }
local SINGLES = { ["<"] = "compare", [">"] = "compare", ["."] = ".", ["["] = "[", ["]"] = "]",
  ["("] = "(", [")"] = ")", [":"] = ":", [","] = ",", ["|"] = "|" }

local function word(text, at)
  local found = text:match("^[%a_][%w_%-]*%??", at)
  if found then
    return "id", found, #found
  end
  found = text:match("^%-?%d+%.%d+", at) or text:match("^%-?%d+", at)
  if found then
    return "number", tonumber(found), #found
  end
  local quote = text:match("^[\"']", at)
  if quote then
    local close = text:find(quote, at + 1, true)
    if close then
      return "string", text:sub(at + 1, close - 1), close - at + 1
    end
    return nil, "a text is not closed; write " .. quote
  end
  local two = text:sub(at, at + 1)
  if COMPARISONS[two] then
    return "compare", two, 2
  elseif two == ".." then
    return "..", two, 2
  end
  local one = two:sub(1, 1)
  if SINGLES[one] then
    return SINGLES[one], one, 1
  end
  return nil, ("'%s' cannot stand here"):format(text:match("^" .. utf8.charpattern, at) or one)
end

--- The words of a markup: a list of { kind, value, at }, ended by one of the kind "end".
function lexer.words(text, text_at)
  local list, at = {}, 1
  while true do
    at = text:match("^%s*()", at)
    if at > #text then
      list[#list + 1] = { kind = "end", at = text_at + #text }
      return list
    end
    local kind, value, length = word(text, at)
    if not kind then
      faults.raise(text_at + at - 1, "%s", value)
    end
    list[#list + 1] = { kind = kind, value = value, at = text_at + at - 1,
      text = text:sub(at, at + length - 1) }
    at = at + length
  end
end

return lexer
