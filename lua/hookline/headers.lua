-- Custom headers of a webhook: text with one `Name: value` a line, or a table. A name with a
-- space inside is refused, a space before the colon is dropped, a comma in a value gets a
-- warning.
local core = require "hookline.core"
local header_place = require "hookline.places.header"
local secrets = require "hookline.secret"
local template = require "hookline.template"
local words = require "hookline.words"

local headers = {}

local function is_good_name(name, scope, path)
  local is_good, message = core.http.check_name(name)
  if not is_good then
    scope:error(path, message)
  end
  return is_good
end

local function is_good_value(name, value, scope, path)
  local is_good, message = core.http.check_value(value)
  if not is_good then
    scope:error(path, 'the value of "%s": %s', name, message)
    return false
  end
  if not template.is_in(value) and value:find(",", 1, true) then
    scope:warning(path, 'the value of "%s" has a comma, and receivers take what follows as a '
      .. "second value; use another delimiter", name)
  end
  return true
end

local function add_plain(list, name, value, scope, path)
  name, value = words.trim(name), words.trim(value)
  if is_good_name(name, scope, path) and is_good_value(name, value, scope, path) then
    local header = { name = name, value = value }
    if template.is_in(value) then
      header.template = template.compile_text(value, header_place, scope, path)
      header.value = ""
    end
    list[#list + 1] = header
  end
end

local function add_line(list, line, scope, path)
  local name, value = line:match "^([^:]*):(.*)$"
  if not name then
    scope:error(path, '%s is no header, which is "Name: value"', words.show(words.trim(line)))
  else
    add_plain(list, name, value, scope, path)
  end
end

local function add_lines(list, text, scope, path)
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    if line:find "%S" then
      add_line(list, line, scope, path)
    end
  end
end

-- Of a table: ["Name"] = text, a number, or a secret with a constant prefix.
local function add_pair(list, name, value, scope, path)
  path = ('%s["%s"]'):format(path, name)
  if scope:passes_over(value, path) then
    return
  end
  local secret = secrets.data(value)
  if secret then
    name = words.trim(name)
    if is_good_name(name, scope, path) and is_good_value(name, secret.prefix, scope, path) then
      list[#list + 1] = { name = name, secret = secret }
    end
  elseif type(value) == "string" or math.type(value) == "integer" then
    add_plain(list, name, tostring(value), scope, path)
  else
    scope:error(path, 'wants text or hook.secret "NAME", not %s', words.kind(value))
  end
end

local function check(value, scope, path)
  local list = {}
  if type(value) == "string" then
    add_lines(list, value, scope, path)
    return list
  end
  local places = {}
  for key in pairs(value) do
    if math.type(key) == "integer" then
      places[#places + 1] = key
    elseif type(key) ~= "string" then
      scope:error(path, "takes names as keys")
    end
  end
  table.sort(places)
  for _, i in ipairs(places) do
    local at, line = ("%s[%d]"):format(path, i), value[i]
    if type(line) == "string" then
      add_lines(list, line, scope, at)
    elseif not scope:passes_over(line, at) then
      scope:error(at, 'wants "Name: value", not %s', words.kind(line))
    end
  end
  for _, name in ipairs(words.sorted_keys(value)) do
    add_pair(list, name, value[name], scope, path)
  end
  return list
end

--- For a schema: the key that is custom headers, checked to a list of { name, value, template },
--- where a template makes the value, and { name, secret }.
headers.RULE = { types = { "text", "table" }, check = check }

--- Reports names that come twice, in whatever case, among headers and what `auth` adds.
function headers.check_unique(list, scope)
  local seen = {}
  for _, header in ipairs(list) do
    local key = header.name:lower()
    if seen[key] then
      local giver = seen[key] ~= "headers" and seen[key] or header.from
      scope:error("headers", giver and '"%s" is what ' .. giver .. " gives too: drop one of them"
        or '"%s" stands twice; a header has one value, with a delimiter inside it', header.name)
    end
    seen[key] = header.from or "headers"
  end
end

--- For a schema's check: text that may stand as the value of a header, or nil with an error.
function headers.check_value(value, scope, path)
  local is_good, message = core.http.check_value(value)
  if not is_good then
    scope:error(path, message)
    return nil
  end
  return value
end

--- For a schema: a key that is the name of a header.
headers.NAME_RULE = {
  types = { "text" },
  check = function(name, scope, path)
    return is_good_name(name, scope, path) and name or nil
  end,
}

return headers
