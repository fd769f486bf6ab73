#include "cli/diff.h"

#include <unistd.h>

#include "base/rfc3339.h"
#include "encode/percent.h"
#include "engine/compare.h"

enum {
    TREE_MAX_BYTES = 512 * 1024 * 1024,
    EVENT_ARENA_MAX_BYTES = 512 * 1024 * 1024,
    PATH_MAX_BYTES = 16 * 1024,
    PROGRESS_EVERY = 100
};

int diff_read_host(struct diff *d, const char *path, struct arena *arena, struct json_node **root,
                   struct err *e)
{
    struct remote_answer answer;
    struct str kept;
    int code = remote_get(d->remote, "GET", path, &answer, e);

    if (code)
        return code;
    kept = arena_dup(arena, answer.body); // the answer is borrowed until the next call
    return kept.data ? json_tree_read(root, kept, arena, e)
                     : err_set(e, ERR_TOO_LARGE, "the answer of the host is too large");
}

void diff_show_progress(const struct diff *d, bool is_end)
{
    FILE *out = d->in->messages;

    if (out == stderr && isatty(STDERR_FILENO) &&
        (is_end || d->judged_count % PROGRESS_EVERY == 0)) {
        fprintf(out, is_end ? "\r\033[K" : "\r%zu events", d->judged_count);
        fflush(out);
    }
}

// --- which events --------------------------------------------------------------------------------

static void append_filter(const struct diff *d, const char *name, const char *otherwise,
                          struct buf *path)
{
    const char *given = options_text(&d->in->options, name);
    struct clock clock;
    char time[RFC3339_LEN + 1];
    int64_t at_ms;

    given = given ? given : otherwise;
    if (!given)
        return;
    clock_init(&clock);
    if ((str_eq(str_from(name), STR("since")) || str_eq(str_from(name), STR("until"))) &&
        options_since(given, clock_wall_ms(&clock), &at_ms) == 0) {
        rfc3339_format(time, at_ms);
        given = time;
    }
    buf_printf(path, "&%s=", name);
    percent_encode(path, str_from(given));
}

// The host's events that the filters let through, a page. cursor: of the one before, or empty.
static int read_page(struct diff *d, const char *parameters, struct str cursor, struct arena *arena,
                     struct json_node **root, struct err *e)
{
    struct remote_answer answer;
    struct buf path;
    int code;

    buf_init(&path, PATH_MAX_BYTES);
    buf_printf(&path, "/v1/events?%s", parameters);
    append_filter(d, "since", "7d", &path);
    append_filter(d, "until", NULL, &path);
    append_filter(d, "type", NULL, &path);
    append_filter(d, "record", NULL, &path);
    if (cursor.len) {
        buf_append_text(&path, "&cursor=");
        buf_append_str(&path, cursor);
    }
    buf_append_char(&path, '\0');
    code = path.failed ? err_set(e, ERR_TOO_LARGE, "the filters are too long")
                       : remote_get(d->remote, "GET", path.data, &answer, e);
    buf_fini(&path);
    return code ? code : json_tree_read(root, answer.body, arena, e);
}

static const struct json_node *events_of(const struct json_node *root)
{
    const struct json_node *list = json_tree_get(root, "events");

    return list ? list->first : NULL;
}

// Where the next page begins; empty at the end. root: NULL where there was no page.
static struct str keep_cursor(const struct json_node *root, struct buf *cursor)
{
    buf_reset(cursor);
    buf_append_str(cursor, json_tree_text(json_tree_get(root, "next")));
    return buf_str(cursor);
}

// A host at work goes on taking events: those that are there now have an end.
static int find_last(struct diff *d, struct buf *cursor, struct err *e)
{
    struct json_node *root = NULL;
    struct arena arena;
    int code;

    do {
        arena_init(&arena, TREE_MAX_BYTES);
        code = read_page(d, "limit=1", buf_str(cursor), &arena, &root, e);
        const struct json_node *event = code ? NULL : events_of(root);
        buf_append_str(&d->last, json_tree_text(json_tree_get(event, "id")));
        keep_cursor(code || event ? NULL : root, cursor);
        arena_fini(&arena);
    } while (code == 0 && cursor->len);
    return code;
}

// --- an event ------------------------------------------------------------------------------------

// As the store has it: out of what the host says, which is borrowed. ERR_NOT_FOUND: retention has
// removed it.
static int restore(const struct json_node *said, struct store_event_row *row, struct event *ev,
                   struct arena *arena, struct err *e)
{
    const struct json_node *sent = json_tree_get(said, "sent");
    const struct json_node *before = json_tree_get(said, "compared_with");

