// Why a workflow fires for an event, or does not: a file, judged here, or a stored event, judged by
// the host with the rules that were in force then.

#include "cli/json_tree.h"
#include "cli/remote.h"
#include "cli/show.h"
#include "cli/table.h"
#include "cli/trial.h"
#include "encode/percent.h"

enum {
    TREE_MAX_BYTES = 64 * 1024 * 1024,
    ARENA_MAX_BYTES = 512 * 1024 * 1024,
    PATH_MAX_BYTES = 4096,
    DELIVERIES_SHOWN = 10
};

static void print_document(const struct invocation *in, struct str document)
{
    fwrite(document.data, 1, document.len, in->out);
    fputc('\n', in->out);
}

static int explain_trial(struct trial *t, struct buf *tree, struct err *e)
{
    const struct json_node *root;
    struct json_node *read;
    struct rules_run would; // what the conditions do not tell: the content may raise
    int code = trial_find_event(t, e);

    if (code == 0)
        code = trial_begin_event(t, e);
    if (code)
        return code;
    code = rules_explain(t->rules, 0, tree, e);
    rules_run(t->rules, 0, &t->arena, &would);
    rules_event_end(t->rules);
    if (code == 0)
        code = json_tree_read(&read, buf_str(tree), &t->arena, e);
    if (code)
        return code;
    root = read;
    t->would_fire = would.verdict == RULES_MATCH;
    if (options_has(&t->in->options, "json")) {
        print_document(t->in, buf_str(tree));
        return 0;
    }
    fprintf(t->in->out, "%s: %s, with %s: ", t->workflow->id,
            t->would_fire                     ? "fires"
            : would.verdict == RULES_NO_MATCH ? "does not fire"
                                              : "its run raises an error",
            trial_origin_words(t->origin));
    table_print_safe(t->in->out, t->event.id.len ? t->event.id : STR("without an id"), false);
    fprintf(t->in->out, ", " STR_FMT "\n", STR_ARG(t->event.type));
    show_trace(t->in->out, root, 2);
    if (would.message.len) {
        fputc('\n', t->in->out);
        table_print_safe(t->in->out, would.message, true);
        fputc('\n', t->in->out);
    }
    trial_say_state(t);
    return 0;
}

static int explain_file(const struct invocation *in)
{
    struct config c;
    struct trial t;
    struct buf tree;
    struct err e = {0};
    int status = trial_open(&t, in, &c);

    buf_init(&tree, TREE_MAX_BYTES);
    if (status == 0 && explain_trial(&t, &tree, &e) != 0)
        status = cli_fail(in, "%s", e.code ? e.text : "out of memory");
    else if (status == 0)
        status = t.would_fire ? CLI_DONE : CLI_FAILED;
    buf_fini(&tree);
    trial_close(&t);
    config_fini(&c);
    return status;
}

// What it made owed, behind what became of it.
static void print_deliveries(FILE *out, const struct json_node *list)
{
    int count = 0;

    for (const struct json_node *d = list ? list->first : NULL; d; d = d->next) {
        if (count++ < DELIVERIES_SHOWN)
            fprintf(out, "%s" STR_FMT, count == 1 ? ": " : ", ", STR_ARG(json_tree_text(d)));
    }
    if (count > DELIVERIES_SHOWN)
        fprintf(out, " and %d more", count - DELIVERIES_SHOWN);
}

// Whether one of them fired.
static bool print_workflows(FILE *out, const struct json_node *root)
{
    const struct json_node *list = json_tree_get(root, "workflows");
    bool is_fired = false;

    fputs("event ", out);
    table_print_safe(out, json_tree_text(json_tree_get(root, "event")), false);
    fprintf(out, ", by generation " STR_FMT "\n",
            STR_ARG(json_tree_text(json_tree_get(root, "generation"))));
    for (const struct json_node *w = list ? list->first : NULL; w; w = w->next) {
        const struct json_node *tree = json_tree_get(w, "explain");

        fputc('\n', out);
        table_print_safe(out, json_tree_text(json_tree_get(w, "workflow")), false);
        fputs(": ", out);
        table_print_safe(out, json_tree_text(json_tree_get(w, "became")), true);
        print_deliveries(out, json_tree_get(w, "deliveries"));
        fputc('\n', out);
        table_print_safe(out, json_tree_text(json_tree_get(w, "error")), true);
        if (tree && tree->kind == JSON_OBJECT_BEGIN)
            show_trace(out, tree, 2);
        is_fired = is_fired || json_tree_is_true(json_tree_get(w, "fires"));
    }
    if (!list || !list->first)
        fputs("No workflow wants events of its type.\n", out);
    return is_fired;
}

