local hook = require "hookline"

return hook.test {
  vars = { CHAT_URL = "https://chat.example.com", BIG_DEAL_FROM = 50000 },
  given = {
    type = "deal.updated",
    record = { name = "Acme renewal", amount = 75000, deal_stage = "Default Pipeline:Won" },
    previous = { deal_stage = "Default Pipeline:Negotiation" },
  },
  cases = {
    {
      name = "a big deal that moves is told of",
      given = {},
      expect = {
        url = "https://chat.example.com/api/messages",
        headers = { Authorization = "Bearer ****" },
        body = {
          channel = "#sales",
          text = "Acme renewal (75000): Default Pipeline:Negotiation -> Default Pipeline:Won",
        },
      },
    },
    {
      name = "a small deal is not",
      given = { record = { amount = 49999.99 } },
      expect = {},
    },
    {
      name = "a big deal that stays at its stage is not",
      given = { previous = { amount = 60000 } },
      expect = {},
    },
    {
      name = "each move is told of",
      steps = {
        { given = {}, expect = { { method = "POST" } } },
        {
          given = { record = { deal_stage = "Default Pipeline:Lost" } },
          expect = { { method = "POST" } },
        },
      },
    },
    {
      name = "a message about an old stage is given up after half an hour",
      answers = "timeout",
      steps = {
        { given = {}, deliveries = { state = "retrying", next_attempt_in = "15s" } },
        { after = "30m", deliveries = { state = "terminated", attempts = 5 } },
      },
    },
  },
}
