#include "api/spans.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/id.h"
#include "encode/head.h"
#include "encode/json_writer.h"

enum {
    SPANS_TEXT_MAX = 8 << 20, // that wait
    SPANS_ONE_MAX = 64 * 1024,
    SPANS_TIMEOUT_MS = 10 * 1000,
    SPANS_KIND_SERVER = 2,
    SPANS_KIND_CLIENT = 3,
    SPANS_OK = 1,
    SPANS_ERROR = 2
};

struct spans {
    struct loop *loop;
    struct client *client;
    struct secrets *secrets;
    const struct log *log;
    const struct spans_config *config;
    struct buf waiting; // JSON values with commas between
    size_t waiting_count;
    struct buf body; // of the request under way
    size_t body_count;
    bool is_sending;
    bool is_failing; // the last request failed: that is logged once
    struct loop_timer batch_timer;
    struct loop_timer end_timer;
    struct spans_counts counts;
    void (*on_end)(void *ctx);
    void *end_ctx;
};

static void spans_send(struct spans *s);

static void spans_on_batch(void *ctx)
{
    spans_send(ctx);
}

static void spans_on_end(void *ctx)
{
    struct spans *s = ctx;
    void (*on_end)(void *) = s->on_end;
    s->on_end = NULL;
    loop_timer_stop(&s->batch_timer);
    loop_timer_stop(&s->end_timer);
    if (on_end) {
        on_end(s->end_ctx);
    }
}

int spans_new(struct spans **out, struct loop *l, struct client *client, struct secrets *secrets,
              const struct log *log, const struct spans_config *c)
{
    *out = NULL;
    if (c == NULL || c->url == NULL) {
        return 0;
    }
    struct spans *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return ERR_NOMEM;
    }
    s->loop = l;
    s->client = client;
    s->secrets = secrets;
    s->log = log;
    s->config = c;
    buf_init(&s->waiting, SPANS_TEXT_MAX);
    buf_init(&s->body, SPANS_TEXT_MAX + SPANS_ONE_MAX);
    loop_timer_init(&s->batch_timer, l, LOOP_HOST_TIME, spans_on_batch, s);
    loop_timer_init(&s->end_timer, l, LOOP_REAL_TIME, spans_on_end, s);
    *out = s;
    return 0;
}

void spans_free(struct spans *s)
{
    if (s) {
        loop_timer_stop(&s->batch_timer);
        loop_timer_stop(&s->end_timer);
        buf_fini(&s->waiting);
        buf_fini(&s->body);
        free(s);
    }
}

struct spans_counts spans_counts(const struct spans *s)
{
    return s ? s->counts : (struct spans_counts){0};
}

// --- sending -------------------------------------------------------------------------------------

static void spans_sent(struct spans *s, const char *why)
{
    if (why) {
        s->counts.dropped += s->body_count;
    } else {
        s->counts.sent += s->body_count;
    }
    if (why && !s->is_failing) {
        log_warn(s->log, "spans are dropped: %s does not take them (%s)", s->config->url, why);
    }
    s->is_failing = why != NULL;
    s->body_count = 0;
    buf_reset(&s->body);
}

static void spans_on_response(void *ctx, const struct client_response *r)
{
    struct spans *s = ctx;
    char status[40];
    snprintf(status, sizeof status, "it answers %d", r->status);
    s->is_sending = false;
    bool is_taken = r->error == CLIENT_OK && r->status >= 200 && r->status <= 299;
    spans_sent(s, is_taken ? NULL : r->error ? r->detail : status);
    if (s->waiting_count >= SPANS_BATCH || (s->on_end && s->waiting_count)) {
        spans_send(s);
    } else if (s->on_end) {
        spans_on_end(s);
    }
}

// Everything that goes with a batch, around its spans.
static void spans_write_body(struct spans *s)
{
    buf_append_text(
        &s->body,
        "{\"resourceSpans\":[{\"resource\":{\"attributes\":["
        "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"hookline\"}},"
        "{\"key\":\"service.version\",\"value\":{\"stringValue\":\"" HOOKLINE_VERSION
        "\"}}]},\"scopeSpans\":[{\"scope\":{\"name\":\"hookline\",\"version\":\"" HOOKLINE_VERSION
        "\"},\"spans\":[");
    buf_append_str(&s->body, buf_str(&s->waiting));
    buf_append_text(&s->body, "]}]}]}");
    s->body_count = s->waiting_count;
    s->waiting_count = 0;
    buf_reset(&s->waiting);
}

