-- Modules of the rules folder, and the texts beside the rules.
local core = require "hookline.core"

local function with_module(text, name)
  return support.load(text .. "\n" .. support.workflow {}, name)
end

test("the texts beside the rules, by their path and by a prefix", function()
  add_file("templates/b.json", "bb")
  add_file("templates/a.json", "a")
  add_file("templatesx", "")
  support.equal(core.files.text "templates/a.json", "a")
  support.equal(core.files.text "templatesx", "")
  support.equal(core.files.text "templates/c.json", nil)
  local paths = table.concat(core.files.list "templates/", " ")
  support.equal(paths, "templates/a.json templates/b.json")
  support.equal(#core.files.list "nothing", 0)
  add_file("templates/a.json", "new")
  support.equal(core.files.text "templates/a.json", "new")
end)

test("a module is loaded once, and its table cannot be changed", function()
  add_file("lib/once.lua", "local t = { at = print } t.self = t return t")
  local description = assert(with_module [[
    local a, b = require "lib.once", require "lib.once"
    assert(a == b and a.at)
    local is_fine, message = pcall(function() a.x = 1 end)
    assert(not is_fine and message:find("lib.once is read-only", 1, true), message)
  ]])
  support.equal(description.id, "case")
end)

test("a module has a folder's init.lua, gives any value, and may need others", function()
  add_file("lib/tax/init.lua", 'return require "lib.tax.rate" * 2')
  add_file("lib/tax/rate.lua", "return 21")
  assert(with_module 'assert(require "lib.tax" == 42)')
end)

test("a module may say what a workflow owes", function()
  add_file("lib/owed.lua", [[
    local hook = require "hookline"
    return function(url)
      local owed = hook.webhook { method = "GET", url = url }
      return owed
    end
  ]])
  local text = 'local owed = require "lib.owed"\n'
  assert(support.load(text .. support.workflow { actions = '{ owed "https://a.example.com/" }' }))
  local description, faults = support.load(text
    .. support.workflow { actions = '{ owed "ftp://a.example.com/" }' })
  support.equal(description, nil)
  support.equal(faults[1].file, "rules/lib/owed.lua")
  support.equal(faults[1].line, 3)
  support.equal(faults[1].module, nil, "it is the workflow's fault")
end)

local BAD = {
  { "syntax", "\n\nlocal x = = 1", 3, "unexpected symbol" },
  { "raises", "local t = nil\nreturn t.x", 2, "attempt to index a nil value" },
  { "nothing", "local x = 1", 0, "returns nothing" },
  { "hook", 'local hook = require "hookline"\nreturn { hook.webhook { mehtod = "GET", '
    .. 'url = "https://a.example.com/" } }', 2, 'method' },
  { "missing", '\nlocal x = require "lib.nowhere"\nreturn x', 2, "no module 'lib.nowhere'" },
}
for _, case in ipairs(BAD) do
  local name, text, line, message = table.unpack(case)
  test("a bad module's fault is its own, and of each file that needs it: " .. name, function()
    local path = "bad/" .. name .. ".lua"
    add_file(path, text)
    for i = 1, 2 do
      local description, faults = with_module(("\nlocal _ = require 'bad.%s'"):format(name))
      support.equal(description, nil)
      support.equal(faults[1].line, 2)
      support.contains(faults[1].message, ("the module 'bad.%s' does not load: rules/%s:%d: ")
        :format(name, path, line))
      support.contains(faults[1].message, message)
      support.equal(faults[1].module, nil)
      local told = 0
      for _, fault in ipairs(faults) do
        if fault.module then
          support.equal(fault.module, path)
          support.equal(fault.line, line)
          told = told + 1
        end
      end
      support.equal(told > 0, i == 1, "told once")
    end
  end)
end

test("modules that require each other in a circle are told with the chain", function()
  add_file("ring/a.lua", 'return require "ring.b"')
  add_file("ring/b.lua", 'return require "ring.c"')
  add_file("ring/c.lua", 'return require "ring.a"')
  local _, faults = with_module 'local a = require "ring.a"'
  support.contains(faults[1].message, "in a circle: ring.a -> ring.b -> ring.c -> ring.a")
end)

test("what is no module", function()
  add_file("templates/x.lua", "return 1")
  add_file("types/deal.lua", "return 1")
  for _, name in ipairs { "case", "templates.x", "types.deal", "../secret", "lib.none", "" } do
    local _, faults = with_module(("\nlocal x = require %q"):format(name))
    support.equal(faults[1].line, 2)
    support.contains(faults[1].message, ("there is no module '%s'"):format(name))
  end
end)

test("a module that a workflow can do without does not stop it", function()
  add_file("bad/optional.lua", "return return")
  local description, faults = with_module 'assert(not pcall(require, "bad.optional"))'
  support.equal(description.id, "case")
  support.equal(faults[1].module, "bad/optional.lua")
end)

test("a run loads no modules", function()
  add_file("lib/late.lua", "return 1")
  local description = support.rule(support.workflow {
    when = 'function() return require "lib.late" == 1 end',
  })
  local message = support.run_error(description, support.event("created", { id = 1 }))
  support.contains(message, "rules/case.lua:1: require 'lib.late' at the top of the file")
end)

test("a module that nothing needs is compiled", function()
  local host = require "hookline.host"
  add_file("bad/alone.lua", "\nreturn return")
  add_file("lib/alone.lua", "error 'not run'")
  local faults = host.check_module "bad/alone.lua"
  support.equal(faults[1].module, "bad/alone.lua")
  support.equal(faults[1].line, 2)
  support.equal(#host.check_module "lib/alone.lua", 0)
  support.equal(#host.check_module "templates/x.lua", 0)
end)
