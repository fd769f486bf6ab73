#include "cli/command.h"
#include "cli/listing.h"
#include "cli/show.h"

enum { PATH_MAX_BYTES = 4096 };

static int show_list(struct listing *l)
{
    static const char *const titles[] = {"ID", "TYPE", "RECORD", "TIME", "RECEIVED"};
    static const char *const paths[] = {"id", "type", "record.id", "time", "received_at"};

    listing_print_table(l, "events", titles, paths, sizeof(paths) / sizeof(paths[0]));
    listing_say_more(l);
    return CLI_DONE;
}

static void show_value(FILE *out, const char *name, const struct json_node *value)
{
    if (!value || value->kind == JSON_NULL)
        return;
    fprintf(out, "\n%s ", name);
    show_json(out, value, 0);
    fputc('\n', out);
}

static void show_run(FILE *out, const struct json_node *run)
{
    const struct json_node *deliveries = json_tree_get(run, "deliveries");
    struct str reason = json_tree_text(json_tree_get(run, "reason"));

    fputs("\nRun of ", out);
    table_print_safe(out, json_tree_text(json_tree_get(run, "workflow")), false);
    fprintf(out, ": " STR_FMT, STR_ARG(json_tree_text(json_tree_get(run, "outcome"))));
    if (reason.len) {
        fputs(": ", out);
        table_print_safe(out, reason, true);
    }
    fputc('\n', out);
    for (const struct json_node *d = deliveries ? deliveries->first : NULL; d; d = d->next)
        fprintf(out, "  " STR_FMT "\n", STR_ARG(json_tree_text(d)));
}

// The workflows whose conditions hold for an event of which there is no run.
static int show_why(struct listing *l)
{
    const struct json_node *list = json_tree_get(l->root, "workflows");

    for (const struct json_node *w = list ? list->first : NULL; w; w = w->next) {
        if (!json_tree_is_true(json_tree_get(w, "verdict")))
            continue;
        table_print_safe(l->in->out, json_tree_text(json_tree_get(w, "workflow")), false);
        fputs(": ", l->in->out);
        table_print_safe(l->in->out, json_tree_text(json_tree_get(w, "became")), true);
        fputc('\n', l->in->out);
    }
    return CLI_DONE;
}

static int show_none(struct listing *l)
{
    struct buf path;
    int status = CLI_DONE;

    fputs("\nNo workflow fired.\n", l->in->out);
    if (json_tree_text(json_tree_get(l->root, "note")).len)
        return status; // what was sent with it is gone: there is nothing to judge again
    buf_init(&path, PATH_MAX_BYTES);
    if (listing_path_of("/v1/events", l->in->options.arguments[1], &path) == 0) {
        path.len--; // the NUL
        buf_append_text(&path, "/explain");
        buf_append_char(&path, '\0');
    }
    if (!path.failed)
        status = listing_run(l->in, "GET", path.data, show_why, NULL);
    buf_fini(&path);
    return status;
}

static int show_one(struct listing *l)
{
    FILE *out = l->in->out;
    const struct json_node *runs = json_tree_get(l->root, "runs");

    table_print_safe(out, json_tree_text(json_tree_get(l->root, "id")), false);
    fputc('\n', out);
    show_field(out, "type", json_tree_get(l->root, "type"));
    show_field(out, "time", json_tree_get(l->root, "time"));
    show_field(out, "received", json_tree_get(l->root, "received_at"));
    show_value(out, "record", json_tree_get(l->root, "record"));
    show_value(out, "previous", json_tree_get(l->root, "previous"));
    for (const struct json_node *r = runs ? runs->first : NULL; r; r = r->next)
        show_run(out, r);
    return runs && runs->first ? CLI_DONE : show_none(l);
}

static int show_replay(struct listing *l)
{
    const struct json_node *events = json_tree_get(l->root, "events");
    const struct json_node *event = events ? events->first : NULL;
    const struct json_node *runs = json_tree_get(event, "runs");
    const struct json_node *marked = json_tree_get(event, "marked");
    FILE *messages = l->in->messages;

    if (!runs || !runs->first)
        fputs("No workflow fired.\n", messages);
    for (const struct json_node *r = runs ? runs->first : NULL; r; r = r->next)
        show_run(l->in->out, r);
    for (const struct json_node *m = marked ? marked->first : NULL; m; m = m->next) {
        table_print_safe(messages, json_tree_text(m), false);
        fputs(" has fired for this record and does not do so again: add --force\n", messages);
    }
    return CLI_DONE;
}

static int run(const struct invocation *in)
{
    static const struct listing_action actions[] = {
        {"replay", " workflow force ", NULL, show_replay},
        {NULL, NULL, NULL, NULL},
    };
    static const struct listing_verb verbs = {"/v1/events", show_list, show_one, actions,
                                              " type record since until limit cursor "};

    return listing_act(in, &verbs);
}

static const struct option options[] = {
    {"type", "TYPE", OPTION_TEXT, false, false, "of this type: deal, or deal.updated"},
    {"record", "ID", OPTION_TEXT, false, false, "of this record"},
    {"since", "TIME", OPTION_SINCE, false, false,
     "from then on: 2d (back from now), 09:15, 2026-11-23 or 2026-11-23T09:15:00Z"},
    {"until", "TIME", OPTION_SINCE, false, false, "before then, written alike"},
    {"limit", "N", OPTION_COUNT, false, false, "at most so many (50), 1000 at most"},
    {"workflow", "ID", OPTION_TEXT, false, false, "replay: by this workflow alone"},
    {"force", NULL, OPTION_SWITCH, false, false,
     "replay: also where hook.once or a cooldown says not again"},
    {"cursor", "CURSOR", OPTION_TEXT, false, false, "go on where the page that named it ended"},
    {NULL, NULL, OPTION_SWITCH, false, false, NULL},
};

const struct command command_events = {
    .name = "events",
    .arguments = "[list | show ID | replay ID]",
    .summary = "The events that a running host has taken, newest first",
    .details =
        "show prints one event with its record, and what each workflow made of it.\n"
        "replay judges it again by the rules in force: after an error was mended, say. What they\n"
        "owe is sent as new webhooks.\n",
    .options = options,
    .common = COMMON_REMOTE | COMMON_JSON,
    .least_arguments = 0,
    .most_arguments = 2,
    .run = run,
};
