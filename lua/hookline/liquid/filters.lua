-- All filters by their names: how many arguments each takes, and what it does.
local core = require "hookline.core"

local filters = {}

local names = {}

for _, part in ipairs { "text", "number", "list", "other" } do
  for name, filter in pairs(require("hookline.liquid." .. part .. "_filters")) do
    filters[name] = { least = filter[1], most = filter[2], run = filter[3],
      missing = filter.missing or {}, named = filter.named }
    names[#names + 1] = name
  end
end
table.sort(names)

--- What may have been meant, for the end of a message.
function filters.advice(name)
  local near = core.nearest(name, names)
  return near and ("; did you mean %s?"):format(near) or ""
end

return setmetatable({}, { __index = filters })
