#include "base/clock.h"
#include "cli/bulk.h"
#include "cli/colour.h"
#include "cli/command.h"
#include "cli/delivery_show.h"
#include "cli/listing.h"

static int show_list(struct listing *l)
{
    static const char *const titles[] = {"ID",     "STATE",   "WORKFLOW",     "EVENT",
                                         "TARGET", "CREATED", "NEXT ATTEMPT", "REASON"};
    static const char *const paths[] = {"id",     "state",      "workflow",        "event",
                                        "target", "created_at", "next_attempt_at", "reason"};

    listing_print_table(l, "deliveries", titles, paths, sizeof(paths) / sizeof(paths[0]));
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
    static const struct listing_verb verbs = {"/v1/deliveries", show_list, show_one, actions,
                                              " state workflow target since until limit cursor "};
    const struct options *o = &in->options;

    if (o->argument_count == 1 && strcmp(o->arguments[0], "resend") == 0)
        return bulk_run(in, "resend", "resent");
    if (o->argument_count == 1 && strcmp(o->arguments[0], "cancel") == 0)
        return bulk_run(in, "cancel", "cancelled");
    return listing_act(in, &verbs);
}

static const struct option options[] = {
    {"state", "STATE", OPTION_STATE, false, false,
     "pending retrying held delivered terminated invalid cancelled superseded"},
    {"workflow", "ID", OPTION_TEXT, false, false, "of this workflow"},
    {"target", "TARGET", OPTION_TEXT, false, false, "to this target: https://host:443"},
    {"since", "TIME", OPTION_SINCE, false, false,
     "from then on: 2d (back from now), 2026-11-23 or 2026-11-23T09:15:00Z"},
    {"until", "TIME", OPTION_SINCE, false, false, "before then, written alike"},
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
        "show prints one delivery: why it is in its state and what comes next, its attempts as\n"
        "a timeline (with how long after its making each was), what was sent last, and what\n"
        "came back each time. Secrets are never shown. --json has all of each attempt.\n"
        "\n"
        "resend sends one again, at once, with the same webhook-id: a terminated one gets its\n"
        "retry windows anew. cancel takes back one that is still owed. Without an ID both act\n"
        "on all that the filters find: first they are counted, and --yes does it:\n"
        "  hookline deliveries resend --workflow W --state terminated --since 2d --yes\n",
    .options = options,
    .common = COMMON_REMOTE | COMMON_JSON,
    .least_arguments = 0,
    .most_arguments = 2,
    .run = run,
};
