-- Time triggers: a workflow that is judged at a time of day for every stored record of its type,
-- and not for a change of one. hook.daily, hook.weekly, hook.monthly, hook.date; what `at` is in
-- UTC the workflow's zone says. The host gets a plain description of each:
--   { kind, at_minutes, weekdays = { [1 for Monday .. 7] = true }, month_day, field = { names },
--     offset_days, text }
-- of which `text` says all of it: a schedule is another one where its text is.
local core = require "hookline.core"
local faults = require "hookline.faults"
local opaque = require "hookline.opaque"
local paths = require "hookline.paths"
local schema = require "hookline.schema"
local triggers = require "hookline.triggers"
local words = require "hookline.words"

local schedules = {}

local WEEKDAYS = {
  "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
}
local DAY_MS = 86400000
local OFFSET_DAYS_MAX = 3650

local function check_at(text, scope, path)
  local hour, minute = text:match "^(%d%d):(%d%d)$"
  hour, minute = tonumber(hour), tonumber(minute)
  if not hour or hour > 23 or minute > 59 then
    scope:error(path, '%s is no time of day; write "09:00", from "00:00" to "23:59"',
      words.show(text))
    return nil
  end
  return hour * 60 + minute
end

local AT = { types = { "text" }, required = 'at = "09:00"', check = check_at }

local function weekday_of(name, scope, path)
  for i, day in ipairs(WEEKDAYS) do
    if name:lower() == day then
      return i
    end
  end
  scope:error(path, "%s is no day of the week%s", words.show(name),
    words.did_you_mean(words.nearest(name, WEEKDAYS)))
  return nil
end

local DAYS = schema.new {
  name = "on",
  items = {
    types = { "text" },
    what = 'a day of the week, such as "monday"',
    least = 1,
    check = function(name, scope, path)
      return weekday_of(name, scope, path)
    end,
  },
}

local function check_on(value, scope, path)
  if type(value) == "string" then
    value = { value }
  end
  local set = {}
  for _, day in ipairs(DAYS:read(value, scope, path) or {}) do
    set[day] = true
  end
  return set
end

local function check_day(day, scope, path)
  if math.type(day) ~= "integer" or day < 1 or day > 31 then
    scope:error(path, "wants a day of the month, 1 to 31 (where there is none, the last), not %s",
      words.show(day))
    return nil
  end
  return day
end

local function check_field(text, scope, path)
  local field, message = paths.parse(text)
  if not field then
    scope:error(path, message)
    return nil
  elseif field.has_each then
    scope:error(path, "%s are many dates; a schedule goes by one", words.show(text))
    return nil
  end
  return field
end

local function check_offset(text, scope, path)
  local sign, rest = text:match "^([+-]?)(.*)$"
  local ms = core.duration(rest)
  if not ms or ms % DAY_MS ~= 0 or ms // DAY_MS > OFFSET_DAYS_MAX then
    scope:error(path, '%s is no offset: whole days, before the date as "-3d" or after it as "3d"; '
      .. "the time of day is at", words.show(text))
    return nil
  end
  return (sign == "-" and -1 or 1) * (ms // DAY_MS)
end

local function clock_of(at_minutes)
  return ("%02d:%02d"):format(at_minutes // 60, at_minutes % 60)
end

local function days_of(set)
  local list = {}
  for i, day in ipairs(WEEKDAYS) do
    if set[i] then
      list[#list + 1] = day
    end
  end
  return table.concat(list, ",")
end

-- Each gives what its kind has besides `at`, and the words of it.
local KINDS = {
  daily = {
    keys = {},
    plan = function()
      return {}, "daily"
    end,
  },
  weekly = {
    keys = {
      on = {
        types = { "text", "table" },
        what = 'a day such as "monday", or a list of them',
        required = 'on = "monday"',
        check = check_on,
      },
    },
    hints = { day = "on", days = "on", weekday = "on" },
    plan = function(values)
      return { weekdays = values.on }, "weekly " .. days_of(values.on)
    end,
  },
  monthly = {
    keys = { day = { types = { "number" }, required = "day = 31", check = check_day } },
    hints = { on = "day", days = "day" },
    plan = function(values)
      return { month_day = values.day }, "monthly " .. values.day
    end,
  },
  date = {
    keys = {
      field = { types = { "text" }, required = 'field = "closed_date"', check = check_field },
      offset = { types = { "text" }, check = check_offset },
    },
    plan = function(values)
      local offset = values.offset or 0
      return { field = values.field.parts, offset_days = offset },
        ("date %s %+dd"):format(values.field.text, offset)
    end,
  },
}

local function constructor(kind)
  local row = KINDS[kind]
  local hints = { time = "at", hour = "at" }
  for wrong, right in pairs(row.hints or {}) do
    hints[wrong] = right
  end
  row.keys.at = AT
  local options = schema.new { name = "hook." .. kind, keys = row.keys, hints = hints }
  return function(given)
    local scope = faults.scope()
    local values = options:read(given, scope)
    local schedule
    if values and not scope.is_faulty then
      local text
      schedule, text = row.plan(values)
      schedule.kind = kind
      schedule.at_minutes = values.at
      schedule.text = ("%s %s"):format(text, clock_of(values.at))
    end
    return opaque.new(triggers.KIND, {
      scope = scope,
      is_once = false,
      verbs = {},
      schedule = schedule,
    })
  end
end

schedules.daily = constructor "daily"
schedules.weekly = constructor "weekly"
schedules.monthly = constructor "monthly"
schedules.date = constructor "date"

--- For a schema: the key that names the zone of a workflow's times.
schedules.ZONE = {
  types = { "text" },
  check = function(name, scope, path)
    local is_known, message = core.zone(name)
    if not is_known then
      scope:error(path, message)
      return nil
    end
    return name
  end,
}

return schedules
