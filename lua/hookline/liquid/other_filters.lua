-- The filters that are of no one kind of value, and our own.
local dates = require "hookline.liquid.dates"
local json = require "hookline.liquid.json"
local values = require "hookline.liquid.values"

local function default(value, otherwise, allow_false)
  if value == nil or (value == false and not values.is_true(allow_false)) then
    return otherwise
  end
  local what = values.kind(value)
  if value == "" or ((what == "array" or what == "object") and next(value) == nil) then
    return otherwise
  end
  return value
end

local function date(value, format, _, context)
  local wanted = values.text(format)
  if wanted == "" then
    return value
  end
  local time = dates.read(value, context.now_s)
  return time and dates.write(time, wanted) or value
end

local XML = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&apos;" }

-- Characters that XML 1.0 may not have are dropped.
local function xml_escape(value)
  local text = values.text(value):gsub("[&<>\"']", XML):gsub("[\0-\8\11\12\14-\31]", "")
  return (text:gsub("\xef\xbf[\xbe\xbf]", ""))
end

return {
  date = { 1, 1, date },
  default = { 0, 1, default, missing = { "" }, named = "allow_false" },
  json = { 0, 0, json },
  xml_escape = { 0, 0, xml_escape },
}
