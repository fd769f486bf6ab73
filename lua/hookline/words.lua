-- Words for messages: how a value, a kind of value or a list of names reads in a sentence.
local core = require "hookline.core"
local opaque = require "hookline.opaque"

local words = {}

local KINDS = {
  ["nil"] = "nothing",
  string = "text",
  number = "a number",
  boolean = "true or false",
  ["function"] = "a function",
  table = "a table",
}

--- What kind of value it is: "text", "a table", "hook.secret".
function words.kind(value)
  if value == core.null then
    return "hook.null"
  end
  return opaque.name(value) or KINDS[type(value)] or "a " .. type(value)
end

--- A value as a person would write it, cut where it is long.
function words.show(value)
  if type(value) == "string" then
    if #value > 60 then
      value = value:sub(1, 57):gsub("[\x80-\xff]*$", "") .. "..."
    end
    return '"' .. value:gsub("%c", " ") .. '"'
  elseif type(value) == "number" or type(value) == "boolean" then
    return tostring(value)
  end
  return words.kind(value)
end

--- "a, b or c"; the names are quoted where quote is true.
function words.list(names, conjunction, quote)
  local shown = {}
  for i, name in ipairs(names) do
    shown[i] = quote and '"' .. name .. '"' or name
  end
  if #shown < 2 then
    return shown[1] or ""
  end
  local last = table.remove(shown)
  return table.concat(shown, ", ") .. " " .. (conjunction or "or") .. " " .. last
end

--- The keys of a table that are text, sorted.
function words.sorted_keys(t)
  local names = {}
  for key in pairs(t) do
    if type(key) == "string" then
      names[#names + 1] = key
    end
  end
  table.sort(names)
  return names
end

--- The name of `names` (an array) that a wrong one was probably meant to be, or nil.
function words.nearest(wrong, names)
  if type(wrong) ~= "string" then
    return nil
  end
  return core.nearest(wrong:lower():gsub("[%s-]+", "_"), names)
end

--- The end of a message about a wrong name: '; did you mean "amount"?', "" where nothing is near.
function words.did_you_mean(near)
  return near and '; did you mean "' .. near .. '"?' or ""
end

function words.trim(text)
  return (text:match("^%s*(.-)%s*$"))
end

return words
