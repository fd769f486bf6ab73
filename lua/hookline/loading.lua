-- Runs what a file says when it is loaded: all that is wrong with it is collected, and an error
-- that it raises is a fault of it too.
local core = require "hookline.core"
local faults = require "hookline.faults"
local opaque = require "hookline.opaque"
local words = require "hookline.words"

local loading = {}

-- The words and the line of an error, while the frames that raised it still stand.
local function describe_raised(raised)
  local file, line = core.where(1)
  local meta = getmetatable(raised)
  local has_words = type(raised) == "string" or type(raised) == "number"
    or type(meta) == "table" and meta.__tostring
  local message = has_words and tostring(raised) or "raised " .. words.kind(raised)
  return { message = message, file = file, line = line }
end

-- A raised error as a fault: "rules/x.lua:12: message" is taken apart. What is no description is
-- the error of an error object that has no words for itself.
local function report_raised(file, raised)
  local described = type(raised) == "table" and raised
    or { message = "raised " .. words.kind(raised) }
  local place, line, rest = described.message:match "^([^\n:]+%.lua):(%d+): (.*)$"
  if place or described.file then
    local scope = faults.scope_at(place or described.file, tonumber(line) or described.line)
    scope:error("", rest or described.message)
  else
    faults.file_scope(file):error("", described.message)
  end
end

--- Calls fn, which runs the file. Returns what it gives, nil where it raised, and all the faults,
--- each { file, line, path, message, warning }, file nil where it is the file itself.
function loading.run(file, fn)
  local outer = faults.begin()
  local is_fine, result = xpcall(fn, describe_raised)
  if not is_fine then
    report_raised(file, result)
    result = nil
  end
  return result, faults.finish(outer)
end

--- The data of what the file returned, where it is of the kind that is wanted or stands for a fault
--- that is told already. what: { kind, sentence }, the sentence for a value of another kind.
function loading.returned(file, result, what)
  local data = opaque.data(result, what.kind)
  if not data and not opaque.is_broken(result) then
    faults.file_scope(file):error("", what.sentence, words.kind(result))
  end
  return data
end

--- Whether there is an error among faults, those of modules left out: they are the modules' own.
function loading.has_errors(list)
  for _, fault in ipairs(list) do
    if not fault.warning and not fault.module then
      return true
    end
  end
  return false
end

return loading
