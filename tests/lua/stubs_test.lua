-- What editors complete is what there is: the annotations of hookline/init.lua beside the library's
-- own tables. A name, a key or an operator that only one of them has fails here.
local hook = require "hookline"
local operators = require "hookline.operators"
local schema = require "hookline.schema"
local stubs = require "hookline.stubs"
require "hookline.testing.suite"

local TEXT = stubs.library(read_file "lua/hookline/init.lua")

-- The classes of the stubs, each with the names of its fields, those that it inherits too.
local function classes_of(text)
  local classes, last = {}, nil
  for line in text:gmatch "([^\n]*)\n" do
    local name, parent = line:match "^%-%-%-@class ([%w_.]+):? ?([%w_.]*)"
    local field = line:match "^%-%-%-@field ([%w_]+)"
    if name then
      last, classes[name] = name, {}
      for inherited in pairs(classes[parent] or {}) do
        classes[name][inherited] = true
      end
    elseif field then
      classes[last][field] = true
    end
  end
  return classes
end

local CLASSES = classes_of(TEXT)

local function equal_names(got, wanted, what)
  for name in pairs(wanted) do
    assert(got[name], ("%s: %s has no annotation"):format(what, name))
  end
  for name in pairs(got) do
    assert(wanted[name] ~= nil, ("%s: %s has an annotation, and is not there"):format(what, name))
  end
end

test("every name of the public table is in the stubs, and no other", function()
  local annotated, public = {}, {}
  for name in TEXT:gmatch "\nfunction hook%.([%w_]+)%(" do
    annotated[name] = true
  end
  for name in TEXT:gmatch "\nhook%.([%w_]+) = " do
    annotated[name] = true
  end
  for name in pairs(hook) do
    public[name] = true
  end
  equal_names(annotated, public, "hook")
  assert(compile(TEXT, "hookline.lua"))
end)

test("every operator is a method of hook.Field", function()
  equal_names(CLASSES["hook.Field"], operators.table, "hook.Field")
end)

test("the functions of hook.encode, hook.decode and hook.verify", function()
  local function names_of(t)
    local names = {}
    for name in pairs(t) do
      names[name] = true
    end
    return names
  end
  equal_names(CLASSES["hook.Encode"], names_of(hook.encode), "hook.Encode")
  equal_names(CLASSES["hook.Decode"], names_of(hook.decode), "hook.Decode")
  equal_names(CLASSES["hook.VerifyFunctions"], names_of(hook.verify), "hook.VerifyFunctions")
end)

-- The class that documents the keys of each schema.
local CLASS_OF = {
  ["hook.workflow"] = "hook.WorkflowOptions",
  ["hook.webhook"] = "hook.WebhookOptions",
  ["hook.once"] = "hook.TriggerOptions",
  ["hook.every"] = "hook.TriggerOptions",
  ["hook.daily"] = "hook.DailyOptions",
  ["hook.weekly"] = "hook.WeeklyOptions",
  ["hook.monthly"] = "hook.MonthlyOptions",
  ["hook.date"] = "hook.DateOptions",
  ["hook.type"] = "hook.TypeOptions",
  ["a field"] = "hook.FieldType",
  ["hook.source"] = "hook.SourceOptions",
  ["hook.hmac"] = "hook.SignatureOptions",
  ["hook.oauth2"] = "hook.Oauth2Options",
  ["hook.verify.hmac"] = "hook.HmacOptions",
  ["the second argument of hook.verify.token"] = "hook.TokenOptions",
  ["the second argument"] = "hook.ToleranceOptions",
  ["the second argument of hook.api_key"] = "hook.ApiKeyOptions",
  ["the last argument"] = "hook.CaseOption",
  ["hook.test"] = "hook.TestOptions",
  ["a case"] = "hook.TestCase",
  ["a step"] = "hook.TestStep",
  ["an answer"] = "hook.TestResponse",
  ["an expected webhook"] = "hook.TestWebhook",
}

test("every key of an option table is a field of its class", function()
  local seen = {}
  for _, one in ipairs(schema.all) do
    if next(one.keys) then
      local class = assert(CLASS_OF[one.name], one.name .. ": no class documents its keys")
      equal_names(CLASSES[class], one.keys, class)
      seen[one.name] = true
    end
  end
  equal_names(CLASS_OF, seen, "the schemas")
end)

test("a class of each catalogue, and the paths to its fields", function()
  add_file("types/deal.lua", [[
    local hook = require "hookline"
    return hook.type { label = "Deal", fields = {
      amount = { type = "decimal", label = "Deal value", description = "in\neuros" },
      stage = { type = "choice", choices = { "A \"b\"", 2 } },
      tags = { type = "choices", choices = { "x" } },
      ["odd name"] = "text",
      parent = { type = "record", of = "deal" },
      lines = { type = "list", items = { type = "record", fields = { sku = "text" } } },
      free = { type = "record" },
    } }]])
  add_file("types/broken.lua", "return 5")
  local text = stubs.catalogues()
  for _, line in ipairs {
    "--- Deal\n---@class deal\n---@field id string|integer\n",
    "---@field amount? number Deal value: in euros",
    '---@field stage? "A \\"b\\""|2\n',
    '---@field tags? ("x")[]',
    '---@field ["odd name"] string',
    "---@field parent? deal\n",
    "---@field lines? deal.lines[]\n",
    "---@class deal.lines\n",
    "---@field free? table\n",
    "---@class deal.Event: hook.Event\n---@field record deal\n",
    '---@alias hook.RecordType string\n---| "deal"\n\n',
    '---| "lines[*].sku"\n',
    '---| "parent.parent.amount"\n',
    "---@alias hook.Record table|deal\n",
  } do
    support.contains(text, line)
  end
  assert(not text:find("parent.parent.parent.parent", 1, true), "it ends")
  assert(not text:find("broken", 1, true))
  assert(compile(text, "types.lua"))
end)
