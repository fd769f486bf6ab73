-- Simple content: the chosen fields of a record, in the order written, as a plan that one call of
-- the host turns into JSON. "sales_account.name" nests, "sales_account.name as customer" renames.
local core = require "hookline.core"
local faults = require "hookline.faults"
local opaque = require "hookline.opaque"
local paths = require "hookline.paths"
local schema = require "hookline.schema"
local types = require "hookline.types"
local words = require "hookline.words"

local fields = {}

fields.KIND = opaque.kind "hook.fields"

local function check_field(text, scope, at)
  local source, target = text:match "^%s*(%S.-)%s+as%s+(.-%S)%s*$"
  if not source and (text:find "%sas%s*$" or text:find "^%s*as%s") then
    scope:error(at, '"%s" lacks a name beside its "as": write "amount as total"', text)
    return nil
  end
  local from, message = paths.parse(source or words.trim(text))
  local to = from
  if from and target then
    to, message = paths.parse(target)
  end
  if not from or not to then
    scope:error(at, message)
    return nil
  elseif from.has_each or to.has_each then
    scope:error(at, '[*] is for conditions; here the list goes as a whole: "%s"', from.parts[1])
    return nil
  end
  return { from = from, to = to }
end

-- Objects of the result, each with its keys in the order in which they first come.
local function place(tree, field, scope)
  local parts = field.to.parts
  local node = tree
  for i = 1, #parts do
    local key = parts[i]
    local child = node.children[key]
    if i == #parts then
      if child then
        scope:error("", '"%s" stands twice; "%s as other_name" gives it another name',
          field.to.text, field.from.text)
        return
      end
      child = { key = key, from = field.from }
    elseif not child then
      child = { key = key, children = {}, order = {} }
    elseif child.from then
      scope:error("", '"%s" is inside "%s", which is chosen as a whole', field.to.text,
        child.from.text)
      return
    end
    if not node.children[key] then
      node.children[key] = child
      node.order[#node.order + 1] = child
    end
    node = child
  end
end

-- A plan is made of raw JSON (text) and paths (tables of keys); pieces of text that meet become
-- one.
local function append_text(plan, text)
  if type(plan[#plan]) == "string" then
    plan[#plan] = plan[#plan] .. text
  else
    plan[#plan + 1] = text
  end
end

local function append_object(plan, node)
  append_text(plan, "{")
  for i, child in ipairs(node.order) do
    append_text(plan, (i > 1 and "," or "") .. core.json.encode(child.key) .. ":")
    if child.from then
      plan[#plan + 1] = child.from.parts
    else
      append_object(plan, child)
    end
  end
  append_text(plan, "}")
end

local LIST = schema.new {
  name = "hook.fields",
  items = {
    types = { "text" },
    what = 'one field, such as "amount"',
    least = 1,
    check = check_field,
  },
}

--- Chooses fields of the record as the content of a webhook.
function fields.new(list)
  local scope = faults.scope()
  local tree = { children = {}, order = {} }
  for _, field in ipairs(LIST:read(list, scope) or {}) do
    place(tree, field, scope)
  end
  return opaque.new(fields.KIND, { scope = scope, tree = tree })
end

--- The paths that a hook.fields' data chooses, each a list of its names.
function fields.paths(data)
  local list = {}
  for _, piece in ipairs(fields.plan(data)) do
    if type(piece) == "table" then
      list[#list + 1] = piece
    end
  end
  return list
end

local WORDS = { text = "text", choice = "text", integer = "integer", decimal = "decimal" }
local TYPES_DEPTH_MAX = 4 -- of records within records: a type may name itself

local function add_types(list, field, path, depth)
  if WORDS[field.type] then
    list[#list + 1] = { path, WORDS[field.type] }
  elseif field.type == "list" and field.items then
    add_types(list, field.items, path .. "[*]", depth)
  elseif field.type == "record" and depth < TYPES_DEPTH_MAX then
    local inner = types.fields_of(field) or {}
    for _, name in ipairs(words.sorted_keys(inner)) do
      add_types(list, inner[name], path .. "." .. name, depth + 1)
    end
  end
end

--- What a catalogue says of the values that a hook.fields' data chooses, where the value alone does
--- not show it: { path in the result, "text" | "integer" | "decimal", ... }, by the paths' bytes.
function fields.types(data, catalogue)
  local list, flat = {}, {}
  local function add(node, prefix)
    for _, child in ipairs(node.order) do
      local field = child.from and types.at(catalogue, child.from.parts)
      if field then
        add_types(list, field, prefix .. child.key, 1)
      elseif child.children then
        add(child, prefix .. child.key .. ".")
      end
    end
  end
  add(data.tree, "")
  table.sort(list, function(a, b)
    return a[1] < b[1]
  end)
  for _, one in ipairs(list) do
    table.move(one, 1, 2, #flat + 1, flat)
  end
  return flat
end

--- The plan of a hook.fields' data, wrapped in an object under root where there is one.
function fields.plan(data, root)
  local plan = {}
  if root then
    append_text(plan, "{" .. core.json.encode(root) .. ":")
  end
  append_object(plan, data.tree)
  if root then
    append_text(plan, "}")
  end
  return plan
end

return fields
