-- A form: pairs of names and values, percent-encoded. The template may stand on several lines: line
-- breaks and the white space around them are not part of the form.
local common = require "hookline.places.common"
local core = require "hookline.core"
local faults = require "hookline.liquid.faults"
local values = require "hookline.liquid.values"

local form = common.even("a form", core.escape.form(values.output), { url_encode = true })

function form.text(_, text, at)
  local shown = text:gsub("[ \t]*\r?\n%s*", "")
  local from, bad = shown:match "()([%c \"<>\\^`{|}\128-\255])"
  if from then
    local place = text:find(bad, 1, true)
    faults.raise(at + place - 1, bad == " " and "a form has no spaces; write + or %%20"
      or "a form cannot hold this character; percent-encode it")
  end
  return shown
end

return form
