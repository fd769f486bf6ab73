// Answers that are sent piece by piece. At most one write of a stream is under way: what is written
// meanwhile waits in `unsent`, which has a bound.
#include "wire/httpd_conn.h"

enum { CHUNK_FRAME_MAX_BYTES = 24 }; // a chunk's size and the two ends of line

static void stream_pump(struct httpd_request *r);

static void on_sent(void *ctx, int code)
{
    struct httpd_request *r = ctx;
    r->sending_bytes = 0;
    if (code != 0) {
        httpd_conn_broken(r);
    } else {
        stream_pump(r);
    }
}

// Sends what there is, where nothing is under way, and sees to what is waited for next.
static void stream_pump(struct httpd_request *r)
{
    if (!r->stream || r->sending_bytes > 0) {
        return;
    }
    if (r->unsent.len > 0) {
        struct str piece = buf_str(&r->unsent);
        int rc = r->unsent.failed ? ERR_NOMEM : loop_stream_send(r->stream, &piece, 1, on_sent, r);
        if (rc < 0) {
            httpd_conn_broken(r);
            return;
        }
        r->sending_bytes = rc == 0 ? piece.len : 0;
        httpd_buf_shrink(&r->unsent);
    }
    if (r->sending_bytes > 0) {
        httpd_wait_for(r, HTTPD_WAIT_SENT);
    } else if (r->is_streamed_whole) {
        httpd_conn_answered(r);
    } else if (r->wait != HTTPD_WAIT_STREAM) {
        httpd_wait_for(r, HTTPD_WAIT_STREAM);
    }
}

void httpd_stream_on_flush(void *ctx)
{
    struct httpd *h = ctx;
    struct httpd_request *next;
    // Those that are sending go on by themselves.
    for (struct httpd_request *r = h->queues[HTTPD_WAIT_STREAM].first; r; r = next) {
        next = r->next;
        if (r->unsent.len > 0 || r->unsent.failed) {
            stream_pump(r);
        }
    }
}

static void stream_append(struct httpd_request *r, struct str piece)
{
    if (!r->is_chunked_out) {
        buf_append_str(&r->unsent, piece);
    } else if (piece.len > 0) {
        buf_printf(&r->unsent, "%zx\r\n", piece.len);
        buf_append_str(&r->unsent, piece);
        buf_append_str(&r->unsent, STR("\r\n"));
    }
}

void httpd_stream_open(struct httpd_request *r, const struct httpd_answer *a, size_t unsent_max)
{
    struct httpd *h = r->server;
    r->is_streamed = true;
    if (!r->stream) {
        return;
    }
    r->is_streamed_whole = false;
    r->is_chunked_out = r->info.is_http_1_1;
    r->is_closing = true;
    r->unsent_max = unsent_max;
    r->sending_bytes = 0;
    httpd_date_update(&h->date, clock_wall_ms(loop_clock(h->loop)));
    httpd_answer_head(&r->unsent, a, h->date.text, HTTPD_CONNECTION_CLOSE,
                      r->is_chunked_out ? HTTPD_FRAMING_CHUNKED : HTTPD_FRAMING_END);
    stream_append(r, a->body);
    httpd_wait_for(r, HTTPD_WAIT_STREAM);
    loop_flush_request(&h->stream_flush);
}

bool httpd_stream_write(struct httpd_request *r, struct str piece)
{
    size_t waiting = r->unsent.len + r->sending_bytes + CHUNK_FRAME_MAX_BYTES;
    if (!r->stream || waiting > r->unsent_max || piece.len > r->unsent_max - waiting) {
        return false;
    }
    stream_append(r, piece);
    loop_flush_request(&r->server->stream_flush);
    return true;
}

void httpd_stream_close(struct httpd_request *r)
{
    r->is_owed = false;
    if (!r->stream) {
        httpd_conn_gone(r);
        return;
    }
    if (r->is_chunked_out) {
        buf_append_str(&r->unsent, STR("0\r\n\r\n"));
    }
    r->is_streamed_whole = true;
    stream_pump(r);
}
