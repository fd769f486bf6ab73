// What a list is asked for: the query's filters, the limit, the order and the cursor.
#include <stdio.h>
#include <stdlib.h>

#include "api/internal.h"
#include "base/duration.h"
#include "base/rfc3339.h"
#include "encode/url.h"

enum {
    LIST_LIMIT = 50,
    LIST_LIMIT_MAX = 1000,
    LIST_SENT_MAX_BYTES = 1024 * 1024, // of a page's events as they were sent: one more goes over
    FILTER_TEXT_MAX = 64 * 1024
};

struct api_read *api_read_new(struct api *a, struct httpd_request *r, enum store_read_kind kind)
{
    struct api_read *q = calloc(1, sizeof *q);
    if (q == NULL) {
        api_send_problem(r, 500, "out of memory", NULL);
        return NULL;
    }
    q->api = a;
    q->request = r;
    arena_init(&q->arena, API_ARENA_MAX);
    buf_init(&q->text, FILTER_TEXT_MAX);
    q->read = (struct store_read){.kind = kind, .arena = &q->arena, .ctx = q};
    api_begin(a);
    return q;
}

void api_read_free(struct api_read *q)
{
    api_end(q->api);
    arena_fini(&q->arena);
    buf_fini(&q->text);
    free(q);
}

bool api_read_went_well(struct api_read *q, const char *what)
{
    if (q->read.code == 0) {
        return true;
    }
    if (q->read.code == ERR_NOT_FOUND) {
        api_send_problem(q->request, 404, what, NULL);
    } else {
        api_send_problem(q->request, 500, "the store could not be read", NULL);
    }
    api_read_free(q);
    return false;
}

enum delivery_state api_shown_state(const struct api *a, enum delivery_state stored)
{
    bool is_held = stored <= DELIVERY_RETRYING && deliver_paused(a->config.deliver)->since_ms;
    return is_held ? DELIVERY_HELD : stored;
}

// The parameter's value, kept for the read's life; {NULL,0} when absent or empty.
static struct str filter_text(struct api_read *q, const char *name)
{
    buf_reset(&q->text);
    if (!httpd_query_get(q->request, name, &q->text) || q->text.len == 0) {
        return (struct str){0};
    }
    return arena_dup(&q->arena, buf_str(&q->text));
}

// A target, however it is written: "HTTPS://App.example.com/" is "https://app.example.com:443".
static int filter_target(struct api_read *q)
{
    struct buf name;
    struct str text = filter_text(q, "target");
    buf_init(&name, text.len + sizeof ":65535");
    int code = text.len ? url_target_of(&name, text) : 0;
    if (text.len && code == 0) {
        q->read.filter.target = arena_dup(&q->arena, buf_str(&name));
    }
    buf_fini(&name);
    return code;
}

// A time: RFC 3339, or a duration ("2d") back from now.
static int filter_time(struct api_read *q, const char *name, int64_t *out)
{
    struct str text = filter_text(q, name);
    int64_t ago_ms = 0;
    int code = 0;
    if (text.len == 0) {
        return 0;
    }
    if (duration_parse(text, &ago_ms) == 0) {
        *out = clock_wall_ms(loop_clock(q->api->config.loop)) - ago_ms;
    } else {
        code = rfc3339_parse(text, out);
    }
    *out = *out > 0 ? *out : 1; // 0 and below would stand for any time
    return code;
}

// Which page is wanted, and what of each row. What is wrong, in words, or NULL.
static const char *page_read(struct api_read *q)
{
    struct str cursor = filter_text(q, "cursor");
    if (cursor.len && id_parse(cursor, &q->read.before)) {
        return "cursor: the \"next\" of an earlier page";
    }
    struct str limit = filter_text(q, "limit");
    int64_t n = LIST_LIMIT;
    if (limit.len && (str_to_int64(limit, &n) || n < 1 || n > LIST_LIMIT_MAX)) {
        return "limit: a number from 1 to 1000";
    }
    q->read.limit = (size_t)n;
    if (q->read.kind != STORE_READ_EVENTS) {
        return NULL;
    }
    struct str order = filter_text(q, "order");
    struct str sent = filter_text(q, "sent");
    q->read.is_oldest_first = str_eq(order, STR("oldest"));
    q->read.has_payload = str_eq(sent, STR("true"));
    q->read.max_bytes = LIST_SENT_MAX_BYTES;
    if (order.len && !q->read.is_oldest_first && !str_eq(order, STR("newest"))) {
        return "order: newest or oldest";
    }
    if (sent.len && !q->read.has_payload && !str_eq(sent, STR("false"))) {
        return "sent: true or false";
    }
    return NULL;
}

