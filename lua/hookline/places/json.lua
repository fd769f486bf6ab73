-- JSON. Outside of texts a placeholder is one whole value; inside a text it is a part of it.
--
-- Outside of texts it is known what may stand in front: more than one thing after a branch, such as
-- the value or the comma of {% unless forloop.last %},{% endunless %}.
local core = require "hookline.core"
local as_json = require "hookline.liquid.json"
local faults = require "hookline.liquid.faults"
local values = require "hookline.liquid.values"

local json = {}
json.__index = json

local START, OPEN, COMMA, COLON, VALUE, KEY = 1, 2, 4, 8, 16, 32

-- A mark is { is_text, before, after, stack, from }: the signs that may stand in front, those after
-- the text it is inside of, the brackets that are open, and where the text began.
local BEGIN = { is_text = false, before = START, after = 0, stack = "", from = 1 }

function json.new()
  return setmetatable({ now = BEGIN }, json)
end

function json:mark()
  return self.now
end

function json:go(mark)
  self.now = mark
end

function json.join(_, a, b)
  if a.is_text ~= b.is_text or a.stack ~= b.stack then
    return nil
  elseif a.before == b.before and a.after == b.after then
    return a
  end
  return { is_text = a.is_text, before = a.before | b.before, after = a.after | b.after,
    stack = a.stack, from = a.from }
end

function json.key(_, mark)
  return ("%s %d %d %s"):format(mark.is_text, mark.before, mark.after, mark.stack)
end

function json.words(_, mark)
  if mark.is_text then
    return "inside a text in double quotes"
  elseif mark.stack == "" then
    return "outside of all objects and lists"
  end
  return ("inside %s"):format(mark.stack)
end

local function move(self, before, stack)
  self.now = { is_text = false, before = before, after = 0, stack = stack or self.now.stack,
    from = 1 }
end

local function is_in_object(mark)
  return mark.stack:sub(-1) == "{"
end

-- Raises where no value can stand. is_output: the value is a placeholder.
local function check_value(mark, at, is_output)
  local allowed = is_in_object(mark) and COLON or mark.stack == "" and START or OPEN | COMMA
  if mark.before & allowed ~= 0 then
    return
  end
  local what = is_output and "a placeholder" or "a value"
  if mark.before & KEY ~= 0 then
    faults.raise(at, "%s follows a key: write a colon in front of it", what)
  elseif is_in_object(mark) and mark.before & (OPEN | COMMA) ~= 0 then
    faults.raise(at, "%s cannot be the key of an object as it stands: write it in double quotes, "
      .. "with a colon and a value behind it", what)
  elseif mark.stack == "" then
    faults.raise(at, "%s stands behind the end of the JSON", what)
  end
  faults.raise(at, "%s follows another one: write a comma between them, or double quotes around "
    .. "both for one text", what)
end

local SIGNS = {}

SIGNS['"'] = function(self, at)
  local mark, after = self.now, VALUE
  if is_in_object(mark) and mark.before & (OPEN | COMMA) ~= 0 then
    after = KEY | (mark.before & COLON ~= 0 and VALUE or 0)
  else
    check_value(mark, at)
  end
  self.now = { is_text = true, before = mark.before, after = after, stack = mark.stack, from = at }
end

local function open(sign)
  return function(self, at)
    check_value(self.now, at)
    move(self, OPEN, self.now.stack .. sign)
  end
end

SIGNS["{"] = open "{"
SIGNS["["] = open "["

local function close(sign, opener)
  return function(self, at)
    local stack = self.now.stack
    if stack:sub(-1) ~= opener then
      faults.raise(at, stack == "" and "'%s' closes nothing" or "'%s' cannot close '%s'", sign,
        stack:sub(-1))
    elseif self.now.before == COMMA then
      faults.raise(at, "a comma stands in front of '%s': leave it out", sign)
    end
    move(self, VALUE, stack:sub(1, -2))
  end
end

SIGNS["}"] = close("}", "{")
SIGNS["]"] = close("]", "[")

SIGNS[":"] = function(self, at)
  if self.now.before & KEY == 0 then
    faults.raise(at, "a colon stands behind the key of an object, and nowhere else")
  end
  move(self, COLON)
end

SIGNS[","] = function(self, at)
  if self.now.stack == "" then
    faults.raise(at, "a comma stands outside of all objects and lists")
  end
  move(self, COMMA)
end

local WORDS = { ["true"] = true, ["false"] = true, null = true }

local function word(self, text, at)
  if not WORDS[text] and not core.number(text) then
    faults.raise(at, "%s is no JSON value: a text stands in double quotes", text)
  end
  check_value(self.now, at)
  move(self, VALUE)
end

-- Each gives the offset behind what it has read.

local function read_outside(self, text, i, at)
  local sign = text:sub(i, i)
  if SIGNS[sign] then
    SIGNS[sign](self, at + i - 1)
    return i + 1
  end
  local found, behind = text:match("^([%w.+_-]+)()", i)
  if not found then
    faults.raise(at + i - 1, "JSON cannot have %s here: a text stands in double quotes",
      text:match("^" .. utf8.charpattern, i) or "this byte")
  end
  word(self, found, at + i - 1)
  return behind
end

local function read_inside(self, text, i, at)
  i = text:find('["\\\0-\31]', i)
  if not i then
    return #text + 1
  end
  local sign = text:sub(i, i)
  if sign == '"' then
    move(self, self.now.after)
    return i + 1
  elseif sign == "\\" then
    if i == #text then
      faults.raise(at + i - 1, "a backslash cannot stand in front of a placeholder or a tag")
    end
    return i + 2
  end
  faults.raise(at + i - 1, sign == "\n" and "a text of JSON has no line break: write \\n"
    or "a text of JSON has no control character: write it as \\u00%02x", sign:byte())
end

function json:text(text, at)
  local i = 1
  while i <= #text do
    if self.now.is_text then
      i = read_inside(self, text, i, at)
    else
      i = text:match("^[ \t\r\n]*()", i)
      if i <= #text then
        i = read_outside(self, text, i, at)
      end
    end
  end
  return text
end

local output = values.output
local escape_text, as_value = core.escape.json(output), core.escape.value(as_json)

--- Inside a text what `json` gives is a text as any other, which is escaped: so JSON goes into a
--- text of JSON.
function json:output(filter, at)
  if self.now.is_text then
    return filter == "raw" and output or escape_text, false
  end
  check_value(self.now, at, true)
  move(self, VALUE)
  if filter == "raw" or filter == "json" then
    return output, false
  end
  return as_value, true
end

function json.markup(_, at)
  faults.raise(at, "tablerow writes HTML: capture it, and write {{ ... }} in double quotes")
end

function json:finish(at)
  local mark = self.now
  if mark.is_text then
    faults.raise(mark.from, 'a text is not closed; write "')
  elseif mark.stack ~= "" then
    faults.raise(at, "'%s' is not closed; write %s", mark.stack:sub(-1),
      is_in_object(mark) and "}" or "]")
  elseif mark.before == START then
    faults.raise(at, "there is no JSON value in the template")
  end
end

return json
