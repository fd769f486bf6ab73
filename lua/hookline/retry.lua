-- Retry windows: when a webhook that failed is sent again.
local core = require "hookline.core"
local faults = require "hookline.faults"
local opaque = require "hookline.opaque"
local schema = require "hookline.schema"

local retry = {}

retry.KIND = opaque.kind "hook.retry"

local WINDOW = schema.new {
  name = "a window",
  items = { types = { "text" }, what = 'a time such as "15s", "10m" or "2h"', least = 1 },
}

local WINDOWS = schema.new {
  name = "hook.retry",
  items = {
    types = { "table" },
    what = 'a window, such as { "15s", "1m" }',
    wrong = { text = 'a window is a table, as in hook.retry { { "15s", "1m" }, { "2h" } }' },
    least = 1,
    check = function(window, scope, path)
      return WINDOW:read(window, scope, path)
    end,
  },
}

--- Other times of retry, by window, each from the first failure.
function retry.new(windows)
  local scope = faults.scope()
  local values = WINDOWS:read(windows, scope)
  local text
  if values and not scope.is_faulty then
    local message
    text, message = core.retry.parse(values)
    if not text then
      scope:error("", message)
    end
  end
  return opaque.new(retry.KIND, { scope = scope, text = text })
end

--- For a schema: the key that is retry windows, checked to their text ("15s 1m|2h").
retry.RULE = {
  types = { "hook.retry", "function" },
  wrong = { table = "put hook.retry in front of it" },
  what = 'hook.retry { { "15s", "1m" }, { "2h" } }',
  check = function(value, scope, path)
    if type(value) == "function" then
      scope:error(path, "retry as a function is not there yet")
      return nil
    end
    local data = opaque.data(value, retry.KIND)
    scope:adopt(data.scope, path)
    return data.text
  end,
}

return retry