// The first parameter that is wrong, in words, or NULL.
static const char *filter_read(struct api_read *q)
{
    struct store_filter *f = &q->read.filter;
    f->workflow = filter_text(q, "workflow");
    f->type = filter_text(q, "type");
    f->record = filter_text(q, "record");
    f->who = filter_text(q, "who");
    f->act = filter_text(q, "act");
    f->subject = filter_text(q, "subject");
    if (filter_target(q)) {
        return "target: scheme, host and port, such as https://app.example.com:443";
    }
    struct str word = filter_text(q, "state");
    unsigned wanted = 0;
    f->has_state = word.len != 0;
    if (word.len && delivery_states_parse(word, &wanted)) {
        return "state: one of pending retrying held delivered terminated invalid cancelled "
               "superseded, or owed: the first three";
    }
    for (int stored = DELIVERY_PENDING; stored <= DELIVERY_SUPERSEDED; stored++) {
        enum delivery_state shown = api_shown_state(q->api, (enum delivery_state)stored);
        f->states |= (wanted >> shown & 1) << stored;
    }
    word = filter_text(q, "outcome");
    f->has_outcome = word.len != 0;
    if (word.len && run_outcome_parse(word, &f->outcome)) {
        return "outcome: one of sent dry error suppressed";
    }
    if (filter_time(q, "since", &f->since_ms) || filter_time(q, "until", &f->until_ms)) {
        return "since, until: a time as 2026-11-23T09:15:00Z, or a duration back from now as 2d";
    }
    return page_read(q);
}

void api_list(struct api *a, struct httpd_request *r, enum store_read_kind kind,
              void (*on_done)(struct store_read *read))
{
    struct api_read *q = api_read_new(a, r, kind);
    if (q == NULL) {
        return;
    }
    const char *fault = filter_read(q);
    if (fault) {
        api_send_problem(r, 400, fault, NULL);
        api_read_free(q);
        return;
    }
    q->read.on_done = on_done;
    store_read(a->config.store, &q->read);
}

void api_send_list(struct store_read *read, const char *name,
                   void (*write)(struct json_writer *w, const struct store_read *read, size_t i))
{
    struct api_read *q = read->ctx;
    if (!api_read_went_well(q, "")) {
        return;
    }
    struct buf body;
    struct json_writer w;
    buf_init(&body, API_ANSWER_MAX);
    json_writer_init(&w, &body);
    json_object_begin(&w);
    json_key(&w, str_from(name));
    json_array_begin(&w);
    for (size_t i = 0; i < read->count; i++) {
        write(&w, read, i);
    }
    json_array_end(&w);
    if (read->next) {
        char cursor[ID_TEXT_LEN + 1];
        id_format(cursor, read->next);
        json_member_string(&w, "next", str_from(cursor));
    } else {
        json_member_null(&w, "next");
    }
    json_object_end(&w);
    api_send_json(q->request, 200, &body);
    api_read_free(q);
}

void api_write_record(struct json_writer *w, struct str type, struct str id)
{
    char canonical[24];
    int64_t n = 0;
    bool is_number = str_to_int64(id, &n) == 0;
    snprintf(canonical, sizeof canonical, "%lld", (long long)n);
    json_key(w, STR("record"));
    json_object_begin(w);
    json_member_string(w, "type", type);
    json_key(w, STR("id"));
    if (is_number && str_eq(id, str_from(canonical))) {
        json_integer(w, n);
    } else {
        json_string(w, id);
    }
    json_object_end(w);
}
