-- A deal is won: the invoice app makes an invoice. Once for each deal, whatever comes later.
local hook  = require "hookline"
local field = hook.field

return hook.workflow {
  name        = "Generate invoice when deal is won using Webhooks",
  description = "For every deal won, the invoice app makes an invoice.",
  record      = "deal",
  trigger     = hook.once { "created", "updated" },
  when        = hook.all { field "deal_stage":is_in { "Default Pipeline:Won" } },
  actions     = {
    hook.webhook {
      method   = "POST",
      url      = "https://invoices.example.com/api/invoices",
      auth     = hook.basic("crm", hook.secret "INVOICE_PASSWORD"),
      headers  = [[
        X-Sample-CustomHeader1: VALUE
      ]],
      encoding = "json",
      content  = hook.fields {
        "amount", "closed_date", "created_at", "product", "sales_account.name",
      },
    },
  },
}
