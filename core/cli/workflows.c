#include "cli/command.h"
#include "cli/listing.h"
#include "cli/show.h"

// "yes", "no", and what is wrong with the file, as one word each for the table.
static struct str state_of(const struct json_node *workflow)
{
    const struct json_node *error = json_tree_get(workflow, "error");
    const struct json_node *active = json_tree_get(workflow, "active");
    const struct json_node *suspended = json_tree_get(workflow, "suspended");

    if (error && error->kind == JSON_OBJECT_BEGIN)
        return json_tree_is_true(json_tree_get(error, "last_good")) ? STR("last good")
                                                                    : STR("broken");
    if (active && active->kind == JSON_STRING)
        return active->text;
    if (suspended && suspended->kind == JSON_OBJECT_BEGIN)
        return STR("suspended");
    return json_tree_is_true(active) ? STR("active") : STR("stopped");
}

static int show_list(struct listing *l)
{
    static const char *const titles[] = {"ID", "STATE", "RECORD", "FILE", "NAME"};
    const struct json_node *rows = json_tree_get(l->root, "workflows");
    FILE *messages = l->in->messages;
    struct table t;

    if (!rows || !rows->first) {
        fprintf(messages, "The host has no workflows; make one with: hookline new NAME\n");
        return CLI_DONE;
    }
    table_init(&t, titles, sizeof(titles) / sizeof(titles[0]), &l->arena);
    for (const struct json_node *row = rows->first; row; row = row->next) {
        table_add(&t, json_tree_text(json_tree_get(row, "id")));
        table_add(&t, state_of(row));
        table_add(&t, json_tree_text(json_tree_get(row, "record")));
        table_add(&t, json_tree_text(json_tree_get(row, "file")));
        table_add(&t, json_tree_text(json_tree_get(row, "name")));
    }
    table_print(&t, l->in->out);
    for (const struct json_node *row = rows->first; row; row = row->next) {
        const struct json_node *error = json_tree_get(row, "error");

        if (!error || error->kind != JSON_OBJECT_BEGIN)
            continue;
        table_print_safe(messages, json_tree_text(json_tree_get(error, "file")), false);
        fprintf(messages,
                ":" STR_FMT ": error: ", STR_ARG(json_tree_text(json_tree_get(error, "line"))));
        table_print_safe(messages, json_tree_text(json_tree_get(error, "message")), false);
        fputc('\n', messages);
    }
    return CLI_DONE;
}

// Not one that does not run since it is suspended, or since its file is broken.
static bool is_stopped_by_operator(const struct json_node *workflow)
{
    const struct json_node *active = json_tree_get(workflow, "active");
    const struct json_node *suspended = json_tree_get(workflow, "suspended");

    return str_eq(json_tree_text(json_tree_get(workflow, "started_by")), STR("operator")) &&
           active && active->kind == JSON_FALSE && !str_eq(state_of(workflow), STR("broken")) &&
           !(suspended && suspended->kind == JSON_OBJECT_BEGIN);
}

static int show_one(struct listing *l)
{
    FILE *out = l->in->out;
    const struct json_node *missing = json_tree_get(l->root, "missing_secrets");

    table_print_safe(out, json_tree_text(json_tree_get(l->root, "id")), false);
    fprintf(out, "  " STR_FMT "\n", STR_ARG(state_of(l->root)));
    show_field(out, "name", json_tree_get(l->root, "name"));
    show_field(out, "what for", json_tree_get(l->root, "description"));
    show_field(out, "record", json_tree_get(l->root, "record"));
    show_field(out, "file", json_tree_get(l->root, "file"));
    if (is_stopped_by_operator(l->root))
        fputs("  stopped by an operator\n", out);
    else
        show_field(out, "started by", json_tree_get(l->root, "started_by"));
    show_field(out, "suspended", json_tree_get(l->root, "suspended.reason"));
    show_field(out, "error", json_tree_get(l->root, "error.message"));
    show_field(out, "line", json_tree_get(l->root, "error.line"));
    for (const struct json_node *name = missing ? missing->first : NULL; name; name = name->next) {
        fputs("  no secret  ", out);
        table_print_safe(out, json_tree_text(name), false);
        fputs("  set it with: hookline secrets set ", out);
        table_print_safe(out, json_tree_text(name), false);
        fputs(", then hookline reload\n", out);
    }
    return CLI_DONE;
}

static int show_reset(struct listing *l)
{
    FILE *out = l->in->out;

    table_print_safe(out, json_tree_text(json_tree_get(l->root, "workflow")), false);
    fputs(json_tree_is_true(json_tree_get(l->root, "was_marked"))
              ? " may fire again for the record "
              : " had not fired for the record ",
          out);
    table_print_safe(out, json_tree_text(json_tree_get(l->root, "record.id")), false);
    fputc('\n', out);
    return CLI_DONE;
}

static int run(const struct invocation *in)
{
    static const struct listing_action actions[] = {
        {"activate", " ", NULL, show_one},
        {"deactivate", " ", NULL, show_one},
        {"follow-file", " ", NULL, show_one},
        {"reset", " record ", "record", show_reset},
        {NULL, NULL, NULL, NULL},
    };
    static const struct listing_verb verbs = {"/v1/workflows", show_list, show_one, actions, " "};

    return listing_act(in, &verbs);
}

static const struct option options[] = {
    {"record", "ID", OPTION_TEXT, false, false, "reset: the record's id"},
    {NULL, NULL, OPTION_SWITCH, false, false, NULL},
};

const struct command command_workflows = {
    .name = "workflows",
    .arguments = "[list | show ID | activate ID | deactivate ID | follow-file ID | reset ID]",
    .summary = "The workflows that a running host has in force",
    .details =
        "A broken file keeps its last good text in force, where it had one. The first error of\n"
        "each broken file goes to stderr.\n"
        "\n"
        "activate and deactivate start and stop a workflow whatever its file says, over restarts\n"
        "too, until follow-file clears it. activate also lifts a suspension. What becomes of the\n"
        "webhooks that a stopped workflow still owes is said by when_stopped in its file.\n"
        "reset --record ID lets a workflow with hook.once, or a cooldown, fire again for a "
        "record.\n",
    .options = options,
    .common = COMMON_REMOTE | COMMON_JSON,
    .least_arguments = 0,
    .most_arguments = 2,
    .run = run,
};
