-- A URL. Path and query take placeholders, each percent-encoded; scheme and host only behind
-- `| raw`, since they say who gets the request.
local core = require "hookline.core"
local faults = require "hookline.liquid.faults"
local values = require "hookline.liquid.values"

local url = {}
url.__index = url

local output = values.output
local escape = core.escape.url(output)

-- A mark is { part, is_raw }: whether a placeholder stood in the scheme.
local START = { part = "scheme", is_raw = false }

function url.new()
  return setmetatable({ at_mark = START }, url)
end

function url:mark()
  return self.at_mark
end

function url:go(mark)
  self.at_mark = mark
end

function url.join(_, a, b)
  if a.part ~= b.part then
    return nil
  end
  return a.is_raw and a or b
end

function url.key(_, mark)
  return mark.part .. (mark.is_raw and "*" or "")
end

function url.words(_, mark)
  return "in the URL's " .. mark.part
end

local BAD = {
  [" "] = "a URL has no spaces; write %%20",
  ["\\"] = "a URL has no backslash; write / or %%5C",
  ["#"] = "a fragment (#) is never sent; leave it out, or write %%23",
}

function url:text(text, at)
  local place, bad = text:match "()([%c \\#\128-\255])"
  if place then
    faults.raise(at + place - 1, BAD[bad] or "a URL is ASCII without control characters; "
      .. "percent-encode this one")
  end
  local mark, from = self.at_mark, 1
  local part = mark.part
  if part == "scheme" then
    local after = text:match("://()")
    if after then
      part, from = "host", after
    elseif mark.is_raw and text:find "[/?]" then
      part = "host"
    end
  end
  if part == "host" then
    local sign, after = text:match("([/?])()", from)
    if sign then
      part, from = "path", sign == "?" and after - 1 or after
    end
  end
  if part == "path" and text:find("?", from, true) then
    part = "query"
  end
  if part ~= mark.part then
    self.at_mark = { part = part, is_raw = mark.is_raw }
  end
  return text
end

-- A + stands for a space in a form alone; %20 does everywhere.
local function escape_plus(value)
  return (output(value):gsub("%+", "%%20"))
end

function url:output(filter, at)
  local part = self.at_mark.part
  if filter == "raw" then
    if part == "scheme" then
      self.at_mark = { part = part, is_raw = true }
    end
    return output
  elseif part == "scheme" or part == "host" then
    faults.raise(at, "scheme and host of a URL take no placeholder, since they say who gets the "
      .. "request; where the record may choose that, write {{ ... | raw }}")
  elseif filter == "url_encode" then
    return escape_plus
  end
  return escape
end

function url.markup(_, at)
  faults.raise(at, "tablerow writes HTML, which cannot stand in a URL")
end

function url.finish()
end

return url
