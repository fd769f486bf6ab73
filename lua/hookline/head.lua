-- The head of a webhook's request: its URL and its headers. What no event changes is made when the
-- file is loaded; where templates stand in it, it is made for each event.
local core = require "hookline.core"
local headers = require "hookline.headers"
local template = require "hookline.template"
local url_place = require "hookline.places.url"

local head = {}

-- Of a URL whose host a template gives, while there is none.
local NO_URL, NO_TARGET = "https://invalid/", ""

--- For a schema: the key `url`, checked to { text, target, template }. Without a target the
--- template gives it; `text` is then a URL to show in its place.
function head.check_url(value, scope, path)
  local url = { text = value }
  if template.is_in(value) then
    url.template = template.compile_text(value, url_place, scope, path)
    local authority = value:match("^(.-){[{%%]"):match "^(%a[%w+.-]*://[^/?]*)[/?]"
    url.text = authority and authority .. "/" or NO_URL
    if not url.template or not authority then
      return url.template and url or nil
    end
  end
  local message
  url.target, message = core.http.target(url.text)
  if not url.target then
    scope:error(path, message)
    return nil
  end
  return url
end

local function add_query(url, query)
  if not query then
    return url
  end
  local separator = url:find("?", 1, true) and "&" or "?"
  return url .. separator .. core.percent(query[1]) .. "=" .. core.percent(query[2])
end

-- What auth adds: to the list of headers, and to that of secrets.
local function add_auth(added, list, secrets)
  if added.header then
    list[#list + 1] = { name = added.header[1], value = added.header[2], from = "auth" }
  elseif added.secret then
    secrets[1] = added.secret
    if added.secret.kind ~= "query" then
      local name = added.secret.kind == "header" and added.secret.key or "Authorization"
      list[#list + 1] = { name = name, from = "auth" }
    end
  end
end

-- What `sign` adds, likewise. The host's own headers are no others' to give.
local function add_sign(added, list, secrets)
  for _, name in ipairs(added.headers) do
    list[#list + 1] = { name = name, from = "sign" }
  end
  table.move(added.secrets, 1, #added.secrets, #secrets + 1, secrets)
end

-- What core.http.head takes, and where templates put values of headers in it: a list of { place in
-- headers, template }.
local function plan(values, content_type, scope)
  local list, secrets, plain, fills = { content_type }, {}, {}, {}
  local custom, added = values.headers or {}, values.auth or {}
  add_auth(added, list, secrets)
  if values.sign then
    add_sign(values.sign, list, secrets)
  end
  table.move(custom, 1, #custom, #list + 1, list)
  headers.check_unique(list, scope)
  for _, header in ipairs(list) do
    if header.value then
      plain[#plain + 1] = { header.name, header.value }
      if header.template then
        fills[#fills + 1] = { plain[#plain], header.template }
      end
    elseif header.secret then
      local secret = header.secret
      secrets[#secrets + 1] =
        { kind = "header", secret = secret.name, key = header.name, prefix = secret.prefix }
    end
  end
  return { method = values.method, url = add_query(values.url.text, added.query), headers = plain,
    secrets = secrets }, fills
end

-- A segment of dots alone leads out of its place in the path: clients resolve it, and some servers
-- also where its dots or slashes are percent-encoded.
local function has_dot_segment(url)
  local path = url:match "^%a+://[^/?]*([^?]*)":gsub("%%2[eE]", "."):gsub("%%2[fF]", "/")
  return (path .. "/"):find "/%.%.?/" ~= nil
end

-- The URL for an event and its target, or nil and why it is not legal.
local function url_renderer(url, query)
  local render = url.template and url.template.render
  if not render then
    return function()
      return add_query(url.text, query), url.target
    end
  end
  return function(event, description)
    local text = render(event, description)
    local target, message = core.http.target(text)
    if not target then
      return nil, message
    elseif url.target and url.target ~= target then
      return nil, "the URL goes to " .. target .. " where " .. url.target .. " is written"
    elseif has_dot_segment(text) then
      return nil, "the URL's path has a part that is . or .."
    end
    return add_query(text, query), target
  end
end

-- A function (event, description) -> head, target, and why it is not legal (or nil).
local function renderer(values, spec, fills, fallback)
  local render_url = url_renderer(values.url, values.auth and values.auth.query)
  local fallback_target = values.url.target or NO_TARGET
  return function(event, description)
    local url, target = render_url(event, description)
    if not url then
      return fallback, fallback_target, target
    end
    spec.url = url
    for _, fill in ipairs(fills) do
      fill[1][2] = fill[2].render(event, description)
    end
    local text, message = core.http.head(spec)
    if not text then
      return fallback, target, message
    end
    return text, target, nil
  end
end

--- From a webhook's keys, which have been checked, and its header Content-Type (or nil): { head,
--- target, render, templates, secrets }. render: where templates are in it, (event, description) ->
--- head, target, and why it is not legal; head and target then stand for it where it is not.
--- secrets: the names of those that it holds.
function head.parts(values, content_type, scope)
  local parts = { templates = {} }
  if not values.url or not values.method then
    return parts
  end
  local spec, fills = plan(values, content_type, scope)
  local text, message = core.http.head(spec)
  if not text and not scope.is_faulty then
    scope:error("", message)
  end
  parts.head, parts.target = text, values.url.target
  parts.secrets = {}
  for i, one in ipairs(spec.secrets) do
    parts.secrets[i] = one.secret
  end
  parts.templates[1] = values.url.template
  for _, fill in ipairs(fills) do
    table.insert(parts.templates, fill[2])
  end
  if #parts.templates > 0 then
    parts.render = renderer(values, spec, fills, text)
  end
  return parts
end

return head
