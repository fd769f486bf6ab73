-- hook.source and hook.verify: what a file of sources/ may say, and what it is told. The file is
-- loaded as the host does it.
local host = require "hookline.host"

local HEAD = 'local hook = require "hookline"\n'

local function load(text, name)
  add_file("sources/" .. name .. ".lua", HEAD .. text)
  return host.load_source("sources/" .. name .. ".lua")
end

local EVENTS = "events = function(request) return request.json end"

local function verified(by)
  return ("return hook.source { verify = %s, %s }"):format(by, EVENTS)
end

local count = 0
local function faults_of(text)
  count = count + 1
  local data, list = load(text, "case" .. count)
  local shown = {}
  for i, fault in ipairs(list) do
    shown[i] = ("%d %s: %s"):format(fault.line or 0, fault.path or "", fault.message)
  end
  return data, table.concat(shown, "\n")
end

test("a source has a form of proof, or none", function()
  local forms = {
    ['hook.verify.github(hook.secret "A")'] = "hmac",
    ['hook.verify.hmac { header = "X-Sig", key = hook.secret "A", encoding = "base64" }'] = "hmac",
    ['hook.verify.standard({ hook.secret "A", hook.secret "B" })'] = "standard",
    ['hook.verify.stripe(hook.secret "A", { tolerance = "10m" })'] = "stripe",
    ['hook.verify.token(hook.secret "A", { query = "key" })'] = "token",
  }
  for text, form in pairs(forms) do
    local data, shown = faults_of(verified(text))
    support.equal(shown, "")
    support.equal(data.verify.form, form)
  end
  support.equal(faults_of("return hook.source { " .. EVENTS .. " }").verify, nil)
end)

test("what is wrong in a source is told with its line and key", function()
  local cases = {
    { "return hook.source {}", "events: is missing" },
    { "return hook.source { event = 1, " .. EVENTS .. " }", 'unknown key "event"; did you mean' },
    { verified 'hook.secret "A"', "hook.verify.token" },
    { verified 'hook.verify.github "key"', 'verify: wants hook.secret "NAME"' },
    { verified "hook.verify.github {}", "needs at least" },
    { verified 'hook.verify.hmac { key = hook.secret "A" }', "verify.header: is missing" },
    { verified 'hook.verify.hmac { header = "X", key = hook.secret "A", encoding = "b64" }',
      '"b64" is no encoding of a signature' },
    { verified 'hook.verify.token(hook.secret "A", { header = "X", query = "y" })', "not in both" },
    { verified 'hook.verify.stripe(hook.secret "A", { tolerance = "0s" })', "is no tolerance" },
    { "return hook.workflow {}", "" },
    { "return 5", "a file of sources/ ends with return hook.source" },
    { "error 'no'", "no" },
  }
  for _, case in ipairs(cases) do
    local data, shown = faults_of(case[1])
    support.equal(data, nil)
    assert(shown:find(case[2], 1, true), shown)
    assert(shown ~= "", case[1])
  end
end)
