#include "cli/command.h"
#include "cli/listing.h"

enum { PATH_MAX_BYTES = 16 * 1024, PAGE_TREE_MAX_BYTES = 64 * 1024 * 1024 };

static int show(struct listing *l)
{
    static const char *const titles[] = {"AT", "WHO", "FROM", "ACT", "ON", "BEFORE", "AFTER"};
    static const char *const paths[] = {"at", "who", "from", "act", "subject", "before", "after"};

    listing_print_table(l, "audit", titles, paths, sizeof(paths) / sizeof(paths[0]));
    listing_say_more(l);
    return CLI_DONE;
}

// A row a line; *next is the cursor of the page behind it, empty where it is the last.
static int print_page(const struct invocation *in, struct str body, struct buf *next, struct err *e)
{
    struct arena arena;
    struct json_node *root;
    const struct json_node *rows, *cursor;
    int code;

    arena_init(&arena, PAGE_TREE_MAX_BYTES);
    code = json_tree_read(&root, body, &arena, e);
    rows = code ? NULL : json_tree_get(root, "audit");
    for (const struct json_node *row = rows ? rows->first : NULL; row; row = row->next)
        fprintf(in->out, STR_FMT "\n", STR_ARG(row->raw));
    buf_reset(next);
    cursor = code ? NULL : json_tree_get(root, "next");
    if (cursor && cursor->kind == JSON_STRING)
        buf_append_str(next, cursor->text);
    arena_fini(&arena);
    return code;
}

static int print_pages(const struct invocation *in, struct remote *remote, struct err *e)
{
    struct buf path, next;
    struct remote_answer answer;
    int code;

    buf_init(&path, PATH_MAX_BYTES);
    buf_init(&next, PATH_MAX_BYTES);
    do {
        buf_reset(&path);
        listing_path(in, "/v1/audit", &path);
        path.len -= path.len > 0; // the NUL
        buf_append_text(&path, memchr(path.data, '?', path.len) ? "&limit=1000" : "?limit=1000");
        if (next.len)
            buf_printf(&path, "&cursor=" STR_FMT, STR_ARG(buf_str(&next)));
        buf_append_char(&path, '\0');
        code = path.failed ? err_set(e, ERR_TOO_LARGE, "the filters are too long")
                           : remote_get(remote, "GET", path.data, &answer, e);
        if (code == 0)
            code = print_page(in, answer.body, &next, e);
    } while (code == 0 && next.len);
    buf_fini(&path);
    buf_fini(&next);
    return code;
}

static int export_all(const struct invocation *in)
{
    struct config c;
    struct remote *remote = NULL;
    struct err e = {0};
    int status;

    if (options_has(&in->options, "limit") || options_has(&in->options, "cursor"))
        return cli_refuse(in, "--all is all pages: it goes with no --limit and no --cursor");
    status = cli_load_config(in, &c);
    if (status == CLI_DONE &&
        (remote_open(&remote, in, &c, &e) != 0 || print_pages(in, remote, &e) != 0))
        status = cli_fail(in, "%s", e.text);
    remote_close(remote);
    config_fini(&c);
    return status;
}

static int run(const struct invocation *in)
{
    struct buf path;
    int status;

    if (options_has(&in->options, "all"))
        return export_all(in);
    buf_init(&path, PATH_MAX_BYTES);
    status = listing_path(in, "/v1/audit", &path) ? cli_fail(in, "the filters are too long")
                                                  : listing_run(in, "GET", path.data, show, NULL);
    buf_fini(&path);
    return status;
}

static const struct option options[] = {
    {"who", "NAME", OPTION_TEXT, false, false, "only of who has the token NAME"},
    {"act", "ACT", OPTION_TEXT, false, false,
     "only workflow.deactivate, or workflow for all that was done to workflows"},
    {"subject", "ID", OPTION_TEXT, false, false,
     "only what was done to ID: a delivery, an event, a workflow, a target, a token"},
    {"since", "TIME", OPTION_SINCE, false, false,
     "from then on: 2d (back from now), 09:15, 2026-11-23 or 2026-11-23T09:15:00Z"},
    {"until", "TIME", OPTION_SINCE, false, false, "before then, written alike"},
    {"limit", "N", OPTION_COUNT, false, false, "at most so many (50), 1000 at most"},
    {"cursor", "CURSOR", OPTION_TEXT, false, false, "go on where the page that named it ended"},
    {"all", NULL, OPTION_SWITCH, false, false, "every page, one JSON object a line (NDJSON)"},
    {NULL, NULL, OPTION_SWITCH, false, false, NULL},
};

const struct command command_audit = {
    .name = "audit",
    .arguments = "",
    .summary = "What operators did on a running host, newest first",
    .details =
        "Starts and stops of workflows, resets, replays, webhooks that were sent again or taken\n"
        "back, pauses, tokens, records that were erased, and reloads: when, by whom (the name of\n"
        "the token), from where, and what it was before and after.\n"
        "\n"
        "hookline audit --all --since 30d > audit.ndjson exports them.\n",
    .options = options,
    .common = COMMON_REMOTE | COMMON_JSON,
    .least_arguments = 0,
    .most_arguments = 0,
    .run = run,
};
