-- XML. Placeholders stand in text, in an attribute's value in quotes, in a comment, in CDATA.
--
-- Which elements are open is followed for the sake of early words, and no longer where branches
-- differ in it: what is rendered is parsed again in any case.
local core = require "hookline.core"
local faults = require "hookline.liquid.faults"
local private = require "hookline.private"
local values = require "hookline.liquid.values"

local xml = {}
xml.__index = xml

-- A mark is { part, open, name, slash }: open is "a>b>" for what is open, nil where that is not
-- known; name: of the tag that it is inside of; slash: whether its last sign is /.
local BEGIN = { part = "text", open = "" }

function xml.new()
  return setmetatable({ now = BEGIN }, xml)
end

function xml:mark()
  return self.now
end

function xml:go(mark)
  self.now = mark
end

function xml.join(_, a, b)
  if a.part ~= b.part or a.name ~= b.name then
    return nil
  elseif a.open == b.open and a.slash == b.slash then
    return a
  end
  return { part = a.part, open = a.open == b.open and a.open or nil, name = a.name,
    slash = a.slash and b.slash }
end

function xml.key(_, mark)
  return ("%s %s %s %s"):format(mark.part, mark.open, mark.name, mark.slash)
end

local WORDS = {
  text = "in text",
  tag = "inside a tag",
  closing = "inside a closing tag",
  wanted = "behind the = of an attribute",
  ['"'] = "inside an attribute's value",
  ["'"] = "inside an attribute's value",
  comment = "inside a comment",
  cdata = "inside CDATA",
  instruction = "inside <? ?>",
}

function xml.words(_, mark)
  return WORDS[mark.part]
end

local function move(self, part, open, name, slash)
  self.now = { part = part, open = open, name = name, slash = slash }
end

-- --- reading -------------------------------------------------------------------------------------

-- Each reads from offset i of the text and gives the offset behind what it has read.
local READ = {}

local NAME = "^([%a_:\128-\255][%w_:.\128-\255-]*)()"

-- What is ended by a fixed text, which cannot be cut in two by a placeholder or a tag.
local function up_to(ending, cut, words)
  return function(self, text, i, at)
    local _, to = text:find(ending, i, true)
    if to then
      move(self, "text", self.now.open)
      return to + 1
    elseif text:sub(-1) == cut then
      faults.raise(at + #text - 1, "%s cannot stand at the end of a piece of %s, in front of a "
        .. "placeholder or a tag", cut, words)
    end
    return #text + 1
  end
end

READ.comment = up_to("-->", "-", "a comment")
READ.cdata = up_to("]]>", "]", "CDATA")
READ.instruction = up_to("?>", "?", "<? ?>")

local OPENERS = { { "<!--", "comment" }, { "<![CDATA[", "cdata" }, { "<?", "instruction" } }

