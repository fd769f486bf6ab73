-- The billing data of a customer changed: the ERP gets the whole address in the form that it wants,
-- which a function makes.
local hook  = require "hookline"
local field = hook.field

-- The lines of an address that are there, one below the other.
local function address_lines(account)
  local lines = hook.array {}
  for _, key in ipairs { "name", "street", "city", "country" } do
    local line = account[key]
    if line and line ~= hook.null and line ~= "" then
      lines[#lines + 1] = line
    end
  end
  return lines
end

return hook.workflow {
  name    = "Keep the billing data of customers in the ERP",
  record  = "sales_account",
  trigger = hook.every { "created", "updated" },
  when    = hook.all {
    field "type":is "Customer",
    hook.any {
      field "name":changed(),
      field "street":changed(),
      field "city":changed(),
      field "country":changed(),
      field "vat_number":changed(),
    },
  },
  actions = {
    hook.webhook {
      method   = "PUT",
      url      = hook.var("ERP_URL", "https://erp.example.com") .. "/api/customers",
      auth     = hook.api_key(hook.secret "ERP_KEY"),
      encoding = "json",
      content  = function(event)
        local account = event.record
        return {
          external_id = tostring(account.id),
          vat_number  = account.vat_number or hook.null,
          address     = address_lines(account),
        }
      end,
    },
  },
}
