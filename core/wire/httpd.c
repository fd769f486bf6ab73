#include "wire/httpd.h"

#include <stdio.h>
#include <stdlib.h>

#include "encode/query.h"
#include "wire/httpd_conn.h"

enum {
    HEAD_MAX_BYTES = 32 * 1024,
    BODY_MAX_BYTES = 8 * 1024 * 1024,
    CONNECTIONS_MAX = 4096,
    EXTRA_MAX = 64,
    HEAD_TIMEOUT_MS = 10 * 1000,
    BODY_TIMEOUT_MS = 60 * 1000,
    IDLE_TIMEOUT_MS = 75 * 1000,
    LINGER_TIMEOUT_MS = 1000,
    DRAIN_TIMEOUT_MS = 500,
    ANSWER_HEAD_MAX_BYTES = 64 * 1024
};

// --- queues and their timer ---------------------------------------------------------------------

static void queue_remove(struct httpd_request *r)
{
    if (r->wait == HTTPD_WAIT_COUNT) {
        return;
    }
    struct httpd_queue *q = &r->server->queues[r->wait];
    *(r->prev ? &r->prev->next : &q->first) = r->next;
    *(r->next ? &r->next->prev : &q->last) = r->prev;
    r->next = r->prev = NULL;
    r->wait = HTTPD_WAIT_COUNT;
}

static void timer_see_to(struct httpd *h, int64_t deadline_ms, int64_t now_ms)
{
    if (deadline_ms < h->timer_due_ms && !h->is_closing) {
        h->timer_due_ms = deadline_ms;
        loop_timer_start(&h->timer, deadline_ms - now_ms);
    }
}

void httpd_wait_for(struct httpd_request *r, enum httpd_wait wait)
{
    struct httpd *h = r->server;
    queue_remove(r);
    struct httpd_queue *q = &h->queues[wait];
    r->wait = wait;
    r->prev = q->last;
    *(q->last ? &q->last->next : &q->first) = r;
    q->last = r;
    if (q->timeout_ms > 0) {
        int64_t now_ms = loop_now_ms(h->loop, LOOP_REAL_TIME);
        r->deadline_ms = now_ms + q->timeout_ms;
        timer_see_to(h, r->deadline_ms, now_ms);
    }
}

static void httpd_free(struct httpd *h)
{
    buf_fini(&h->scratch);
    buf_fini(&h->problem);
    void (*on_closed)(void *ctx) = h->on_closed;
    void *ctx = h->closed_ctx;
    free(h);
    if (on_closed) {
        on_closed(ctx);
    }
}

static void on_timer(void *ctx)
{
    struct httpd *h = ctx;
    if (h->is_closing) {
        httpd_free(h);
        return;
    }
    int64_t now_ms = loop_now_ms(h->loop, LOOP_REAL_TIME);
    h->timer_due_ms = INT64_MAX;
    for (int i = 0; i < HTTPD_WAIT_COUNT; i++) {
        struct httpd_queue *q = &h->queues[i];
        while (q->timeout_ms > 0 && q->first && q->first->deadline_ms <= now_ms) {
            httpd_conn_expire(q->first);
        }
    }
    for (int i = 0; i < HTTPD_WAIT_COUNT; i++) {
        const struct httpd_queue *q = &h->queues[i];
        if (q->timeout_ms > 0 && q->first) {
            timer_see_to(h, q->first->deadline_ms, now_ms);
        }
    }
}

// --- life ---------------------------------------------------------------------------------------

static void on_stream(void *ctx, struct loop_stream *s)
{
    const struct httpd_listener *from = ctx;
    struct httpd *h = from->server;
    if (from->is_tls && tls_server_attach(h->config.tls, s) != 0) {
        loop_stream_close(s, NULL, NULL);
        return;
    }
    httpd_conn_open(h, s);
}

static void stop_listening(struct httpd *h, void (*stop)(struct loop_listener *s))
{
    for (size_t i = 0; i < h->listener_count; i++) {
        stop(h->listeners[i].listener);
    }
    h->listener_count = 0;
}

static int listen_one(struct httpd *h, const struct httpd_listen *to, struct err *e)
{
    if (h->listener_count == HTTPD_LISTENERS_MAX) {
        return err_set(e, ERR_TOO_LARGE, "there are more than %d addresses to listen on",
                       HTTPD_LISTENERS_MAX);
    }
    struct httpd_listener *one = &h->listeners[h->listener_count];
    *one = (struct httpd_listener){.server = h, .is_tls = to->is_tls};
    struct loop_listener_config c = {.address = to->address,
                                     .inherited_fd = to->inherited_fd,
                                     .mode = to->mode,
                                     .on_stream = on_stream,
                                     .ctx = one};
    int rc = loop_listen(&one->listener, h->loop, &c, e);
    h->listener_count += rc == 0;
    return rc;
}

static int listen_all(struct httpd *h, const struct httpd_config *c, struct err *e)
{
    const struct httpd_listen alone = {.address = c->address};
    const struct httpd_listen *to = c->listens ? c->listens : &alone;
    size_t count = c->listens ? c->listen_count : 1;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = listen_one(h, &to[i], e);
    }
    if (rc != 0) {
        stop_listening(h, loop_listener_close);
    }
    return rc;
}

static void set_default(int64_t *value, int64_t otherwise)
{
    *value = *value > 0 ? *value : otherwise;
}