static int spans_post(struct spans *s, struct err *e)
{
    const struct spans_config *c = s->config;
    struct client_header headers[SPANS_HEADERS_MAX + 1] = {
        {STR("Content-Type"), STR("application/json")}};
    int code = s->body.failed ? err_set(e, ERR_NOMEM, "out of memory") : 0;
    for (size_t i = 0; code == 0 && i < c->header_count; i++) {
        headers[i + 1] = (struct client_header){c->headers[i].name, c->headers[i].value};
        if (c->headers[i].is_secret) {
            code = secrets_get(s->secrets, c->headers[i].value, &headers[i + 1].value, e);
        }
    }
    struct client_request q = {.method = STR("POST"),
                               .url = c->url,
                               .headers = headers,
                               .header_count = c->header_count + 1,
                               .body = buf_str(&s->body),
                               .timeout_ms = SPANS_TIMEOUT_MS,
                               .is_trusted = true,
                               .on_done = spans_on_response,
                               .ctx = s};
    if (code == 0 && client_send(s->client, &q)) {
        code = err_set(e, ERR_INVALID, "the request cannot be made");
    }
    return code;
}

static void spans_send(struct spans *s)
{
    struct err e = {0};
    if (s->is_sending || s->waiting_count == 0) {
        return;
    }
    loop_timer_stop(&s->batch_timer);
    spans_write_body(s);
    s->is_sending = spans_post(s, &e) == 0;
    if (!s->is_sending) {
        spans_sent(s, e.text);
    }
}

void spans_end(struct spans *s, void (*on_done)(void *ctx), void *ctx)
{
    if (s) {
        s->on_end = on_done;
        s->end_ctx = ctx;
        spans_send(s);
        loop_timer_start(&s->end_timer, s->is_sending ? SPANS_END_MS : 0);
    } else {
        on_done(ctx);
    }
}

// --- one span ------------------------------------------------------------------------------------

static void spans_write_nanos(struct json_writer *w, const char *key, int64_t ms)
{
    char text[40];
    snprintf(text, sizeof text, "%" PRId64 "000000", ms);
    json_member_text(w, key, text);
}

static void spans_write_text(struct json_writer *w, const char *key, struct str value)
{
    json_object_begin(w);
    json_member_text(w, "key", key);
    json_key(w, STR("value"));
    json_object_begin(w);
    json_member_string(w, "stringValue", value);
    json_object_end(w);
    json_object_end(w);
}

static void spans_write_number(struct json_writer *w, const char *key, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    json_object_begin(w);
    json_member_text(w, "key", key);
    json_key(w, STR("value"));
    json_object_begin(w);
    json_member_text(w, "intValue", text); // 64 bits are text in the JSON of protobuf
    json_object_end(w);
    json_object_end(w);
}

// Up to the attributes, which follow.
static void spans_begin(struct json_writer *w, const struct trace_context *t, uint64_t span,
                        const char *name, int kind)
{
    char id[TRACE_SPAN_LEN + 1];
    snprintf(id, sizeof id, "%016" PRIx64, span);
    json_object_begin(w);
    json_member_string(w, "traceId", trace_id(t));
    json_member_text(w, "spanId", id);
    if (trace_parent(t).len) {
        json_member_string(w, "parentSpanId", trace_parent(t));
    }
    if (t->state.len) {
        json_member_string(w, "traceState", t->state);
    }
    json_member_text(w, "name", name);
    json_member_integer(w, "kind", kind);
}

static void spans_write_status(struct json_writer *w, int code, struct str message)
{
    json_key(w, STR("status"));
    json_object_begin(w);
    json_member_integer(w, "code", code);
    if (message.len) {
        json_member_string(w, "message", message);
    }
    json_object_end(w);
}

