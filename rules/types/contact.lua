-- The fields of a person at an account.
local hook = require "hookline"

return hook.type {
  label  = "Contact",
  fields = {
    first_name    = { type = "text", label = "First name" },
    last_name     = { type = "text", label = "Last name" },
    email         = { type = "text", label = "Email" },
    job_title     = { type = "text", label = "Job title" },
    sales_account = { type = "record", label = "Account", of = "sales_account" },
    created_at    = { type = "datetime", label = "Created at" },
  },
}
