-- Modules of the rules folder: `require "lib.money"` is lib/money.lua, or lib/money/init.lua. Each
-- is loaded once for a set of texts (core.files), under the budget of the file that needs it first.
local core = require "hookline.core"
local faults = require "hookline.faults"
local loading = require "hookline.loading"
local opaque = require "hookline.opaque"

local modules = {}

-- A module that was stopped over its budget may have met the end of another file's.
local TRIES_MAX = 3

local sets = {} -- set -> path -> { value, message, is_done, tries }
local open = {} -- the paths of the modules that are being loaded, the outermost first

--- At the start of a file: what was stopped half-way is no longer being loaded.
function modules.begin()
  open = {}
end

--- Whether a path of the rules folder is a module's: Lua in a subfolder that has no other use.
function modules.is_module(path)
  local folder = path:match "^([^/]+)/.*%.lua$"
  return folder ~= nil and folder ~= "templates" and folder ~= "types" and folder ~= "sources"
end

local function entry_of(path)
  local set = core.files.set()
  sets[set] = sets[set] or {}
  local entry = sets[set][path] or { tries = 0 }
  sets[set][path] = entry
  return entry
end

local function name_of(path)
  return (path:gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
end

local function circle(path)
  local names, is_in = {}, false
  for _, one in ipairs(open) do
    is_in = is_in or one == path
    names[#names + 1] = is_in and name_of(one) or nil
  end
  names[#names + 1] = name_of(path)
  return is_in and "modules require each other in a circle: " .. table.concat(names, " -> ") or nil
end

-- What of a module's faults is told to the file that needs it: the first error.
local function message_of(path, list)
  for _, fault in ipairs(list) do
    if not fault.warning and not fault.module then
      local place = fault.file or core.files.shown(path)
      return ("%s:%d: %s%s"):format(place, fault.line or 0,
        fault.path ~= "" and fault.path .. ": " or "", fault.message)
    end
  end
  return nil
end

local function run(path)
  local chunk, message = core.files.compile(path)
  if not chunk then
    error(message, 0)
  end
  local value = chunk()
  if value == nil then
    faults.file_scope(path):error("", "a module ends with return and what it gives; this one "
      .. "returns nothing")
  end
  return value
end

-- The faults are told once, as the module's own.
local function load_now(path, entry)
  entry.tries = entry.tries + 1
  open[#open + 1] = path
  local value, list = loading.run(path, function()
    return run(path)
  end)
  open[#open] = nil
  entry.is_done = true
  entry.message = message_of(path, list)
  if not entry.message then
    local is_plain = type(value) == "table" and not opaque.name(value)
    entry.value = is_plain and core.freeze(value, name_of(path)) or value
  end
  for _, fault in ipairs(list) do
    fault.module = fault.module or path
    faults.put(fault)
  end
end

--- The value of a file of the folder that returns one, loaded once, its table frozen; nil and what
--- is wrong with it. While a file is loaded.
function modules.load(path)
  local entry = entry_of(path)
  if entry.is_done then
    return entry.value, entry.message
  end
  local message = circle(path)
  if not message and entry.tries == TRIES_MAX then
    message = core.files.shown(path) .. ": stopped over the budget of each file that needs it"
  end
  if message then
    return nil, message
  end
  load_now(path, entry)
  return entry.value, entry.message
end

--- What `require` gives for a module's name. Raises at the line of the rule that calls it.
function modules.require(name)
  local stem = name:gsub("%.", "/")
  local path = stem .. ".lua"
  if not core.files.text(path) and core.files.text(stem .. "/init.lua") then
    path = stem .. "/init.lua"
  end
  if not modules.is_module(path) or not core.files.text(path) then
    error(("there is no module '%s': a module is a file of a subfolder, such as lib/money.lua for "
      .. "require \"lib.money\""):format(name), 3)
  elseif not faults.is_loading() then
    error(("require '%s' at the top of the file: a run loads no modules"):format(name), 3)
  end
  local value, message = modules.load(path)
  if value == nil then
    error(("the module '%s' does not load: %s"):format(name, message), 3)
  end
  return value
end

--- The faults of a module that no file has needed: whether it can be compiled.
function modules.check(path)
  if not modules.is_module(path) or entry_of(path).tries > 0 then
    return {}
  end
  local _, list = loading.run(path, function()
    local chunk, message = core.files.compile(path)
    if not chunk then
      error(message, 0)
    end
  end)
  for _, fault in ipairs(list) do
    fault.module = path
  end
  return list
end

return modules
