-- The checker of option tables. Every table that a rule gives to a hook function goes through a
-- schema: a declaration of its keys. Unknown keys, wrong types, missing keys and wrong values are
-- all reported, each with its path; what passes is returned as a new table.
--
--   schema.new {
--     name  = "hook.webhook",
--     keys  = { url = { types = { "text" }, required = 'url = "..."', check = check_url } },
--     hints = { body = "content" },        -- names from elsewhere, and what they are called here
--     items = { types = { "text" }, what = "a field's path", least = 1, check = check_field },
--   }
--
-- A type is "text", "number", "boolean", "function", "table", "null", or the kind of a handle.
-- `check` is called as check(value, scope, path, values) and returns the value to keep, or nil
-- after it has reported.
local core = require "hookline.core"
local opaque = require "hookline.opaque"
local words = require "hookline.words"

local schema = {}

--- All that were declared, by their order: what documents the keys is compared with it.
schema.all = {}

local Schema = {}
Schema.__index = Schema

local TYPE_WORDS = {
  text = "text",
  number = "a number",
  boolean = "true or false",
  ["function"] = "a function",
  table = "a table",
  null = "hook.null",
}

local function type_of(value)
  if value == core.null then
    return "null"
  end
  local name = opaque.name(value)
  if name then
    return name
  end
  local kind = type(value)
  return kind == "string" and "text" or kind
end

local function type_words(types)
  local shown = {}
  for i, name in ipairs(types) do
    shown[i] = TYPE_WORDS[name] or name
  end
  return words.list(shown, "or")
end

local function has(list, value)
  for _, item in ipairs(list) do
    if item == value then
      return true
    end
  end
  return false
end

function schema.new(declaration)
  local self = setmetatable(declaration, Schema)
  self.keys = self.keys or {}
  self.hints = self.hints or {}
  self.names = words.sorted_keys(self.keys)
  schema.all[#schema.all + 1] = self
  return self
end

local SECRET_PLACES = "a secret may stand only in auth, as a header's value with a constant "
  .. 'prefix, or as a query value: auth = hook.api_key(hook.secret "NAME", { query = "key" })'

-- Checks one value against a rule {types, check}; nil where it was refused.
local function accept(rule, value, scope, path, values)
  if scope:passes_over(value, path) then
    return nil
  end
  local kind = type_of(value)
  if not has(rule.types, kind) then
    local hint = rule.wrong and rule.wrong[kind]
    if kind == "hook.secret" and not hint then
      scope:error(path, SECRET_PLACES)
    else
      local wanted = rule.what or type_words(rule.types)
      scope:error(path, "wants %s, not %s%s", wanted, words.kind(value),
        hint and ": " .. hint or "")
    end
    return nil
  end
  if kind == "function" then
    core.keep(value)
  end
  if rule.check then
    return rule.check(value, scope, path, values)
  end
  return value
end

local function path_of(prefix, key)
  if type(key) == "string" and key:find("^[%a_][%w_]*$") then
    return prefix == "" and key or prefix .. "." .. key
  end
  return ("%s[%s]"):format(prefix, words.show(key))
end

local function report_unknown(self, key, scope, prefix)
  local path = path_of(prefix, key)
  if type(key) ~= "string" then
    local what = math.type(key) == "integer" and "takes named keys only" or "takes names as keys"
    scope:error(path, "%s %s", self.name, what)
    return
  end
  local near = self.hints[key] or words.nearest(key, self.names)
  local takes = #self.names > 0 and words.list(self.names, "and") or "a list"
  scope:error(path, 'unknown key "%s"%s', key, near and words.did_you_mean(near)
    or ("; %s takes %s"):format(self.name, takes))
end

-- The items of a list, in order. A hole is a name that is nil where the rule wanted a value; of
-- several beside each other the first is reported.
local function read_items(self, options, scope, prefix, values)
  local rule, places = self.items, {}
  for key in pairs(options) do
    if math.type(key) == "integer" and key > 0 then
      places[#places + 1] = key
    end
  end
  table.sort(places)
  local last = places[#places] or 0
  if rule.most and last > rule.most then
    scope:error(prefix, "%s takes at most %d, not %d", self.name, rule.most, last)
    return
  end
  for n, i in ipairs(places) do
    local hole = (places[n - 1] or 0) + 1
    if hole < i then
      scope:error(path_of(prefix, hole), "is nil; %s wants %s here", self.name, rule.what)
    end
    local value = accept(rule, options[i], scope, path_of(prefix, i), values)
    if value ~= nil then
      values[#values + 1] = value
    end
  end
  if last < (rule.least or 0) then
    scope:error(prefix, "%s needs at least %s", self.name, rule.what)
  end
end

--- Checks a table against the schema. Returns what passed, or nil where it is no table at all.
--- prefix: the path of the table itself, for a table inside one that is checked.
function Schema:read(options, scope, prefix)
  prefix = prefix or ""
  if scope:passes_over(options, prefix) then
    return nil
  end
  if type(options) ~= "table" or opaque.name(options) then
    scope:error(prefix, "%s takes a table, not %s", self.name, words.kind(options))
    return nil
  end
  local values, unknown = {}, {}
  for key in pairs(options) do
    local is_item = self.items and math.type(key) == "integer" and key > 0
    if not is_item and not self.keys[key] then
      unknown[#unknown + 1] = key
    end
  end
  table.sort(unknown, function(a, b)
    return tostring(a) < tostring(b)
  end)
  for _, key in ipairs(unknown) do
    report_unknown(self, key, scope, prefix)
  end
  for _, key in ipairs(self.names) do
    local rule, value = self.keys[key], options[key]
    if value ~= nil then
      values[key] = accept(rule, value, scope, path_of(prefix, key), values)
    elseif rule.required then
      scope:error(path_of(prefix, key), "is missing: %s needs it, as in %s", self.name,
        rule.required)
    end
  end
  if self.items then
    read_items(self, options, scope, prefix, values)
  end
  return values
end

return schema