function READ.text(self, text, i, at)
  i = text:find("<", i, true)
  if not i then
    return #text + 1
  end
  for _, opener in ipairs(OPENERS) do
    if text:sub(i, i + #opener[1] - 1) == opener[1] then
      move(self, opener[2], self.now.open)
      return i + #opener[1]
    end
  end
  if text:find("^<!", i) then
    faults.raise(at + i - 1, "a DOCTYPE may not be sent; leave it out")
  end
  local is_closing = text:sub(i + 1, i + 1) == "/"
  local name, behind = text:match(NAME, is_closing and i + 2 or i + 1)
  if not name then
    faults.raise(at + i - 1, i + (is_closing and 1 or 0) == #text
      and "a placeholder or a tag cannot stand in the name of an element"
      or "a < of text is written &lt;")
  end
  move(self, is_closing and "closing" or "tag", self.now.open, name)
  return behind
end

local function end_tag(self)
  local mark = self.now
  local open = mark.open
  if open and not mark.slash then
    open = open .. mark.name .. ">"
  end
  move(self, "text", open)
end

function READ.tag(self, text, i, at)
  local mark = self.now
  local sign_at, sign = text:match("()([=>/\"'<])", i)
  if not sign then
    return #text + 1
  elseif sign == ">" then
    end_tag(self)
  elseif sign == "=" then
    move(self, "wanted", mark.open, mark.name)
  elseif sign == "/" then
    move(self, "tag", mark.open, mark.name, true)
  else
    faults.raise(at + sign_at - 1, sign == "<" and "the tag in front is not closed; write >"
      or "an attribute is written name=\"value\"")
  end
  return sign_at + 1
end

function READ.closing(self, text, i, at)
  i = text:match("^%s*()", i)
  local sign = text:sub(i, i)
  if sign == "" then
    return i
  elseif sign ~= ">" then
    faults.raise(at + i - 1, "a closing tag holds nothing but its name")
  end
  local mark = self.now
  local open = mark.open
  if open then
    local last = open:match "([^>]*)>$"
    if last ~= mark.name then
      faults.raise(at + i - 1, last and "</%s> cannot close <%s>" or "</%s> closes nothing",
        mark.name, last)
    end
    open = open:sub(1, -#last - 2)
  end
  move(self, "text", open)
  return i + 1
end

function READ.wanted(self, text, i, at)
  i = text:match("^%s*()", i)
  local sign = text:sub(i, i)
  if sign == "" then
    return i
  elseif sign ~= '"' and sign ~= "'" then
    faults.raise(at + i - 1, "an attribute's value stands in quotes")
  end
  move(self, sign, self.now.open, self.now.name)
  return i + 1
end

local function read_value(self, text, i, at)
  local mark = self.now
  local sign_at, sign = text:match("()([<" .. mark.part .. "])", i)
  if not sign then
    return #text + 1
  elseif sign == "<" then
    faults.raise(at + sign_at - 1, "a < in an attribute's value is written &lt;")
  end
  move(self, "tag", mark.open, mark.name)
  return sign_at + 1
end

READ['"'] = read_value
READ["'"] = read_value

function xml:text(text, at)
  local i = 1
  while i <= #text do
    i = READ[self.now.part](self, text, i, at)
  end
  return text
end

-- --- placeholders --------------------------------------------------------------------------------

local output = values.output

-- An escape that also gives how many characters it dropped, which is noted.
local function counted(escape)
  return function(value)
    local text, dropped = escape(value)
    if dropped > 0 then
      private.note_dropped(dropped)
    end
    return text
  end
end

local text_of = counted(core.escape.xml(output))
local double_of = counted(core.escape.xml_attribute(output))

-- What XML may not have is dropped: it cannot be escaped.
local clean = counted(function(value)
  local text, count = output(value):gsub("[\0-\8\11\12\14-\31]", "")
  local more
  text, more = text:gsub("\xef\xbf[\xbe\xbf]", "")
  return text, count + more
end)

local ESCAPES = {
  text = text_of,
  ['"'] = double_of,
  ["'"] = function(value)
    return (double_of(value):gsub("'", "&apos;"))
  end,
  comment = function(value) -- no two dashes together, nor with one around
    return (clean(value):gsub("%-%-", "- -"):gsub("%-%-", "- -"):gsub("^%-", " -")
      :gsub("%-$", "- "))
  end,
  cdata = function(value) -- ]]> ends a section: another one goes on
    return (clean(value):gsub("%]", "]]]><![CDATA["):gsub("^>", "]]><![CDATA[>")
      :gsub("\r", "]]>&#13;<![CDATA["))
  end,
}

-- After a filter that escapes: white space that would be read back as another.
local SPACES = { ["\t"] = "&#9;", ["\n"] = "&#10;", ["\r"] = "&#13;" }

local function escaped_text(value)
  return (clean(value):gsub("\r", SPACES))
end

local function escaped_attribute(value)
  return (clean(value):gsub("[\t\n\r]", SPACES))
end

local REFUSED = {
  tag = "inside a tag a placeholder stands in an attribute's value alone, in quotes",
  closing = "a placeholder cannot stand inside a closing tag",
  wanted = "write double quotes around the placeholder: an attribute's value stands in quotes",
  instruction = "a placeholder cannot stand inside <? ?>",
}

local OWN = { xml_escape = true, escape = true, escape_once = true }

function xml:output(filter, at)
  local mark = self.now
  if filter == "raw" then
    return output
  elseif REFUSED[mark.part] then
    faults.raise(at, "%s", REFUSED[mark.part])
  elseif mark.part == "text" and mark.open == "" then
    faults.raise(at, "text stands inside the outermost element; for a placeholder that is XML "
      .. "itself write {{ ... | raw }}")
  elseif OWN[filter] and mark.part == "text" then
    return escaped_text
  elseif OWN[filter] and (mark.part == '"' or mark.part == "'") then
    return escaped_attribute
  end
  return ESCAPES[mark.part]
end

function xml:markup(at)
  if self.now.part ~= "text" then
    faults.raise(at, "tablerow writes HTML, which cannot stand %s", WORDS[self.now.part])
  end
end

function xml:finish(at)
  local mark = self.now
  if mark.part ~= "text" then
    faults.raise(at, "the template ends %s", WORDS[mark.part])
  elseif mark.open and mark.open ~= "" then
    local last = mark.open:match "([^>]*)>$"
    faults.raise(at, "<%s> is not closed; write </%s>", last, last)
  end
end

return xml
