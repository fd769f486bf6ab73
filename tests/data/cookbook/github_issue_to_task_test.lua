local hook = require "hookline"

return hook.test {
  given = {
    type = "issue.updated",
    record = {
      id = 9,
      title = "It stops",
      url = "https://github.com/acme/app/issues/9",
      author = "ada",
      labels = { "bug", "Customer" },
    },
  },
  cases = {
    {
      name = "a labelled issue makes one task",
      steps = {
        {
          given = {},
          expect = {
            body = {
              task = {
                title = "It stops",
                url = "https://github.com/acme/app/issues/9",
                contact = { login = "ada" },
              },
            },
          },
        },
        { given = { record = { title = "It stops at 9" } }, expect = {} },
      },
    },
    { name = "another is none", given = { record = { labels = { "bug" } } }, expect = {} },
  },
}
