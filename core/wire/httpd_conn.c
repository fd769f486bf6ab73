#include "wire/httpd_conn.h"

#include <stdlib.h>

enum {
    BUFFER_KEPT_BYTES = 16 * 1024, // a buffer that grew beyond it is freed after the request
    BODY_RESERVE_BYTES = 64 * 1024
};

static void conn_resume(struct httpd_request *r);

// --- closing ------------------------------------------------------------------------------------

static void on_stream_closed(void *ctx)
{
    struct httpd_request *r = ctx;
    r->is_stream_closed = true;
    r->server->stream_count--;
    httpd_conn_gone(r);
}

void httpd_conn_close(struct httpd_request *r)
{
    if (r->stream) {
        loop_stream_close(r->stream, on_stream_closed, r);
        r->stream = NULL;
        r->server->open_count--;
        r->step = HTTPD_STEP_DROP;
        httpd_wait_for(r, r->is_owed ? HTTPD_WAIT_FORGOT : HTTPD_WAIT_CLOSED);
    }
}

static void conn_read(struct httpd_request *r, bool is_wanted)
{
    if (is_wanted && !r->is_reading && !r->is_ended) {
        loop_stream_read_start(r->stream);
        r->is_reading = true;
    } else if (!is_wanted && r->is_reading) {
        loop_stream_read_stop(r->stream);
        r->is_reading = false;
    }
}

// --- answers ------------------------------------------------------------------------------------

void httpd_buf_shrink(struct buf *b)
{
    if (b->cap > BUFFER_KEPT_BYTES) {
        buf_fini(b);
    }
    buf_reset(b);
}

void httpd_conn_answered(struct httpd_request *r)
{
    if (r->is_closing) {
        bool is_unread = r->is_body_pending || r->kept.len > r->kept_at;
        if (r->is_ended || !is_unread) {
            httpd_conn_close(r);
            return;
        }
        // Closing with bytes unread would reset the connection, and the client would lose the
        // answer (RFC 9112 9.6): our end first, then its bytes dropped for a moment.
        loop_stream_end(r->stream);
        buf_fini(&r->kept);
        r->step = HTTPD_STEP_DROP;
        conn_read(r, true);
        httpd_wait_for(r, HTTPD_WAIT_LINGER);
        return;
    }
    r->step = HTTPD_STEP_HEAD;
    r->scan = (struct httpd_head_scan){.start = 0};
    r->info = (struct httpd_head){.method = {NULL, 0}};
    httpd_buf_shrink(&r->head);
    httpd_buf_shrink(&r->body);
    r->user = NULL;
    httpd_wait_for(r, HTTPD_WAIT_IDLE);
    if (!r->is_consuming) {
        conn_resume(r);
    }
}

static void on_answer_sent(void *ctx, int code)
{
    struct httpd_request *r = ctx;
    if (code != 0) {
        httpd_conn_close(r);
    } else {
        httpd_conn_answered(r);
    }
}

static void conn_send(struct httpd_request *r, const struct httpd_answer *a)
{
    struct httpd *h = r->server;
    bool is_1_0 = r->info.method.data && !r->info.is_http_1_1;
    bool keeps = is_1_0 ? r->info.wants_keep_alive && !r->info.wants_close : !r->info.wants_close;
    r->is_closing = r->is_closing || !keeps || h->is_draining || r->is_body_pending;
    httpd_date_update(&h->date, clock_wall_ms(loop_clock(h->loop)));
    buf_reset(&h->scratch);
    httpd_answer_head(&h->scratch, a, h->date.text,
                      r->is_closing ? HTTPD_CONNECTION_CLOSE
                      : is_1_0      ? HTTPD_CONNECTION_KEEP
                                    : HTTPD_CONNECTION_UNSAID,
                      HTTPD_FRAMING_LENGTH);
    bool has_body = a->body.len > 0 && !r->info.is_head && httpd_status_has_body(a->status);
    struct str pieces[2] = {buf_str(&h->scratch), a->body};
    int rc = h->scratch.failed
                 ? ERR_NOMEM
                 : loop_stream_send(r->stream, pieces, has_body ? 2 : 1, on_answer_sent, r);
    if (rc < 0) {
        httpd_conn_close(r);
    } else if (rc == 0) {
        r->step = HTTPD_STEP_ANSWER;
        httpd_wait_for(r, HTTPD_WAIT_SENT);
    } else {
        httpd_conn_answered(r);
    }
}

static void conn_refuse(struct httpd_request *r, const struct httpd_refusal *why)
{
    struct httpd *h = r->server;
    if (h->config.log) {
        log_write(h->config.log, LOG_DEBUG, NULL, 0, "a request was refused with %d: %s",
                  why->status, why->detail);
    }
    r->is_closing = true;
    r->is_body_pending = true; // whatever follows is not understood
    buf_reset(&h->problem);
    httpd_answer_problem(&h->problem, why->status, why->detail);
    conn_send(r, &(struct httpd_answer){.status = why->status,
                                        .content_type = "application/problem+json",
                                        .body = buf_str(&h->problem)});
}

