-- What the test runner calls: load a test file, compare what came of a case with what it expects.
local core = require "hookline.core"
local compare = require "hookline.testing.compare"
local loading = require "hookline.loading"
local modules = require "hookline.modules"
local suite = require "hookline.testing.suite"

local host = {}

local FILE = {
  kind = suite.KIND,
  sentence = "a test file ends with return hook.test { ... }; this one returns %s",
}

local loaded -- the file's description

--- Loads a test file. Returns its plan as JSON and its warnings, or nil and all its faults, as
--- those of a workflow file.
function host.load(file, chunk)
  modules.begin()
  local data, list = loading.run(file, function()
    return loading.returned(file, chunk(), FILE)
  end)
  loaded = data and not loading.has_errors(list) and data.description or nil
  return loaded and assert(core.json.encode(loaded.plan)) or nil, list
end

--- The messages of a case (from 1), a JSON array: [] where everything came as expected. result and
--- again: what came of it in two fresh states, as the runner writes it.
function host.compare(index, result, again)
  local messages = compare.case(loaded.cases[index], assert(core.json.decode(result)))
  if again ~= result and #messages == 0 then
    messages = compare.states(assert(core.json.decode(result)), assert(core.json.decode(again)))
  end
  return assert(core.json.encode(core.array(messages)))
end

return host
