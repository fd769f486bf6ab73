#include "cli/command.h"
#include "cli/listing.h"
#include "cli/show.h"

static int show_list(struct listing *l)
{
    static const char *const titles[] = {"TARGET", "STATE",      "IN FLIGHT",    "OWED",
                                         "RATE",   "LAST ERROR", "FAILING SINCE"};
    static const char *const paths[] = {"target", "state",      "in_flight",    "owed",
                                        "rate",   "last_error", "failing_since"};

    listing_print_table(l, "targets", titles, paths, sizeof(paths) / sizeof(paths[0]));
    listing_say_more(l);
    return CLI_DONE;
}

static int show_one(struct listing *l)
{
    FILE *out = l->in->out;

    table_print_safe(out, json_tree_text(json_tree_get(l->root, "target")), false);
    fprintf(out, "  " STR_FMT "\n", STR_ARG(json_tree_text(json_tree_get(l->root, "state"))));
    show_field(out, "in flight", json_tree_get(l->root, "in_flight"));
    show_field(out, "owed", json_tree_get(l->root, "owed"));
    show_field(out, "rate", json_tree_get(l->root, "rate"));
    show_field(out, "last error", json_tree_get(l->root, "last_error"));
    show_field(out, "failing since", json_tree_get(l->root, "failing_since"));
    return CLI_DONE;
}

static int run(const struct invocation *in)
{
    static const struct listing_action actions[] = {
        {"pause", " ", NULL, show_one},
        {"resume", " ", NULL, show_one},
        {NULL, NULL, NULL, NULL},
    };
    static const struct listing_verb verbs = {"/v1/targets", show_list, show_one, actions,
                                              " target limit cursor "};

    return listing_act(in, &verbs);
}

static const struct option options[] = {
    {"target", "TARGET", OPTION_TARGET, false, false, "this one alone: https://host:443"},
    {"limit", "N", OPTION_COUNT, false, false, "at most so many (50), 1000 at most"},
    {"cursor", "CURSOR", OPTION_TEXT, false, false, "go on where the page that named it ended"},
    {NULL, NULL, OPTION_SWITCH, false, false, NULL},
};

const struct command command_targets = {
    .name = "targets",
    .arguments = "[list | show TARGET | pause TARGET | resume TARGET]",
    .summary = "The targets of a running host: how each does, and what it is owed",
    .details =
        "A target is scheme, host and port of callback URLs: https://app.example.com:443.\n"
        "\n"
        "STATE is closed: it is sent to; open where it failed ten times in a row (connect,\n"
        "TLS, timeout, 429, 502 to 504): then it is left alone for 5 s, for 60 at most, and then\n"
        "half_open: one webhook finds out whether it is up again; paused by an operator.\n"
        "\n"
        "pause holds what is owed to it, over restarts too, until resume. The time in which it "
        "was\n"
        "paused counts for no retry window.\n",
    .options = options,
    .common = COMMON_REMOTE | COMMON_JSON,
    .least_arguments = 0,
    .most_arguments = 2,
    .run = run,
};
