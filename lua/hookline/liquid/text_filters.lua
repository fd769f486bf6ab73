-- The filters of text.
local core = require "hookline.core"
local faults = require "hookline.liquid.faults"
local letters = require "hookline.liquid.letters"
local values = require "hookline.liquid.values"

local text, integer = values.text, values.integer

-- --- replacing -----------------------------------------------------------------------------------

local function replace_all(value, part, by)
  local input, wanted, put = text(value), text(part), text(by)
  if wanted == "" then
    return put .. input:gsub(utf8.charpattern, function(letter) return letter .. put end)
  end
  local pieces, at = {}, 1
  while true do
    local from, to = input:find(wanted, at, true)
    if not from then
      break
    end
    pieces[#pieces + 1] = input:sub(at, from - 1)
    at = to + 1
  end
  pieces[#pieces + 1] = input:sub(at)
  return table.concat(pieces, put)
end

local function replace_first(value, part, by)
  local input, wanted = text(value), text(part)
  local from, to = input:find(wanted, 1, true)
  if not from then
    return input
  end
  return input:sub(1, from - 1) .. text(by) .. input:sub(to + 1)
end

local function replace_last(value, part, by)
  local input, wanted = text(value), text(part)
  if wanted == "" then
    return input .. text(by)
  end
  local from, at = nil, input:find(wanted, 1, true)
  while at do
    from, at = at, input:find(wanted, at + 1, true)
  end
  if not from then
    return input
  end
  return input:sub(1, from - 1) .. text(by) .. input:sub(from + #wanted)
end

-- --- parts ---------------------------------------------------------------------------------------

local function split(value, separator)
  local input, by = text(value), text(separator)
  local list = {}
  if by == "" then
    for letter in input:gmatch(utf8.charpattern) do
      list[#list + 1] = letter
    end
    return core.array(list)
  elseif by == " " then
    for word in input:gmatch "%S+" do
      list[#list + 1] = word
    end
    return core.array(list)
  end
  local at = 1
  while true do
    local from, to = input:find(by, at, true)
    list[#list + 1] = input:sub(at, (from or 0) - 1)
    if not from then
      break
    end
    at = to + 1
  end
  while list[#list] == "" do
    list[#list] = nil
  end
  return core.array(list)
end

local function slice(value, from, length)
  local offset = integer(from, "slice's offset")
  local count = length == nil and 1 or integer(length, "slice's length")
  local is_list = values.kind(value) == "array"
  local input = is_list and value or text(value)
  local size = is_list and #input or values.text_length(input)
  offset = offset < 0 and size + offset or offset
  if offset < 0 or offset > size or count < 0 then
    return is_list and core.array {} or ""
  end
  count = math.min(count, size - offset)
  if is_list then
    return core.array(table.move(input, offset + 1, offset + count, 1, {}))
  end
  return values.text_part(input, offset, count)
end

local function truncate(value, length, ending)
  local most, tail = integer(length, "truncate's length"), text(ending)
  local input = text(value)
  if values.text_length(input) <= most then
    return input
  end
  return values.text_part(input, 0, math.max(most - values.text_length(tail), 0)) .. tail
end

local function truncate_words(value, count, ending)
  local most = math.max(integer(count, "truncatewords' count"), 1)
  local input, list = text(value), {}
  for word in input:gmatch "%S+" do
    if #list == most then
      return table.concat(list, " ") .. text(ending)
    end
    list[#list + 1] = word
  end
  return input
end

-- --- HTML, URLs ----------------------------------------------------------------------------------

local HTML = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

local function escape(value)
  return value ~= nil and (text(value):gsub("[&<>\"']", HTML)) or nil
end

local function escape_once(value)
  local input = text(value)
  local escaped = input:gsub("[<>\"']", HTML)
  -- an ampersand that begins a reference stays
  return (escaped:gsub("&([^&;]*;?)", function(rest)
    if rest:find "^%a+;$" or rest:find "^#%d+;$" then
      return nil
    end
    return "&amp;" .. rest
  end))
end

-- Removes from the opening text to the closing one.
local function strip_blocks(input, open, close)
  local pieces, at = {}, 1
  while true do
    local from, after = input:find(open, at, true)
    local _, to = input:find(close, (after or #input) + 1, true)
    if not to then
      break
    end
    pieces[#pieces + 1] = input:sub(at, from - 1)
    at = to + 1
  end
  pieces[#pieces + 1] = input:sub(at)
  return table.concat(pieces)
end

local function strip_html(value)
  local input = text(value)
  input = strip_blocks(input, "<script", "</script>")
  input = strip_blocks(input, "<!--", "-->")
  input = strip_blocks(input, "<style", "</style>")
  return strip_blocks(input, "<", ">")
end

local function url_encode(value)
  if value == nil then
    return nil
  end
  return (text(value):gsub("[^%w_.~-]", function(byte)
    return byte == " " and "+" or ("%%%02X"):format(byte:byte())
  end))
end

local function url_decode(value)
  if value == nil then
    return nil
  end
  local decoded = text(value):gsub("+", " "):gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end)
  if not utf8.len(decoded) then
    faults.raise(nil, "url_decode gives what is no UTF-8")
  end
  return decoded
end

-- --- base64 --------------------------------------------------------------------------------------

local function base64_encode(value)
  return core.base64(text(value))
end

local function base64_url_safe_encode(value)
  return (core.base64(text(value)):gsub("[+/]", { ["+"] = "-", ["/"] = "_" }))
end

local function base64_decoder(name, from_url)
  return function(value)
    if value == nil then
      return ""
    elseif type(value) ~= "string" then
      faults.raise(nil, "%s takes a text, not %s", name, values.shown(value))
    end
    local input = from_url and value:gsub("[-_]", { ["-"] = "+", ["_"] = "/" }) or value
    if from_url and #input % 4 ~= 0 then
      input = input .. ("="):rep(4 - #input % 4)
    end
    local decoded = core.unbase64(input)
    if not decoded then
      faults.raise(nil, "%s: %s is not Base64", name, values.shown(value))
    end
    return decoded
  end
end

local function trimmed(left, right)
  return function(value)
    return core.trim(text(value), left, right)
  end
end

return {
  append = { 1, 1, function(value, more) return text(value) .. text(more) end },
  base64_decode = { 0, 0, base64_decoder("base64_decode", false) },
  base64_encode = { 0, 0, base64_encode },
  base64_url_safe_decode = { 0, 0, base64_decoder("base64_url_safe_decode", true) },
  base64_url_safe_encode = { 0, 0, base64_url_safe_encode },
  capitalize = { 0, 0, function(value) return letters.capitalize(text(value)) end },
  downcase = { 0, 0, function(value) return letters.lower(text(value)) end },
  escape = { 0, 0, escape },
  escape_once = { 0, 0, escape_once },
  lstrip = { 0, 0, trimmed(true, false) },
  newline_to_br = { 0, 0, function(value)
    return (text(value):gsub("\r?\n", "<br />\n"))
  end },
  prepend = { 1, 1, function(value, more) return text(more) .. text(value) end },
  remove = { 1, 1, replace_all },
  remove_first = { 1, 1, replace_first },
  remove_last = { 1, 1, replace_last },
  replace = { 1, 2, replace_all },
  replace_first = { 1, 2, replace_first },
  replace_last = { 2, 2, replace_last },
  rstrip = { 0, 0, trimmed(false, true) },
  slice = { 1, 2, slice },
  split = { 1, 1, split },
  strip = { 0, 0, trimmed(true, true) },
  strip_html = { 0, 0, strip_html },
  strip_newlines = { 0, 0, function(value) return (text(value):gsub("\r?\n", "")) end },
  truncate = { 0, 2, truncate, missing = { 50, "..." } },
  truncatewords = { 0, 2, truncate_words, missing = { 15, "..." } },
  upcase = { 0, 0, function(value) return letters.upper(text(value)) end },
  url_decode = { 0, 0, url_decode },
  url_encode = { 0, 0, url_encode },
}
