-- Posts events: one a body, or HOOKLINE_LINES a body as NDJSON. Each is of another record, so that
-- no two share a row. HOOKLINE_TOKEN is the token of the host.
local head = '{"type":"deal.updated","time":"2026-11-23T09:15:00Z","record":{"id":'
local tail = ',"name":"Acme renewal","amount":12500.50,"currency":"USD",'
  .. '"deal_stage":"Default Pipeline:Won","probability":100,"closed_date":"2026-11-23",'
  .. '"created_at":"2026-10-01T08:00:00Z","product":"Gold plan",'
  .. '"sales_account":{"id":88,"name":"Acme Inc","city":"Austin"},"owner":{"id":7,"name":"R. Rep"},'
  .. '"tags":["renewal","priority"],"custom_field":{"cf_region":"south","cf_po":"PO-8891"}},'
  .. '"previous":{"deal_stage":"Default Pipeline:Negotiation"}}'
local lines = tonumber(os.getenv("HOOKLINE_LINES") or "1")
local number = 0

wrk.method = "POST"
wrk.headers["Content-Type"] = lines > 1 and "application/x-ndjson" or "application/json"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("HOOKLINE_TOKEN")

function request()
  local body = {}
  for i = 1, lines do
    number = number + 1
    body[i] = head .. number .. tail
  end
  return wrk.format(nil, nil, nil, table.concat(body, "\n"))
end
