#include "cli/command.h"
#include "cli/listing.h"

static size_t count_of(const struct json_node *list)
{
    size_t count = 0;

    for (const struct json_node *n = list ? list->first : NULL; n; n = n->next)
        count++;
    return count;
}

static int show_list(struct listing *l)
{
    static const char *const titles[] = {"EVENT",   "TYPE",       "RECORD", "WORKFLOW",
                                         "OUTCOME", "DELIVERIES", "REASON"};
    static const char *const paths[] = {"event", "type", "record.id", "workflow", "outcome"};
    const struct json_node *rows = json_tree_get(l->root, "runs");
    struct table t;

    if (listing_is_empty(l, "runs"))
        return CLI_DONE;
    table_init(&t, titles, sizeof(titles) / sizeof(titles[0]), &l->arena);
    for (const struct json_node *row = rows->first; row; row = row->next) {
        char count[32];

        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
            table_add(&t, json_tree_text(json_tree_get(row, paths[i])));
        snprintf(count, sizeof(count), "%zu", count_of(json_tree_get(row, "deliveries")));
        table_add(&t, str_from(count));
        table_add(&t, json_tree_text(json_tree_get(row, "reason")));
    }
    table_print(&t, l->in->out);
    listing_say_more(l);
    return CLI_DONE;
}

static int run(const struct invocation *in)
{
    static const struct listing_verb verbs = {"/v1/runs", show_list, NULL, NULL, NULL};

    return listing_act(in, &verbs);
}

static const struct option options[] = {
    {"outcome", "OUTCOME", OPTION_OUTCOME, false, false, "sent dry error suppressed"},
    {"workflow", "ID", OPTION_TEXT, false, false, "of this workflow"},
    {"type", "TYPE", OPTION_TEXT, false, false, "for events of this type: deal, or deal.updated"},
    {"record", "ID", OPTION_TEXT, false, false, "for this record"},
    {"since", "TIME", OPTION_SINCE, false, false,
     "for events taken from then on: 2d (back from now), 09:15, 2026-11-23 or "
     "2026-11-23T09:15:00Z"},
    {"until", "TIME", OPTION_SINCE, false, false, "before then, written alike"},
    {"limit", "N", OPTION_COUNT, false, false, "at most so many (50), 1000 at most"},
    {"cursor", "CURSOR", OPTION_TEXT, false, false, "go on where the page that named it ended"},
    {NULL, NULL, OPTION_SWITCH, false, false, NULL},
};

const struct command command_runs = {
    .name = "runs",
    .arguments = "[list]",
    .summary = "What the workflows of a running host made of events, newest first",
    .details =
        "A run is what one workflow made of one event that it matched: webhooks (sent), what\n"
        "would have been sent (dry), an error, or nothing since a loop was stopped\n"
        "(suppressed). hookline events show ID has those of one event, hookline explain\n"
        "says why there is none.\n",
    .options = options,
    .common = COMMON_REMOTE | COMMON_JSON,
    .least_arguments = 0,
    .most_arguments = 1,
    .run = run,
};
