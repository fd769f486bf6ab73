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
        fprintf(out, is_end ? "\r\033[K" : "\r%zu of %zu events", d->judged_count, d->event_count);
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

// Those of a page that some workflow wants. *next: the cursor of the next one, empty at the end.
static int take_page(struct diff *d, struct str body, struct buf *next, struct err *e)
{
    struct arena arena;
    struct json_node *root;
    int code;

    arena_init(&arena, TREE_MAX_BYTES);
    code = json_tree_read(&root, body, &arena, e);
    const struct json_node *list = code ? NULL : json_tree_get(root, "events");
    for (const struct json_node *n = list ? list->first : NULL; n; n = n->next) {
        struct str type = json_tree_text(json_tree_get(n, "type"));

        if (!diff_side_wants(&d->old, type) && !diff_side_wants(&d->new, type))
            continue;
        buf_append_str(&d->ids, json_tree_text(json_tree_get(n, "id")));
        buf_append_char(&d->ids, '\n');
        d->event_count++;
    }
    buf_reset(next);
    if (code == 0)
        buf_append_str(next, json_tree_text(json_tree_get(root, "next")));
    arena_fini(&arena);
    return d->ids.failed ? err_set(e, ERR_TOO_LARGE, "too many events: narrow the filters") : code;
}

int diff_find_events(struct diff *d, struct err *e)
{
    struct buf path, filters, next;
    struct remote_answer answer;
    int code;

    buf_init(&path, PATH_MAX_BYTES);
    buf_init(&filters, PATH_MAX_BYTES);
    buf_init(&next, PATH_MAX_BYTES);
    append_filter(d, "since", "7d", &filters);
    append_filter(d, "until", NULL, &filters);
    append_filter(d, "type", NULL, &filters);
    append_filter(d, "record", NULL, &filters);
    do {
        buf_reset(&path);
        buf_append_text(&path, "/v1/events?limit=1000");
        buf_append_str(&path, buf_str(&filters));
        if (next.len) {
            buf_append_text(&path, "&cursor=");
            buf_append_str(&path, buf_str(&next));
        }
        buf_append_char(&path, '\0');
        code = path.failed || filters.failed ? err_set(e, ERR_TOO_LARGE, "the filters are too long")
                                             : remote_get(d->remote, "GET", path.data, &answer, e);
        code = code ? code : take_page(d, answer.body, &next, e);
    } while (code == 0 && next.len);
    buf_fini(&path);
    buf_fini(&filters);
    buf_fini(&next);
    return code;
}

// --- an event ------------------------------------------------------------------------------------

// As the store has it: out of what the host says. ERR_NOT_FOUND: retention has removed it.
static int restore(struct diff *d, struct str id, struct store_event_row *row, struct event *ev,
                   struct arena *arena, struct err *e)
{
    struct json_node *root;
    const struct json_node *sent, *before;
    struct buf path;
    int code;

    buf_init(&path, PATH_MAX_BYTES);
    buf_append_text(&path, "/v1/events/");
    percent_encode(&path, id);
    buf_append_text(&path, "?sent=true");
    buf_append_char(&path, '\0');
    code = path.failed ? err_set(e, ERR_TOO_LARGE, "an id is too long")
                       : diff_read_host(d, path.data, arena, &root, e);
    buf_fini(&path);
    if (code)
        return code;
    sent = json_tree_get(root, "sent");
    before = json_tree_get(root, "compared_with");
    if (!sent)
        return err_set(e, ERR_REFUSED,
                       "the host is too old: it does not tell how events were sent");
    *row = (struct store_event_row){
        .key = id,
        .type = json_tree_text(json_tree_get(root, "type")),
        .payload = sent->kind == JSON_OBJECT_BEGIN ? sent->raw : (struct str){0},
        .before = before && before->kind == JSON_OBJECT_BEGIN ? before->raw : (struct str){0},
        .is_before_gone = json_tree_is_true(json_tree_get(root, "compared_with_gone")),
    };
    if (rfc3339_parse(json_tree_text(json_tree_get(root, "time")), &row->time_ms) != 0 ||
        rfc3339_parse(json_tree_text(json_tree_get(root, "received_at")), &row->received_at_ms) !=
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
static int judge_event(struct diff *d, struct str id, struct arena *arena, struct err *e)
{
    struct store_event_row row;
    struct event ev;
    struct diff_run *old, *new;
    int code = restore(d, id, &row, &ev, arena, e);

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

// The oldest first: that is the order in which marks are taken.
int diff_judge_all(struct diff *d, struct err *e)
{
    struct str left = buf_str(&d->ids);
    struct arena arena;
    int code = 0;

    arena_init(&arena, EVENT_ARENA_MAX_BYTES);
    while (code == 0 && left.len) {
        left.len--; // the line feed
        const char *before = memrchr(left.data, '\n', left.len);
        size_t start = before ? (size_t)(before - left.data) + 1 : 0;
        struct str id = {left.data + start, left.len - start};

        code = judge_event(d, id, &arena, e);
        if (code == ERR_NOT_FOUND) {
            d->lost_count++;
            code = 0;
        } else if (code) {
            err_context(e, "event " STR_FMT, STR_ARG(id));
        }
        arena_fini(&arena);
        arena_init(&arena, EVENT_ARENA_MAX_BYTES);
        d->judged_count++;
        diff_show_progress(d, code || start == 0);
        left.len = start;
    }
    arena_fini(&arena);
    return code;
}
