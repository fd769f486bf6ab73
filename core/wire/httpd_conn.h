// A connection of httpd and the one request that it may have under way. It is always in exactly one
// of the server's queues, by what is waited for; each queue has one timeout, so it is ordered by
// deadline, and one timer watches the heads of all of them.
#ifndef WIRE_HTTPD_CONN_H
#define WIRE_HTTPD_CONN_H

#include "wire/httpd.h"
#include "wire/httpd_answer.h"
#include "wire/httpd_chunks.h"
#include "wire/httpd_head.h"

enum httpd_wait {
    HTTPD_WAIT_IDLE,   // for the first byte of a request
    HTTPD_WAIT_HEAD,   // for the rest of a head
    HTTPD_WAIT_BODY,   // for the rest of a body
    HTTPD_WAIT_SENT,   // for the client to take an answer
    HTTPD_WAIT_LINGER, // for the client to end, after an answer that closes
    HTTPD_WAIT_ANSWER, // for the owner of the request, without a limit
    HTTPD_WAIT_STREAM, // the same, for what is to be sent next of a streamed answer
    HTTPD_WAIT_FORGOT, // the same, but the client is gone
    HTTPD_WAIT_CLOSED, // for the loop to let go of the stream
    HTTPD_WAIT_COUNT
};

struct httpd_queue {
    struct httpd_request *first, *last;
    int64_t timeout_ms; // 0: none
};

enum httpd_step {
    HTTPD_STEP_HEAD,
    HTTPD_STEP_LENGTH,
    HTTPD_STEP_CHUNKS,
    HTTPD_STEP_ANSWER,
    HTTPD_STEP_DROP
};

struct httpd_request {
    struct httpd *server;
    struct loop_stream *stream; // NULL once it is being closed
    struct httpd_request *next, *prev;
    enum httpd_wait wait;
    int64_t deadline_ms;

    enum httpd_step step;
    bool is_owed;         // its owner has it and must answer
    bool is_body_pending; // the client was still to send (some of) the body
    bool is_closing;      // the connection closes after the answer
    bool is_consuming;    // inside conn_consume, which goes on when an answer is given there
    bool is_ended;        // the client will send no more
    bool is_reading;
    bool is_stream_closed;
    bool is_streamed;       // its answer is sent piece by piece (httpd_stream.c)
    bool is_streamed_whole; // its owner has closed it: what is left is being sent
    bool is_chunked_out;    // its pieces are chunks; else the connection's end ends it

    struct httpd_head_scan scan;
    struct httpd_head info;
    struct httpd_chunks chunks;
    uint64_t body_left;
    struct buf head;
    struct buf body;
    struct buf kept; // bytes behind the request that is owed an answer
    size_t kept_at;
    struct buf unsent;    // of a streamed answer, as it goes out
    size_t sending_bytes; // of it, that the connection has not taken yet
    size_t unsent_max;    // both together
    void *user;
};

struct httpd_listener {
    struct httpd *server;
    struct loop_listener *listener;
    bool is_tls;
};

struct httpd {
    struct loop *loop;
    struct httpd_config config;
    struct httpd_listener listeners[HTTPD_LISTENERS_MAX];
    size_t listener_count;
    struct httpd_queue queues[HTTPD_WAIT_COUNT];
    struct loop_timer timer;
    int64_t timer_due_ms; // INT64_MAX: stopped
    size_t stream_count;  // not closed yet
    size_t open_count;    // of these, not being closed: each has a descriptor
    bool is_draining;
    bool is_closing;
    struct httpd_date date;
    struct buf scratch; // the head of the answer that is being sent
    struct buf problem;
    struct loop_flush stream_flush; // sends what was written to streams in this turn
    void (*on_closed)(void *ctx);
    void *closed_ctx;
};

// Puts it at the end of a queue and sees to the timer.
void httpd_wait_for(struct httpd_request *r, enum httpd_wait wait);

void httpd_conn_open(struct httpd *h, struct loop_stream *s);
// What was waited for did not come in time.
void httpd_conn_expire(struct httpd_request *r);
void httpd_conn_close(struct httpd_request *r);
// The connection broke: its owner, where it has one, is told.
void httpd_conn_broken(struct httpd_request *r);
// The whole answer is with the system: the next request's turn, or the end.
void httpd_conn_answered(struct httpd_request *r);
// Frees a buffer that grew large, empties any.
void httpd_buf_shrink(struct buf *b);
// --- httpd_stream.c
void httpd_stream_on_flush(void *ctx); // of a server
// In httpd.c: a stream is closed; frees what is left when all are.
void httpd_conn_gone(struct httpd_request *r);

#endif
