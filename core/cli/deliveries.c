#include "cli/bulk.h"
#include "cli/command.h"
#include "cli/listing.h"
#include "cli/show.h"

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

static void show_attempt(FILE *out, const struct json_node *attempt)
{
    const struct json_node *response = json_tree_get(attempt, "response_received");
    struct str error = json_tree_text(json_tree_get(attempt, "error"));
    struct str detail = json_tree_text(json_tree_get(attempt, "detail"));

    fprintf(out, "\nAttempt " STR_FMT " at " STR_FMT ", " STR_FMT " ms",
            STR_ARG(json_tree_text(json_tree_get(attempt, "number"))),
            STR_ARG(json_tree_text(json_tree_get(attempt, "at"))),
            STR_ARG(json_tree_text(json_tree_get(attempt, "elapsed_ms"))));
    if (error.len)
        fprintf(out, ", failed: " STR_FMT, STR_ARG(error));
    if (detail.len) {
        fputs(": ", out);
        table_print_safe(out, detail, false);
    }
    fputc('\n', out);
    show_request(out, json_tree_get(attempt, "request_sent"));
    if (response && response->kind == JSON_OBJECT_BEGIN)
        show_response(out, response);
}

static int show_one(struct listing *l)
{
    FILE *out = l->in->out;
    const struct json_node *attempts = json_tree_get(l->root, "attempts");

    table_print_safe(out, json_tree_text(json_tree_get(l->root, "id")), false);
    fprintf(out, "  " STR_FMT "\n", STR_ARG(json_tree_text(json_tree_get(l->root, "state"))));
    show_field(out, "event", json_tree_get(l->root, "event"));
    show_field(out, "workflow", json_tree_get(l->root, "workflow"));
    show_field(out, "webhook", json_tree_get(l->root, "action"));
    show_field(out, "record", json_tree_get(l->root, "record.type"));
    show_field(out, "record id", json_tree_get(l->root, "record.id"));
    show_field(out, "target", json_tree_get(l->root, "target"));
    show_field(out, "created", json_tree_get(l->root, "created_at"));
    show_field(out, "next", json_tree_get(l->root, "next_attempt_at"));
    show_field(out, "reason", json_tree_get(l->root, "reason"));
    if (!attempts || !attempts->first)
        fputs("\nNo attempt has been made yet.\n", out);
    for (const struct json_node *a = attempts ? attempts->first : NULL; a; a = a->next)
        show_attempt(out, a);
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
        "show prints one delivery with its attempts: what was sent, and what came back.\n"
        "Secrets are never shown.\n"
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
