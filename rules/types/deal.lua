-- The fields of a deal. `hookline check` warns where a workflow names one that is not here, and
-- `hookline stubs` makes editors complete them.
local hook = require "hookline"

return hook.type {
  label  = "Deal",
  fields = {
    name          = { type = "text", label = "Name" },
    amount        = { type = "decimal", label = "Deal value" },
    currency      = { type = "text", label = "Currency" },
    deal_stage    = {
      type    = "choice",
      label   = "Deal stage",
      choices = {
        "Default Pipeline:New",
        "Default Pipeline:Negotiation",
        "Default Pipeline:Contract",
        "Default Pipeline:Won",
        "Default Pipeline:Lost",
      },
    },
    closed_date   = { type = "date", label = "Closed on" },
    created_at    = { type = "datetime", label = "Created at" },
    product       = { type = "text", label = "Product" },
    sales_account = { type = "record", label = "Account", of = "sales_account" },
    products      = {
      type  = "list",
      label = "Line items",
      items = {
        type   = "record",
        fields = { sku = "text", name = "text", quantity = "integer", price = "decimal" },
      },
    },
  },
}