int httpd_open(struct httpd **out, struct loop *l, const struct httpd_config *c, struct err *e)
{
    struct httpd *h = calloc(1, sizeof *h);
    if (!h) {
        return err_set(e, ERR_NOMEM, "no memory for the HTTP server");
    }
    h->loop = l;
    h->config = *c;
    h->config.max_head_bytes = c->max_head_bytes ? c->max_head_bytes : HEAD_MAX_BYTES;
    h->config.max_body_bytes = c->max_body_bytes ? c->max_body_bytes : BODY_MAX_BYTES;
    h->config.max_connections = c->max_connections ? c->max_connections : CONNECTIONS_MAX;
    set_default(&h->config.head_timeout_ms, HEAD_TIMEOUT_MS);
    set_default(&h->config.body_timeout_ms, BODY_TIMEOUT_MS);
    set_default(&h->config.idle_timeout_ms, IDLE_TIMEOUT_MS);
    h->queues[HTTPD_WAIT_IDLE].timeout_ms = h->config.idle_timeout_ms;
    h->queues[HTTPD_WAIT_HEAD].timeout_ms = h->config.head_timeout_ms;
    h->queues[HTTPD_WAIT_BODY].timeout_ms = h->config.body_timeout_ms;
    h->queues[HTTPD_WAIT_SENT].timeout_ms = h->config.body_timeout_ms;
    h->queues[HTTPD_WAIT_LINGER].timeout_ms = LINGER_TIMEOUT_MS;
    h->timer_due_ms = INT64_MAX;
    loop_timer_init(&h->timer, l, LOOP_REAL_TIME, on_timer, h);
    loop_flush_init(&h->stream_flush, l, httpd_stream_on_flush, h);
    buf_init(&h->scratch, ANSWER_HEAD_MAX_BYTES);
    buf_init(&h->problem, ANSWER_HEAD_MAX_BYTES);
    int rc = listen_all(h, c, e);
    if (rc != 0) {
        free(h);
        return rc;
    }
    *out = h;
    return 0;
}

const char *httpd_address(const struct httpd *h)
{
    return h->listener_count ? loop_listener_address(h->listeners[0].listener) : "";
}

bool httpd_url(const struct httpd *h, size_t index, char out[HTTPD_URL_MAX])
{
    if (index >= h->listener_count) {
        return false;
    }
    const struct httpd_listener *one = &h->listeners[index];
    const char *address = loop_listener_address(one->listener);
    bool is_unix = str_starts_with(str_from(address), STR("unix:"));
    snprintf(out, HTTPD_URL_MAX, "%s%s",
             is_unix       ? ""
             : one->is_tls ? "https://"
                           : "http://",
             address);
    return true;
}

size_t httpd_connection_count(const struct httpd *h)
{
    return h->stream_count;
}

size_t httpd_extra(size_t max_connections)
{
    size_t extra = max_connections / 8 + 1;
    return extra < EXTRA_MAX ? extra : EXTRA_MAX;
}

void httpd_drain(struct httpd *h)
{
    struct httpd_queue *idle = &h->queues[HTTPD_WAIT_IDLE];
    int64_t now_ms = loop_now_ms(h->loop, LOOP_REAL_TIME);
    h->is_draining = true;
    stop_listening(h, loop_listener_finish);
    idle->timeout_ms = DRAIN_TIMEOUT_MS;
    for (struct httpd_request *r = idle->first; r; r = r->next) {
        r->deadline_ms = now_ms + DRAIN_TIMEOUT_MS;
        timer_see_to(h, r->deadline_ms, now_ms);
    }
}

void httpd_close(struct httpd *h, void (*on_closed)(void *ctx), void *ctx)
{
    stop_listening(h, loop_listener_close);
    h->is_closing = true;
    h->on_closed = on_closed;
    h->closed_ctx = ctx;
    for (int i = 0; i < HTTPD_WAIT_COUNT; i++) {
        struct httpd_request *next;
        for (struct httpd_request *r = h->queues[i].first; r; r = next) {
            next = r->next;
            bool is_forgotten = !r->stream && r->is_owed;
            r->is_owed = false;
            httpd_conn_close(r);
            if (is_forgotten) {
                httpd_conn_gone(r);
            }
        }
    }
    loop_flush_cancel(&h->stream_flush);
    loop_timer_stop(&h->timer);
    if (h->stream_count == 0) {
        loop_timer_start(&h->timer, 0);
    }
}

void httpd_conn_gone(struct httpd_request *r)
{
    struct httpd *h = r->server;
    if (!r->is_stream_closed || r->is_owed) {
        return;
    }
    queue_remove(r);
    buf_fini(&r->head);
    buf_fini(&r->body);
    buf_fini(&r->kept);
    buf_fini(&r->unsent);
    free(r);
    if (h->is_closing && h->stream_count == 0) {
        loop_timer_start(&h->timer, 0);
    }
}

// --- a request ----------------------------------------------------------------------------------

struct str httpd_method(const struct httpd_request *r)
{
    return r->info.method;
}

struct str httpd_path(const struct httpd_request *r)
{
    return r->info.path;
}

struct str httpd_query(const struct httpd_request *r)
{
    return r->info.query;
}

struct str httpd_header(const struct httpd_request *r, const char *name)
{
    return httpd_head_find(&r->info, name);
}

struct str httpd_header_lines(const struct httpd_request *r)
{
    return r->info.lines;
}

void httpd_peer(const struct httpd_request *r, char out[LOOP_PEER_MAX])
{
    out[0] = '\0';
    if (r->stream) {
        loop_stream_peer(r->stream, out);
    }
}

struct str httpd_body(const struct httpd_request *r)
{
    return buf_str(&r->body);
}

void httpd_set_user(struct httpd_request *r, void *user)
{
    r->user = user;
}

void *httpd_user(const struct httpd_request *r)
{
    return r->user;
}

bool httpd_query_get(const struct httpd_request *r, const char *name, struct buf *out)
{
    struct str rest = r->info.query, key, value;
    while (query_next(&rest, &key, &value)) {
        if (str_eq(key, str_from(name))) {
            query_decode(out, value);
            return true;
        }
    }
    return false;
}