void httpd_send(struct httpd_request *r, const struct httpd_answer *a)
{
    r->is_owed = false;
    if (r->stream) {
        conn_send(r, a);
    } else {
        httpd_conn_gone(r);
    }
}

// --- requests -----------------------------------------------------------------------------------

static void conn_owe(struct httpd_request *r)
{
    r->is_owed = true;
    r->step = HTTPD_STEP_ANSWER;
    httpd_wait_for(r, HTTPD_WAIT_ANSWER);
}

static void conn_request_complete(struct httpd_request *r)
{
    r->is_body_pending = false;
    conn_owe(r);
    r->server->config.on_request(r->server->config.ctx, r);
}

// on_head may answer, and even close the server: what it left is looked at afterwards.
static bool conn_is_agreed(struct httpd_request *r)
{
    struct httpd *h = r->server;
    conn_owe(r);
    int rc = h->config.on_head ? h->config.on_head(h->config.ctx, r) : 0;
    if (rc != 0 || !r->is_owed || !r->stream) {
        return false;
    }
    r->is_owed = false;
    return true;
}

static void conn_head_complete(struct httpd_request *r, size_t end)
{
    struct httpd *h = r->server;
    struct httpd_refusal why;
    if (!httpd_head_parse(&r->info, &r->scan, r->head.data, end, &why)) {
        conn_refuse(r, &why);
        return;
    }
    bool has_body = r->info.is_chunked || r->info.content_length > 0;
    r->is_body_pending = has_body;
    if (r->info.content_length > h->config.max_body_bytes) {
        conn_refuse(r, &(struct httpd_refusal){413, "The body is too large."});
        return;
    }
    if (!conn_is_agreed(r)) {
        return;
    }
    if (!has_body) {
        conn_request_complete(r);
        return;
    }
    r->step = r->info.is_chunked ? HTTPD_STEP_CHUNKS : HTTPD_STEP_LENGTH;
    r->chunks = (struct httpd_chunks){.state = 0};
    r->body_left = r->info.content_length;
    // A length is only a promise: memory for much of it is taken as it comes.
    if (r->body_left <= BODY_RESERVE_BYTES) {
        buf_reserve(&r->body, (size_t)r->body_left);
    }
    httpd_wait_for(r, HTTPD_WAIT_BODY);
    struct str go_on = STR("HTTP/1.1 100 Continue\r\n\r\n");
    if (r->info.expects_continue && loop_stream_send(r->stream, &go_on, 1, NULL, NULL) < 0) {
        httpd_conn_close(r);
    }
}

// Each of these returns how many of the bytes it took.

static size_t conn_take_head(struct httpd_request *r, const char *data, size_t len)
{
    size_t before = r->head.len;
    size_t max = r->server->config.max_head_bytes;
    size_t taken = len < max + 1 - before ? len : max + 1 - before;
    if (buf_append(&r->head, data, taken) != 0) {
        conn_refuse(r, &(struct httpd_refusal){503, "There is no memory for the request."});
        return len;
    }
    size_t end;
    struct httpd_refusal why;
    switch (httpd_head_scan(&r->scan, r->head.data, r->head.len, &end, &why)) {
    case HTTPD_HEAD_COMPLETE:
        if (end <= max) {
            r->head.len = end;
            conn_head_complete(r, end);
            return end - before;
        }
        break;
    case HTTPD_HEAD_REFUSED:
        conn_refuse(r, &why);
        return len;
    default:
        if (r->head.len <= max) {
            if (r->wait == HTTPD_WAIT_IDLE) {
                httpd_wait_for(r, HTTPD_WAIT_HEAD);
            }
            return taken;
        }
    }
    conn_refuse(r, &(struct httpd_refusal){431, "The head of the request is too large."});
    return len;
}

static size_t conn_take_length(struct httpd_request *r, const char *data, size_t len)
{
    size_t taken = len < r->body_left ? len : (size_t)r->body_left;
    if (buf_append(&r->body, data, taken) != 0) {
        conn_refuse(r, &(struct httpd_refusal){503, "There is no memory for the body."});
        return len;
    }
    r->body_left -= taken;
    if (r->body_left == 0) {
        conn_request_complete(r);
    }
    return taken;
}

static size_t conn_take_chunks(struct httpd_request *r, const char *data, size_t len)
{
    size_t taken = 0;
    struct httpd_refusal why;
    switch (httpd_chunks_take(&r->chunks, data, len, &r->body, &taken, &why)) {
    case HTTPD_CHUNKS_REFUSED:
        conn_refuse(r, &why);
        return len;
    case HTTPD_CHUNKS_END:
        conn_request_complete(r);
        return taken;
    default:
        return taken;
    }
}

