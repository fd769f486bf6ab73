-- hook.workflow: what a workflow file returns. Its table is checked and becomes the description
-- that the host keeps: what it must know to judge an event, and what a match owes.
local conditions = require "hookline.conditions"
local content = require "hookline.content"
local core = require "hookline.core"
local doubts = require "hookline.doubts"
local faults = require "hookline.faults"
local lookups = require "hookline.lookups"
local opaque = require "hookline.opaque"
local retry = require "hookline.retry"
local schedules = require "hookline.schedules"
local schema = require "hookline.schema"
local template = require "hookline.template"
local triggers = require "hookline.triggers"
local types = require "hookline.types"
local watch = require "hookline.watch"
local webhook = require "hookline.webhook"
local words = require "hookline.words"

local workflow = {}

workflow.KIND = opaque.kind "hook.workflow"

local ID_BYTES_MAX = 100
local ACTIONS_MAX = 100
local NOTIFY_MAX = 20

local function check_id(value, scope, path)
  if not workflow.is_id(value) then
    scope:error(path, "%s is no id: letters, digits, _, - and dots, at most %d", words.show(value),
      ID_BYTES_MAX)
    return nil
  end
  return value
end

--- Whether a text can be a workflow's id.
function workflow.is_id(text)
  return #text <= ID_BYTES_MAX and text:find "^[%w_][%w_.-]*$" ~= nil
end

local function check_record(value, scope, path)
  if not value:find "^%a[%w_-]*$" then
    scope:error(path, '%s is no record type, such as "deal": a letter, then letters, digits, _ '
      .. "and -", words.show(value))
    return nil
  end
  if value:find "%u" then
    scope:warning(path, 'record types are told apart by case: this is not "%s"', value:lower())
  end
  return value
end

local function check_active(value, scope, path)
  if type(value) == "string" and value ~= "dry" then
    scope:error(path, 'wants true, false or "dry", not %s', words.show(value))
    return nil
  end
  return value
end

local function check_cooldown(value, scope, path)
  local ms = core.duration(value)
  if not ms or ms <= 0 then
    scope:error(path, '%s is no time to wait, such as "10m" or "1d"', words.show(value))
    return nil
  end
  return ms
end

-- The words, and what the host knows them by.
local WHEN_STOPPED = { finish = 0, hold = 1, cancel = 2 }

local function check_when_stopped(value, scope, path)
  if not WHEN_STOPPED[value] then
    scope:error(path, 'wants "finish", "hold" or "cancel", not %s%s', words.show(value),
      words.did_you_mean(words.nearest(value, words.sorted_keys(WHEN_STOPPED))))
    return nil
  end
  return WHEN_STOPPED[value]
end

local DELAY_MAX_MS = 30 * 24 * 60 * 60 * 1000

local function check_delay(value, scope, path)
  local ms = core.duration(value)
  if not ms or ms <= 0 then
    scope:error(path, '%s is no time to wait, such as "10m" or "1d"', words.show(value))
    return nil
  elseif ms > DELAY_MAX_MS then
    scope:error(path, "%s is over 30 days", words.show(value))
    return nil
  end
  return ms
end

local function check_address(value, scope, path)
  if not core.is_mail_address(value) then
    scope:error(path, '%s is no mail address, such as "a@example.com"', words.show(value))
    return nil
  end
  return value
end

local NOTIFY = schema.new {
  name = "notify",
  items = {
    types = { "text" },
    what = 'a mail address, such as "a@example.com"',
    least = 1,
    most = NOTIFY_MAX,
    check = check_address,
  },
}

local function check_notify(value, scope, path)
  return NOTIFY:read(value, scope, path)
end

local ACTIONS = schema.new {
  name = "actions",
  items = { types = { "hook.webhook" }, what = "one hook.webhook { ... }", most = ACTIONS_MAX },
}

