#include "cli/new_text.h"

// What a workflow of a record type could be about. The last one is for every other type.
static const struct subject {
    const char *record;
    const char *summary;
    const char *condition; // the condition that the given record fulfils
    const char *fields;    // what is sent
    const char *given;     // the record: lines of a table
    const char *body;      // what is sent of it
    const char *against;   // what of the record the condition does not like
    const char *fires;     // names of the cases
    const char *stays;
} subjects[] = {
    {
        "deal",
        "Tells an app when a deal is won.",
        "field \"deal_stage\":is_in { \"Default Pipeline:Won\" }",
        "\"id\", \"name\", \"amount\", \"sales_account.name\"",
        "      id = 4021,\n"
        "      name = \"Acme renewal\",\n"
        "      amount = 12500.50,\n"
        "      deal_stage = \"Default Pipeline:Won\",\n"
        "      sales_account = { id = 88, name = \"Acme Inc\" },\n",
        "          id = 4021,\n"
        "          name = \"Acme renewal\",\n"
        "          amount = 12500.50,\n"
        "          sales_account = { name = \"Acme Inc\" },\n",
        "deal_stage = \"Default Pipeline:Negotiation\"",
        "a deal that is won is told",
        "a deal that is not won is not",
    },
    {
        "lead",
        "Tells an app of a lead who can be written to.",
        "field \"email\":is_not_empty()",
        "\"id\", \"first_name\", \"last_name\", \"email\", \"company.name\"",
        "      id = 311,\n"
        "      first_name = \"Ada\",\n"
        "      last_name = \"Moreno\",\n"
        "      email = \"ada@example.com\",\n"
        "      company = { name = \"Acme Inc\" },\n",
        "          id = 311,\n"
        "          first_name = \"Ada\",\n"
        "          last_name = \"Moreno\",\n"
        "          email = \"ada@example.com\",\n"
        "          company = { name = \"Acme Inc\" },\n",
        "email = \"\"",
        "a lead with an address is told",
        "a lead without one is not",
    },
    {
        "contact",
        "Tells an app of a contact who can be written to.",
        "field \"email\":is_not_empty()",
        "\"id\", \"first_name\", \"last_name\", \"email\", \"sales_account.name\"",
        "      id = 207,\n"
        "      first_name = \"Ada\",\n"
        "      last_name = \"Moreno\",\n"
        "      email = \"ada@example.com\",\n"
        "      sales_account = { id = 88, name = \"Acme Inc\" },\n",
        "          id = 207,\n"
        "          first_name = \"Ada\",\n"
        "          last_name = \"Moreno\",\n"
        "          email = \"ada@example.com\",\n"
        "          sales_account = { name = \"Acme Inc\" },\n",
        "email = \"\"",
        "a contact with an address is told",
        "a contact without one is not",
    },
    {
        "sales_account",
        "Tells an app of an account that is large.",
        "field \"number_of_employees\":at_least(100)",
        "\"id\", \"name\", \"website\", \"number_of_employees\"",
        "      id = 88,\n"
        "      name = \"Acme Inc\",\n"
        "      website = \"https://acme.example.com\",\n"
        "      number_of_employees = 120,\n",
        "          id = 88,\n"
        "          name = \"Acme Inc\",\n"
        "          website = \"https://acme.example.com\",\n"
        "          number_of_employees = 120,\n",
        "number_of_employees = 99",
        "a large account is told",
        "a small account is not",
    },
    {
        "task",
        "Tells an app of a task that is done.",
        "field \"status\":is \"Completed\"",
        "\"id\", \"title\", \"due_date\"",
        "      id = 57,\n"
        "      title = \"Call Acme\",\n"
        "      status = \"Completed\",\n"
        "      due_date = \"2026-11-23\",\n",
        "          id = 57,\n"
        "          title = \"Call Acme\",\n"
        "          due_date = \"2026-11-23\",\n",
        "status = \"Open\"",
        "a task that is done is told",
        "an open task is not",
    },
    {
        "appointment",
        "Tells an app of an appointment that has a place.",
        "field \"location\":is_not_empty()",
        "\"id\", \"title\", \"location\", \"from_date\"",
        "      id = 63,\n"
        "      title = \"Demo for Acme\",\n"
        "      location = \"Springfield\",\n"
        "      from_date = \"2026-11-23T09:00:00Z\",\n",
        "          id = 63,\n"
        "          title = \"Demo for Acme\",\n"
        "          location = \"Springfield\",\n"
        "          from_date = \"2026-11-23T09:00:00Z\",\n",
        "location = \"\"",
        "an appointment with a place is told",
        "an appointment without one is not",
    },
    {
        NULL,
        "Tells an app of a record that has a name.",
        "field \"name\":is_not_empty()",
        "\"id\", \"name\"",
        "      id = 1,\n"
        "      name = \"The first\",\n",
        "          id = 1,\n"
        "          name = \"The first\",\n",
        "name = \"\"",
        "a record with a name is told",
        "a record without one is not",
    },
};

