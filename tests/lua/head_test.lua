-- The head of a request: method, URL, custom headers by the rules of the form, authentication,
-- secrets.
local function head(keys)
  local rule, warnings = support.rule(support.webhook(keys))
  return support.run(rule, support.event("created", { id = 1 }))[1].head, warnings
end

local START = "POST https://app.example.com/hook\nContent-Type: application/json\n"

local function get(keys)
  local all = { method = '"GET"', encoding = false, content = false }
  for key, value in pairs(keys) do
    all[key] = value
  end
  return all
end

-- keys of the webhook, the head that they make
local ROWS = {
  { "no headers", {}, START },
  { "a content type", { content_type = '"application/vnd.api+json; charset=utf-8"' },
    "POST https://app.example.com/hook\nContent-Type: application/vnd.api+json; charset=utf-8\n" },
  { "a content type as a header", { headers = '"content-type: application/hal+json"' },
    "POST https://app.example.com/hook\ncontent-type: application/hal+json\n" },
  { "PUT", { method = '"PUT"' },
    "PUT https://app.example.com/hook\nContent-Type: application/json\n" },
  { "PATCH", { method = '"PATCH"' },
    "PATCH https://app.example.com/hook\nContent-Type: application/json\n" },
  { "GET", get {}, "GET https://app.example.com/hook\n" },
  { "DELETE", get { method = '"DELETE"' }, "DELETE https://app.example.com/hook\n" },
  { "a URL from a setting", get { url = '"https://" .. hook.var "INVOICE_HOST" .. "/x?a=b"' },
    "GET https://invoices.example.com/x?a=b\n" },
  -- headers as text
  { "one", { headers = '"X-Sample-CustomHeader1: VALUE"' },
    START .. "X-Sample-CustomHeader1: VALUE\n" },
  { "one a line, in order, blank lines and spaces dropped",
    { headers = "[[\n\n   X-B: 2  \n\tX-A:1\n\n]]" }, START .. "X-B: 2\nX-A: 1\n" },
  { "lines of another system", { headers = '"X-A: 1\\r\\nX-B: 2\\r\\n"' },
    START .. "X-A: 1\nX-B: 2\n" },
  { "a space before the colon is dropped", { headers = '"X-Sample-CustomHeader2 : TWO"' },
    START .. "X-Sample-CustomHeader2: TWO\n" },
  { "a colon in the value", { headers = '"X-Time: 10:30"' }, START .. "X-Time: 10:30\n" },
  { "an empty value", { headers = '"X-Empty:"' }, START .. "X-Empty: \n" },
  { "several values in one header", { headers = '"X-Many: a; b; c"' },
    START .. "X-Many: a; b; c\n" },
  -- headers as a table
  { "a table, sorted", { headers = '{ ["X-B"] = "2", ["X-A"] = 1 }' },
    START .. "X-A: 1\nX-B: 2\n" },
  { "a list of lines with a hole", { headers = '{ "X-B: 2", nil, "X-A : 1" }' },
    START .. "X-B: 2\nX-A: 1\n" },
  { "a list of lines", { headers = '{ "X-B: 2", "X-A : 1" }' }, START .. "X-B: 2\nX-A: 1\n" },
  { "a secret as a value", { headers = '{ ["X-Key"] = hook.secret "KEY" }' },
    START .. ":header KEY X-Key: \n" },
  { "a secret with a prefix", { headers = '{ ["X-Key"] = "Key " .. hook.secret "KEY" }' },
    START .. ":header KEY X-Key: Key \n" },
  { "a prefix in two pieces", { headers = '{ ["X-Key"] = "a" .. "b" .. hook.secret "KEY" }' },
    START .. ":header KEY X-Key: ab\n" },
  -- authentication
  { "basic", { auth = 'hook.basic("crm", hook.secret "INVOICE_PASSWORD")' },
    START .. ":basic INVOICE_PASSWORD crm\n" },
  { "basic in plain text", { auth = 'hook.basic("crm", "s3cret")' },
    START .. "Authorization: Basic Y3JtOnMzY3JldA==\n" },
  { "an API key", { auth = 'hook.api_key(hook.secret "KEY")' },
    START .. ":header KEY Authorization: Token \n" },
  { "an API key in plain text", { auth = 'hook.api_key "k"' },
    START .. "Authorization: Token k\n" },
  { "an API key, its prefix", { auth = 'hook.api_key(hook.secret "KEY", { prefix = "Key=" })' },
    START .. ":header KEY Authorization: Key=\n" },
  { "an API key in a header", { auth = 'hook.api_key(hook.secret "KEY", { header = "X-Key" })' },
    START .. ":header KEY X-Key: \n" },
  { "an API key in a header with a prefix",
    { auth = 'hook.api_key(hook.secret "KEY", { header = "X-Key", prefix = "v1 " })' },
    START .. ":header KEY X-Key: v1 \n" },
  { "an API key in the query", { auth = 'hook.api_key(hook.secret "KEY", { query = "api_key" })' },
    START .. ":query KEY api_key\n" },
  { "an API key in the query, in plain text",
    get { auth = 'hook.api_key("a b&c", { query = "api key" })',
      url = '"https://a.example.com/x"' },
    "GET https://a.example.com/x?api%20key=a%20b%26c\n" },
  { "an API key in the query, behind another parameter",
    get { auth = 'hook.api_key("k", { query = "key" })', url = '"https://a.example.com/?a=1"' },
    "GET https://a.example.com/?a=1&key=k\n" },
  { "a token", { auth = 'hook.bearer(hook.secret "TOKEN")' },
    START .. ":header TOKEN Authorization: Bearer \n" },
  { "a token in plain text", { auth = 'hook.bearer "t"' }, START .. "Authorization: Bearer t\n" },
  { "an access token",
    { auth = [[hook.oauth2 { token_url = "https://t.example.com/t?a=1", client_id = "a b",
      client_secret = hook.secret "S", scope = { "x y", "z&" },
      params = { n = 7, audience = "https://a/" } }]] },
    START .. ":oauth2 S basic a%20b https://t.example.com/t?a=1 grant_type=client_credentials"
      .. "&scope=x%20y%20z%26&audience=https%3A%2F%2Fa%2F&n=7\n" },
  { "an access token, the client in the body",
    { auth = [[hook.oauth2 { token_url = "https://t.example.com/", client_id = "c",
      client_secret = hook.secret "S", client_auth = "body" }]] },
    START .. ":oauth2 S body c https://t.example.com/ grant_type=client_credentials\n" },
  { "auth and headers", { auth = 'hook.bearer(hook.secret "T")', headers = '"X-A: 1"' },
    START .. "X-A: 1\n:header T Authorization: Bearer \n" },
  { "auth in a header that is not Authorization",
    { auth = 'hook.api_key(hook.secret "K", { header = "X-K" })', headers = '"Authorization: x"' },
    START .. "Authorization: x\n:header K X-K: \n" },
}