static int explain_answer(const struct invocation *in, struct str body, int *status, struct err *e)
{
    struct arena arena;
    struct json_node *root;
    int code;

    arena_init(&arena, ARENA_MAX_BYTES);
    code = json_tree_read(&root, body, &arena, e);
    if (code == 0 && options_has(&in->options, "json")) {
        const struct json_node *list = json_tree_get(root, "workflows");

        *status = CLI_FAILED;
        for (const struct json_node *w = list ? list->first : NULL; w; w = w->next)
            if (json_tree_is_true(json_tree_get(w, "fires")))
                *status = CLI_DONE;
        print_document(in, body);
    } else if (code == 0) {
        *status = print_workflows(in->out, root) ? CLI_DONE : CLI_FAILED;
    }
    arena_fini(&arena);
    return code;
}

static int explain_event(const struct invocation *in)
{
    const char *workflow = options_text(&in->options, "workflow");
    struct config c;
    struct remote *remote = NULL;
    struct remote_answer answer;
    struct buf path;
    struct err e = {0};
    int status = cli_load_config(in, &c);

    buf_init(&path, PATH_MAX_BYTES);
    buf_append_text(&path, "/v1/events/");
    percent_encode(&path, str_from(in->options.arguments[0]));
    buf_append_text(&path, "/explain");
    if (workflow) {
        buf_append_text(&path, "?workflow=");
        percent_encode(&path, str_from(workflow));
    }
    buf_append_char(&path, '\0');
    if (status == 0 && path.failed)
        status = cli_fail(in, "the id is too long");
    if (status == 0 && (remote_open(&remote, in, &c, &e) != 0 ||
                        remote_get(remote, "GET", path.data, &answer, &e) != 0 ||
                        explain_answer(in, answer.body, &status, &e) != 0))
        status = cli_fail(in, "%s", e.text);
    remote_close(remote);
    buf_fini(&path);
    config_fini(&c);
    return status;
}

static int run(const struct invocation *in)
{
    bool is_file = str_ends_with(str_from(in->options.arguments[0]), STR(".lua"));

    if (is_file && options_has(&in->options, "workflow"))
        return cli_refuse(in, "--workflow is for an event's id; the file is the workflow");
    if (!is_file && options_has(&in->options, "event"))
        return cli_refuse(in, "--event is for a workflow file: %s does not end in .lua",
                          in->options.arguments[0]);
    return is_file ? explain_file(in) : explain_event(in);
}

static const struct option options[] = {
    {"event", "FILE", OPTION_PATH, false, false, "the event to explain, as JSON; - is stdin"},
    {"workflow", "ID", OPTION_TEXT, false, false, "of a stored event: for this workflow alone"},
    {NULL, NULL, OPTION_SWITCH, false, false, NULL},
};

const struct command command_explain = {
    .name = "explain",
    .arguments = "RULES/NAME.lua | EVENT_ID",
    .summary = "Show why a workflow fires for an event, or does not",
    .details =
        "Prints each condition with what it wanted and what it saw. A file is judged here, with "
        "--event,\n"
        "else with the event that `hookline try` would take. An event's id asks the running host, "
        "which\n"
        "judges it again by the rules that were in force when it came, and says what became of "
        "it:\n"
        "the webhooks that it made owed, or why there are none though the conditions hold. The "
        "exit\n"
        "status is 0 if the workflow (or one of them) fired, or of a file would fire, else 1. "
        "--json\n"
        "prints the tree.\n",
    .options = options,
    .common = COMMON_LOAD | COMMON_REMOTE | COMMON_JSON,
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run,
};
