-- What `hookline stubs` writes: files of annotations (LuaCATS), by which an editor completes rules.
-- One is of this library, made of what hookline/init.lua says; the other is of the catalogues of
-- the rules folder.
local loading = require "hookline.loading"
local types = require "hookline.types"
local words = require "hookline.words"

local stubs = {}

-- --- the library ---------------------------------------------------------------------------------

-- Where the bracket that opens at i closes.
local function closing(text, i)
  return select(2, text:find("^%b()", i))
end

-- The parts of "a: string, b?: fun(x: any): any", apart at commas that are in no bracket.
local function split(text)
  local parts, depth, from = {}, 0, 1
  for i = 1, #text do
    local c = text:sub(i, i)
    if c:find "[%(<{%[]" then
      depth = depth + 1
    elseif c:find "[%)>}%]]" then
      depth = depth - 1
    elseif c == "," and depth == 0 then
      parts[#parts + 1] = words.trim(text:sub(from, i - 1))
      from = i + 1
    end
  end
  local last = words.trim(text:sub(from))
  parts[#parts + 1] = last ~= "" and last or nil
  return parts
end

-- A value whose annotation says that it is a function, as a function, so that an editor shows its
-- parameters by their names.
local function add_function(out, name, signature)
  local stop = closing(signature, 4)
  local names = {}
  for _, parameter in ipairs(split(signature:sub(5, stop - 1))) do
    local parameter_name, mark, kind = parameter:match "^([%w_]+)(%??):%s*(.+)$"
    out[#out + 1] = ("---@param %s%s %s"):format(parameter_name, mark, kind)
    names[#names + 1] = parameter_name
  end
  local gives = signature:match("^:%s*(.+)$", stop + 1)
  out[#out + 1] = gives and "---@return " .. gives or nil
  out[#out + 1] = ("function %s(%s) end"):format(name, table.concat(names, ", "))
end

local function add_value(out, name, comments)
  local last = comments[#comments] or ""
  local signature = last:match "^%-%-%-@type (fun%(.*)$"
  for i = 1, #comments - (signature and 1 or 0) do
    out[#out + 1] = comments[i]
  end
  if signature then
    add_function(out, name, signature)
  else
    out[#out + 1] = ("%s = %s"):format(name, last:find "^%-%-%-@type hook%." and "{}" or "nil")
  end
  out[#out + 1] = ""
end

--- The annotations of a library's file, without its code: classes, and the functions of `hook`.
function stubs.library(source)
  local out, comments = { "---@meta hookline", "" }, {}
  for line in source:gmatch "([^\n]*)\n" do
    local name = line:match "^(hook%.[%w_]+) = "
    local head = line:match "^(function hook%..*%))$"
    if line:find "^%-%-%-" then
      comments[#comments + 1] = line
    elseif name then
      add_value(out, name, comments)
      comments = {}
    elseif head then
      table.move(comments, 1, #comments, #out + 1, out)
      out[#out + 1] = head .. " end"
      out[#out + 1] = ""
      comments = {}
    elseif #comments > 0 then
      table.move(comments, 1, #comments, #out + 1, out)
      out[#out + 1] = line == "local hook = {}" and line or nil
      out[#out + 1] = ""
      comments = {}
    end
  end
  out[#out + 1] = "return hook\n"
  return table.concat(out, "\n")
end

-- --- the catalogues ------------------------------------------------------------------------------

-- What an editor calls each kind of field.
local KINDS = { text = "string", integer = "integer", decimal = "number", boolean = "boolean",
  date = "string", datetime = "string", any = "any" }

local PATH_DEPTH_MAX = 3 -- of the paths that are completed: a type may name itself

local function choice_kind(field)
  local shown = {}
  for i, choice in ipairs(field.choices) do
    shown[i] = type(choice) == "string" and ("%q"):format(choice):gsub("\\\n", "\\n")
      or tostring(choice)
  end
  return table.concat(shown, "|")
end

local add_class

-- The kind of a field; a class is made where it has fields of its own.
local function kind_of(out, field, class)
  if field.type == "choice" then
    return choice_kind(field)
  elseif field.type == "choices" then
    return "(" .. choice_kind(field) .. ")[]"
  elseif field.type == "list" then
    local item = field.items and kind_of(out, field.items, class) or "any"
    return (item:find "[|%s]" and "(" .. item .. ")" or item) .. "[]"
  elseif field.type == "record" then
    if field.of then
      return types.load(field.of) and field.of or "table"
    elseif not field.fields then
      return "table"
    end
    add_class(out, class, field.fields)
    return class
  end
  return KINDS[field.type]
end

local function one_line(text)
  return (text:gsub("%s+", " "))
end

function add_class(out, class, fields, label, description)
  local lines = {}
  if label or description then
    lines[1] = "--- " .. one_line((label or "") .. (label and description and ": " or "")
      .. (description or ""))
  end
  lines[#lines + 1] = "---@class " .. class
  if not fields.id then
    lines[#lines + 1] = "---@field id string|integer"
  end
  for _, name in ipairs(words.sorted_keys(fields)) do
    local field = fields[name]
    local key = name:find "^[%a_][%w_]*$" and name .. "?" or ("[%q]"):format(name)
    local kind = kind_of(out, field, class .. "." .. name:gsub("[^%w_]", "_"))
    local said = field.label and field.description and field.label .. ": " .. field.description
      or field.label or field.description
    said = said and " " .. one_line(said) or ""
    lines[#lines + 1] = ("---@field %s %s%s"):format(key, kind, said)
  end
  lines[#lines + 1] = ""
  table.move(lines, 1, #lines, #out + 1, out)
end

local function add_paths(paths, fields, prefix, depth)
  for _, name in ipairs(words.sorted_keys(fields)) do
    local field, path = fields[name], prefix .. name
    paths[path] = true
    while field and (field.type == "list" or field.type == "choices") do
      field, path = field.items, path .. "[*]"
    end
    local inner = field and (field.fields or field.of and (types.load(field.of) or {}).fields)
    if inner and depth < PATH_DEPTH_MAX then
      add_paths(paths, inner, path .. ".", depth + 1)
    end
  end
end

local function add_alias(out, name, kind, literals)
  out[#out + 1] = "---@alias " .. name .. " " .. kind
  for _, literal in ipairs(literals) do
    out[#out + 1] = ("---| %q"):format(literal)
  end
  out[#out + 1] = ""
end

local function catalogues()
  local out, paths, names = { "---@meta", "" }, { id = true }, {}
  for _, name in ipairs(types.names()) do
    local catalogue = types.load(name)
    if catalogue then
      names[#names + 1] = name
      add_class(out, name, catalogue.fields, catalogue.label, catalogue.description)
      out[#out + 1] = ("---@class %s.Event: hook.Event"):format(name)
      out[#out + 1] = ("---@field record %s"):format(name)
      out[#out + 1] = ("---@field previous? %s"):format(name)
      out[#out + 1] = ""
      add_paths(paths, catalogue.fields, "", 1)
    end
  end
  add_alias(out, "hook.RecordType", "string", names)
  add_alias(out, "hook.Path", "string", words.sorted_keys(paths))
  out[#out + 1] = "---@alias hook.Record table" .. (#names > 0 and "|" or "")
    .. table.concat(names, "|")
  return table.concat(out, "\n") .. "\n"
end

--- The annotations of the catalogues in the texts in use: a class of each record type, and the
--- names of its fields. Those with mistakes are left out.
function stubs.catalogues()
  local text = loading.run("types", catalogues)
  return text
end

return stubs
