-- Execution triggers: which changes of a record a workflow is judged for, and whether it fires
-- once for a record or every time. As a function, hook.once { "created", "updated" }, or in
-- words, "Once, when it's created or updated".
local faults = require "hookline.faults"
local opaque = require "hookline.opaque"
local paths = require "hookline.paths"
local schema = require "hookline.schema"
local words = require "hookline.words"

local triggers = {}

triggers.KIND = opaque.kind "hook.once or hook.every"

-- What happens to records, and how a webhook ends (record = "webhook").
local VERBS = { "created", "updated", "deleted", "delivered", "terminated" }
local IS_OUTCOME = { delivered = true, terminated = true }

local OTHER_VERBS = {
  scheduled = 'what runs at a time is hook.daily { at = "09:00" }, hook.weekly, hook.monthly or '
    .. "hook.date",
}

local function check_verb(verb, scope, path, values)
  for _, known in ipairs(VERBS) do
    if verb == known then
      if values.verbs and values.verbs[verb] then
        scope:error(path, '"%s" stands twice', verb)
      end
      values.verbs = values.verbs or {}
      values.verbs[verb] = true
      return verb
    end
  end
  if OTHER_VERBS[verb] then
    scope:error(path, OTHER_VERBS[verb])
    return nil
  end
  scope:error(path, '"%s" is none of %s%s', verb, words.list(VERBS, "and", true),
    words.did_you_mean(words.nearest(verb, VERBS)))
  return nil
end

local WATCHED = schema.new {
  name = "watch",
  items = {
    types = { "text" },
    what = "a field's path",
    least = 1,
    check = function(text, scope, at)
      local path, message = paths.parse(text)
      if not path then
        scope:error(at, message)
      end
      return path
    end,
  },
}

local function check_watch(list, scope, at)
  return WATCHED:read(list, scope, at)
end

local function check_edge(word, scope, at)
  if word ~= "rising" then
    scope:error(at, '%s is no edge; there is "rising"', words.show(word))
    return nil
  end
  return word
end

-- What the verbs leave no sense in.
local function check_together(values, scope)
  local verbs = values.verbs
  if not verbs then
    return
  elseif values.watch and not verbs.updated then
    scope:error("watch", 'is for "updated": it tells which updates count')
  end
  for _, verb in ipairs { "deleted", "delivered", "terminated" } do
    if values.edge and verbs[verb] then
      scope:error("edge", 'is not for "%s": what is %s has not changed', verb, verb)
    end
  end
end

local function constructor(name)
  local options = schema.new {
    name = "hook." .. name,
    items = {
      types = { "text" },
      what = 'one of "created", "updated", "deleted", "delivered" and "terminated"',
      least = 1,
      check = check_verb,
    },
    keys = {
      watch = {
        types = { "table" },
        wrong = { text = 'a list is wanted: watch = { "amount" }' },
        check = check_watch,
      },
      edge = { types = { "text" }, check = check_edge },
    },
  }
  return function(list)
    local scope = faults.scope()
    if type(list) == "string" then
      list = { list }
    end
    local values = options:read(list, scope) or {}
    check_together(values, scope)
    return opaque.new(triggers.KIND, {
      scope = scope,
      is_once = name == "once",
      verbs = values.verbs or {},
      watch = values.watch,
      is_rising = values.edge ~= nil and not scope.is_faulty,
    })
  end
end

triggers.once = constructor "once"
triggers.every = constructor "every"

-- In words --------------------------------------------------------------------------------------

-- Apostrophes that word processors and keyboards make of the straight one, and spaces that do not
-- break.
local TYPOGRAPHY = {
  ["\u{2019}"] = "'",
  ["\u{2018}"] = "'",
  ["\u{02BC}"] = "'",
  ["\u{00B4}"] = "'",
  ["\u{2032}"] = "'",
  ["`"] = "'",
  ["\u{00A0}"] = " ",
  ["\u{202F}"] = " ",
}

local function plain(text)
  for from, to in pairs(TYPOGRAPHY) do
    text = text:gsub(from, to)
  end
  text = words.trim(text:lower():gsub("%s+", " ")):gsub("%s*%.$", "")
  return (text:gsub("%f[%a]it ?i?s%f[%A]", "it's"))
