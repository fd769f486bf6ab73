-- When a webhook that failed is sent again, and which answers are failures.
local core = require "hookline.core"
local faults = require "hookline.faults"
local opaque = require "hookline.opaque"
local schema = require "hookline.schema"
local words = require "hookline.words"

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

--- For a schema: the key `retry`, checked to { text } of windows ("15s 1m|2h"), or { ask }, a
--- function.
retry.RULE = {
  types = { "hook.retry", "function" },
  wrong = { table = "put hook.retry in front of it" },
  what = 'hook.retry { { "15s", "1m" }, { "2h" } }, or a function of the attempt',
  check = function(value, scope, path)
    if type(value) == "function" then
      return { ask = value }
    end
    local data = opaque.data(value, retry.KIND)
    scope:adopt(data.scope, path)
    return data.text and { text = data.text }
  end,
}

-- --- statuses ------------------------------------------------------------------------------------

local function check_status(value, scope, path)
  if math.type(value) == "integer" and value >= 100 and value <= 599
     or type(value) == "string" and value:find "^[1-5]xx$" then
    return tostring(value)
  end
  scope:error(path, '%s is no status: 100 to 599, or "4xx" for all of a kind', words.show(value))
  return nil
end

local STATUSES = schema.new {
  name = "the list of statuses",
  items = {
    types = { "number", "text" },
    what = 'a status, such as 429 or "5xx"',
    least = 1,
    most = 50,
    check = check_status,
  },
}

--- For a schema: a key that is a list of statuses, checked to their text ("429,5xx").
retry.STATUSES = {
  types = { "table" },
  what = 'a list of statuses, { 429, "5xx" }',
  check = function(value, scope, path)
    local list = STATUSES:read(value, scope, path)
    return list and #list > 0 and table.concat(list, ",") or nil
  end,
}

-- --- what is stored ------------------------------------------------------------------------------

--- The policy of a webhook as it is stored with a delivery (deliver/policy.h): its own keys, of
--- the workflow the default of `retry`. nil: all is as it is without any.
function retry.policy(own, default)
  local windows = own.retry or default or {}
  local text = windows.text or ""
  if windows.ask then
    text = text .. ";retry"
  end
  if own.success then
    text = text .. ";success"
  end
  if own.retry_on then
    text = text .. ";on=" .. own.retry_on
  end
  if own.give_up_on then
    text = text .. ";give_up=" .. own.give_up_on
  end
  return text ~= "" and text or nil
end

-- --- functions that are asked when an attempt has ended ------------------------------------------

local function find_webhook(description, action)
  return description.webhooks and description.webhooks[action]
end

--- What the webhook's `success` says of an answer: nil where there is none, else a boolean.
--- answer: { status, headers, body }.
function retry.success(description, action, answer)
  local data = find_webhook(description, action)
  if not data or not data.policy.success then
    return nil
  end
  answer.json = core.json.decode(answer.body)
  return not not data.policy.success(answer)
end

--- What `retry`, a function, says of a failed attempt { number, status, error, elapsed }: false
--- where there is none; else true, and in how many milliseconds the next one comes, nil for never.
function retry.ask(description, action, attempt)
  local data = find_webhook(description, action)
  local ask = data and data.policy.retry and data.policy.retry.ask
    or (not data or not data.policy.retry) and description.retry_function
  if not ask then
    return false
  end
  local wait = ask(attempt)
  if wait == nil then
    return true
  end
  local ms = type(wait) == "string" and core.duration(wait)
  if not ms or ms <= 0 then
    error(('retry gave %s, which is no time to wait, such as "5m"'):format(words.show(wait)), 0)
  end
  return true, ms
end

return retry
