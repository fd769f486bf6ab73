-- What the host calls: load a workflow file, run a workflow on an event, explain it.
local faults = require "hookline.faults"
local loading = require "hookline.loading"
local modules = require "hookline.modules"
local run = require "hookline.run"
local sources = require "hookline.sources"
local types = require "hookline.types"
local words = require "hookline.words"
local workflow = require "hookline.workflow"

local host = {}

-- What a file leaves open in its description is taken from the file's name.
local function finish_description(description, file)
  local stem = file:match "([^/]+)%.lua$" or file
  description.id = description.id or stem
  description.name = description.name or description.id
  description.description = description.description or ""
  description.shown = { id = description.id, name = description.name,
    description = description.description }
  if not workflow.is_id(description.id) then
    faults.file_scope(file):error("id", "the file's name gives it, and %s cannot be one: letters, "
      .. "digits, _, - and dots", words.show(stem))
  end
end

local FILE = {
  kind = workflow.KIND,
  sentence = "a workflow file ends with return hook.workflow { ... }; this one returns %s",
}

--- Loads a file: chunk is its compiled text. Returns its description and its warnings, or nil and
--- all its faults, each { file, line, path, message, warning, module }: file where it is not the
--- file itself, module where it is the fault of a module that was loaded for it.
function host.load(file, chunk)
  modules.begin()
  local data, list = loading.run(file, function()
    local data = loading.returned(file, chunk(), FILE)
    if data and data.description then
      finish_description(data.description, file)
    end
    return data
  end)
  return not loading.has_errors(list) and data.description or nil, list
end

--- Loads sources/NAME.lua. Returns its description for sources.run, or nil, and its faults.
function host.load_source(path)
  modules.begin()
  local data, list = loading.run(path, function()
    return sources.load(path)
  end)
  for _, fault in ipairs(list) do
    fault.module = fault.module or path
  end
  return data, list
end

--- The faults of a module or catalogue that no file has needed.
function host.check_module(path)
  if types.record_of(path) then
    return types.check(path)
  end
  return modules.check(path)
end

host.run_source = sources.run
host.run = run.judge
host.recheck = run.recheck
host.explain = run.explain
host.success = run.success
host.retry = run.retry

return host
