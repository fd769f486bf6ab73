#include <unistd.h>

#include "cli/command.h"
#include "cli/listing.h"
#include "encode/json_writer.h"

enum { BODY_MAX_BYTES = 16 * 1024, TREE_MAX_BYTES = 1024 * 1024 };

static void write_body(const struct invocation *in, bool is_dry_run, struct buf *body)
{
    struct json_writer w;

    json_writer_init(&w, body);
    json_object_begin(&w);
    json_key(&w, STR("record"));
    json_object_begin(&w);
    json_member_text(&w, "type", in->options.arguments[0]);
    json_member_text(&w, "id", in->options.arguments[1]);
    json_object_end(&w);
    json_member_bool(&w, "dry_run", is_dry_run);
    json_object_end(&w);
}

static void print_counts(const struct invocation *in, FILE *out, const char *before,
                         const struct json_node *root)
{
    static const char *const names[] = {"events", "deliveries", "attempts", "marks"};

    fprintf(out, "%s %s %s:", before, in->options.arguments[0], in->options.arguments[1]);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct json_node *n = json_tree_get(json_tree_get(root, "removed"), names[i]);

        fprintf(out, "%s " STR_FMT " %s", i ? "," : "", STR_ARG(json_tree_text(n)), names[i]);
    }
    fprintf(out, " (" STR_FMT " deliveries owed)\n",
            STR_ARG(json_tree_text(json_tree_get(root, "removed.owed"))));
}

// One call; prints what it gave on `out`.
static int call(const struct invocation *in, struct remote *remote, bool is_dry_run, FILE *out,
                struct err *e)
{
    struct buf body;
    struct arena arena;
    struct json_node *root;
    struct remote_answer answer;
    int code;

    buf_init(&body, BODY_MAX_BYTES);
    arena_init(&arena, TREE_MAX_BYTES);
    write_body(in, is_dry_run, &body);
    code = body.failed ? err_set(e, ERR_TOO_LARGE, "the id is too long")
                       : remote_send(remote, "POST", "/v1/erase", buf_str(&body), &answer, e);
    if (code == 0 && out == in->out && options_has(&in->options, "json"))
        fprintf(out, STR_FMT "\n", STR_ARG(answer.body));
    else if (code == 0 && (code = json_tree_read(&root, answer.body, &arena, e)) == 0)
        print_counts(in, out, is_dry_run ? "Would be erased of" : "Erased of", root);
    arena_fini(&arena);
    buf_fini(&body);
    return code;
}

static bool is_agreed(const struct invocation *in)
{
    char line[16] = "";

    fprintf(in->messages, "Nothing brings it back. Erase it? [y/N] ");
    fflush(in->messages);
    return fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y');
}

static int erase(const struct invocation *in, struct remote *remote)
{
    struct err e = {0};
    int code;

    if (options_has(&in->options, "dry-run")) {
        code = call(in, remote, true, in->out, &e);
        return code ? cli_fail(in, "%s", e.text) : CLI_DONE;
    }
    if (!options_has(&in->options, "yes")) {
        if (call(in, remote, true, in->messages, &e) != 0)
            return cli_fail(in, "%s", e.text);
        if (!isatty(STDIN_FILENO))
            return cli_fail(in, "nothing is erased: add --yes to do it");
        if (!is_agreed(in))
            return cli_fail(in, "nothing is erased");
    }
    code = call(in, remote, false, in->out, &e);
    return code ? cli_fail(in, "%s", e.text) : CLI_DONE;
}

static int run(const struct invocation *in)
{
    struct config c;
    struct remote *remote = NULL;
    struct err e = {0};
    int status = cli_load_config(in, &c);

    if (status == CLI_DONE)
        status = remote_open(&remote, in, &c, &e) ? cli_fail(in, "%s", e.text) : erase(in, remote);
    remote_close(remote);
    config_fini(&c);
    return status;
}

static const struct option options[] = {
    {"dry-run", NULL, OPTION_SWITCH, false, false, "count what would go, and erase nothing"},
    {"yes", NULL, OPTION_SWITCH, false, false, "do not ask"},
    {NULL, NULL, OPTION_SWITCH, false, false, NULL},
};

const struct command command_erase = {
    .name = "erase",
    .arguments = "TYPE ID",
    .summary = "Erase what a running host has stored of a record",
    .details =
        "hookline erase deal 4021: its events, the webhooks that they caused with their requests,\n"
        "attempts and answers, its state and its once-marks. What is owed of it is not sent any "
        "more.\n"
        "The bytes are overwritten in the database, and are in no file beside it. The audit log "
        "keeps\n"
        "that it was done, by whom, and how much went.\n",
    .options = options,
    .common = COMMON_REMOTE | COMMON_JSON,
    .least_arguments = 2,
    .most_arguments = 2,
    .run = run,
};
