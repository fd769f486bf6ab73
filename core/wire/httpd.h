// An HTTP/1.1 server on llhttp and the loop's streams. Strict: what two parsers might read in two
// ways (both Content-Length and Transfer-Encoding, obs-fold, bare LF, a space before the colon,
// ...) is refused with 400 and the connection closed. One request of a connection at a time:
// reading stops while an answer is owed, so pipelined requests wait their turn. Loop thread only.
#ifndef WIRE_HTTPD_H
#define WIRE_HTTPD_H

#include "base/buf.h"
#include "base/log.h"
#include "loop/stream.h"
#include "wire/tls_server.h"

struct httpd;
struct httpd_request;

enum { HTTPD_LISTENERS_MAX = 16, HTTPD_URL_MAX = 160 };

struct httpd_listen {
    const char *address; // as loop_listen takes it
    int inherited_fd;    // a socket that listens already, in the place of address; 0: none
    unsigned mode;       // of a Unix socket's file; 0: by the umask
    bool is_tls;
};

struct httpd_config {
    const char *address; // the one to listen on, without TLS, where there are no listens
    const struct httpd_listen *listens; // borrowed while opening; HTTPD_LISTENERS_MAX at most
    size_t listen_count;
    struct tls_server *tls; // borrowed; for those with is_tls
    size_t max_head_bytes;  // request line and headers (default 32 KiB when 0)
    size_t max_body_bytes;  // default 8 MiB when 0; the 413 is sent before the body is read
    // Default 4096 when 0. For one more the oldest idle one is closed; where none is idle it is
    // answered 503, and those beyond httpd_extra are closed without a word.
    size_t max_connections;
    int64_t head_timeout_ms; // from the first byte to the end of the head (default 10 s)
    int64_t body_timeout_ms; // from there to the end of the body (default 60 s)
    int64_t idle_timeout_ms; // between requests (default 75 s)
    const struct log *log;   // borrowed; NULL: none
    // The head is complete, the body is not read yet: return 0 to go on (100 Continue is sent where
    // the client waits for it), or answer right here with httpd_send and return nonzero: the body
    // is then not kept and the connection closes after the answer if the client was still to send
    // one.
    int (*on_head)(void *ctx, struct httpd_request *r);
    // The request is complete. Answer now or later, exactly once, with httpd_send.
    void (*on_request)(void *ctx, struct httpd_request *r);
    // The connection broke before the request was answered (it may still be answered: that goes
    // nowhere, and httpd_send is still what frees it). A client that has only ended its own side
    // still gets its answer. May be NULL.
    void (*on_gone)(void *ctx, struct httpd_request *r);
    void *ctx;
};

int httpd_open(struct httpd **out, struct loop *l, const struct httpd_config *c, struct err *e);
// The address in force of the first listener, port filled in; empty once it stopped accepting.
const char *httpd_address(const struct httpd *h);
// "http://127.0.0.1:8080", "https://...", "unix:/path" of each, from 0 on; false behind the last.
bool httpd_url(const struct httpd *h, size_t index, char out[HTTPD_URL_MAX]);
// Stops accepting; what is accepted already may still ask, and is answered with Connection: close.
// A connection that asks for nothing in half a second is closed: at once, a request on its way
// would meet a reset. httpd_connection_count says when all are gone.
void httpd_drain(struct httpd *h);
// Closes everything; on_closed runs later, when nothing of it is left. Requests not answered are
// dropped; their owners must not answer them any more.
void httpd_close(struct httpd *h, void (*on_closed)(void *ctx), void *ctx);
size_t httpd_connection_count(const struct httpd *h);
// How many connections there may be beside max_connections, to be answered 503.
size_t httpd_extra(size_t max_connections);

// --- one request; all borrowed until it is answered ---------------------------------------------
struct str httpd_method(const struct httpd_request *r);
struct str httpd_path(const struct httpd_request *r);  // as sent (not decoded), without the query
struct str httpd_query(const struct httpd_request *r); // without '?'
// The value of a header (first one), {NULL,0} when absent; name in lower case.
struct str httpd_header(const struct httpd_request *r, const char *name);
struct str httpd_header_lines(const struct httpd_request *r); // all, each with its CRLF
// Where it came from, without the port; empty where that is not known.
void httpd_peer(const struct httpd_request *r, char out[LOOP_PEER_MAX]);
struct str httpd_body(const struct httpd_request *r);
// A query parameter decoded into out; false when absent.
bool httpd_query_get(const struct httpd_request *r, const char *name, struct buf *out);
void httpd_set_user(struct httpd_request *r, void *user);
void *httpd_user(const struct httpd_request *r);

struct httpd_answer {
    int status;
    const char *content_type;  // NULL: none
    const char *extra_headers; // whole lines with CRLF ("Retry-After: 5\r\n"), or NULL
    struct str body;           // copied or sent before httpd_send returns
};
// Answers and gives r back.
void httpd_send(struct httpd_request *r, const struct httpd_answer *a);

// --- answers that go on for as long as the client stays ------------------------------------------
// In the place of httpd_send: begins the answer (a->body comes first) and leaves r with its owner,
// until httpd_stream_close. The connection ends with it. At most `unsent_max` bytes wait for a
// client that reads slowly, and one that takes nothing for body_timeout_ms is cut off. on_gone
// tells of that, and of a client that left, even one that has only ended its own side; never from
// inside these functions, and it may close no other stream. httpd_drain leaves streams to their
// owners; httpd_close drops them.
void httpd_stream_open(struct httpd_request *r, const struct httpd_answer *a, size_t unsent_max);
// Whether the piece was taken, whole; false: there is no room for it now, or the client is gone.
// It is copied and goes out with all others of this turn of the loop. Not for an answer to HEAD.
bool httpd_stream_write(struct httpd_request *r, struct str piece);
// Gives r back; what was written is still sent.
void httpd_stream_close(struct httpd_request *r);

#endif
