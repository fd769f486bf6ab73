-- Dates of the filter `date`: read from what people and systems write, written by a format
-- (strftime's letters with the flags - 0 ^ # _ : and a width). A time without a zone is UTC.
local values = require "hookline.liquid.values"

local dates = {}

local MONTHS = { "January", "February", "March", "April", "May", "June", "July", "August",
  "September", "October", "November", "December" }
local DAYS = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" }
local DAY_S = 86400

-- Days from 1970-01-01 to a date of the Gregorian calendar.
local function to_days(year, month, day)
  local y = month <= 2 and year - 1 or year
  local era = y // 400
  local of_era = y - era * 400
  local of_year = (153 * (month + (month > 2 and -3 or 9)) + 2) // 5 + day - 1
  return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
end

local function from_days(days)
  local z = days + 719468
  local era = z // 146097
  local of_era = z - era * 146097
  local year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
  local of_year = of_era - (365 * year + year // 4 - year // 100)
  local m = (5 * of_year + 2) // 153
  local month = m < 10 and m + 3 or m - 9
  return year + era * 400 + (month <= 2 and 1 or 0), month, of_year - (153 * m + 2) // 5 + 1
end

local function month_days(year, month)
  local next_month = month == 12 and to_days(year + 1, 1, 1) or to_days(year, month + 1, 1)
  return next_month - to_days(year, month, 1)
end

-- --- reading -------------------------------------------------------------------------------------

local function zone_offset(text)
  if text == "" then
    return 0
  elseif text:find "^[Zz]$" or text:upper() == "UTC" or text:upper() == "GMT" then
    return 0, text:upper() == "Z" and "UTC" or text:upper()
  end
  local sign, hours, minutes = text:match "^([+-])(%d%d):?(%d%d)$"
  if not hours then
    return nil
  end
  local offset = tonumber(hours) * 3600 + tonumber(minutes) * 60
  return sign == "-" and -offset or offset
end

-- "", "10:20", "T10:20:30.5+01:00", "at"-less: seconds of the day, nanoseconds, offset.
local function read_clock(text)
  local rest = text:match "^[%s,Tt]*(.-)%s*$"
  if rest == "" then
    return 0, 0, 0
  end
  local hour, minute, after = rest:match "^(%d%d?):(%d%d)(.*)$"
  if not hour then
    return nil
  end
  local second, part = 0, ""
  local s, more = after:match "^:(%d%d)(.*)$"
  if s then
    second, after = tonumber(s), more
    local fraction, behind = after:match "^[.,](%d+)(.*)$"
    if fraction then
      part, after = fraction, behind
    end
  end
  hour, minute = tonumber(hour), tonumber(minute)
  local half, behind = after:match "^%s*([AaPp])[Mm](.*)$"
  if half then
    hour = hour % 12 + (half:lower() == "p" and 12 or 0)
    after = behind
  end
  local offset, zone = zone_offset(after:match "^%s*(.-)%s*$")
  if not offset or hour > 24 or minute > 59 or second > 60 then
    return nil
  end
  local nanos = part == "" and 0 or tonumber((part .. "000000000"):sub(1, 9))
  return hour * 3600 + minute * 60 + second, nanos, offset, zone
end

local function month_number(name)
  local wanted = name:lower()
  if #wanted < 3 then
    return nil
  end
  for i, month in ipairs(MONTHS) do
    if month:lower():sub(1, #wanted) == wanted then
      return i
    end
  end
  return nil
end

-- Year, month, day, and what is behind them.
local function read_day(text)
  local year, month, day, rest = text:match "^(%d%d%d%d)[-/](%d%d?)[-/](%d%d?)(.*)$"
  if year then
    return year, month, day, rest
  end
  year, month, day, rest = text:match "^(%d%d%d%d)(%d%d)(%d%d)(.*)$"
  if year then
    return year, month, day, rest
  end
  day, month, year, rest = text:match "^(%d%d?)[/.-](%d%d?)[/.-](%d%d%d%d)(.*)$"
  if year then
    return year, month, day, rest
  end
  text = text:gsub("^%a+day,?%s+", ""):gsub("^[SMTWF]%a%a,%s+", "")
  month, day, year, rest = text:match "^(%a+)%.?%s+(%d%d?)%a?%a?,?%s+(%d%d%d%d)(.*)$"
  if year then
    return year, month_number(month), day, rest
  end
  day, month, year, rest = text:match "^(%d%d?)%a?%a?[%s-]+(%a+)%.?,?[%s-]+(%d%d%d%d)(.*)$"
  if year then
    return year, month_number(month), day, rest
  end
  month, year = text:match "^(%a+)%s+(%d%d%d%d)%s*$"
  if year then
    return year, month_number(month), 1, ""
  end
  return nil
end

local function read_text(text)
  local year, month, day, rest = read_day(text:match "^%s*(.*)$")
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  if not year or not month or month < 1 or month > 12 or day < 1 or
     day > month_days(year, month) then
    return nil
  end
  local clock, nanos, offset, zone = read_clock(rest)
  if not clock then
    return nil
  end
  return { s = to_days(year, month, day) * DAY_S + clock - offset, nanos = nanos, offset = offset,
    zone = zone }
end

local SECONDS_MAX = 253402300799 -- the end of the year 9999

--- The time that a value means: "now", seconds since 1970, or text; nil where it means none.
function dates.read(value, now_s)
  if type(value) == "string" then
    if value == "now" or value == "today" then
      return now_s and { s = now_s, nanos = 0, offset = 0 }
    elseif not value:find "^%d+$" then
      return read_text(value)
    end
  end
  local seconds = values.number(value)
  if (type(value) ~= "string" and type(value) ~= "number") or math.abs(seconds) > SECONDS_MAX then
    return nil
  end
  local whole = math.floor(seconds)
  return { s = whole, nanos = math.floor((seconds - whole) * 1e9), offset = 0 }
end

-- --- writing -------------------------------------------------------------------------------------

-- The fields of a time where its clock stands.
local function fields(time)
  local at = time.s + time.offset
  local days = at // DAY_S
  local year, month, day = from_days(days)
  local of_day = at - days * DAY_S
  return { year = year, month = month, day = day, hour = of_day // 3600, minute = of_day // 60 % 60,
    second = of_day % 60, weekday = (days + 4) % 7, yearday = days - to_days(year, 1, 1) + 1,
    days = days, time = time }
end

-- ISO 8601's year and week.
local function iso_week(f)
  local thursday = f.days - (f.weekday + 6) % 7 + 3
  local year = from_days(thursday)
  return year, (thursday - to_days(year, 1, 1)) // 7 + 1
end

local function zone(offset, colons)
  local sign, size = offset < 0 and "-" or "+", math.abs(offset)
  local text = ("%s%02d%s%02d"):format(sign, size // 3600, colons > 0 and ":" or "",
    size // 60 % 60)
  return colons > 1 and text .. (":%02d"):format(size % 60) or text
end

local function hour_12(f)
  return (f.hour + 11) % 12 + 1
end

-- Numbers: width, what they are padded with, and which.
local NUMBERS = {
  C = { 2, "0", function(f) return f.year // 100 end },
  d = { 2, "0", function(f) return f.day end },
  e = { 2, " ", function(f) return f.day end },
  G = { 4, "0", function(f) return (iso_week(f)) end },
  g = { 2, "0", function(f) return iso_week(f) % 100 end },
  H = { 2, "0", function(f) return f.hour end },
  I = { 2, "0", hour_12 },
  j = { 3, "0", function(f) return f.yearday end },
  k = { 2, " ", function(f) return f.hour end },
  l = { 2, " ", hour_12 },
  M = { 2, "0", function(f) return f.minute end },
  m = { 2, "0", function(f) return f.month end },
  S = { 2, "0", function(f) return f.second end },
  s = { 1, "0", function(f) return f.time.s end },
  U = { 2, "0", function(f) return (f.yearday + 6 - f.weekday) // 7 end },
  u = { 1, "0", function(f) return (f.weekday + 6) % 7 + 1 end },
  V = { 2, "0", function(f) return select(2, iso_week(f)) end },
  W = { 2, "0", function(f) return (f.yearday + 6 - (f.weekday + 6) % 7) // 7 end },
  w = { 1, "0", function(f) return f.weekday end },
  Y = { 4, "0", function(f) return f.year end },
  y = { 2, "0", function(f) return f.year % 100 end },
}

local TEXTS = {
  A = function(f) return DAYS[f.weekday + 1] end,
  a = function(f) return DAYS[f.weekday + 1]:sub(1, 3) end,
  B = function(f) return MONTHS[f.month] end,
  b = function(f) return MONTHS[f.month]:sub(1, 3) end,
  h = function(f) return MONTHS[f.month]:sub(1, 3) end,
  n = function() return "\n" end,
  P = function(f) return f.hour < 12 and "am" or "pm" end,
  p = function(f) return f.hour < 12 and "AM" or "PM" end,
  t = function() return "\t" end,
  Z = function(f)
    return f.time.zone or (f.time.offset == 0 and "UTC" or zone(f.time.offset, 1))
  end,
  ["%"] = function() return "%" end,
}

local COMPOUNDS = {
  c = "%a %b %e %H:%M:%S %Y",
  D = "%m/%d/%y",
  F = "%Y-%m-%d",
  R = "%H:%M",
  r = "%I:%M:%S %p",
  T = "%H:%M:%S",
  v = "%e-%^b-%Y",
  X = "%H:%M:%S",
  x = "%m/%d/%y",
}

local WIDTH_MAX = 100

local function pad(text, width, by)
  if #text >= width then
    return text
  end
  if by == "0" and text:find "^[+-]" then
    return text:sub(1, 1) .. ("0"):rep(width - #text) .. text:sub(2)
  end
  return by:rep(width - #text) .. text
end

local function fraction(f, letter, width)
  local digits = ("%09d"):format(f.time.nanos)
  local wanted = width or (letter == "L" and 3 or 9)
  return wanted <= 9 and digits:sub(1, wanted) or digits .. ("0"):rep(wanted - 9)
end

local write

local function directive(f, flags, width, letter)
  local padding = flags:find("-", 1, true) and "" or flags:find("_", 1, true) and " " or
    flags:find("0", 1, true) and "0" or nil
  local text
  if NUMBERS[letter] then
    local rule = NUMBERS[letter]
    text = ("%d"):format(rule[3](f))
    if padding ~= "" then
      text = pad(text, width or rule[1], padding or rule[2])
    end
    return text
  elseif letter == "L" or letter == "N" then
    return fraction(f, letter, width)
  elseif letter == "z" then
    local _, colons = flags:gsub(":", "")
    return pad(zone(f.time.offset, colons), width or 0, "0")
  elseif TEXTS[letter] then
    text = TEXTS[letter](f)
  elseif COMPOUNDS[letter] then
    text = write(f, COMPOUNDS[letter])
  else
    return nil
  end
  if flags:find("#", 1, true) then
    text = letter == "p" and text:lower() or text:upper()
  elseif flags:find("^", 1, true) then
    text = text:upper()
  end
  return padding == "" and text or pad(text, width or 0, padding or " ")
end

function write(f, format)
  return (format:gsub("%%([-0^#_:]*)(%d*)([%a%%])", function(flags, width, letter)
    width = width ~= "" and math.min(tonumber(width), WIDTH_MAX) or nil
    return directive(f, flags, width, letter)
  end))
end

--- A time by a format; what is no directive stays as it is.
function dates.write(time, format)
  return write(fields(time), format)
end

return dates