end

local IS_VERB = {}
for _, verb in ipairs(VERBS) do
  IS_VERB[verb] = true
end

-- "created, updated or deleted" -> a set; nil where it is anything else.
local function parse_verbs(text)
  local verbs, count = {}, 0
  for word in text:gsub(",", " "):gmatch("%S+") do
    if word ~= "or" and word ~= "and" then
      if not IS_VERB[word] or verbs[word] then
        return nil
      end
      verbs[word] = true
      count = count + 1
    end
  end
  return count > 0 and verbs or nil
end

local function parse(text)
  local rest = text:match "^once%f[%A](.*)$"
  local is_once = rest ~= nil
  rest = rest or text:match "^every ?time%f[%A](.*)$"
  if not rest then
    return nil
  end
  rest = rest:match "^ ?,? ?when%f[%A] ?(.*)$" or rest:match "^ ?,? ?(.*)$"
  rest = rest:match "^it's%f[%A] ?(.*)$"
  local verbs = rest and parse_verbs(rest)
  if not verbs then
    return nil
  end
  return { is_once = is_once, verbs = verbs }
end

local SENTENCES = {
  [["Once, when it's created"]],
  [["Once, when it's updated"]],
  [["Once, when it's created or updated"]],
  [["Once, when it's deleted"]],
  [["Every time, when it's created"]],
  [["Every time, when it's updated"]],
  [["Every time, when it's created or updated"]],
  [["Every time, when it's deleted"]],
  [["Every time, when it's delivered"]],
  [["Every time, when it's terminated"]],
}

-- "created" alone, or a word that is near, or several: what hook.once takes, as it is written; or
-- nil.
local function verbs_meant(text)
  local shown = {}
  for word in text:gsub(",", " "):gmatch "%S+" do
    if word ~= "or" and word ~= "and" then
      local verb = IS_VERB[word] and word or words.nearest(word, VERBS)
      if not verb then
        return nil
      end
      shown[#shown + 1] = '"' .. verb .. '"'
    end
  end
  local list = table.concat(shown, ", ")
  return #shown == 1 and list or #shown > 1 and "{ " .. list .. " }" or nil
end

local function check_sentence(text, scope, path)
  local trigger = parse(plain(text))
  local verbs = not trigger and verbs_meant(plain(text))
  if verbs then
    scope:error(path, "%s is no execution trigger: write hook.once %s for once a record, or "
      .. "hook.every %s for each time", words.show(text), verbs, verbs)
  elseif not trigger then
    scope:error(path, "%s is no execution trigger; there are %s, and the same with another choice "
      .. "of created, updated and deleted, or of delivered and terminated", words.show(text),
      words.list(SENTENCES, "and"))
  end
  return trigger
end

--- Why a record type does not go with a trigger, in words; nil where it does.
function triggers.mismatch(record, trigger)
  if trigger.schedule and record == "webhook" then
    return "a webhook is no stored record, so nothing can run for it at a time"
  end
  for _, verb in ipairs(VERBS) do
    if trigger.verbs[verb] and (IS_OUTCOME[verb] or false) ~= (record == "webhook") then
      return record == "webhook"
        and ('a webhook is never "%s": there are "delivered" and "terminated"'):format(verb)
        or ('"%s" is the end of a webhook: it goes with record = "webhook"'):format(verb)
    end
  end
  return nil
end

--- For a schema: the key that is a trigger, checked to { is_once, verbs, watch, is_rising,
--- schedule }, of which the last three may be nil.
triggers.RULE = {
  types = { triggers.KIND.__name, "text" },
  wrong = { table = 'put hook.once or hook.every in front of it' },
  required = 'trigger = hook.once { "created", "updated" }',
  check = function(value, scope, path)
    if type(value) == "string" then
      return check_sentence(value, scope, path)
    end
    local trigger = opaque.data(value, triggers.KIND)
    scope:adopt(trigger.scope, path)
    return trigger
  end,
}

return triggers
