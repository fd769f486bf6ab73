// Listening sockets and byte streams (TCP, Unix) on the loop. Loop thread only.
#ifndef LOOP_STREAM_H
#define LOOP_STREAM_H

#include "base/str.h"
#include "loop/loop.h"

struct loop_listener;
struct loop_stream;

struct loop_listener_config {
    const char *address; // "127.0.0.1:8080", "[::1]:0", ":8080", or "unix:/path"
    int inherited_fd;    // a socket that listens already, in the place of address; 0: none
    unsigned mode;       // of a Unix socket's file that is made; 0: by the umask
    int backlog;         // 0: the usual one
    void (*on_stream)(void *ctx, struct loop_stream *s); // the callee owns s
    void *ctx;
};

// ERR_BUSY where the address is in use, ERR_REFUSED where it is not allowed, ERR_INVALID, ERR_IO.
// ":8080" is every address of the machine, IPv4 and IPv6. A Unix socket file that nobody answers on
// is replaced; one that somebody answers on is ERR_BUSY. An inherited socket outlives the listener
// in whoever passed it on: what waits in it is the next process's; it is closed here alone.
int loop_listen(struct loop_listener **out, struct loop *l, const struct loop_listener_config *c,
                struct err *e);
// The address in force ("127.0.0.1:41833"), borrowed until close.
const char *loop_listener_address(const struct loop_listener *s);
// No on_stream after this; a Unix socket file is removed, but not an inherited one's.
void loop_listener_close(struct loop_listener *s);
// The same, but what the kernel has accepted for us is taken first (on_stream runs inside): closing
// would reset it. Of an inherited socket nothing is taken.
void loop_listener_finish(struct loop_listener *s);

enum { LOOP_PEER_MAX = 64 };
// The other end's address without its port; empty for a Unix socket, or where it is gone.
void loop_stream_peer(const struct loop_stream *s, char out[LOOP_PEER_MAX]);

// A new stream does not read yet. on_read: len > 0 bytes, borrowed until it returns; len 0: the
// peer has ended; len < 0: broken.
void loop_stream_on_read(struct loop_stream *s, void (*on_read)(void *ctx, char *data, long len),
                         void *ctx);
void loop_stream_read_start(struct loop_stream *s);
void loop_stream_read_stop(struct loop_stream *s);

// Whether something waits to be read, the peer's end too.
bool loop_stream_has_input(const struct loop_stream *s);

enum { LOOP_SEND_PIECES_MAX = 4 };

// Sends up to 4 pieces in one system call where the socket takes them; what is left is copied and
// sent later, then on_sent (may be NULL) runs with 0 or an error. Returns 1 when all went out at
// once (on_sent does not run), 0 when some is queued, negative on a broken stream (on_sent does not
// run).
int loop_stream_send(struct loop_stream *s, const struct str *pieces, size_t count,
                     void (*on_sent)(void *ctx, int code), void *ctx);
// Ends our side after what is queued (the peer reads an end); reading goes on. A server that
// answers before it has read all does this, reads on to the peer's end, then closes: a close with
// unread bytes would reset the connection and take the answer with it. Sending after it is an
// error.
void loop_stream_end(struct loop_stream *s);
size_t loop_stream_queued_bytes(const struct loop_stream *s);
// What is queued is dropped. No callback of s after this but on_closed (may be NULL).
void loop_stream_close(struct loop_stream *s, void (*on_closed)(void *ctx), void *ctx);

// --- a filter between the socket and the stream's owner, such as TLS
// ---------------------------------------------------------------- The owner uses the stream as if
// there were none; its bytes go through the filter, both ways.
struct loop_filter {
    // What came over the socket, as on_read has it; loop_stream_pass hands on what it means.
    void (*received)(void *ctx, char *data, long len);
    // As loop_stream_send.
    int (*send)(void *ctx, const struct str *pieces, size_t count,
                void (*on_sent)(void *ctx, int code), void *sent_ctx);
    // Our side ends, or all does: a last word may be sent. Nothing is asked of it after close.
    void (*end)(void *ctx);
    void (*close)(void *ctx);
    void (*free)(void *ctx); // the stream is gone
};

// Before anything is read or sent. f and ctx live until free has run.
void loop_stream_set_filter(struct loop_stream *s, const struct loop_filter *f, void *ctx);
// For the filter alone: to the owner's on_read, which may close the stream; past the filter to the
// socket; whether the stream is being closed.
void loop_stream_pass(struct loop_stream *s, char *data, long len);
int loop_stream_send_raw(struct loop_stream *s, const struct str *pieces, size_t count,
                         void (*on_sent)(void *ctx, int code), void *ctx);
bool loop_stream_is_closed(const struct loop_stream *s);

#endif
