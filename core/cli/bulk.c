#include "cli/bulk.h"

#include <unistd.h>

#include "cli/listing.h"

enum {
    BULK_IDS_MAX_BYTES = 256 * 1024 * 1024,
    BULK_TREE_MAX_BYTES = 64 * 1024 * 1024,
    BULK_PATH_MAX_BYTES = 16 * 1024,
    BULK_REFUSALS_SHOWN = 10
};

struct bulk {
    const struct invocation *in;
    struct remote *remote;
    const char *verb;
    const char *done;
    struct buf ids; // one a line
    size_t count;
    size_t done_count;
    size_t refused_count;
};

// The ids of a page; *next is its cursor, empty where it is the last.
static int take_page(struct bulk *b, struct str body, struct buf *next, struct err *e)
{
    struct arena arena;
    struct json_node *root;

    arena_init(&arena, BULK_TREE_MAX_BYTES);
    int code = json_tree_read(&root, body, &arena, e);
    const struct json_node *rows = code ? NULL : json_tree_get(root, "deliveries");
    for (const struct json_node *row = rows ? rows->first : NULL; row; row = row->next) {
        buf_append_str(&b->ids, json_tree_text(json_tree_get(row, "id")));
        buf_append_char(&b->ids, '\n');
        b->count++;
    }
    buf_reset(next);
    if (code == 0) {
        struct str cursor = json_tree_text(json_tree_get(root, "next"));
        if (!str_eq(cursor, STR("null")))
            buf_append_str(next, cursor);
    }
    arena_fini(&arena);
    if (b->ids.failed)
        return err_set(e, ERR_TOO_LARGE, "too many: narrow the filters");
    return code;
}

static int find_all(struct bulk *b, struct err *e)
{
    struct buf path, next;
    struct remote_answer answer;
    int code;

    buf_init(&path, BULK_PATH_MAX_BYTES);
    buf_init(&next, BULK_PATH_MAX_BYTES);
    do {
        buf_reset(&path);
        listing_path(b->in, "/v1/deliveries", &path);
        path.len -= path.len > 0; // the NUL
        buf_append_text(&path, memchr(path.data, '?', path.len) ? "&limit=1000" : "?limit=1000");
        if (next.len) {
            buf_append_text(&path, "&cursor=");
            buf_append_str(&path, buf_str(&next));
        }
        buf_append_char(&path, '\0');
        code = path.failed ? err_set(e, ERR_TOO_LARGE, "the filters are too long")
                           : remote_get(b->remote, "GET", path.data, &answer, e);
        if (code == 0)
            code = take_page(b, answer.body, &next, e);
    } while (code == 0 && next.len);
    buf_fini(&path);
    buf_fini(&next);
    return code;
}

static void show_progress(const struct bulk *b, bool is_end)
{
    FILE *out = b->in->messages;

    if (out == stderr && isatty(STDERR_FILENO))
        fprintf(out, is_end ? "\r\033[K" : "\r%zu of %zu", b->done_count + b->refused_count,
                b->count);
}

// A delivery whose state has changed meanwhile is told, and the others go on.
static int act_on(struct bulk *b, struct str id, struct err *e)
{
    char path[128];
    struct remote_answer answer;

    snprintf(path, sizeof(path), "/v1/deliveries/" STR_FMT "/%s", STR_ARG(id), b->verb);
    int code = remote_call(b->remote, "POST", path, NULL, STR(""), &answer, e);
    if (code)
        return code;
    if (answer.status >= 200 && answer.status < 300) {
        b->done_count++;
        return 0;
    }
    remote_describe(b->remote, &answer, e);
    if (answer.status != 409 && answer.status != 404)
        return ERR_REFUSED;
    if (b->refused_count++ < BULK_REFUSALS_SHOWN) {
        show_progress(b, true);
        fprintf(b->in->messages, STR_FMT ": %s\n", STR_ARG(id), e->text);
    }
    return 0;
}

// The oldest first: what is said of one record arrives in the order in which it was.
static int act_on_all(struct bulk *b, struct err *e)
{
    const char *ids = b->ids.data;
    size_t end = b->ids.len;
    int code = 0;

    while (end > 0 && code == 0) {
        size_t at = end - 1;
        while (at > 0 && ids[at - 1] != '\n')
            at--;
        code = act_on(b, (struct str){ids + at, end - 1 - at}, e);
        end = at;
        show_progress(b, end == 0 || code);
    }
    return code;
}

// "1 delivery", "12 deliveries"
static void print_count(FILE *out, size_t count)
{
    fprintf(out, count == 1 ? "%zu delivery" : "%zu deliveries", count);
}

static int finish(struct bulk *b, int code, const struct err *e)
{
    bool is_to_do = options_has(&b->in->options, "yes");

    if (code == 0 && b->count && !is_to_do) {
        print_count(b->in->messages, b->count);
        fprintf(b->in->messages, " would be %s: add --yes to do it.\n", b->done);
        return CLI_DONE;
    }
    if (b->count == 0 && code == 0) {
        fputs("There are no deliveries like that.\n", b->in->messages);
        return CLI_DONE;
    }
    if (b->done_count) {
        print_count(b->in->out, b->done_count);
        fprintf(b->in->out, " %s\n", b->done);
    }
    if (code)
        return cli_fail(b->in, "%s", e->text);
    return b->refused_count ? cli_fail(b->in, "%zu could not be %s", b->refused_count, b->done)
                            : CLI_DONE;
}

int bulk_run(const struct invocation *in, const char *verb, const char *done)
{
    struct bulk b = {.in = in, .verb = verb, .done = done};
    struct config c;
    struct err e = {0};

    if (!options_has(&in->options, "state"))
        return cli_refuse(in, "%s wants an id, or --state and other filters that say which", verb);
    int status = cli_load_config(in, &c);
    if (status == 0) {
        buf_init(&b.ids, BULK_IDS_MAX_BYTES);
        int code = remote_open(&b.remote, in, &c, &e);
        code = code ? code : find_all(&b, &e);
        if (code == 0 && options_has(&in->options, "yes"))
            code = act_on_all(&b, &e);
        status = finish(&b, code, &e);
        buf_fini(&b.ids);
    }
    remote_close(b.remote);
    config_fini(&c);
    return status;
}
