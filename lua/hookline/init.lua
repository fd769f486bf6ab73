-- The table that a rule gets from require "hookline".
local core = require "hookline.core"
local auth = require "hookline.auth"
local conditions = require "hookline.conditions"
local encoding = require "hookline.encoding"
local faults = require "hookline.faults"
local fields = require "hookline.fields"
local opaque = require "hookline.opaque"
local retry = require "hookline.retry"
local schedules = require "hookline.schedules"
local secret = require "hookline.secret"
local sign = require "hookline.sign"
local sources = require "hookline.sources"
local template = require "hookline.template"
local triggers = require "hookline.triggers"
local types = require "hookline.types"
local var = require "hookline.var"
local verify = require "hookline.verify"
local webhook = require "hookline.webhook"
local words = require "hookline.words"
local workflow = require "hookline.workflow"

-- hook.Record, hook.RecordType and hook.Path are told by the catalogues (stubs.lua).

---@class hook.Event
---@field id string       the event's id, given or made by the host
---@field type string     record type and verb: "deal.updated"
---@field time string     when it happened, RFC 3339
---@field record hook.Record  the whole record after the change
---@field previous? hook.Record  the old values of the fields that changed, where they are known

---@class hook.Condition
---@class hook.Trigger
---@class hook.Webhook
---@class hook.Auth
---@class hook.Secret
---@class hook.Fields
---@class hook.Template
---@class hook.Retry
---@class hook.Hmac
---@class hook.Workflow

---@alias hook.Scalar string|number|boolean|lightuserdata text, a number, a boolean, or hook.null
---@alias hook.ConditionOrFunction hook.Condition|fun(event: hook.Event): boolean
---@alias hook.Verb "created"|"updated"|"deleted"|"delivered"|"terminated"

---@class hook.TriggerOptions
---@field [integer] hook.Verb
---@field watch? hook.Path[]   paths: an update counts only if one of these fields has changed
---@field edge? "rising"    counts only if the conditions did not hold for the record as it was

---@alias hook.Weekday "monday"|"tuesday"|"wednesday"|"thursday"|"friday"|"saturday"|"sunday"

---@class hook.DailyOptions
---@field at string  the time of day in the workflow's zone: "09:00"

---@class hook.WeeklyOptions
---@field at string  the time of day in the workflow's zone: "09:00"
---@field on hook.Weekday|hook.Weekday[]

---@class hook.MonthlyOptions
---@field at string  the time of day in the workflow's zone: "09:00"
---@field day integer  1 to 31

---@class hook.DateOptions
---@field at string  the time of day in the workflow's zone: "09:00"
---@field field hook.Path  the path of a date ("2026-11-23") or a time (its day in the zone)
---@field offset? string  whole days before or after it: "-3d", "7d"

---@class hook.CaseOption
---@field case? boolean true: upper and lower case are told apart

---@class hook.WorkflowOptions
---@field id? string          the file's name without .lua, unless it is given
---@field name? string        what people call it
---@field description? string
---@field record hook.RecordType  record type: "deal"
---@field trigger hook.Trigger|string  hook.once, hook.every, "Once, when it's created", or a time:
--- hook.daily, hook.weekly, hook.monthly, hook.date
---@field zone? string        of its times: "Europe/Berlin"; UTC unless it is given
---@field when? hook.ConditionOrFunction  without it every event of the trigger fires
---@field actions hook.Webhook[]|fun(event: hook.Event): hook.Webhook[]
---@field active? boolean|"dry"  false: saved, but not started; "dry": judged, and nothing is sent
---@field when_stopped? "finish"|"hold"|"cancel"  what becomes of the webhooks it still owes then
---@field cooldown? string    "10m": not again for that record within it
---@field delay? string       "10m": the first attempt comes that much later
---@field recheck? boolean    with delay: the conditions are judged again then
---@field retry? hook.Retry|fun(attempt: hook.Attempt): string|nil  for its webhooks that give none
---@field order? "record"|"latest"  for its webhooks that say nothing
---@field notify? string[]    mail addresses that are told of it besides the admins