-- A list of webhooks, as a file gives it or as a function returned it.
local function read_actions(list, scope)
  local values = ACTIONS:read(list, scope, "actions") or {}
  for i, value in ipairs(values) do
    local data = opaque.data(value, webhook.KIND)
    scope:adopt(data.scope, ("actions[%d]"):format(i))
    values[i] = data
  end
  return values
end

local function check_actions(value, scope, path)
  if type(value) == "function" then
    return value
  elseif next(value) == nil then
    scope:error(path, "needs at least one hook.webhook { ... }")
    return nil
  end
  return read_actions(value, scope)
end

local OPTIONS = schema.new {
  name = "hook.workflow",
  keys = {
    id = { types = { "text" }, check = check_id },
    name = { types = { "text" } },
    description = { types = { "text" } },
    record = { types = { "text" }, required = 'record = "deal"', check = check_record },
    trigger = triggers.RULE,
    when = conditions.RULE,
    actions = {
      types = { "table", "function" },
      required = "actions = { hook.webhook { ... } }",
      wrong = { ["hook.webhook"] = "put it into a list: actions = { hook.webhook { ... } }" },
      check = check_actions,
    },
    active = {
      types = { "boolean", "text" },
      what = 'true, false or "dry"',
      check = check_active,
    },
    cooldown = { types = { "text" }, check = check_cooldown },
    when_stopped = { types = { "text" }, check = check_when_stopped },
    delay = { types = { "text" }, check = check_delay },
    recheck = { types = { "boolean" } },
    retry = retry.RULE,
    order = webhook.ORDER_RULE,
    zone = schedules.ZONE,
    notify = {
      types = { "table" },
      what = 'a list of mail addresses: { "a@example.com" }',
      check = check_notify,
    },
  },
  hints = {
    conditions = "when",
    condition = "when",
    ["if"] = "when",
    event = "trigger",
    on = "trigger",
    record_type = "record",
    type = "record",
    enabled = "active",
    webhooks = "actions",
    ["then"] = "actions",
    ["do"] = "actions",
    title = "name",
  },
}

-- What one webhook owes in a run, with the workflow's defaults { retry, order }. `body` and
-- `invalid` are set by the run.
local function owed_item(data, defaults)
  return {
    head = data.head,
    target = data.target,
    retry = retry.policy(data.policy, defaults.retry),
    order = data.order or defaults.order,
    timeout_ms = data.timeout_ms,
  }
end

-- What a list of webhooks owes: webhooks and items beside each other, the items made once.
local function owed_list(webhooks, defaults)
  local items = {}
  for i, data in ipairs(webhooks) do
    items[i] = owed_item(data, defaults)
  end
  return items
end

local function calls_functions(values)
  if type(values.actions) == "function" or values.when and values.when.has_functions then
    return true
  end
  for _, data in ipairs(values.actions) do
    if data.has_functions then
      return true
    end
  end
  return false
end

