-- hook.var: plain settings, read when a file is loaded.
local core = require "hookline.core"
local faults = require "hookline.faults"
local opaque = require "hookline.opaque"
local words = require "hookline.words"

local NAME = "^[%a_][%w_]*$"

-- A setting is text; where the default is a number, so must the setting be one.
local function as_default(text, name, default, scope)
  if type(default) ~= "number" then
    return text
  end
  local number = core.number(text)
  if not number then
    return scope:refuse("%s is set to %s, which is no number", name, words.show(text))
  end
  return number
end

--- The setting `name`, else the default; without either it is an error.
local function var(name, default)
  local scope = faults.scope()
  if scope:passes_over(name, "") or scope:passes_over(default, "") then
    return opaque.broken(scope)
  elseif type(name) ~= "string" or not name:find(NAME) then
    return scope:refuse("hook.var wants a name of letters, digits and _, such as INVOICE_HOST, "
      .. "not %s", words.show(name))
  elseif default ~= nil and type(default) ~= "string" and type(default) ~= "number" then
    return scope:refuse("the default of hook.var is text or a number, not %s", words.kind(default))
  end
  local text = core.var(name)
  if text ~= nil then
    return as_default(text, name, default, scope)
  elseif default ~= nil then
    return default
  end
  return scope:refuse('%s is not set: give it in vars of the configuration, as HOOKLINE_VAR_%s in '
    .. 'the environment, or as a default here: hook.var("%s", "...")', name, name, name)
end

return var
