-- The fields of a company that is sold to.
local hook = require "hookline"

return hook.type {
  label  = "Account",
  fields = {
    name                = { type = "text", label = "Name" },
    type                = {
      type    = "choice",
      label   = "Type",
      choices = { "Prospect", "Customer", "Partner" },
    },
    street              = { type = "text", label = "Street" },
    city                = { type = "text", label = "City" },
    country             = { type = "text", label = "Country" },
    vat_number          = { type = "text", label = "VAT number" },
    website             = { type = "text", label = "Website" },
    number_of_employees = { type = "integer", label = "Employees" },
    created_at          = { type = "datetime", label = "Created at" },
  },
}
