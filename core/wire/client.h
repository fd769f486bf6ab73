// Sending HTTP requests: libcurl multi on the loop, names resolved by c-ares (wire/resolve.h)
// before curl sees them, addresses checked where the name is resolved and again where the socket is
// opened or used again. HTTP/1.1; redirects are never followed, no proxy is used, connections are
// kept. Loop thread only.
#ifndef WIRE_CLIENT_H
#define WIRE_CLIENT_H

#include "base/buf.h"
#include "base/log.h"
#include "base/netaddr.h"
#include "loop/loop.h"
#include "wire/resolve.h"

// Why no answer came. The words are those of the API (SPEC 5).
enum client_error {
    CLIENT_OK = 0, // an answer came, whatever its status
    CLIENT_DNS,
    CLIENT_CONNECT,
    CLIENT_TLS,
    CLIENT_TIMEOUT,
    CLIENT_RESET,    // the connection broke after it was made
    CLIENT_PROTOCOL, // what came is not HTTP
    CLIENT_ADDRESS_REFUSED
};
const char *client_error_word(enum client_error e); // "dns", "connect", ...; NULL for CLIENT_OK

struct client;

struct client_config {
    size_t max_connections;       // in all (default 512)
    int64_t connect_timeout_ms;   // default 5 s
    size_t max_response_bytes;    // of an answer's body that are kept (default 16 KiB)
    const struct netblock *allow; // borrowed for the client's life
    size_t allow_count;
    const char *user_agent;          // copied; NULL: none is sent
    const char *ca_file;             // trusted certificates; NULL: the system's. Copied
    struct resolver_config resolver; // zeroed: the system's
    const struct log *log;           // borrowed; NULL: none
};

struct client_header {
    struct str name;
    struct str value;
};

// All borrowed until on_done returns.
struct client_response {
    enum client_error error;
    char detail[256];       // for people: what failed, in words; empty where all is well
    int status;             // 0 where none came; it may be there with an error (the body broke off)
    struct str headers;     // "name: value\n" lines, names as sent, at most 16 KiB of whole lines
    struct str body;        // the first max_response_bytes
    bool body_is_truncated; // there was more: the connection was closed, the status decides
    int64_t elapsed_ms;     // real time from client_send to the end
    int64_t retry_after_ms; // from Retry-After (seconds or a date, RFC 9110 10.2.3); -1: none
    char address[46];       // the peer, or empty
};

struct client_request {
    struct str method; // GET POST PUT PATCH DELETE
    const char *url;   // NUL-terminated
    const struct client_header *headers;
    size_t header_count;
    struct str body; // sent with POST, PUT and PATCH alone, and then with Content-Length; borrowed
                     // until on_done, or until client_close returns
    int64_t timeout_ms;                // in all (0: 30 s; 10 min at most)
    size_t max_response_bytes;         // of this answer's body that are kept; 0: as configured
    const struct netblock *also_allow; // one more block, for this request (redirect-all), or NULL
    bool is_alone; // no other is expected to that place soon: the connection is closed after it
    void (*on_done)(void *ctx, const struct client_response *r);
    void *ctx;
};

int client_open(struct client **out, struct loop *l, const struct client_config *c, struct err *e);
// Starts a request. All but the body is copied before it returns; on_done runs later, exactly once,
// never inside this call. Headers that curl would add by itself (Accept, Expect, a form's
// Content-Type) are not sent. ERR_NOMEM; ERR_INVALID for another method, or CR, LF or NUL in a
// header. The caller bounds how many are under way; over max_connections they wait in curl.
int client_send(struct client *c, const struct client_request *q);
size_t client_in_flight(const struct client *c);
// Abandons what is under way (on_done runs for none of it, nor after this call); on_closed, later,
// when nothing is left. May be called from on_done.
void client_close(struct client *c, void (*on_closed)(void *ctx), void *ctx);

// A Retry-After value in milliseconds from now, -1 when it is neither seconds nor a date.
int64_t client_retry_after_ms(const char *value, int64_t wall_ms);

#endif