-- The names of the secrets that its webhooks hold, each once; those of webhooks that a function
-- makes are not known.
local function secrets_of(values)
  local names, seen = {}, {}
  for _, data in ipairs(type(values.actions) == "table" and values.actions or {}) do
    for _, name in ipairs(data.secrets) do
      names[#names + 1] = not seen[name] and name or nil
      seen[name] = true
    end
  end
  return names
end

local function add_reads_of(node, names)
  if node.field then
    names[#names + 1] = node.field.parts[1]
  end
  for _, child in ipairs(node.children or {}) do
    add_reads_of(child, names)
  end
end

-- Whether a condition in the tree is seen from the event's time.
local function reads_time(node)
  if node.row then
    return node.row.is_timed == true
  end
  for _, child in ipairs(node.children or {}) do
    if reads_time(child) then
      return true
    end
  end
  return false
end

-- The names of the record's own fields that a workflow without functions reads: the host decodes
-- no others for it; nil where that cannot be told. And whether it reads the event's time or id.
local function reads_of(values)
  local names = {}
  if values.when then
    add_reads_of(values.when, names)
  end
  for _, path in ipairs(values.trigger.watch or {}) do
    names[#names + 1] = path.parts[1]
  end
  local has_time = values.when ~= nil and reads_time(values.when)
  for _, data in ipairs(values.actions) do
    for _, path in ipairs(data.paths) do
      names[#names + 1] = path[1]
    end
    local is_known, has_time_too = template.add_reads(data.uses, values.record, names)
    if not is_known then
      return nil, true
    end
    has_time = has_time or has_time_too
  end
  return names, has_time
end

-- What run.lua and retry.lua need, beside what the host reads of a description.
local function plan_run(description, values, scope)
  description.retry_function = values.retry and values.retry.ask
  description.when = values.when
  description.test = values.when and values.when.test
  description.watched = values.trigger.watch
  description.is_watched = values.trigger.watch and watch.test(values.trigger.watch)
  description.rose = values.trigger.is_rising and watch.rose(description.test) or nil
  description.verb_of = {}
  for verb in pairs(values.trigger.verbs) do
    description.verb_of[values.record .. "." .. verb] = verb
  end
  if values.trigger.schedule then
    description.verb_of[values.record .. ".scheduled"] = "scheduled"
  end
  if type(values.actions) == "function" then
    local actions = values.actions
    description.actions = function(event)
      local webhooks = read_actions(actions(event), scope)
      return webhooks, owed_list(webhooks, values)
    end
  else
    description.webhooks = values.actions
    description.items = owed_list(values.actions, values)
  end
end

-- What the catalogue says of the fields that webhooks choose.
local function add_types(values)
  local catalogue = type(values.actions) == "table" and types.load(values.record)
  for _, data in ipairs(catalogue and values.actions or {}) do
    data.types[values.record] = content.types(data.content, data.encoding, catalogue)
  end
end

--- A workflow. Its data: { scope, description }, the description nil where there are faults.
function workflow.new(options)
  local scope = faults.scope()
  if not faults.is_loading() then
    scope:error("", "hook.workflow is for the file itself, not for its functions")
  end
  local values = OPTIONS:read(options, scope)
  if values and values.trigger and values.trigger.is_rising and options.when == nil then
    scope:error("trigger.edge", "needs conditions that rise: when = ...")
  end
  if values and values.cooldown and values.trigger and values.trigger.is_once then
    scope:error("cooldown", "is for hook.every: hook.once fires once for a record, ever")
  end
  if values and values.recheck and options.delay == nil then
    scope:error("recheck", 'goes with delay = "10m": it judges the conditions again then')
  end
  local mismatch = values and values.record and values.trigger
    and triggers.mismatch(values.record, values.trigger)
  if mismatch then
    scope:error("trigger", mismatch)
  end
  if scope.is_faulty then
    return opaque.new(workflow.KIND, { scope = scope })
  end
  local description = {
    id = values.id,
    name = values.name,
    description = values.description,
    record = values.record,
    verbs = values.trigger.verbs,
    once = values.trigger.is_once,
    schedule = values.trigger.schedule,
    zone = values.zone or "UTC",
    active = values.active ~= false,
    dry = values.active == "dry",
    cooldown_ms = values.cooldown,
    when_stopped = values.when_stopped,
    delay_ms = values.delay,
    recheck = values.recheck == true,
    notify = values.notify,
    secrets = secrets_of(values),
    has_functions = calls_functions(values),
  }
  if not description.has_functions then
    description.reads, description.reads_time = reads_of(values)
  end
  description.lookups = {
    when = values.when and lookups.of(values.when),
    watch = values.trigger.watch and lookups.watch(values.trigger.watch),
  }
  plan_run(description, values, scope)
  doubts.find(values)
  add_types(values)
  return opaque.new(workflow.KIND, { scope = scope, description = description })
end

return workflow
