// A stream's inside, shared by what sends and receives (stream.c) and what accepts (listener.c).
#ifndef LOOP_STREAM_INTERNAL_H
#define LOOP_STREAM_INTERNAL_H

#include "loop/internal.h"
#include "loop/stream.h"

union loop_socket {
    uv_handle_t any;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t unix_socket;
};

struct loop_stream {
    union loop_socket handle;
    struct loop *loop;
    void (*on_read)(void *ctx, char *data, long len);
    void *read_ctx;
    void (*on_closed)(void *ctx);
    void *closed_ctx;
    const struct loop_filter *filter; // NULL: none
    void *filter_ctx;
    bool is_closed;
};

// Not connected yet. NULL when memory is out.
struct loop_stream *loop_stream_new(struct loop *l, bool is_unix);

#endif
