#include "loop/stream.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>

#include "loop/stream_internal.h"

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    (void)suggested;
    // One buffer serves all: libuv fills it and calls on_read before it asks for another.
    struct loop_stream *s = handle->data;
    *out = uv_buf_init(s->loop->read_buffer, sizeof s->loop->read_buffer);
}

static void receive(struct loop_stream *s, char *data, long len)
{
    if (s->filter) {
        s->filter->received(s->filter_ctx, data, len);
    } else {
        s->on_read(s->read_ctx, data, len);
    }
}

static void on_read(uv_stream_t *handle, ssize_t len, const uv_buf_t *from)
{
    struct loop_stream *s = handle->data;
    if (len > 0) {
        receive(s, from->base, (long)len);
    } else if (len == UV_EOF) {
        receive(s, NULL, 0);
    } else if (len < 0) {
        uv_read_stop(handle);
        receive(s, NULL, loop_err_code((int)len));
    }
    // 0: the socket had nothing after all
}

void loop_stream_pass(struct loop_stream *s, char *data, long len)
{
    s->on_read(s->read_ctx, data, len);
}

void loop_stream_set_filter(struct loop_stream *s, const struct loop_filter *f, void *ctx)
{
    s->filter = f;
    s->filter_ctx = ctx;
}

bool loop_stream_is_closed(const struct loop_stream *s)
{
    return s->is_closed;
}

struct loop_stream *loop_stream_new(struct loop *l, bool is_unix)
{
    struct loop_stream *s = malloc(sizeof *s);
    if (!s) {
        return NULL;
    }
    s->loop = l;
    s->on_read = NULL;
    s->on_closed = NULL;
    s->is_closed = false;
    s->filter = NULL;
    if (is_unix) {
        uv_pipe_init(&l->uv, &s->handle.unix_socket, 0);
    } else {
        uv_tcp_init(&l->uv, &s->handle.tcp);
    }
    s->handle.any.data = s;
    return s;
}

void loop_stream_peer(const struct loop_stream *s, char out[LOOP_PEER_MAX])
{
    struct sockaddr_storage peer;
    int len = sizeof peer;
    out[0] = '\0';
    if (s->handle.any.type == UV_TCP && !s->is_closed &&
        uv_tcp_getpeername(&s->handle.tcp, (struct sockaddr *)&peer, &len) == 0) {
        uv_ip_name((const struct sockaddr *)&peer, out, LOOP_PEER_MAX);
    }
}

void loop_stream_on_read(struct loop_stream *s, void (*on_data)(void *ctx, char *data, long len),
                         void *ctx)
{
    s->on_read = on_data;
    s->read_ctx = ctx;
}

void loop_stream_read_start(struct loop_stream *s)
{
    if (!s->is_closed) {
        uv_read_start(&s->handle.stream, on_alloc, on_read);
    }
}

void loop_stream_read_stop(struct loop_stream *s)
{
    uv_read_stop(&s->handle.stream);
}

bool loop_stream_has_input(const struct loop_stream *s)
{
    uv_os_fd_t fd;
    if (s->is_closed || uv_fileno(&s->handle.any, &fd) != 0) {
        return false;
    }
    struct pollfd asked = {.fd = fd, .events = POLLIN};
    return poll(&asked, 1, 0) > 0;
}

struct send {
    uv_write_t request;
    void (*on_sent)(void *ctx, int code);
    void *ctx;
    char data[];
};

static void on_written(uv_write_t *request, int status)
{
    struct send *send = request->data;
    struct loop_stream *s = request->handle->data;
    void (*on_sent)(void *ctx, int code) = send->on_sent;
    void *ctx = send->ctx;
    free(send);
    if (on_sent && !s->is_closed) {
        on_sent(ctx, loop_err_code(status));
    }
}

// Copies what is behind the first `skip` bytes of the pieces and leaves it to libuv.
static int queue_rest(struct loop_stream *s, const uv_buf_t *pieces, size_t count, size_t skip,
                      size_t total, void (*on_sent)(void *ctx, int code), void *ctx)
{
    struct send *send = malloc(sizeof *send + (total - skip));
    if (!send) {
        return ERR_NOMEM;
    }
    send->request.data = send;
    send->on_sent = on_sent;
    send->ctx = ctx;
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        if (skip >= pieces[i].len) {
            skip -= pieces[i].len;
            continue;
        }
        memcpy(send->data + len, pieces[i].base + skip, pieces[i].len - skip);
        len += pieces[i].len - skip;
        skip = 0;
    }
    uv_buf_t rest = {.base = send->data, .len = len};
    int rc = uv_write(&send->request, &s->handle.stream, &rest, 1, on_written);
    if (rc != 0) {
        free(send);
    }
    return loop_err_code(rc);
}

int loop_stream_send(struct loop_stream *s, const struct str *pieces, size_t count,
                     void (*on_sent)(void *ctx, int code), void *ctx)
{
    if (s->filter && !s->is_closed) {
        return s->filter->send(s->filter_ctx, pieces, count, on_sent, ctx);
    }
    return loop_stream_send_raw(s, pieces, count, on_sent, ctx);
}

int loop_stream_send_raw(struct loop_stream *s, const struct str *pieces, size_t count,
                         void (*on_sent)(void *ctx, int code), void *ctx)
{
    assert(count <= LOOP_SEND_PIECES_MAX);
    if (s->is_closed) {
        return ERR_CLOSED;
    }
    uv_buf_t bufs[LOOP_SEND_PIECES_MAX];
    size_t used = 0;
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].len > 0) {
            bufs[used++] = (uv_buf_t){.base = (char *)pieces[i].data, .len = pieces[i].len};
            total += pieces[i].len;
        }
    }
    if (total == 0) {
        return 1;
    }
    int written = uv_try_write(&s->handle.stream, bufs, (unsigned)used);
    if (written < 0 && written != UV_EAGAIN) {
        return loop_err_code(written);
    }
    size_t skip = written > 0 ? (size_t)written : 0;
    return skip == total ? 1 : queue_rest(s, bufs, used, skip, total, on_sent, ctx);
}

static void on_ended(uv_shutdown_t *request, int status)
{
    (void)status; // a broken stream is told to the reader
    free(request);
}

void loop_stream_end(struct loop_stream *s)
{
    if (s->filter && !s->is_closed) {
        s->filter->end(s->filter_ctx);
    }
    uv_shutdown_t *request = s->is_closed ? NULL : malloc(sizeof *request);
    // Without it the peer learns of the end by the close that follows.
    if (request && uv_shutdown(request, &s->handle.stream, on_ended) != 0) {
        free(request);
    }
}

size_t loop_stream_queued_bytes(const struct loop_stream *s)
{
    return uv_stream_get_write_queue_size(&s->handle.stream);
}

static void on_closed(uv_handle_t *handle)
{
    struct loop_stream *s = handle->data;
    void (*done)(void *ctx) = s->on_closed;
    void *ctx = s->closed_ctx;
    if (s->filter) {
        s->filter->free(s->filter_ctx);
    }
    free(s);
    if (done) {
        done(ctx);
    }
}

void loop_stream_close(struct loop_stream *s, void (*done)(void *ctx), void *ctx)
{
    if (s->is_closed) {
        return;
    }
    if (s->filter) {
        s->filter->close(s->filter_ctx);
    }
    s->is_closed = true;
    s->on_closed = done;
    s->closed_ctx = ctx;
    uv_close(&s->handle.any, on_closed);
}
