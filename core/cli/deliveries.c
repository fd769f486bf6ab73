#include "base/clock.h"
#include "cli/bulk.h"
#include "cli/colour.h"
#include "cli/command.h"
#include "cli/delivery_show.h"
#include "cli/listing.h"

enum { RECORD_MAX = 256 }; // of a cell: longer ones are cut anyway

// Why it is so, or what its last attempt came to.
static struct str reason_of(const struct json_node *delivery)
{
    struct str reason = json_tree_text(json_tree_get(delivery, "reason"));

    return reason.len ? reason : json_tree_text(json_tree_get(delivery, "last_error"));
}

static int show_list(struct listing *l)
{
    static const char *const titles[] = {"ID",     "STATE",   "WORKFLOW",     "EVENT", "RECORD",
                                         "TARGET", "CREATED", "NEXT ATTEMPT", "REASON"};
    static const char *const before[] = {"id", "state", "workflow", "event"};
    static const char *const behind[] = {"target", "created_at", "next_attempt_at"};
    const struct json_node *rows = json_tree_get(l->root, "deliveries");
    struct table t;

    if (!listing_is_empty(l, "deliveries")) {
        table_init(&t, titles, sizeof(titles) / sizeof(titles[0]), &l->arena);
        for (const struct json_node *row = rows->first; row; row = row->next) {
            char record[RECORD_MAX];

            for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
                table_add(&t, json_tree_text(json_tree_get(row, before[i])));
            snprintf(record, sizeof(record), STR_FMT " " STR_FMT,
                     STR_ARG(json_tree_text(json_tree_get(row, "record.type"))),
                     STR_ARG(json_tree_text(json_tree_get(row, "record.id"))));
            table_add(&t, str_from(record));
            for (size_t i = 0; i < sizeof(behind) / sizeof(behind[0]); i++)
                table_add(&t, json_tree_text(json_tree_get(row, behind[i])));
            table_add(&t, reason_of(row));
        }
        table_print(&t, l->in->out);
    }
    listing_say_more(l);
    return CLI_DONE;
}

static int show_one(struct listing *l)
{
    struct clock clock;

    clock_init(&clock);
    delivery_show(l->in->out, l->root, clock_wall_ms(&clock), colour_is_wanted(l->in->out));
    return CLI_DONE;
}

static int run(const struct invocation *in)
{
    static const struct listing_action actions[] = {
        {"resend", " ", NULL, show_one},
        {"cancel", " ", NULL, show_one},
        {NULL, NULL, NULL, NULL},
    };
    static const struct listing_verb verbs = {
        "/v1/deliveries", show_list, show_one, actions,
        " state workflow target type record since until limit "
        "cursor "};
    const struct options *o = &in->options;

    if (o->argument_count == 1 && strcmp(o->arguments[0], "resend") == 0)
        return bulk_run(in, "resend", "resent");
    if (o->argument_count == 1 && strcmp(o->arguments[0], "cancel") == 0)
        return bulk_run(in, "cancel", "cancelled");
    return listing_act(in, &verbs);
}

static const struct option options[] = {
    {"state", "STATE", OPTION_STATE, false, false,
     "pending retrying held delivered terminated invalid cancelled superseded owed"},
    {"workflow", "ID", OPTION_TEXT, false, false, "of this workflow"},
    {"target", "TARGET", OPTION_TARGET, false, false, "to this target: https://host:443"},
    {"type", "TYPE", OPTION_TEXT, false, false, "for events of this type: deal, or deal.updated"},
    {"record", "ID", OPTION_TEXT, false, false, "for this record"},
    {"since", "TIME", OPTION_SINCE, false, false,
     "made from then on: 2d (back from now), 09:15, 2026-11-23 or 2026-11-23T09:15:00Z"},
    {"until", "TIME", OPTION_SINCE, false, false, "made before then, written alike"},
    {"limit", "N", OPTION_COUNT, false, false, "at most so many (50), 1000 at most"},
    {"cursor", "CURSOR", OPTION_TEXT, false, false, "go on where the page that named it ended"},
    {"yes", NULL, OPTION_SWITCH, false, false,
     "resend, cancel without an ID: do it; else they are only counted"},
    {NULL, NULL, OPTION_SWITCH, false, false, NULL},
};

const struct command command_deliveries = {
    .name = "deliveries",
    .arguments = "[list | show ID | resend [ID] | cancel [ID]]",
    .summary = "What a running host has sent, or owes, newest first",
    .details =
        "REASON is why one is held or at its end, else what its last attempt came to. --state\n"
        "owed is all of pending, retrying and held. --since and --until go by when a delivery\n"
        "was made, not by when it ended.\n"
        "\n"
        "show prints one delivery: why it is in its state and what comes next, its attempts as\n"
        "a timeline (with how long after its making each was), what was sent last, and what\n"
        "came back each time. Secrets are never shown. --json has all of each attempt.\n"
        "\n"
        "resend sends one again, at once, with the same webhook-id: a terminated one gets its\n"
        "retry windows anew. cancel takes back one that is still owed. Without an ID both act\n"
        "on all that the filters find, the oldest first: they are counted, and --yes does it:\n"
        "  hookline deliveries resend --workflow W --state terminated --since 2d --yes\n",
    .options = options,
    .common = COMMON_REMOTE | COMMON_JSON,
    .least_arguments = 0,
    .most_arguments = 2,
    .run = run,
};
