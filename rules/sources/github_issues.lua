-- Issues of a GitHub repository as records of type "issue". At GitHub: Settings > Webhooks, content
-- type application/json, the secret, the event "Issues".
local hook = require "hookline"

local VERBS = { opened = "created", transferred = "created", deleted = "deleted" }

local function names(list, key)
  local found = hook.array {}
  for i, item in ipairs(list or {}) do
    found[i] = item[key]
  end
  return found
end

-- What `changes` tells of an edit; of what else changed GitHub tells only that it did.
local function previous_of(payload)
  local changes, previous = payload.changes or {}, {}
  for _, field in ipairs { "title", "body" } do
    if changes[field] then
      previous[field] = changes[field].from
    end
  end
  if payload.action == "closed" then
    previous.state = "open"
  elseif payload.action == "reopened" then
    previous.state = "closed"
  end
  return next(previous) and previous or nil
end

return hook.source {
  name   = "GitHub issues",
  verify = hook.verify.github(hook.secret "GITHUB_WEBHOOK_SECRET"),
  events = function(request)
    local payload = request.json
    if request.headers["x-github-event"] ~= "issues" then
      return nil -- "ping", and whatever else was ticked
    end
    local issue, verb = payload.issue, VERBS[payload.action] or "updated"
    return {
      type   = "issue." .. verb,
      time   = issue.updated_at,
      actor  = { id = payload.sender.id, login = payload.sender.login },
      record = {
        id         = issue.id,
        number     = issue.number,
        title      = issue.title,
        body       = issue.body,
        state      = issue.state,
        url        = issue.html_url,
        author     = issue.user.login,
        labels     = names(issue.labels, "name"),
        assignees  = names(issue.assignees, "login"),
        repository = payload.repository.full_name,
        created_at = issue.created_at,
        updated_at = issue.updated_at,
      },
      previous = verb == "updated" and previous_of(payload) or nil,
    }
  end,
}
