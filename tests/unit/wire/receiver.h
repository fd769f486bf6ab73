// A receiver of requests on the loop, that answers byte for byte what the test says.
#ifndef UNIT_WIRE_RECEIVER_H
#define UNIT_WIRE_RECEIVER_H

#include "loop/stream.h"
#include "wire/peer.h"

enum receiver_after {
    RECEIVER_KEEPS,
    RECEIVER_CLOSES,
    RECEIVER_FLOODS // sends `answer` thousands of times
};

enum { RECEIVER_STREAMS_MAX = 600 };

struct receiver_stream {
    struct receiver *receiver;
    struct loop_stream *stream; // NULL: free or closed
    struct buf got;
};

struct receiver {
    struct loop *loop;
    struct loop_listener *listener;
    struct receiver_stream streams[RECEIVER_STREAMS_MAX];
    size_t stream_count; // ever opened
    size_t open_count;
    size_t open_max;
    size_t request_count;
    struct buf last; // the last request
    char url[64];    // http://127.0.0.1:PORT

    struct str answer; // empty: silence
    enum receiver_after after;
    const char *held; // a request with this in it gets no answer
};

static inline void receiver_drop(struct receiver_stream *s)
{
    if (s->stream) {
        loop_stream_close(s->stream, NULL, NULL);
        s->stream = NULL;
        s->receiver->open_count--;
        buf_fini(&s->got);
    }
}

static inline void receiver_on_sent(void *ctx, int code);

static inline void receiver_answer(struct receiver_stream *s)
{
    struct receiver *r = s->receiver;
    if (r->answer.len == 0 && r->after == RECEIVER_KEEPS) {
        return;
    }
    int rc = 1;
    for (int i = 0; rc > 0 && i < 20000; i++) {
        rc = loop_stream_send(s->stream, &r->answer, 1, receiver_on_sent, s);
        if (r->after != RECEIVER_FLOODS) {
            break;
        }
    }
    if (rc < 0 || (rc > 0 && r->after == RECEIVER_CLOSES)) {
        receiver_drop(s);
    }
}

static inline void receiver_on_sent(void *ctx, int code)
{
    struct receiver_stream *s = ctx;
    if (code != 0 || s->receiver->after == RECEIVER_CLOSES) {
        receiver_drop(s);
    } else if (s->receiver->after == RECEIVER_FLOODS) {
        receiver_answer(s);
    }
}

static inline void receiver_on_read(void *ctx, char *data, long len)
{
    struct receiver_stream *s = ctx;
    struct receiver *r = s->receiver;
    if (len <= 0) {
        receiver_drop(s);
        return;
    }
    buf_append(&s->got, data, (size_t)len);
    const char *end = memmem(s->got.data, s->got.len, "\r\n\r\n", 4);
    if (!end) {
        return;
    }
    size_t head = (size_t)(end + 4 - s->got.data);
    const char *length = memmem(s->got.data, head, "\r\nContent-Length: ", 18);
    if (s->got.len < head + (length ? (size_t)atol(length + 18) : 0)) {
        return;
    }
    buf_reset(&r->last);
    buf_append_str(&r->last, buf_str(&s->got));
    r->request_count++;
    bool is_held = r->held && text_holds(buf_str(&s->got), r->held);
    buf_reset(&s->got);
    if (!is_held) {
        receiver_answer(s);
    }
}

static inline void receiver_on_stream(void *ctx, struct loop_stream *stream)
{
    struct receiver *r = ctx;
    assert_true(r->stream_count < RECEIVER_STREAMS_MAX);
    struct receiver_stream *s = &r->streams[r->stream_count++];
    r->open_count++;
    r->open_max = r->open_count > r->open_max ? r->open_count : r->open_max;
    *s = (struct receiver_stream){.receiver = r, .stream = stream};
    buf_init(&s->got, PEER_MAX_BYTES);
    loop_stream_on_read(stream, receiver_on_read, s);
    loop_stream_read_start(stream);
}

static inline void receiver_open(struct receiver *r, struct loop *l)
{
    memset(r, 0, sizeof *r);
    r->loop = l;
    buf_init(&r->last, PEER_MAX_BYTES);
    struct loop_listener_config c = {
        .address = "127.0.0.1:0", .on_stream = receiver_on_stream, .ctx = r};
    assert_int_equal(loop_listen(&r->listener, l, &c, NULL), 0);
    snprintf(r->url, sizeof r->url, "http://%s", loop_listener_address(r->listener));
}

static inline void receiver_close(struct receiver *r)
{
    loop_listener_close(r->listener);
    for (size_t i = 0; i < r->stream_count; i++) {
        receiver_drop(&r->streams[i]);
    }
    buf_fini(&r->last);
}

#endif