static const struct subject *find_subject(const char *record)
{
    const struct subject *s = subjects;

    while (s->record && strcmp(s->record, record) != 0)
        s++;
    return s;
}

void new_text_workflow(struct buf *out, const struct new_text *t)
{
    const struct subject *s = find_subject(t->record);

    buf_printf(
        out,
        "-- %1$s: a workflow. `hookline check` finds its mistakes, `hookline test "
        "rules/%1$s.lua`\n"
        "-- runs its tests, `hookline try rules/%1$s.lua` shows the request that it would "
        "send,\n"
        "-- `hookline serve` runs it.\n"
        "local hook = require \"hookline\"\n"
        "local field = hook.field\n"
        "\n"
        "return hook.workflow {\n"
        "  name = \"%1$s\",\n"
        "  description = \"%2$s\",\n"
        "\n"
        "  -- Which events: the record type, and when. hook.once fires once for each record, "
        "ever;\n"
        "  -- hook.every each time. Both take \"created\", \"updated\" and \"deleted\".\n"
        "  record = \"%3$s\",\n"
        "  trigger = hook.once { \"created\", \"updated\" },\n"
        "\n",
        t->name, s->summary, t->record);
    buf_printf(out,
               "  -- The conditions; hook.any and hook.none nest, a Lua function works too:\n"
               "  --   function(event) return event.record.name ~= \"x\" end\n"
               "  when = hook.all {\n"
               "    %s,\n"
               "  },\n"
               "\n",
               s->condition);
    buf_printf(out,
               "  -- What to do then.\n"
               "  actions = {\n"
               "    hook.webhook {\n"
               "      method = \"POST\",\n"
               "      url = \"https://app.example.com/api/%1$ss\", -- the callback URL\n"
               "      -- Put the key away with `hookline secrets set %2$s`, then:\n"
               "      -- auth = hook.bearer(hook.secret \"%2$s\"),\n"
               "      encoding = \"json\",\n"
               "      content = hook.fields { %3$s },\n"
               "    },\n"
               "  },\n"
               "}\n",
               t->record, t->secret, s->fields);
}

void new_text_test(struct buf *out, const struct new_text *t)
{
    const struct subject *s = find_subject(t->record);

    buf_printf(out,
               "-- The tests of %1$s.lua: `hookline test rules/%1$s.lua` runs them. Nothing is "
               "sent.\n"
               "local hook = require \"hookline\"\n"
               "\n"
               "return hook.test {\n"
               "  -- What the event of each case is, unless the case says otherwise.\n"
               "  given = {\n"
               "    type = \"%2$s.updated\",\n"
               "    record = {\n"
               "%3$s"
               "    },\n"
               "  },\n"
               "\n",
               t->name, t->record, s->given);
    buf_printf(out,
               "  cases = {\n"
               "    {\n"
               "      name = \"%1$s\",\n"
               "      given = {},\n"
               "      expect = {\n"
               "        method = \"POST\",\n"
               "        url = \"https://app.example.com/api/%2$ss\",\n"
               "        body = {\n"
               "%3$s"
               "        },\n"
               "      },\n"
               "    },\n",
               s->fires, t->record, s->body);
    buf_printf(
        out,
        "    {\n"
        "      name = \"%1$s\",\n"
        "      given = { record = { %2$s } },\n"
        "      expect = {},\n"
        "    },\n"
        "    {\n"
        "      name = \"an app that is busy is asked again\",\n"
        "      answers = { 503, 200 },\n"
        "      steps = {\n"
        "        { given = {}, deliveries = { state = \"retrying\" } },\n"
        "        { after = \"15s\", deliveries = { state = \"delivered\", attempts = 2 } },\n"
        "      },\n"
        "    },\n"
        "  },\n"
        "}\n",
        s->stays, s->against);
}
