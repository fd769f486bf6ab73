-- An ERP that wants XML: an order with its lines, the amounts as they were written.
local hook  = require "hookline"
local field = hook.field

return hook.workflow {
  name    = "Order to the ERP",
  record  = "order",
  trigger = hook.once { "created", "updated" },
  when    = field "status":is "confirmed",
  actions = {
    hook.webhook {
      method   = "POST",
      url      = "https://erp.example.com/soap/orders",
      auth     = hook.basic("hookline", hook.secret "ERP_PASSWORD"),
      encoding = "xml",
      root     = "Order",
      content  = hook.fields { "number as Number", "total as Total", "lines as Lines" },
    },
  },
}
