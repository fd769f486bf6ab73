-- One workflow and one event: does it fire, and what does it owe then? For a workflow without
-- functions no table is made here: what a match owes was made when the file was loaded, the
-- bodies alone are rendered.
local core = require "hookline.core"
local changes = require "hookline.changes"
local faults = require "hookline.faults"
local private = require "hookline.private"
local retry = require "hookline.retry"
local trace = require "hookline.trace"

local run = {}

local null = core.null

-- What the run before has left: the bodies in its items, the copy of its event. It is given up at
-- the next run, so that a host with many workflows does not hold the last of each.
local has_left = false
local rendered = {}

local function clear()
  for i = 1, #rendered do
    local item = rendered[i]
    item.body, item.invalid, item.dropped = nil, nil, nil
  end
  private.forget()
  has_left = false
end

local function render(webhooks, items, event, description)
  rendered, has_left = items, true
  faults.enter_run()
  for i = 1, #items do
    local item = items[i]
    local webhook = webhooks[i]
    item.body, item.invalid = webhook.render(event, description)
    if webhook.render_head then
      local invalid
      item.head, item.target, invalid = webhook.render_head(event, description)
      item.invalid = item.invalid or invalid
    end
    item.dropped = private.take_dropped()
  end
  return items
end

--- nil where the workflow does not fire; else what it owes, an array of { head, body, target,
--- retry, timeout_ms, invalid, dropped }, valid until the next run. Raises what a rule's function
--- raises.
function run.judge(description, event)
  if has_left then
    clear()
  end
  local verb = description.verb_of[event.type]
  if not verb or verb == "updated" and changes.is_none(event) then
    return nil
  end
  if description.is_watched and not description.is_watched(event, verb) then
    return nil
  end
  if description.has_functions then
    faults.enter_run()
    private.enter(event, description)
    has_left = true
  end
  local test = description.test
  if test and not test(event, verb) then
    return nil
  elseif description.rose and not description.rose(event, verb) then
    return nil
  end
  if description.actions then
    local webhooks, items = description.actions(private.event(event))
    return render(webhooks, items, event, description)
  end
  return render(description.webhooks, description.items, event, description)
end

--- Whether the conditions hold for an event that has the latest state of its record in place of
--- the one that it was sent with; the trigger has let it through before. Of what has changed the
--- event's own `previous` tells, against that state: changed_to "Won" holds while the stage is
--- still "Won", and what is back at its old value has not changed. Times are seen from the event's
--- time.
function run.recheck(description, event)
  if has_left then
    clear()
  end
  if not description.test then
    return true
  end
  if description.has_functions then
    faults.enter_run()
    private.enter(event, description)
    has_left = true
  end
  return description.test(event, description.verb_of[event.type] or event.type:match "[^.]*$")
end

-- The library's part of a question about an attempt that has ended.
local function asked(ask)
  return function(description, action, about)
    if has_left then
      clear()
    end
    faults.enter_run()
    return ask(description, action, about)
  end
end

--- Whether an answer is a success, and when the next attempt comes: as retry.success and retry.ask.
run.success = asked(retry.success)
run.retry = asked(retry.ask)

-- `edge` in the way.
local function edge_leaf(note)
  return {
    field = "edge",
    operator = "rising",
    wanted = null,
    seen = null,
    verdict = false,
    note = note,
  }
end

local function trigger_leaf(description, event, note)
  local types = {}
  for type_name in pairs(description.verb_of) do
    types[#types + 1] = type_name
  end
  table.sort(types)
  return {
    field = "type",
    operator = "trigger",
    wanted = core.array(types),
    seen = event.type,
    verdict = false,
    note = note,
  }
end

-- `watch` in the way: which fields it wants changed, and which have changed.
local function watch_leaf(description, event, verb)
  local unknown = changes.unknown(event, verb)
  local wanted = {}
  for i, path in ipairs(description.watched) do
    wanted[i] = path.text
  end
  return {
    field = "watch",
    operator = "changed",
    wanted = core.array(wanted),
    seen = unknown and null or core.array(changes.names(event)),
    verdict = false,
    note = unknown and "unknown what changed: give previous" or "none of these has changed",
  }
end

-- The leaf that says why the trigger does not let an event through whose conditions are judged in
-- `tree`; nil where it does.
local function trigger_in_the_way(description, event, verb, tree)
  if not verb then
    return trigger_leaf(description, event, "the workflow has another record type or trigger")
  elseif verb == "updated" and changes.is_none(event) then
    return trigger_leaf(description, event, "the update is known to have changed nothing")
  elseif description.is_watched and not description.is_watched(event, verb) then
    return watch_leaf(description, event, verb)
  elseif not description.rose or not tree.verdict then
    return nil
  end
  local is_fine, rose = pcall(description.rose, event, verb)
  if not is_fine then
    return edge_leaf("for the record as it was a condition raised: " .. tostring(rose))
  elseif rose then
    return nil
  end
  return edge_leaf(changes.unknown(event, verb) and "unknown what changed: give previous"
    or "the conditions held before, too")
end

--- The tree of conditions with each verdict. Where the trigger stands in the way, it is a leaf of
--- its own.
function run.explain(description, event)
  faults.enter_run()
  private.forget()
  private.enter(event, description)
  local verb = description.verb_of[event.type]
  local tree = { all = core.array {}, verdict = true }
  if description.when then
    tree = trace.of(description.when, event, verb or event.type:match "[^.]*$")
  end
  local leaf = trigger_in_the_way(description, event, verb, tree)
  private.forget()
  if leaf then
    tree = { all = core.array { leaf, tree }, verdict = false }
  end
  return tree
end

return run
