-- Dates and times in conditions. Each is a span of milliseconds, from its first to behind its last:
-- a date alone ("2026-11-23") is that whole day in the workflow's zone, which is UTC; a time of RFC
-- 3339 ("2026-11-23T09:15:00+01:00") is its one millisecond. Spans are compared as wholes:
--   on       what is seen lies within the day (or is that very moment)
--   before   it has ended when the other begins: a time of the day itself is not before the day
--   after    it begins when the other has ended
--   between  it lies within, from the beginning of the one to the end of the other
-- and from the event's time, never the clock's:
--   in_last, in_next  some of it lies within: the event's own day is in both
--   older_than        it has ended when the duration began: the opposite of in_last in the past
local core = require "hookline.core"

local times = {}

local DAY_MS = 86400000

-- Many workflows look at the same field of an event: the text read last is kept.
local TEXT_BYTES_MAX = 64
local last_text, last_from, last_to = nil, nil, nil

--- The first millisecond of a date or a time and the one behind its last; nil for anything else.
function times.span(value)
  if value == last_text and value ~= nil then
    return last_from, last_to
  elseif type(value) ~= "string" or #value > TEXT_BYTES_MAX then
    return nil
  end
  local from, is_day = core.time(value)
  last_text, last_from = value, from
  last_to = from and from + (is_day and DAY_MS or 1)
  return last_from, last_to
end

local span = times.span

-- The event's time is asked by every condition on time: kept apart from what they see.
local event_text, event_ms = nil, nil

--- The event's time; nil where it has none.
function times.of_event(event)
  local text = event.time
  if text ~= event_text then
    event_text, event_ms = text, span(text)
  end
  return event_ms
end

--- Each is (seen, wanted) -> true or false; wanted { from, to }, or { ms, now_ms } for those that
--- are seen from the event's time.
function times.within(seen, want)
  local from, to = span(seen)
  return from ~= nil and from >= want.from and to <= want.to
end

function times.before(seen, want)
  local from, to = span(seen)
  return from ~= nil and to <= want.from
end

function times.after(seen, want)
  local from = span(seen)
  return from ~= nil and from >= want.to
end

function times.in_last(seen, want)
  local now_ms, from, to = want.now_ms, span(seen)
  return from ~= nil and now_ms ~= nil and from <= now_ms and to > now_ms - want.ms
end

function times.in_next(seen, want)
  local now_ms, from, to = want.now_ms, span(seen)
  return from ~= nil and now_ms ~= nil and to > now_ms and from <= now_ms + want.ms
end

function times.older_than(seen, want)
  local now_ms, from, to = want.now_ms, span(seen)
  return from ~= nil and now_ms ~= nil and to <= now_ms - want.ms
end

return times
