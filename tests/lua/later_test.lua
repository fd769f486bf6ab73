-- What a later version brings is refused by name, with its line and path, and never ignored.
local FUNCTIONS = {
  "hook.oauth2 { }",
}

local function check(text, path, name)
  local faults = support.faults(text)
  support.equal(#faults, 1, "faults")
  support.equal(faults[1].line, 1, "line")
  support.equal(faults[1].path, path, "path")
  support.contains(faults[1].message, "not there yet")
  support.contains(faults[1].message, name)
end

for _, call in ipairs(FUNCTIONS) do
  test(call, function()
    check("local x = " .. call .. "; " .. support.workflow {}, "", call:match "^hook[%w._]+")
  end)
end

test("what is refused has the path where it stands, and takes part in no other error", function()
  check(support.webhook { auth = "hook.oauth2 {}" }, "actions[1].auth", "hook.oauth2")
end)
