-- The fields of someone who may become a customer.
local hook = require "hookline"

return hook.type {
  label  = "Lead",
  fields = {
    first_name  = { type = "text", label = "First name" },
    last_name   = { type = "text", label = "Last name" },
    email       = { type = "text", label = "Email" },
    newsletter  = { type = "boolean", label = "Wants the newsletter" },
    source      = { type = "text", label = "Source" },
    lead_stage  = {
      type    = "choice",
      label   = "Stage",
      choices = { "New", "Contacted", "Qualified", "Lost" },
    },
    lead_source = { type = "text", label = "Lead source" },
    company     = { type = "record", label = "Company", fields = { name = "text" } },
    created_at  = { type = "datetime", label = "Created at" },
  },
}
