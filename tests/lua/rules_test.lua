-- The example workflows: each loads without an error or a warning, fires on the event that it is
-- for, and does not on its neighbours.
local host = require "hookline.host"

local function load(name)
  local file = ("rules/%s.lua"):format(name)
  local description, faults = host.load(file, assert(compile(read_file(file), file)))
  for _, fault in ipairs(faults) do
    error(("%s:%d: %s: %s"):format(file, fault.line, fault.path, fault.message))
  end
  return description
end

local DEAL = {
  id = 4021, name = "Acme renewal", amount = 75000, deal_stage = "Default Pipeline:Won",
  closed_date = "2026-11-23", created_at = "2026-10-01T08:00:00Z", product = "Gold plan",
  sales_account = { id = 88, name = "Acme Inc" },
}

-- A copy with other values; false takes one away.
local function with(base, changes)
  local copy = {}
  for key, value in pairs(base) do
    copy[key] = value
  end
  for key, value in pairs(changes or {}) do
    copy[key] = value or nil
  end
  return copy
end

local function run(rule, type_name, record, previous)
  return host.run(rule, { id = "evt-1", type = type_name, time = "2026-11-23T09:15:00Z",
    record = record,
    previous = previous })
end

local NEGOTIATION = { deal_stage = "Default Pipeline:Negotiation" }

test("invoice_on_won_deal", function()
  local rule = load "invoice_on_won_deal"
  support.equal(rule.id, "invoice_on_won_deal")
  support.equal(rule.name, "Generate invoice when deal is won using Webhooks")
  support.equal(rule.once, true)
  support.equal(rule.has_functions, false)
  local owed = run(rule, "deal.updated", DEAL, NEGOTIATION)
  support.equal(#owed, 1)
  support.equal(owed[1].head, "POST https://invoices.example.com/api/invoices\n"
    .. "Content-Type: application/json\nX-Sample-CustomHeader1: VALUE\n"
    .. ":basic INVOICE_PASSWORD crm\n")
  support.equal(owed[1].body, '{"amount":75000,"closed_date":"2026-11-23",'
    .. '"created_at":"2026-10-01T08:00:00Z","product":"Gold plan",'
    .. '"sales_account":{"name":"Acme Inc"}}')
  support.equal(#run(rule, "deal.created", DEAL), 1)
  support.equal(run(rule, "deal.updated", with(DEAL, NEGOTIATION), { amount = 1 }), nil)
  support.equal(run(rule, "deal.deleted", DEAL), nil)
  support.equal(run(rule, "lead.updated", DEAL), nil)
end)

test("chat_on_big_deal_stage", function()
  local rule = load "chat_on_big_deal_stage"
  local owed = run(rule, "deal.updated", DEAL, NEGOTIATION)
  support.equal(owed[1].head, "POST https://chat.example.com/api/messages\n"
    .. "Content-Type: application/json\n:header CHAT_TOKEN Authorization: Bearer \n")
  support.equal(owed[1].body, '{"channel":"#sales","text":"Acme renewal (75000): '
    .. 'Default Pipeline:Negotiation -> Default Pipeline:Won"}')
  support.equal(owed[1].retry, "15s 1m 5m 30m")
  support.equal(owed[1].timeout_ms, 10000)
  support.equal(run(rule, "deal.updated", with(DEAL, { amount = 49999 }), NEGOTIATION), nil,
    "small")
  support.equal(run(rule, "deal.updated", DEAL, { amount = 1 }), nil, "another field")
  support.equal(run(rule, "deal.updated", DEAL), nil, "unknown changes")
  support.equal(run(rule, "deal.created", DEAL), nil, "created")
end)

test("subscribe_new_lead", function()
  local rule = load "subscribe_new_lead"
  local lead = { id = "l-1", email = "kim@acme.example", first_name = "Kim", newsletter = true,
    source = "fair" }
  local owed = run(rule, "lead.created", lead)
  support.equal(rule.once, true)
  support.equal(owed[1].head, "POST https://lists.example.com/api/members\n"
    .. "Content-Type: application/json\n:header LIST_API_KEY X-Api-Key: \n")
  support.equal(owed[1].body,
    '{"email_address":"kim@acme.example","merge_fields":{"first_name":"Kim",'
    .. '"last_name":null},"source":"fair"}')
  support.equal(run(rule, "lead.created", with(lead, { newsletter = false })), nil, "no newsletter")
  support.equal(run(rule, "lead.created", with(lead, { email = "" })), nil, "no address")
  support.equal(run(rule, "lead.created", with(lead, { email = "test@Example.com" })), nil,
    "a test lead")
  support.equal(run(rule, "contact.created", lead), nil)
end)

test("forget_deleted_contact", function()
  local rule = load "forget_deleted_contact"
  local owed = run(rule, "contact.deleted", { id = 12, name = "Kim" })
  support.equal(owed[1].head,
    "DELETE https://desk.example.com/api/contacts/12\n:header DESK_TOKEN X-Desk-Token: \n")
  support.equal(owed[1].body, "")
  support.equal(run(rule, "contact.updated", { id = 12 }, { name = "K" }), nil)
end)

test("update_account_in_erp", function()
  local rule = load "update_account_in_erp"
  local account = { id = 88, name = "Acme Inc", type = "Customer", street = "1 Main St",
    city = "Springfield" }
  local owed = run(rule, "sales_account.updated", account, { street = "2 Main St" })
  support.equal(owed[1].head, "PUT https://erp.example.com/api/customers\n"
    .. "Content-Type: application/json\n:header ERP_KEY Authorization: Token \n")
  support.equal(owed[1].body,
    '{"address":["Acme Inc","1 Main St","Springfield"],"external_id":"88",'
    .. '"vat_number":null}')
  support.equal(#run(rule, "sales_account.created", account), 1)
  support.equal(run(rule, "sales_account.updated", account, { phone = "1" }), nil,
    "nothing of billing")
  support.equal(run(rule, "sales_account.created", with(account, { type = "Prospect" })), nil)
end)

test("payment_link_in_cents", function()
  local rule = load "payment_link_in_cents"
  local deal = with(DEAL, { deal_stage = "Default Pipeline:Contract", amount = 12500.5 })
  local owed = run(rule, "deal.updated", deal, NEGOTIATION)
  support.equal(owed[1].head,
    "POST https://pay.example.com/v1/links\nContent-Type: application/json\n"
    .. "X-Api-Version: 2026-01\n:header PAYMENT_TOKEN Authorization: Bearer \n")
  support.equal(owed[1].body, '{"link":{"amount_cents":1250050,"currency":"EUR","reference":4021,'
    .. '"title":"Acme renewal"}}')
  local dollars = run(rule, "deal.updated", with(deal, { currency = "USD" }), NEGOTIATION)
  support.contains(dollars[1].body, '"currency":"USD"')
  support.equal(run(rule, "deal.updated", with(deal, { amount = 0 }), NEGOTIATION), nil,
    "nothing to pay")
  support.equal(run(rule, "deal.updated", deal, { amount = 1 }), nil, "not moved")
  support.equal(run(rule, "deal.updated", DEAL, NEGOTIATION), nil, "another stage")
end)