// Takes bytes until an answer is owed; returns how many. What it calls may answer, refuse or close.
static size_t conn_consume(struct httpd_request *r, const char *data, size_t len)
{
    size_t at = 0;
    r->is_consuming = true;
    while (at < len && r->step != HTTPD_STEP_ANSWER) {
        switch (r->step) {
        case HTTPD_STEP_HEAD:
            at += conn_take_head(r, data + at, len - at);
            break;
        case HTTPD_STEP_LENGTH:
            at += conn_take_length(r, data + at, len - at);
            break;
        case HTTPD_STEP_CHUNKS:
            at += conn_take_chunks(r, data + at, len - at);
            break;
        default:
            at = len;
        }
    }
    r->is_consuming = false;
    return at;
}

// Goes on with what was kept while an answer was owed, then with the stream.
static void conn_resume(struct httpd_request *r)
{
    if (r->kept.len > r->kept_at) {
        r->kept_at += conn_consume(r, r->kept.data + r->kept_at, r->kept.len - r->kept_at);
    }
    if (!r->stream || r->kept.len > r->kept_at) {
        return;
    }
    r->kept_at = 0;
    httpd_buf_shrink(&r->kept);
    if (r->is_ended && r->step != HTTPD_STEP_ANSWER) {
        httpd_conn_close(r);
        return;
    }
    conn_read(r, true);
}

static void conn_ended(struct httpd_request *r)
{
    conn_read(r, false);
    r->is_ended = true;
    // Of one that only listens an end is all that tells that it has left.
    if (r->is_streamed) {
        httpd_conn_broken(r);
        return;
    }
    // A client may end its side and still wait for the answer (RFC 9112 9.6).
    if (r->step != HTTPD_STEP_ANSWER) {
        httpd_conn_close(r);
    }
}

void httpd_conn_broken(struct httpd_request *r)
{
    struct httpd *h = r->server;
    bool was_owed = r->is_owed;
    httpd_conn_close(r);
    if (was_owed && h->config.on_gone) {
        h->config.on_gone(h->config.ctx, r);
    }
}

static void on_read(void *ctx, char *data, long len)
{
    struct httpd_request *r = ctx;
    if (len == 0) {
        conn_ended(r);
        return;
    }
    if (len < 0) {
        httpd_conn_broken(r);
        return;
    }
    size_t used = conn_consume(r, data, (size_t)len);
    if (!r->stream || used == (size_t)len) {
        return;
    }
    // Pipelined: no more is read until this is used up.
    if (buf_append(&r->kept, data + used, (size_t)len - used) != 0) {
        httpd_conn_broken(r);
        return;
    }
    conn_read(r, false);
}

// --- life ---------------------------------------------------------------------------------------

void httpd_conn_expire(struct httpd_request *r)
{
    if (r->wait == HTTPD_WAIT_HEAD) {
        conn_refuse(r,
                    &(struct httpd_refusal){408, "The head of the request did not come in time."});
    } else if (r->wait == HTTPD_WAIT_BODY) {
        conn_refuse(r, &(struct httpd_refusal){408, "The body did not come in time."});
    } else if (r->wait == HTTPD_WAIT_IDLE && r->is_reading && loop_stream_has_input(r->stream)) {
        httpd_wait_for(r, HTTPD_WAIT_IDLE); // it came just now, and is read in this turn
    } else {
        httpd_conn_broken(r);
    }
}

void httpd_conn_open(struct httpd *h, struct loop_stream *s)
{
    // Clients that ask for nothing keep nobody out: the one that did so the longest goes.
    if (h->open_count >= h->config.max_connections && h->queues[HTTPD_WAIT_IDLE].first) {
        httpd_conn_close(h->queues[HTTPD_WAIT_IDLE].first);
    }
    bool is_over = h->open_count >= h->config.max_connections;
    struct httpd_request *r = NULL;
    if (h->open_count < h->config.max_connections + httpd_extra(h->config.max_connections)) {
        r = calloc(1, sizeof *r);
    }
    if (!r) {
        loop_stream_close(s, NULL, NULL);
        return;
    }
    h->stream_count++;
    h->open_count++;
    r->server = h;
    r->stream = s;
    buf_init(&r->head, h->config.max_head_bytes + 1);
    buf_init(&r->body, h->config.max_body_bytes);
    buf_init(&r->unsent, SIZE_MAX);
    buf_init(&r->kept, SIZE_MAX); // one read at most: reading stops while something is kept
    r->wait = HTTPD_WAIT_COUNT;
    loop_stream_on_read(s, on_read, r);
    httpd_wait_for(r, HTTPD_WAIT_IDLE);
    if (is_over) {
        conn_refuse(r, &(struct httpd_refusal){503, "There are too many connections."});
    } else {
        conn_read(r, true);
    }
}
