local hook = require "hookline"

local acme = {
  id = 88,
  type = "Customer",
  name = "Acme Inc",
  street = "1 Main Street",
  city = "Springfield",
  country = "US",
  vat_number = "US123",
}

-- The account after one field of it was changed.
local function changed(field, before)
  return { type = "sales_account.updated", record = acme, previous = { [field] = before } }
end

local cases = {
  {
    name = "a new customer is in the ERP with the whole address",
    given = { type = "sales_account.created", record = acme },
    expect = {
      method = "PUT",
      url = "https://erp.example.com/api/customers",
      headers = { Authorization = "Token ****" },
      body = {
        external_id = "88",
        vat_number = "US123",
        address = { "Acme Inc", "1 Main Street", "Springfield", "US" },
      },
    },
  },
  {
    name = "what is missing in the address is left out",
    given = {
      type = "sales_account.created",
      record = { id = 89, type = "Customer", name = "Bolt" },
    },
    expect = { body = { external_id = "89", vat_number = hook.null, address = { "Bolt" } } },
  },
  {
    name = "a prospect is not in the ERP",
    given = { type = "sales_account.created", record = { type = "Prospect", name = "Bolt" } },
    expect = {},
  },
  {
    name = "a change of the phone number is nothing to the ERP",
    given = changed("phone", "555-0100"),
    expect = {},
  },
}

-- Each field of the address is one case.
for _, field in ipairs { "name", "street", "city", "country", "vat_number" } do
  cases[#cases + 1] = {
    name = "a change of " .. field .. " is told",
    given = changed(field, "as it was"),
    expect = { body_has = { external_id = "88" } },
  }
end

return hook.test { vars = { ERP_URL = "https://erp.example.com" }, cases = cases }
