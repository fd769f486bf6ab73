-- What in a workflow is probably a slip: warnings of `check`, by the catalogue of its record type
-- (types.lua) and by what its trigger can bring. Each is right nearly always: where the catalogue
-- does not say, nothing is said.
local core = require "hookline.core"
local types = require "hookline.types"
local wanted = require "hookline.wanted"
local words = require "hookline.words"

local doubts = {}

-- The kinds of field that an operator can hold for, by what it compares (operators.table).
local FITS = {
  scalar = { text = true, integer = true, decimal = true, boolean = true, date = true,
    datetime = true, choice = true },
  text = { text = true, choice = true, date = true, datetime = true },
  number = { integer = true, decimal = true, choice = true },
  time = { date = true, datetime = true, text = true },
  list = { list = true, choices = true },
  boolean = { boolean = true },
}

local COMPARES = { scalar = "single values", text = "text", number = "numbers", time = "dates",
  list = "lists", boolean = "true and false" }

-- The values that a condition compares with.
local function values_of(node)
  local takes = node.row.takes
  if takes == wanted.scalar then
    return { node.shown }
  elseif takes == wanted.scalars or takes == wanted.each or takes == wanted.pair then
    return node.shown
  end
  return {}
end

local CHOICES_SHOWN_MAX = 8

local function choice_doubt(value, field)
  local names, folded = {}, core.fold(tostring(value))
  local number = core.number(folded)
  for i, choice in ipairs(field.choices) do
    names[i] = tostring(choice)
    if core.fold(names[i]) == folded or number and core.number(names[i]) == number then
      return nil
    end
  end
  local near = core.nearest(tostring(value), names)
  return "is none of its choices" .. (near and words.did_you_mean(near)
    or #names <= CHOICES_SHOWN_MAX and ", " .. words.list(names, "and", true) or "")
end

-- Why a field of that kind never has the value, in words; nil where it may.
local function value_doubt(value, field)
  local kind, is_text = field.type, type(value) == "string"
  if value == core.null or value == "" or kind == "any" or kind == "list" or kind == "record" then
    return nil
  elseif kind == "choice" or kind == "choices" then
    return choice_doubt(value, field)
  elseif kind == "boolean" and type(value) == "boolean"
    or (kind == "integer" or kind == "decimal")
      and (type(value) == "number" or is_text and core.number(value) ~= nil)
    or kind == "text" and type(value) ~= "boolean" or is_text and kind:find "^date" then
    return nil
  end
  return "is never " .. types.WORDS[kind]
end

local function field_doubts(node, field, path)
  local fits = node.compares and FITS[node.compares]
  if field.type == "any" then
    return
  elseif fits and not fits[field.type] then
    node.scope:warning(path, '%s compares %s, and "%s" is %s in the catalogue', node.operator,
      COMPARES[node.compares], node.field.text, types.WORDS[field.type])
    return
  end
  local element = field.type == "list" and field.items or field
  for _, value in ipairs(values_of(node)) do
    local doubt = value_doubt(value, element)
    if doubt then
      node.scope:warning(path, '"%s": %s %s', node.field.text, words.show(value), doubt)
    end
  end
end

-- Whether the field must have had a value before for the condition to hold.
local function needs_before(node)
  local want, name = node.want, node.operator
  return name == "increased" or name == "decreased"
    or name == "changed_from" and not want.is_empty
    or name == "changed_from_to" and not want.from.is_empty
end

-- Why a condition on a change never holds for what the trigger brings, in words.
local function change_doubt(node, trigger)
  local verbs = trigger.verbs
  if node.row.change and trigger.schedule then
    return "at a time of a schedule nothing has changed"
  elseif not node.row.change or node.row.is_unchanged or verbs.updated then
    return nil
  elseif not verbs.created then
    return "the trigger brings no change of a record"
  end
  return needs_before(node) and "the trigger brings no updates, and a created record was empty "
    .. "before" or nil
end

local function condition_doubts(node, trigger, catalogue, path)
  for i, child in ipairs(node.children or {}) do
    condition_doubts(child, trigger, catalogue, ("%s[%d]"):format(path, i))
  end
  if not node.field then
    return
  end
  local never = change_doubt(node, trigger)
  if never then
    node.scope:warning(path, "%s never holds: %s", node.operator, never)
  end
  if catalogue then
    local field, message = types.at(catalogue, node.field.parts)
    if field then
      field_doubts(node, field, path)
    elseif message then
      node.scope:warning(path, message)
    end
  end
end

-- What Liquid itself answers for.
local OF_LIQUID = { size = true, first = true, last = true }

local function webhook_doubts(data, record, catalogue, path)
  for _, parts in ipairs(data.paths) do
    local _, message = types.at(catalogue, parts)
    if message then
      data.scope:warning(path .. ".content", message)
    end
  end
  local is_told = {}
  for _, use in ipairs(data.uses) do
    local is_of_record = use.root == "record" or use.root == record or use.root == "previous"
    local name = is_of_record and not use.is_computed and use.field
    if name and not OF_LIQUID[name] and not is_told[name] then
      local _, message = types.at(catalogue, { name })
      if message then
        data.scope:warning(path, "{{ %s.%s }}: %s", use.root, name, message)
      end
      is_told[name] = true
    end
  end
end

-- What a template reads that neither the data nor the template itself has.
local function root_doubts(data, record, path)
  local names, is_told = { record, "record", "previous", "event", "workflow" }, {}
  for _, name in ipairs(names) do
    is_told[name] = true
  end
  for _, use in ipairs(data.uses or {}) do
    local root = use.root
    if use.is_free and not is_told[root] then
      local near = words.nearest(root, names)
      data.scope:warning(path, "a template reads %s, which is none of its variables%s",
        words.show(use.field and root .. "." .. use.field or root),
        near and words.did_you_mean(near) or ": there are " .. words.list(names, "and", true))
      is_told[root] = true
    end
  end
end

--- Adds the warnings of a workflow's keys, as hook.workflow checked them. While its file is loaded.
function doubts.find(values)
  local catalogue = types.load(values.record)
  if values.when then
    condition_doubts(values.when, values.trigger, catalogue, "when")
  end
  local webhooks = type(values.actions) == "table" and values.actions or {}
  for i, data in ipairs(webhooks) do
    root_doubts(data, values.record, ("actions[%d]"):format(i))
  end
  if not catalogue then
    return
  end
  for i, path in ipairs(values.trigger.watch or {}) do
    local _, message = types.at(catalogue, path.parts)
    if message then
      values.trigger.scope:warning(("trigger.watch[%d]"):format(i), message)
    end
  end
  for i, data in ipairs(webhooks) do
    webhook_doubts(data, values.record, catalogue, ("actions[%d]"):format(i))
  end
end

return doubts
