-- What came of a case beside what it expects: the messages of what differs. A result is what the
-- runner writes: { fault? } or { steps = { { runs, owed, deliveries, now_ms }, ... } }, where
--   runs        { event, workflow, verdict, message?, trace? }, the verdict "match", "no_match",
--               "suppressed", "duplicate" or "error"
--   owed        the webhooks that came to be owed in the step
--   deliveries  all webhooks so far, as they are at its end
-- and a webhook is { workflow, request = { method, url, headers, body }, invalid?, state, attempts,
-- reason?, next_attempt_ms? }.
local core = require "hookline.core"
local diff = require "hookline.testing.diff"
local form = require "hookline.testing.form"
local words = require "hookline.words"

local compare = {}

local function add(messages, place, lines)
  if #lines == 1 then
    messages[#messages + 1] = place .. ": " .. lines[1]
  elseif #lines > 1 then
    messages[#messages + 1] = place .. ":\n  " .. table.concat(lines, "\n  ")
  end
end

-- Whether some of the words are there, as they stand or as a pattern.
local function says(message, wanted)
  if message:find(wanted, 1, true) then
    return true
  end
  local is_pattern, at = pcall(string.find, message, wanted)
  return is_pattern and at ~= nil
end

-- Webhooks ----------------------------------------------------------------------------------------

local function show_duration(ms)
  local units = { { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 } }
  for _, unit in ipairs(units) do
    if ms >= unit[2] and ms % unit[2] == 0 then
      return ("%d%s"):format(ms // unit[2], unit[1])
    end
  end
  return ("%dms"):format(ms)
end

local function compare_text(wanted, got, place, messages)
  if type(wanted) == "function" then
    add(messages, place, diff.values(wanted, got))
  elseif wanted ~= got then
    add(messages, place, { ("expected %s, got %s"):format(diff.show(wanted), diff.show(got)) })
  end
end

local function compare_headers(wanted, got, place, messages)
  local by_name = {}
  for name, value in pairs(got) do
    by_name[name:lower()] = value
  end
  for _, name in ipairs(words.sorted_keys(wanted)) do
    local value, at = wanted[name], ("%s header %s"):format(place, name)
    if value == false then
      value = nil -- `["X-Name"] = false`: it is not there
    elseif type(value) == "number" then
      value = tostring(value)
    end
    compare_text(value, by_name[name:lower()], at, messages)
  end
end

local function decoded(body, place, messages)
  local value, message = core.json.decode(body)
  if value == nil then
    add(messages, place, { "is no JSON: " .. message, "it is " .. diff.show(body) })
  end
  return value
end

-- A table that is expected of a form or of JSON; nil: of neither, and told.
local function compare_fields(wanted, request, is_part, place, messages)
  local value
  if form.is_form(request.headers) then
    value = form.decode(request.body)
    wanted = form.wanted(wanted, value)
  else
    value = decoded(request.body, place, messages)
  end
  if value ~= nil then
    add(messages, place, diff.values(wanted, value, is_part))
  end
end

local function compare_body(wanted, request, place, messages)
  local body = request.body
  if type(wanted.body) == "string" then
    add(messages, place .. " body (- expected, + got)", diff.texts(wanted.body, body))
  elseif type(wanted.body) == "function" then
    local value = core.json.decode(body)
    add(messages, place .. " body", diff.values(wanted.body, value == nil and body or value))
  elseif wanted.body then
    compare_fields(wanted.body, request, false, place .. " body", messages)
  end
  if wanted.body_has then
    compare_fields(wanted.body_has, request, true, place .. " body", messages)
  end
end

local function compare_invalid(wanted, got, place, messages)
  if got and not wanted then
    add(messages, place, { "can never be sent: " .. got })
  elseif wanted and not got then
    add(messages, place, { "is expected to be invalid, and can be sent" })
  elseif type(wanted) == "string" and not says(got, wanted) then
    add(messages, place .. " invalid", { ("expected %s, got %s"):format(wanted, got) })
  end
end

local function compare_next_attempt(wanted, got, now_ms, place, messages)
  local left = got.next_attempt_ms and got.next_attempt_ms - now_ms
  if wanted and wanted ~= left then
    add(messages, place .. " next_attempt_in", { ("expected %s, got %s"):format(
      show_duration(wanted), left and show_duration(left) or "none: it is " .. got.state) })
  end
end

local function compare_webhook(wanted, got, now_ms, place, messages)
  for _, key in ipairs { "method", "url" } do
    if wanted[key] then
      compare_text(wanted[key], got.request[key], place .. " " .. key, messages)
    end
  end
  for _, key in ipairs { "workflow", "state", "attempts" } do
    if wanted[key] then
      compare_text(wanted[key], got[key], place .. " " .. key, messages)
    end
  end
  if wanted.headers then
    compare_headers(wanted.headers, got.request.headers, place, messages)
  end
  compare_body(wanted, got.request, place, messages)
  if wanted.reason and not says(got.reason or "", wanted.reason) then
    compare_text(wanted.reason, got.reason, place .. " reason", messages)
  end
  compare_next_attempt(wanted.next_attempt_in, got, now_ms, place, messages)
end

-- Why nothing was owed ----------------------------------------------------------------------------

local function wanted_words(leaf)
  local text = leaf.wanted == core.null and "" or " " .. diff.show(leaf.wanted)
  return leaf.operator == "function" and "a function" or ("%s %s%s"):format(leaf.field,
    leaf.operator, text)
end

-- The conditions that stood in the way, each with what was seen.
local function add_false_leaves(node, lines)
  local children = node.all or node.any or node.none
  if not children then
    local note = node.note ~= core.null and "; " .. node.note or ""
    lines[#lines + 1] = ("%s: saw %s%s"):format(wanted_words(node), diff.show(node.seen), note)
    return
  end
  for _, child in ipairs(children) do
    if child.verdict == (node.none ~= nil) then
      add_false_leaves(child, lines)
    end
  end
end

local function why_not(run)
  local lines = {}
  if run.verdict == "suppressed" or run.verdict == "duplicate" then
    lines[1] = run.message
  elseif run.verdict == "no_match" and run.trace then
    add_false_leaves(run.trace, lines)
    lines[1] = lines[1] and "did not fire: " .. lines[1]
  end
  return lines
end

local function add_reasons(step, lines)
  for _, run in ipairs(step.runs) do
    for i, line in ipairs(why_not(run)) do
      lines[#lines + 1] = i == 1 and ("%s: %s"):format(run.workflow, line) or "  " .. line
    end
  end
  return lines
end

-- Steps -------------------------------------------------------------------------------------------

local function summary(webhook)
  local request = webhook.request
  return ("%s %s (%s)"):format(request.method, request.url, webhook.state)
end

local function count_words(count)
  return count == 1 and "1 webhook" or ("%d webhooks"):format(count)
end

local function compare_list(wanted, got, step, where, messages)
  if #wanted ~= #got then
    local lines = { ("expected %s, got %d"):format(count_words(#wanted), #got) }
    for i, webhook in ipairs(got) do
      lines[#lines + 1] = ("%d: %s"):format(i, summary(webhook))
    end
    add(messages, where.list, #got < #wanted and add_reasons(step, lines) or lines)
  end
  for i = 1, math.min(#wanted, #got) do
    local place = where.one:format(i)
    compare_webhook(wanted[i], got[i], step.now_ms, place, messages)
    compare_invalid(wanted[i].invalid, got[i].invalid, place, messages)
  end
end

-- A webhook that is invalid is told of, also where the case does not look at it.
local function report_invalid(wanted, step, prefix, messages)
  if not wanted.expect and not wanted.deliveries then
    for i, webhook in ipairs(step.owed) do
      compare_invalid(nil, webhook.invalid, ("%swebhook %d"):format(prefix, i), messages)
    end
  end
end

local function compare_errors(wanted, step, prefix, messages)
  local raised
  for _, run in ipairs(step.runs) do
    if run.verdict == "error" then
      raised = raised or run.message
      if not wanted then
        add(messages, prefix .. run.workflow, { "failed: " .. run.message })
      elseif type(wanted) == "string" and not says(run.message, wanted) then
        add(messages, prefix .. "error", { "expected " .. wanted, "got " .. run.message })
      end
    end
  end
  if wanted and not raised then
    local lines = add_reasons(step, { "expected " .. (wanted == true and "one" or wanted)
      .. ", and no workflow failed" })
    add(messages, prefix .. "error", lines)
  end
end

local function compare_step(wanted, step, prefix, messages)
  compare_errors(wanted.error, step, prefix, messages)
  if wanted.expect then
    compare_list(wanted.expect, step.owed, step,
      { list = prefix .. "expect", one = prefix .. "webhook %d" }, messages)
  end
  if wanted.deliveries then
    compare_list(wanted.deliveries, step.deliveries, step,
      { list = prefix .. "deliveries", one = prefix .. "delivery %d" }, messages)
  end
  report_invalid(wanted, step, prefix, messages)
end

--- The messages of a case: {} where all came as it expects.
function compare.case(case, result)
  local messages = {}
  if result.fault and #result.steps == 0 then
    messages[1] = "records: " .. result.fault
  end
  for i, step in ipairs(result.steps) do
    local prefix = #case.steps > 1 and ("step %d: "):format(i) or ""
    if result.fault and i == #result.steps then
      messages[#messages + 1] = prefix .. result.fault -- it broke off
    else
      compare_step(case.steps[i], step, prefix, messages)
    end
  end
  return messages
end

-- Two states --------------------------------------------------------------------------------------

local NOT_DETERMINISTIC = "not deterministic: the same event gave another result in a second fresh "
  .. "Lua state (- first, + second); the order of pairs and tostring of a table or a function "
  .. "must not reach a webhook"

local function compare_states(first, second, where, messages)
  if first.body and second.body and first.body ~= second.body then
    add(messages, where .. " body", diff.texts(first.body, second.body))
    return
  end
  local lines = diff.values(first, second)
  for i, line in ipairs(lines) do
    lines[i] = line:gsub(": expected (.*), got (.*)$", ": first %1, then %2")
  end
  add(messages, where, lines)
end

--- The messages of a case that came out differently in two states.
function compare.states(first, second)
  local details = {}
  for i, step in ipairs(first.steps) do
    local other = second.steps[i] or { owed = {}, runs = {} }
    for n, webhook in ipairs(step.owed) do
      local twin = other.owed[n]
      compare_states(webhook.request, twin and twin.request or {}, "webhook " .. n, details)
    end
    if #details == 0 then
      compare_states(step, other, "step " .. i, details)
    end
  end
  return { NOT_DETERMINISTIC .. "\n  " .. table.concat(details, "\n"):gsub("\n", "\n  ") }
end

return compare