---@class hook.WebhookOptions
---@field name? string
---@field method "GET"|"POST"|"PUT"|"PATCH"|"DELETE"
---@field url string          the callback URL; {{ ... }} in path and query
---@field auth? hook.Auth
---@field headers? string|table<string, string|integer|hook.Secret>|string[]  `Name: value` a line;
--- values take {{ ... }}
---@field encoding? "json"|"xml"|"xml_extended"|"form"  POST, PUT and PATCH need it, and content
---@field content? hook.Fields|hook.Template|string|fun(event: hook.Event): table|string  for the
--- same three
---@field content_type? string  what the encoding has, unless it is given
---@field root? string        an object that wraps the content; of XML the name of its outermost
--- element, which is the record type unless it is given
---@field transform? fun(body: any, event: hook.Event): table|string  runs last, before encoding
---@field timeout? string     of one attempt, "1s" to "100s"; 30 s unless it is given
---@field retry? hook.Retry|fun(attempt: hook.Attempt): string|nil  a time to wait; nil gives up
---@field retry_on? (integer|string)[]  only these statuses are tried again: { 429, "5xx" }
---@field give_up_on? (integer|string)[]  at these statuses it ends at once: { "4xx" }
---@field success? fun(response: hook.Response): boolean  in place of: 200 to 299 is success
---@field order? "record"|"latest"  those for a record go one after another, or the newest alone
---@field sign? hook.Secret|hook.Secret[]|hook.Hmac  the key of webhook-signature (Standard Webhooks
--- 1.0.0), two while keys are rotated; or another form

---@class hook.Attempt  that failed
---@field number integer   from 1
---@field status? integer  of the answer; nil where there was none
---@field error? string    "timeout", "connect", ...: why there was none
---@field elapsed number   seconds since the first attempt failed

---@class hook.Response
---@field status integer
---@field headers table<string, string>  names in lower case
---@field body string     1 MiB at most
---@field json any        the body's value, where it is JSON

---@class hook.SignatureOptions
---@field header string     the header that carries the signature
---@field key hook.Secret
---@field signed? string    what is signed: "{body}" unless it is given; {id}, {timestamp}, {body}
---@field value? string     the header's value: "{signature}"; {id}, {timestamp}, {signature}
---@field encoding? "hex"|"base64"  of the signature; hex unless it is given
---@field timestamp_header? string  a header for the time, in seconds, besides

---@class hook.ApiKeyOptions
---@field header? string  the header that carries the key; Authorization unless it is given
---@field prefix? string  in front of the key; "Token " in Authorization, nothing in another header
---@field query? string   the query parameter that carries the key, in place of a header

---@class hook.Oauth2Options
---@field token_url string      of the token server: "https://login.example.com/oauth2/token"
---@field client_id string
---@field client_secret hook.Secret
---@field scope? string|string[]
---@field client_auth? "basic"|"body"  how id and secret are sent: as HTTP Basic, unless it is given
---@field params? table<string, string|integer>  more parameters: { audience = "..." }

-- Dates are days ("2026-11-23", whole, in UTC) or times of RFC 3339 ("2026-11-23T09:15:00+01:00").

