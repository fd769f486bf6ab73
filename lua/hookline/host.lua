-- What the host calls: load a workflow file, run a workflow on an event, explain it.
local core = require "hookline.core"
local faults = require "hookline.faults"
local opaque = require "hookline.opaque"
local run = require "hookline.run"
local words = require "hookline.words"
local workflow = require "hookline.workflow"

local host = {}

-- The words and the line of an error, while the frames that raised it still stand.
local function describe_raised(raised)
  local _, line = core.where(1)
  local meta = getmetatable(raised)
  local has_words = type(raised) == "string" or type(raised) == "number"
    or type(meta) == "table" and meta.__tostring
  local message = has_words and tostring(raised) or "raised " .. words.kind(raised)
  return { message = message, line = line }
end

-- A raised error as a fault: "rules/x.lua:12: message" is taken apart. What is no description is
-- the error of an error object that has no words for itself.
local function report_raised(file, raised)
  local described = type(raised) == "table" and raised
    or { message = "raised " .. words.kind(raised) }
  local line, rest = described.message:match "^[^\n:]+:(%d+): (.*)$"
  faults.file_scope(file, tonumber(line) or described.line):error("", rest or described.message)
end

local function has_errors(list)
  for _, fault in ipairs(list) do
    if not fault.warning then
      return true
    end
  end
  return false
end

-- What a file leaves open in its description is taken from the file's name.
local function finish_description(description, file)
  local stem = file:match "([^/]+)%.lua$" or file
  description.id = description.id or stem
  description.name = description.name or description.id
  description.description = description.description or ""
  if not workflow.is_id(description.id) then
    faults.file_scope(file):error("id", "the file's name gives it, and %s cannot be one: letters, "
      .. "digits, _, - and dots", words.show(stem))
  end
end

--- Loads a file: chunk is its compiled text. Returns its description and its warnings, or nil and
--- all its faults, each { line, path, message, warning }.
function host.load(file, chunk)
  faults.begin()
  local is_fine, result = xpcall(chunk, describe_raised)
  local data = is_fine and opaque.data(result, workflow.KIND)
  if not is_fine then
    report_raised(file, result)
  elseif data and data.description then
    finish_description(data.description, file)
  elseif not data and not opaque.is_broken(result) then
    faults.file_scope(file):error("", "a workflow file ends with return hook.workflow { ... }; "
      .. "this one returns %s", words.kind(result))
  end
  local list = faults.finish()
  return not has_errors(list) and data.description or nil, list
end

host.run = run.judge
host.explain = run.explain

return host
