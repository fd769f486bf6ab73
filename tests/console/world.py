"""A host with some history: what arrived, what is tried again, what was given up, and a broken file."""
from support.host import Host
from support.receiver import Answer, Receiver

SECRET = "s3cret-of-the-console"

INVOICE = """\
local hook  = require "hookline"
local field = hook.field

return hook.workflow {
  name        = "Generate invoice when deal is won using Webhooks",
  description = "For every deal won, the invoice app makes an invoice.",
  record      = "deal",
  trigger     = hook.once { "created", "updated" },
  when        = hook.all { field "deal_stage":is_in { "Default Pipeline:Won" }, field "amount":greater_than(100) },
  actions     = {
    hook.webhook {
      method   = "POST",
      url      = "%(url)s/api/invoices",
      auth     = hook.basic("crm", hook.secret "INVOICE_PASSWORD"),
      headers  = { ["X-Sample-CustomHeader1"] = "VALUE" },
      encoding = "json",
      content  = hook.fields { "amount", "closed_date", "product", "sales_account.name" },
    },
  },
}
"""

PLAIN = """\
local hook = require "hookline"

return hook.workflow {
  name    = "%(name)s",
  record  = "%(record)s",
  trigger = hook.every { "created", "updated" },
  actions = {
    hook.webhook { method = "POST", url = "%(url)s", encoding = "%(encoding)s", content = hook.fields { "id", "name" }%(more)s },
  },
}
"""

RAISES = """\
local hook = require "hookline"

return hook.workflow {
  name    = "Score a lead",
  record  = "lead",
  trigger = hook.every { "created" },
  when    = function(event) return event.record.score > 10 end,
  actions = { hook.webhook { method = "GET", url = "%(url)s/score" } },
}
"""

BROKEN = """\
local hook = require "hookline"

return hook.workflow {
  name    = "Nobody finished this",
  record  = "task",
  triger  = hook.once { "created" },
}
"""


def plain(url, name, record, encoding="json", more=""):
    return PLAIN % {"url": url, "name": name, "record": record, "encoding": encoding, "more": more}


def deal(number, **record):
    return {"id": f"crm-{88000 + number}", "type": "deal.updated",
            "record": {"id": 4000 + number, "name": f"Acme renewal {number}", "amount": 12500.25,
                       "deal_stage": "Default Pipeline:Won", "closed_date": "2026-11-23", "product": "Gold plan",
                       "sales_account": {"id": 88, "name": "Acme Inc"}, **record},
            "previous": {"deal_stage": "Default Pipeline:Negotiation"}}


def event(number, record, **more):
    return {"id": f"{record}-{number}", "type": f"{record}.created",
            "record": {"id": number, "name": f"{record} {number}", **more}}


def invoice_answer(request):
    echo = request.headers.get("authorization", "")
    return Answer(201, {"Content-Type": "application/json", "X-Echo": echo}, b'{"invoice":{"number":"INV-7","total":12500.50}}')


class World:
    def __init__(self, folder):
        self.invoices = Receiver(invoice_answer)
        self.busy = Receiver(lambda request: Answer(503, {"Content-Type": "text/plain"}, b"busy, come back later"))
        self.gone = Receiver(lambda request: Answer(410, {}, b"<html><body>gone</body></html>"))
        rules = {
            "invoice_on_won_deal.lua": INVOICE % {"url": self.invoices.url},
            "sync_contacts.lua": plain(self.busy.url + "/contacts", "Sync contacts", "contact", "xml"),
            "old_app.lua": plain(self.gone.url + "/hooks", "Tell the old app", "appointment"),
            "score_lead.lua": RAISES % {"url": self.invoices.url},
            "broken.lua": BROKEN,
        }
        self.host = Host(folder / "host", rules, env={"HOOKLINE_SECRET_INVOICE_PASSWORD": SECRET})
        self.fill()

    def fill(self):
        host = self.host
        answers = host.accept(*[deal(n) for n in range(1, 41)])
        self.delivered = [a["deliveries"][0] for a in answers]
        self.retrying = [a["deliveries"][0] for a in host.accept(*[event(n, "contact") for n in range(1, 4)])]
        self.terminated = [a["deliveries"][0] for a in host.accept(*[event(n, "appointment") for n in range(1, 6)])]
        host.accept(deal(90, deal_stage="Default Pipeline:Lost"), event(1, "lead"))
        host.until_state(self.delivered[-1], "delivered")
        host.until_state(self.retrying[0], "retrying")
        host.until_state(self.terminated[-1], "terminated")

    def close(self):
        try:
            self.host.stop()
        finally:
            self.host.kill9()
            for receiver in (self.invoices, self.busy, self.gone):
                receiver.close()