for _, row in ipairs(ROWS) do
  test(row[1], function()
    support.equal(head(row[2]), row[3])
  end)
end

test("target, retry and timeout", function()
  local rule = support.rule(support.webhook({
    url = '"https://App.example.com/x"',
    timeout = '"10s"',
    retry = 'hook.retry { { "15s", "1m" }, { "2h" } }',
  }))
  local owed = support.run(rule, support.event("created", { id = 1 }))[1]
  support.equal(owed.target, "https://app.example.com:443")
  support.equal(owed.timeout_ms, 10000)
  support.equal(owed.retry, "15s 1m|2h")
end)

test("retry of the workflow is the default for its webhooks", function()
  local rule = support.rule(support.workflow {
    retry = 'hook.retry { { "1m" } }',
    actions = [[{
      hook.webhook { method = "GET", url = "http://a.example.com:8080" },
      hook.webhook { method = "GET", url = "https://b.example.com",
        retry = hook.retry { { "2m" } } },
    }]],
  })
  local owed = support.run(rule, support.event("created", { id = 1 }))
  support.equal(#owed, 2)
  support.equal(owed[1].retry, "1m")
  support.equal(owed[2].retry, "2m")
  support.equal(owed[1].target, "http://a.example.com:8080")
  support.equal(owed[1].timeout_ms, nil)
end)

-- keys of the webhook, path of the fault, words in its message
local WRONG = {
  { { headers = '"X-Sample Custom Header1: VALUE"' }, "headers", "space inside" },
  { { headers = '{ ["X A"] = "1" }' }, 'headers["X A"]', "space inside" },
  { { headers = '{ "X A: 1" }' }, "headers[1]", "space inside" },
  { { headers = '"no colon here"' }, "headers", "no header" },
  { { headers = '": value"' }, "headers", "no name" },
  { { headers = '"X-A: 1\\nX-a: 2"' }, "headers", "stands twice" },
  { { headers = '"X-(A): 1"' }, "headers", "does not allow" },
  { { headers = '"X-A: a\\1b"' }, "headers", "control character" },
  { { headers = '{ ["X-A"] = "a\\r\\nX-B: c" }' }, 'headers["X-A"]', "line break" },
  { { headers = '"Host: evil.example.com"' }, "headers", "host itself" },
  { { headers = '"content-length: 5"' }, "headers", "host itself" },
  { { headers = '"Transfer-Encoding: chunked"' }, "headers", "host itself" },
  { { headers = '"Connection: close"' }, "headers", "host itself" },
  { { headers = '"webhook-id: x"' }, "headers", "host itself" },
  { { headers = '{ Host = hook.secret "A" }' }, 'headers["Host"]', "host itself" },
  { { headers = '{ ["X-A"] = "a\\n" .. hook.secret "A" }' }, 'headers["X-A"]', "line break" },
  { { headers = '{ ["X-A"] = true }' }, 'headers["X-A"]', "not true or false" },
  { { headers = '{ ["X-A"] = {} }' }, 'headers["X-A"]', "not a table" },
  { { headers = "{ 5 }" }, "headers[1]", "Name: value" },
  { { headers = "{ [true] = '1' }" }, "headers", "names as keys" },
  { { headers = "5" }, "headers", "wants text or a table" },
  { { headers = 'hook.secret "A"' }, "headers", "a secret may stand only" },
  { { headers = '"Content-Type: a/b"', content_type = '"c/d"' }, "headers", "drop one" },
  { { headers = '"authorization: x"', auth = 'hook.bearer(hook.secret "A")' }, "headers", "auth" },
  { { headers = '{ ["X-K"] = "1" }',
    auth = 'hook.api_key(hook.secret "A", { header = "x-k" })' }, "headers", "auth" },
  { { auth = 'hook.basic("a:b", hook.secret "A")' }, "auth", "without a colon" },
  { { auth = 'hook.basic(hook.secret "A", hook.secret "A")' }, "auth", "without a colon" },
  { { auth = 'hook.basic("a")' }, "auth", "the password of hook.basic" },
  { { auth = 'hook.basic("a", "Basic " .. hook.secret "A")' }, "auth", "the secret alone" },
  { { auth = 'hook.basic("a\\n", hook.secret "A")' }, "auth", "line break" },
  { { auth = 'hook.bearer(hook.secret "A", { header = "X" })' }, "auth",
    "hook.api_key takes options" },
  { { auth = 'hook.basic("a", hook.secret "A", 1)' }, "auth", "a user and a password" },
  { { auth = 'hook.api_key(hook.secret "A", {}, 1)' }, "auth", "a key and its options" },
  { { auth = "hook.bearer()" }, "auth", "the token of hook.bearer" },
  { { auth = 'hook.bearer ""' }, "auth", "the token of hook.bearer" },
  { { auth = 'hook.api_key(hook.secret "A", { heder = "X" })' }, "auth.heder", '"header"' },
  { { auth = 'hook.api_key(hook.secret "A", { header = "X Y" })' }, "auth.header", "space inside" },
  { { auth = 'hook.api_key(hook.secret "A", { header = "X", query = "k" })' }, "auth.query",
    "both" },
  { { auth = 'hook.api_key(hook.secret "A", { query = "" })' }, "auth.query", "empty" },
  { { auth = 'hook.api_key("x" .. hook.secret "A", { query = "k" })' }, "auth", "stands alone" },
  { { auth = 'hook.api_key(hook.secret "A", "X-Key")' }, "auth", "takes a table" },
  { { auth = 'hook.secret "A"' }, "auth", "write hook.bearer(hook.secret" },
}

for _, row in ipairs(WRONG) do
  local shown = (row[1].headers or "") .. " " .. (row[1].auth or "")
  test("wrong: " .. shown:gsub("%c", " "), function()
    local faults, errors = support.faults(support.webhook(row[1])), {}
    for _, fault in ipairs(faults) do
      if not fault.warning then
        errors[#errors + 1] = fault
      end
    end
    support.equal(#errors, 1, "errors")
    support.equal(errors[1].path, "actions[1]." .. row[2], "path")
    support.contains(errors[1].message, row[3])
  end)
end

test("a comma in a value and a credential in plain text are warned about", function()
  local _, warnings = head { headers = '"X-A: a,b"', auth = 'hook.bearer "t"' }
  support.equal(#warnings, 2)
  support.equal(warnings[1].path, "actions[1].auth")
  support.contains(warnings[1].message, "hook.secret")
  support.equal(warnings[2].path, "actions[1].headers")
  support.contains(warnings[2].message, "comma")
end)

test("handles show what they are, and neither change nor tell more", function()
  local rule = support.rule([[
local key = hook.secret "KEY"
assert(tostring(key) == 'hook.secret')
assert(getmetatable(key) == "hook.secret")
assert(next(key) == nil)
assert(not pcall(function() key.name = "OTHER" end))
assert(not pcall(setmetatable, key, {}))
assert(not pcall(function() hook.webhook = nil end))
assert(not pcall(function() hook.encode.json = nil end))
]] .. support.webhook { auth = "hook.bearer(key)" })
  support.equal(support.run(rule, support.event("created", { id = 1 }))[1].head,
    START .. ":header KEY Authorization: Bearer \n")
end)