---@class hook.Field
---@field is fun(self, value: hook.Scalar, options?: hook.CaseOption): hook.Condition
---@field is_not fun(self, value: hook.Scalar, options?: hook.CaseOption): hook.Condition
---@field is_in fun(self, values: hook.Scalar[], options?: hook.CaseOption): hook.Condition
---@field is_not_in fun(self, values: hook.Scalar[], options?: hook.CaseOption): hook.Condition
---@field is_empty fun(self): hook.Condition      missing, null, "", [] or {}
---@field is_not_empty fun(self): hook.Condition
---@field contains fun(self, text: string, options?: hook.CaseOption): hook.Condition
---@field not_contains fun(self, text: string, options?: hook.CaseOption): hook.Condition
---@field starts_with fun(self, text: string, options?: hook.CaseOption): hook.Condition
---@field ends_with fun(self, text: string, options?: hook.CaseOption): hook.Condition
---@field matches fun(self, pattern: string, options?: hook.CaseOption): hook.Condition  Lua's
---@field equals fun(self, number: number|string): hook.Condition
---@field not_equals fun(self, number: number|string): hook.Condition
---@field greater_than fun(self, number: number|string): hook.Condition
---@field at_least fun(self, number: number|string): hook.Condition
---@field less_than fun(self, number: number|string): hook.Condition
---@field at_most fun(self, number: number|string): hook.Condition
---@field between fun(self, low: number|string, high: number|string): hook.Condition  or two dates
---@field on fun(self, date: string): hook.Condition      within that day
---@field before fun(self, date: string): hook.Condition  ended when it begins
---@field after fun(self, date: string): hook.Condition   begins when it has ended
---@field in_last fun(self, duration: string): hook.Condition     "7d", up to the event's time
---@field in_next fun(self, duration: string): hook.Condition     "7d", from the event's time on
---@field older_than fun(self, duration: string): hook.Condition  "30d" before the event's time
---@field contains_any fun(self, values: hook.Scalar[], options?: hook.CaseOption): hook.Condition
---@field contains_all fun(self, values: hook.Scalar[], options?: hook.CaseOption): hook.Condition
---@field contains_none fun(self, values: hook.Scalar[], options?: hook.CaseOption): hook.Condition
---@field is_true fun(self): hook.Condition
---@field is_false fun(self): hook.Condition  false itself: empty is not false
---@field changed fun(self): hook.Condition
---@field not_changed fun(self): hook.Condition  known not to have changed
---@field changed_to fun(self, value: hook.Scalar, options?: hook.CaseOption): hook.Condition
---@field changed_from fun(self, value: hook.Scalar, options?: hook.CaseOption): hook.Condition
---@field changed_from_to fun(self, a: hook.Scalar, b: hook.Scalar, options?: table): hook.Condition
---@field increased fun(self): hook.Condition  from a number to a greater one
---@field decreased fun(self): hook.Condition

---@class hook.Test

---@class hook.TestOptions
---@field cases hook.TestCase[]
---@field workflow? string|string[]  which files' workflows are tested, by the files' names without
--- .lua; unless it is given, the test's own name without _test
---@field vars? table<string, string|number>  what hook.var gives
---@field now? string           where the clock of each case stands at first, RFC 3339
---@field given? hook.TestEvent what the events of all cases have in common: a case's fields win,
--- and previous = false takes one out
---@field records? hook.TestEvent|hook.TestEvent[]|string  stored before, without running rules
---@field answers? hook.TestAnswers

---@class hook.TestStep
---@field after? string         moves the clock on first, by "15s", "10m", "2h", "3d"
---@field given? hook.TestEvent|hook.TestEvent[]|string  the events that come then, or the name of
--- a .json file of them beside the test
---@field answers? hook.TestAnswers
---@field expect? hook.TestWebhook|hook.TestWebhook[]  what comes to be owed in this step, all of
--- it, in order; {} for nothing
---@field deliveries? hook.TestWebhook|hook.TestWebhook[]  all that was ever owed, as it is now
---@field error? string|boolean the workflow raises this: some of its words, or a Lua pattern

---@class hook.TestCase: hook.TestStep
---@field name string
---@field now? string
---@field records? hook.TestEvent|hook.TestEvent[]|string
---@field steps? hook.TestStep[] in place of given, expect and the others
---@field skip? string|boolean  why it is not run

---@class hook.TestEvent         what is left out is filled in: a type that the workflow wants, an
--- id, the clock's time, record.id
---@field type? string
---@field id? string
---@field time? string
---@field record? table
---@field previous? table

---@alias hook.TestAnswer integer|"dns"|"connect"|"tls"|"timeout"|"reset"|"oauth"|hook.TestResponse
---@alias hook.TestAnswers hook.TestAnswer|hook.TestAnswer[] one alone stays; a list is used up one
--- after another, and then everything is answered with 200

---@class hook.TestResponse
---@field status integer
---@field headers? table<string, string>
---@field body? string|table    a table is JSON

---@class hook.TestWebhook       what is left out is not looked at
---@field workflow? string
---@field method? string
---@field url? string|fun(url: string): boolean
---@field headers? table<string, string|fun(value: string): boolean>  a secret is "****"
---@field body? string|table|fun(body: any): boolean  a table: the whole JSON value; a function
--- stands for any value in it, too
---@field body_has? table       these fields of the JSON body
---@field invalid? string|boolean why it can never be sent
---@field state? string         "delivered", "retrying", "terminated", ...
---@field attempts? integer     made so far
---@field reason? string
---@field next_attempt_in? string

---@class hookline
local hook = {}

--- null of JSON, the same as cjson.null. It is true in a Lua test.
---@type lightuserdata
hook.null = core.null

