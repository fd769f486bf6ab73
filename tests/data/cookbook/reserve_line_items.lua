-- Each line of a confirmed order reserves its goods with a request of its own.
local hook  = require "hookline"
local field = hook.field

return hook.workflow {
  name    = "Reserve the goods of an order",
  record  = "order",
  trigger = hook.once { "created", "updated" },
  when    = field "status":is "confirmed",
  actions = function(event)
    local webhooks = {}
    for i, line in ipairs(event.record.lines or {}) do
      webhooks[i] = hook.webhook {
        method   = "POST",
        url      = "https://stock.example.com/api/reservations",
        encoding = "json",
        content  = function()
          return { order = event.record.id, sku = line.sku, count = line.count }
        end,
      }
    end
    return webhooks
  end,
}