    if (!sent)
        return err_set(e, ERR_REFUSED,
                       "the host is too old: it does not tell how events were sent");
    *row = (struct store_event_row){
        .key = json_tree_text(json_tree_get(said, "id")),
        .type = json_tree_text(json_tree_get(said, "type")),
        .payload = sent->kind == JSON_OBJECT_BEGIN ? sent->raw : (struct str){0},
        .before = before && before->kind == JSON_OBJECT_BEGIN ? before->raw : (struct str){0},
        .is_before_gone = json_tree_is_true(json_tree_get(said, "compared_with_gone")),
    };
    if (rfc3339_parse(json_tree_text(json_tree_get(said, "time")), &row->time_ms) != 0 ||
        rfc3339_parse(json_tree_text(json_tree_get(said, "received_at")), &row->received_at_ms) !=
            0)
        return err_set(e, ERR_INVALID, "the host's answer has no times");
    return event_restore(ev, row, arena, e);
}

static const struct diff_run *find_run(const struct diff_run *list, const char *workflow)
{
    while (list && strcmp(list->workflow, workflow) != 0)
        list = list->next;
    return list;
}

static int judge_event(struct diff *d, const struct json_node *said, struct arena *arena,
                       struct err *e)
{
    struct store_event_row row;
    struct event ev;
    struct diff_run *old, *new;
    int code = restore(said, &row, &ev, arena, e);

    if (code)
        return code;
    code = diff_side_judge(&d->old, &ev, &row, d->only, arena, &old, e);
    code = code ? code : diff_side_judge(&d->new, &ev, &row, d->only, arena, &new, e);
    if (code)
        return code;
    struct diff_at at = {.row = &row, .event = &ev};
    for (const struct diff_run *r = old; r && code == 0; r = r->next) {
        at.workflow = r->workflow;
        code = diff_compare_runs(d, &at, r, find_run(new, r->workflow), arena);
    }
    for (const struct diff_run *r = new; r &&code == 0; r = r->next) {
        at.workflow = r->workflow;
        code = find_run(old, r->workflow) ? 0 : diff_compare_runs(d, &at, NULL, r, arena);
    }
    return code ? err_set(e, (enum err_code)code, "what is owed takes too much memory") : 0;
}

static int judge_wanted(struct diff *d, const struct json_node *said, struct err *e)
{
    struct str type = json_tree_text(json_tree_get(said, "type"));
    struct arena arena;
    int code;

    if (!diff_side_wants(&d->old, type) && !diff_side_wants(&d->new, type))
        return 0;
    arena_init(&arena, EVENT_ARENA_MAX_BYTES);
    code = judge_event(d, said, &arena, e);
    arena_fini(&arena);
    if (code == ERR_NOT_FOUND) {
        d->lost_count++;
        code = 0;
    } else if (code) {
        err_context(e, "event " STR_FMT, STR_ARG(json_tree_text(json_tree_get(said, "id"))));
    }
    d->judged_count++;
    diff_show_progress(d, false);
    return code;
}

// *is_end: the last of the events was among them, or there are no more.
static int judge_page(struct diff *d, struct buf *cursor, bool *is_end, struct err *e)
{
    struct json_node *root = NULL;
    struct arena arena;
    int code;

    arena_init(&arena, TREE_MAX_BYTES);
    code = read_page(d, "sent=true&order=oldest&limit=1000", buf_str(cursor), &arena, &root, e);
    *is_end = code != 0;
    for (const struct json_node *n = code ? NULL : events_of(root); n && !*is_end; n = n->next) {
        code = judge_wanted(d, n, e);
        *is_end = code || str_eq(json_tree_text(json_tree_get(n, "id")), buf_str(&d->last));
    }
    if (!*is_end)
        *is_end = keep_cursor(root, cursor).len == 0;
    arena_fini(&arena);
    return code;
}

// The oldest first: that is the order in which marks are taken.
int diff_judge_all(struct diff *d, struct err *e)
{
    struct buf cursor;
    bool is_end;
    int code;

    buf_init(&cursor, PATH_MAX_BYTES);
    code = find_last(d, &cursor, e);
    is_end = code || d->last.len == 0;
    while (!is_end)
        code = judge_page(d, &cursor, &is_end, e);
    diff_show_progress(d, true);
    buf_fini(&cursor);
    return code;
}