--- Declares a workflow; a workflow file returns it.
---@type fun(options: hook.WorkflowOptions): hook.Workflow
hook.workflow = workflow.new

--- Fires once for each record, ever.
---@type fun(options: hook.TriggerOptions|hook.Verb): hook.Trigger
hook.once = triggers.once

--- Fires every time.
---@type fun(options: hook.TriggerOptions|hook.Verb): hook.Trigger
hook.every = triggers.every

--- Every day, for each stored record of the type as it then is.
---@type fun(options: hook.DailyOptions): hook.Trigger
hook.daily = schedules.daily

--- On one or more days of the week.
---@type fun(options: hook.WeeklyOptions): hook.Trigger
hook.weekly = schedules.weekly

--- On a day of each month, the last where there is none.
---@type fun(options: hook.MonthlyOptions): hook.Trigger
hook.monthly = schedules.monthly

--- On the day that a field of the record says, or days before or after it.
---@type fun(options: hook.DateOptions): hook.Trigger
hook.date = schedules.date

--- Holds where all of the list hold.
---@type fun(list: hook.ConditionOrFunction[]): hook.Condition
hook.all = conditions.all

--- Holds where at least one of the list holds.
---@type fun(list: hook.ConditionOrFunction[]): hook.Condition
hook.any = conditions.any

--- Holds where none of the list holds.
---@type fun(list: hook.ConditionOrFunction[]): hook.Condition
hook.none = conditions.none

--- A field of the record by its path: "amount", "sales_account.name", "products[*].sku".
---@type fun(path: hook.Path): hook.Field
hook.field = conditions.field

--- A webhook that the workflow owes.
---@type fun(options: hook.WebhookOptions): hook.Webhook
hook.webhook = webhook.new

--- Simple content: fields of the record in the order written, "sales_account.name as customer".
---@type fun(paths: hook.Path[]): hook.Fields
hook.fields = fields.new

--- Content that is rendered from a text in Liquid, {{ deal.amount }}, each value escaped for where
--- it stands.
---@type fun(text: string): hook.Template
hook.template = template.new

--- The same with the text of a file in rules/templates/, by its exact name: "invoice.json".
---@type fun(name: string): hook.Template
hook.template_file = template.file

--- Authorization: Basic.
---@type fun(user: string, password: hook.Secret|string): hook.Auth
hook.basic = auth.basic

--- Authorization: Token KEY, or another header, or a query parameter.
---@type fun(key: hook.Secret|string, options?: hook.ApiKeyOptions): hook.Auth
hook.api_key = auth.api_key

--- Authorization: Bearer TOKEN.
---@type fun(token: hook.Secret|string): hook.Auth
hook.bearer = auth.bearer

--- Authorization: Bearer TOKEN, where the host gets the token from a token server (client
--- credentials), keeps it until it expires, and gets another one once when it is answered 401.
---@type fun(options: hook.Oauth2Options): hook.Auth
hook.oauth2 = auth.oauth2

--- A signature of another form than Standard Webhooks: GitHub's, Stripe's, Shopify's, Slack's.
---@type fun(options: hook.SignatureOptions): hook.Hmac
hook.hmac = sign.hmac

--- A secret by its name. Rules never see its value.
---@type fun(name: string): hook.Secret
hook.secret = secret.new

--- A plain setting, read when the file is loaded.
---@type fun(name: string, default?: string|number): string|number
hook.var = var

--- Declares the tests of a workflow; a test file returns it. It is loaded by `hookline test` alone.
---@type fun(options: hook.TestOptions): hook.Test
hook.test = function(options)
  return require "hookline.testing.suite".new(options)
end

--- Times of retry by window, each from the first failure: { { "15s", "1m" }, { "2h" } }.
---@type fun(windows: string[][]): hook.Retry
hook.retry = retry.new

--- Marks a table as a JSON array, so that an empty one is [] and not {}.
---@param list? table
---@return table
function hook.array(list)
  if list ~= nil and (type(list) ~= "table" or opaque.name(list)) then
    return faults.scope():refuse("hook.array takes a table, not " .. words.kind(list))
  end
  return core.array(list or {})
end

--- An object whose names keep the order in which they are written: { { "a", 1 }, { "b", 2 } }.
---@type fun(list: table[]): table
hook.ordered = encoding.ordered

