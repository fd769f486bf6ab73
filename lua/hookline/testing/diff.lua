-- How two values differ, path by path, and two texts, line by line: what a failed case shows. What
-- is wanted may hold functions: each is asked about the value in its place.
local core = require "hookline.core"
local words = require "hookline.words"

local diff = {}

local VALUE_BYTES_MAX = 200
local LINES_MAX, SHOWN_MAX, CONTEXT = 2000, 60, 2

local function show(value)
  if value == nil then
    return "nothing"
  elseif type(value) == "function" then
    return "what a function accepts"
  end
  local text = core.json.encode(value) or words.kind(value)
  if #text > VALUE_BYTES_MAX then
    text = text:sub(1, VALUE_BYTES_MAX):gsub("[\x80-\xff]*$", "") .. "..."
  end
  return text
end

diff.show = show

-- Values ------------------------------------------------------------------------------------------

local function path_of(prefix, key)
  if type(key) == "number" then
    return ("%s[%d]"):format(prefix, key)
  end
  return prefix == "" and key or prefix .. "." .. key
end

local function sorted_keys(...)
  local seen, keys = {}, {}
  for _, t in ipairs { ... } do
    for key in pairs(t) do
      if not seen[key] then
        seen[key] = true
        keys[#keys + 1] = key
      end
    end
  end
  table.sort(keys, function(a, b)
    if type(a) == type(b) then
      return a < b
    end
    return type(a) == "number"
  end)
  return keys
end

local function add(lines, path, message, ...)
  lines[#lines + 1] = (path == "" and "the whole" or path) .. ": " .. message:format(...)
end

local function ask(wanted, got, path, lines)
  local is_fine, verdict, why = pcall(wanted, got)
  if not is_fine then
    add(lines, path, "the function raised: %s", verdict)
  elseif not verdict then
    add(lines, path, "a function does not accept %s%s", show(got), why and ": " .. why or "")
  end
end

local function is_list(value)
  return core.is_array(value) or value[1] ~= nil
end

local walk

local function walk_tables(wanted, got, path, lines, is_part)
  local is_either = next(wanted) == nil and not core.is_array(wanted) -- {} in Lua: both
  if is_list(wanted) ~= is_list(got) and not (is_either and next(got) == nil) then
    add(lines, path, "expected %s, got %s", show(wanted), show(got))
    return
  end
  local keys = is_part and not is_list(wanted) and sorted_keys(wanted) or sorted_keys(wanted, got)
  for _, key in ipairs(keys) do
    walk(wanted[key], got[key], path_of(path, key), lines, is_part)
  end
end

function walk(wanted, got, path, lines, is_part)
  if type(wanted) == "function" then
    ask(wanted, got, path, lines)
  elseif type(wanted) == "table" and type(got) == "table" then
    walk_tables(wanted, got, path, lines, is_part)
  elseif wanted ~= got then
    add(lines, path, "expected %s, got %s", show(wanted), show(got))
  end
end

--- The differences, a line each; is_part: fields that are not wanted may be there.
function diff.values(wanted, got, is_part)
  local lines = {}
  walk(wanted, got, "", lines, is_part)
  return lines
end

-- Texts -------------------------------------------------------------------------------------------

-- XML on one line is told apart by its tags.
local function lines_of(text)
  if not text:find "\n" then
    text = text:gsub("(>)(<)", "%1\n%2")
  end
  local lines = {}
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = line
  end
  return lines
end

-- The lengths of the longest common rests of a from i and b from j.
local function common_rests(a, b)
  local rests = { [#a + 1] = {} }
  for i = #a, 1, -1 do
    local row, below = {}, rests[i + 1]
    for j = #b, 1, -1 do
      if a[i] == b[j] then
        row[j] = (below[j + 1] or 0) + 1
      else
        row[j] = math.max(below[j] or 0, row[j + 1] or 0)
      end
    end
    rests[i] = row
  end
  return rests
end

-- The script from a to b: { mark, line } with " ", "-" or "+".
local function edits(a, b)
  local rests, list, i, j = common_rests(a, b), {}, 1, 1
  while i <= #a or j <= #b do
    if i <= #a and j <= #b and a[i] == b[j] then
      list[#list + 1] = { " ", a[i] }
      i, j = i + 1, j + 1
    elseif j > #b or i <= #a and (rests[i + 1][j] or 0) >= (rests[i][j + 1] or 0) then
      list[#list + 1] = { "-", a[i] }
      i = i + 1
    else
      list[#list + 1] = { "+", b[j] }
      j = j + 1
    end
  end
  return list
end

local function is_near_change(list, at)
  for i = math.max(1, at - CONTEXT), math.min(#list, at + CONTEXT) do
    if list[i][1] ~= " " then
      return true
    end
  end
  return false
end

--- The lines that differ with some around them: "- " is wanted, "+ " is what came. {} for none.
function diff.texts(wanted, got)
  if wanted == got then
    return {}
  end
  local a, b = lines_of(wanted), lines_of(got)
  if #a > LINES_MAX or #b > LINES_MAX then
    return { ("the texts differ: %d lines are expected, %d came"):format(#a, #b) }
  end
  local list, shown, is_gap = edits(a, b), {}, false
  for i, edit in ipairs(list) do
    if #shown >= SHOWN_MAX then
      shown[#shown + 1] = "  ... and more"
      break
    elseif is_near_change(list, i) then
      shown[#shown + 1] = edit[1] .. " " .. edit[2]
      is_gap = false
    elseif not is_gap then
      shown[#shown + 1] = "  ..."
      is_gap = true
    end
  end
  return shown
end

return diff
