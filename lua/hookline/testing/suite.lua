-- hook.test: what a test file returns. Its table is checked and becomes a plan, which the runner
-- follows: for each case its steps, each with events, answers of the receiver, a move of the clock.
-- What is expected stays here, for compare.lua.
local core = require "hookline.core"
local faults = require "hookline.faults"
local opaque = require "hookline.opaque"
local schema = require "hookline.schema"
local words = require "hookline.words"

local suite = {}

suite.KIND = opaque.kind "hook.test"

local CASES_MAX, STEPS_MAX, EVENTS_MAX = 10000, 1000, 1000
local FAILURES = { "dns", "connect", "tls", "timeout", "reset", "oauth" }
local STATES = { "pending", "retrying", "held", "delivered", "terminated", "invalid", "cancelled",
  "superseded" }

-- Values ------------------------------------------------------------------------------------------

local function is_one_of(value, list)
  for _, item in ipairs(list) do
    if item == value then
      return true
    end
  end
  return false
end

-- Whether it can be JSON; else the fault is told.
local function check_json(value, scope, path)
  local text, message = core.json.encode(value, path)
  if not text then
    local at, rest = message:match "^(%S+): (.*)$" -- the very place
    scope:error(at and at:sub(1, #path) == path and at or path, rest or message)
    return nil
  end
  return value
end

local function is_list(value)
  return core.is_array(value) or value[1] ~= nil
end

local function check_duration(value, scope, path)
  local ms = core.duration(value)
  if not ms then
    scope:error(path, '%s is no time to move on by, such as "15s", "10m", "2h" or "3d"',
      words.show(value))
  end
  return ms
end

local DURATION = {
  types = { "text" },
  wrong = { number = 'write it with its unit, "15s"' },
  check = check_duration,
}

local function check_time(value, scope, path)
  local ms, is_day = core.time(value)
  if not ms or is_day then
    scope:error(path, '%s is no time such as "2026-11-23T09:15:00Z"', words.show(value))
    return nil
  end
  return ms
end

local NOW = { types = { "text" }, check = check_time }

-- Events ------------------------------------------------------------------------------------------

local function check_event(value, scope, path)
  if is_list(value) then
    scope:error(path, "is a list where one event is wanted")
    return nil
  elseif value.record ~= nil and (type(value.record) ~= "table" or is_list(value.record)) then
    scope:error(path .. ".record", "wants the record's fields, as in record = { id = 1 }")
    return nil
  end
  return check_json(value, scope, path)
end

local function check_file_name(value, scope, path)
  if not value:find "%.json$" then
    scope:error(path, '%s is no file of events: it ends in ".json" and stands beside the test',
      words.show(value))
    return nil
  end
  return value
end

-- The events of a step: a list, or the name of a file of them.
local function check_given(value, scope, path)
  if type(value) == "string" then
    return check_file_name(value, scope, path)
  elseif not is_list(value) then
    value = { value }
  elseif #value > EVENTS_MAX then
    scope:error(path, "takes at most %d events", EVENTS_MAX)
    return nil
  end
  local events = {}
  for i, event in ipairs(value) do
    local at = #value == 1 and path or ("%s[%d]"):format(path, i)
    if type(event) ~= "table" then
      scope:error(at, "wants an event, not %s", words.kind(event))
      return nil
    end
    events[i] = check_event(event, scope, at)
  end
  return #events == #value and events or nil
end

local GIVEN = {
  types = { "table", "text" },
  what = "an event, a list of events, or the name of a .json file of them",
  check = check_given,
}

local function copy(from)
  local to = {}
  for key, value in pairs(from) do
    to[key] = value
  end
  return to
end

-- The event of a case over the one that all cases share: its fields and those of its record win one
-- by one; `previous = false` takes a field of the event out.
local function merge(base, event)
  local merged = copy(base or {})
  for key, value in pairs(event) do
    if key == "record" and type(merged.record) == "table" and type(value) == "table" then
      merged.record = copy(merged.record)
      for name, field in pairs(value) do
        merged.record[name] = field
      end
    else
      merged[key] = value or nil
    end
  end
  return merged
end

-- Answers -----------------------------------------------------------------------------------------

local ANSWER = schema.new {
  name = "an answer",
  keys = {
    status = { types = { "number" }, required = "status = 200" },
    headers = { types = { "table" }, check = check_json },
    body = { types = { "text", "table" }, check = check_json },
  },
}

local function check_answer(value, scope, path)
  if type(value) == "table" then
    value = ANSWER:read(value, scope, path) or {}
    value.body = type(value.body) == "table" and core.json.encode(value.body) or value.body
  end
  local status = type(value) == "table" and value.status or value
  if type(status) == "number" and (math.type(status) ~= "integer" or status < 200 or status > 599)
  then
    scope:error(path, "%s is no status of an answer: 200 to 599", words.show(status))
    return nil
  elseif type(value) == "string" and not is_one_of(value, FAILURES) then
    scope:error(path, "%s is no answer: a status, { status = 200, body = ... }, or one of %s",
      words.show(value), words.list(FAILURES, "and", true))
    return nil
  end
  return value
end

local ANSWERS = schema.new {
  name = "answers",
  items = {
    types = { "number", "text", "table" },
    what = "an answer, such as 503",
    check = check_answer,
  },
}

-- A list is answered with one after another, then with 200; one answer alone stays.
local function check_answers(value, scope, path)
  if type(value) == "table" and (is_list(value) or next(value) == nil) then
    return { each = core.array(ANSWERS:read(value, scope, path) or {}) }
  end
  return { always = check_answer(value, scope, path) }
end

local ANSWERS_RULE = {
  types = { "number", "text", "table" },
  what = 'an answer (503, "timeout", { status = 200, body = ... }) or a list of them',
  check = check_answers,
}

-- What is expected --------------------------------------------------------------------------------

local function check_state(value, scope, path)
  if not is_one_of(value, STATES) then
    scope:error(path, "%s is no state of a delivery: there are %s%s", words.show(value),
      words.list(STATES, "and"), words.did_you_mean(words.nearest(value, STATES)))
  end
  return value
end

local WEBHOOK = schema.new {
  name = "an expected webhook",
  keys = {
    workflow = { types = { "text" } },
    method = { types = { "text" } },
    url = { types = { "text", "function" } },
    headers = { types = { "table" } },
    body = { types = { "text", "table", "function" } },
    body_has = { types = { "table" } },
    invalid = { types = { "text", "boolean" } },
    state = { types = { "text" }, check = check_state },
    attempts = { types = { "number" } },
    reason = { types = { "text" } },
    next_attempt_in = DURATION,
  },
  hints = { content = "body", data = "body", path = "url", status = "state", retry = "attempts" },
}

local WEBHOOKS = schema.new {
  name = "a list of webhooks",
  items = {
    types = { "table" },
    what = "a webhook, such as { method = \"POST\", body = { ... } }",
    check = function(value, scope, path)
      return WEBHOOK:read(value, scope, path)
    end,
  },
}

local function check_webhooks(value, scope, path)
  local is_one = not is_list(value) and next(value) ~= nil
  return WEBHOOKS:read(is_one and { value } or value, scope, path)
end

local WEBHOOKS_RULE = { types = { "table" }, check = check_webhooks }

-- Steps and cases ---------------------------------------------------------------------------------

local STEP_KEYS = {
  given = GIVEN,
  after = DURATION,
  answers = ANSWERS_RULE,
  expect = WEBHOOKS_RULE,
  deliveries = WEBHOOKS_RULE,
  error = { types = { "text", "boolean" } },
}

local HINTS = {
  event = "given",
  events = "given",
  when = "given",
  input = "given",
  expected = "expect",
  expects = "expect",
  webhooks = "expect",
  ["then"] = "expect",
  wait = "after",
  advance = "after",
  sleep = "after",
  responses = "answers",
  answer = "answers",
  raises = "error",
  description = "name",
}

local STEP = schema.new { name = "a step", keys = STEP_KEYS, hints = HINTS }

local STEPS = schema.new {
  name = "steps",
  items = {
    types = { "table" },
    what = "a step, such as { after = \"15s\", expect = {} }",
    least = 1,
    most = STEPS_MAX,
    check = function(value, scope, path)
      return STEP:read(value, scope, path)
    end,
  },
}

local function with_step_keys(keys)
  for key, rule in pairs(STEP_KEYS) do
    keys[key] = rule
  end
  return keys
end

local CASE = schema.new {
  name = "a case",
  keys = with_step_keys {
    name = { types = { "text" }, required = 'name = "a won deal makes an invoice"' },
    now = NOW,
    records = GIVEN,
    skip = { types = { "text", "boolean" } },
    steps = {
      types = { "table" },
      check = function(value, scope, path)
        return STEPS:read(value, scope, path)
      end,
    },
  },
  hints = HINTS,
}

local ASSERTIONS = { "expect", "deliveries", "error" }

local function asserts(step)
  for _, key in ipairs(ASSERTIONS) do
    if step[key] ~= nil then
      return true
    end
  end
  return false
end

-- What came of a key's check, or what was written where that was refused: it is told already.
local function steps_of(case, options, scope, path)
  if options.steps == nil then
    if not asserts(options) then
      scope:error(path, "checks nothing: give expect = { ... } (expect = {} for no webhook), "
        .. "deliveries or error")
    end
    return { case }
  end
  for key in pairs(STEP_KEYS) do
    if options[key] ~= nil and key ~= "answers" then
      scope:error(path, "has steps, so %s stands in one of them", key)
    end
  end
  local steps = case.steps or {}
  if steps[1] and not steps[1].answers then
    steps[1].answers = case.answers
  end
  for _, step in ipairs(steps) do
    if asserts(step) then
      return steps
    end
  end
  scope:error(path, "checks nothing: give a step expect = { ... }, deliveries or error")
  return steps
end

local function check_case(value, scope, path)
  local case = CASE:read(value, scope, path)
  if case then
    case.steps = steps_of(case, value, scope, path)
  end
  return case
end

local CASES = schema.new {
  name = "cases",
  items = {
    types = { "table" },
    what = 'a case, such as { name = "...", given = { ... }, expect = { ... } }',
    least = 1,
    most = CASES_MAX,
    check = check_case,
  },
}

local NAMES = schema.new { name = "workflow", items = { types = { "text" }, what = "a name" } }

local function check_workflow(value, scope, path)
  if type(value) == "string" then
    return { value }
  end
  return NAMES:read(value, scope, path)
end

local function check_vars(value, scope, path)
  local vars = {}
  for name, setting in pairs(value) do
    local kind = math.type(setting) or type(setting)
    if type(name) ~= "string" or kind ~= "string" and kind ~= "integer" and kind ~= "float" then
      scope:error(path, "wants settings by name, as in vars = { INVOICE_HOST = \"...\" }")
      return nil
    end
    vars[name] = tostring(setting)
  end
  return vars
end

local OPTIONS = schema.new {
  name = "hook.test",
  keys = {
    workflow = { types = { "text", "table" }, check = check_workflow },
    vars = { types = { "table" }, check = check_vars },
    now = NOW,
    given = { types = { "table" }, check = check_event },
    records = GIVEN,
    answers = ANSWERS_RULE,
    cases = {
      types = { "table" },
      required = 'cases = { { name = "...", given = { ... }, expect = { ... } } }',
      check = function(value, scope, path)
        return CASES:read(value, scope, path)
      end,
    },
  },
  hints = {
    workflows = "workflow",
    tests = "cases",
    event = "given",
    time = "now",
    settings = "vars",
  },
}

-- The plan ----------------------------------------------------------------------------------------

local function plan_events(given, base)
  if type(given) ~= "table" then
    return given
  end
  local events = core.array {}
  for i, event in ipairs(given) do
    events[i] = merge(base, event)
  end
  return events
end

local function plan_case(case, values)
  local steps = core.array {}
  for i, step in ipairs(case.steps) do
    steps[i] = {
      given = plan_events(step.given, values.given),
      after_ms = step.after,
      answers = step.answers or i == 1 and values.answers or nil,
    }
  end
  return {
    name = case.name,
    skip = case.skip and (case.skip == true and "skipped" or case.skip) or nil,
    now_ms = case.now or values.now,
    records = case.records or values.records,
    steps = steps,
  }
end

local function plan_of(values, line)
  local cases = core.array {}
  for i, case in ipairs(values.cases) do
    cases[i] = plan_case(case, values)
  end
  return { line = line, workflow = values.workflow, vars = values.vars, cases = cases }
end

local function check_names(cases, scope)
  local seen = {}
  for i, case in ipairs(cases) do
    if case.name and seen[case.name] then
      scope:error(("cases[%d].name"):format(i), "%s names another case, too", words.show(case.name))
    end
    seen[case.name or ""] = true
  end
end

--- The tests of a workflow. Its data: { scope, description }, the description { plan, cases }, nil
--- where there are faults.
function suite.new(options)
  local scope = faults.scope()
  if not faults.is_loading() then
    scope:error("", "hook.test is for the file itself, not for its functions")
  end
  local values = OPTIONS:read(options, scope)
  if values and values.cases then
    check_names(values.cases, scope)
  end
  if scope.is_faulty then
    return opaque.new(suite.KIND, { scope = scope })
  end
  local description = { plan = plan_of(values, scope.line), cases = values.cases }
  return opaque.new(suite.KIND, { scope = scope, description = description })
end

return suite