---@class hook.Encode
---@field json fun(value: any): string  keys sorted
---@field xml fun(value: any, root?: string): string  root: the record type unless it is given
---@field xml_extended fun(value: any, root?: string): string
---@field form fun(value: table, root?: string): string

--- A value as a body has it. Each raises for what the encoding cannot hold.
---@type hook.Encode
hook.encode = core.freeze(encoding.functions, "hook.encode")

---@class hook.Decode
---@field json fun(text: string): any, string?  nil and why where it is not legal

--- The value of a text.
---@type hook.Decode
hook.decode = core.freeze({
  json = function(text)
    if type(text) ~= "string" then
      return faults.scope():refuse("hook.decode.json takes text, not " .. words.kind(text))
    end
    return core.json.decode(text)
  end,
}, "hook.decode")

---@class hook.Request               what a source is given
---@field headers table<string, string> by name, in lower case
---@field query table<string, string>   the query's parameters, decoded
---@field body string
---@field json any          the body's value where it is JSON, else nil
---@field id? string        the sender's id of the request, where it has one: the events' ids are
--- made of it, so that a request that comes again is known

---@class hook.SourceOptions
---@field name? string
---@field description? string
---@field verify? hook.Verify  without it the request needs a token of the host's
---@field events fun(request: hook.Request): table|table[]|nil  an event, a list of them, or nothing

---@class hook.Verify
---@class hook.Source

--- Turns another system's request into record events; a file of sources/ returns it.
---@type fun(options: hook.SourceOptions): hook.Source
hook.source = sources.new

---@alias hook.Keys hook.Secret|hook.Secret[] one, or two while keys are rotated

---@class hook.ToleranceOptions
---@field tolerance? string  how old a signature may be, "5m" unless it is given

---@class hook.HmacOptions
---@field header string   the header that holds the signature
---@field key hook.Keys
---@field encoding? "hex"|"base64"  hex unless it is given
---@field prefix? string  in front of the signature: "sha256="

---@class hook.TokenOptions
---@field header? string  the header that holds the token; Authorization: Bearer unless it is given
---@field query? string   the query parameter that holds it, in place of a header

---@class hook.VerifyFunctions
---@field standard fun(keys: hook.Keys, options?: hook.ToleranceOptions): hook.Verify
---@field stripe fun(keys: hook.Keys, options?: hook.ToleranceOptions): hook.Verify
---@field github fun(keys: hook.Keys): hook.Verify
---@field hmac fun(options: hook.HmacOptions): hook.Verify
---@field token fun(keys: hook.Keys, options?: hook.TokenOptions): hook.Verify

--- How a source's sender proves that it is the one.
---@type hook.VerifyFunctions
hook.verify = core.freeze(verify.functions, "hook.verify")

---@class hook.Type

---@alias hook.FieldTypeName
---| "text"
---| "integer"
---| "decimal"
---| "boolean"
---| "date"     a whole day
---| "datetime" RFC 3339
---| "choice"   one of its choices
---| "choices"  a list of them
---| "record"
---| "list"
---| "any"      nothing is said of it

---@class hook.TypeOptions
---@field label? string  what people call such a record: "Deal"
---@field description? string
---@field fields table<string, hook.FieldType|hook.FieldTypeName>  by name

---@class hook.FieldType
---@field type hook.FieldTypeName
---@field label? string  what people call it: "Deal value"
---@field description? string
---@field choices? (string|number)[]  of a choice, or of a list of choices: all that there are
---@field of? string  of a record: its record type, whose own file of types/ has its fields
---@field fields? table<string, hook.FieldType|hook.FieldTypeName>  of a record: its fields
---@field items? hook.FieldType|hook.FieldTypeName  of a list: what each of it is

--- Describes a record type; a file of types/ returns it. `hookline check` warns by it, and editors
--- complete by it.
---@type fun(options: hook.TypeOptions): hook.Type
hook.type = types.new

-- A name that is not there is a slip in a rule: it is told at its line, with the nearest one.
local names = words.sorted_keys(hook)
setmetatable(hook, {
  __index = function(_, name)
    local near = words.nearest(name, names)
    return faults.scope():refuse("there is no hook.%s%s", tostring(name),
      words.did_you_mean(near and "hook." .. near))
  end,
})

return core.freeze(hook, "hook")