// Takes the text of a whole span.
static void spans_add(struct spans *s, const struct buf *one)
{
    if (one->failed || s->on_end || s->waiting_count == SPANS_MAX_WAITING ||
        s->waiting.len + one->len + 1 > SPANS_TEXT_MAX || !buf_reserve(&s->waiting, one->len + 1)) {
        s->counts.dropped++;
        return;
    }
    buf_append_text(&s->waiting, s->waiting_count ? "," : "");
    buf_append_str(&s->waiting, buf_str(one));
    s->waiting_count++;
    if (s->waiting_count >= SPANS_BATCH) {
        spans_send(s);
    } else if (s->waiting_count == 1) {
        loop_timer_start(&s->batch_timer, SPANS_BATCH_MS);
    }
}

static size_t spans_count_owed(const struct store_event *ev)
{
    size_t count = 0;
    for (size_t i = 0; i < ev->run_count; i++) {
        count += ev->runs[i].was_marked ? 0 : ev->runs[i].delivery_count;
    }
    return count;
}

void spans_saw_event(struct spans *s, const struct store_event *ev)
{
    const struct trace_context *t = &ev->trace;
    struct json_writer w;
    struct buf text;
    char id[ID_SHOWN_LEN + 1];
    if (s == NULL || t->parent.len == 0 || !trace_is_sampled(t)) {
        return;
    }
    buf_init(&text, SPANS_ONE_MAX);
    json_writer_init(&w, &text);
    spans_begin(&w, t, trace_span_id(t, ev->id, 0, 0), ev->is_replay ? "replay" : "event",
                SPANS_KIND_SERVER);
    spans_write_nanos(&w, "startTimeUnixNano", ev->received_at_ms);
    spans_write_nanos(&w, "endTimeUnixNano", clock_wall_ms(loop_clock(s->loop)));
    json_key(&w, STR("attributes"));
    json_array_begin(&w);
    spans_write_text(&w, "hookline.event", ev->key.len ? ev->key : id_show(id, ID_EVENT, ev->id));
    spans_write_text(&w, "hookline.type", ev->type);
    spans_write_number(&w, "hookline.deliveries", (int64_t)spans_count_owed(ev));
    json_array_end(&w);
    spans_write_status(&w, SPANS_OK, (struct str){NULL, 0});
    json_object_end(&w);
    spans_add(s, &text);
    buf_fini(&text);
}

void spans_saw_state(struct spans *s, const struct deliver_change *c)
{
    struct json_writer w;
    struct buf text;
    char id[ID_SHOWN_LEN + 1];
    if (s == NULL || c->attempt == NULL) {
        return;
    }
    const struct store_attempt *at = c->attempt;
    struct trace_context t = trace_split(head_find_trace(c->head));
    if (t.parent.len == 0 || !trace_is_sampled(&t)) {
        return;
    }
    bool is_good = c->state == DELIVERY_DELIVERED;
    buf_init(&text, SPANS_ONE_MAX);
    json_writer_init(&w, &text);
    spans_begin(&w, &t, trace_span_id(&t, c->delivery, at->number, at->at_ms), "attempt",
                SPANS_KIND_CLIENT);
    spans_write_nanos(&w, "startTimeUnixNano", at->at_ms);
    spans_write_nanos(&w, "endTimeUnixNano", at->at_ms + at->elapsed_ms);
    json_key(&w, STR("attributes"));
    json_array_begin(&w);
    spans_write_text(&w, "hookline.delivery", id_show(id, ID_DELIVERY, c->delivery));
    spans_write_text(&w, "hookline.workflow", c->workflow);
    spans_write_text(&w, "hookline.target", c->target);
    spans_write_number(&w, "hookline.attempt", at->number);
    if (at->status) {
        spans_write_number(&w, "http.response.status_code", at->status);
    }
    if (at->error.len) {
        spans_write_text(&w, "error.type", at->error);
    }
    json_array_end(&w);
    spans_write_status(&w, is_good ? SPANS_OK : SPANS_ERROR,
                       is_good ? (struct str){NULL, 0} : at->detail);
    json_object_end(&w);
    spans_add(s, &text);
    buf_fini(&text);
}
