-- A quote with its lines: the template is a file, each line a partial that other templates use too.
local hook  = require "hookline"
local field = hook.field

return hook.workflow {
  name    = "Quote for a proposal",
  record  = "deal",
  trigger = hook.every { "updated" },
  when    = field "deal_stage":changed_to "Default Pipeline:Proposal",
  actions = {
    hook.webhook {
      method   = "POST",
      url      = "https://quotes.example.com/api/quotes",
      encoding = "json",
      content  = hook.template_file "quote.json",
    },
  },
}
