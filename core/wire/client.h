// Sending HTTP requests: libcurl multi on the loop, names resolved by c-ares (wire/resolve.h)
// before curl sees them, addresses checked where the name is resolved and again where the socket is
// opened or used again. HTTP/2 where a server with TLS offers it, else HTTP/1.1; redirects are
// never followed; connections are kept while they are used. A proxy is used for a target that has
// one, and never because of the environment. Loop thread only.
#ifndef WIRE_CLIENT_H
#define WIRE_CLIENT_H

#include "base/buf.h"
#include "base/log.h"
#include "base/netaddr.h"
#include "loop/loop.h"
#include "wire/resolve.h"

// Why no answer came. The words are those of the API (docs/reference.md, Deliveries).
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

// What stands in the way of TLS, for advice. Beside CLIENT_TLS alone, but for the certificate that
// was asked for: some servers take the connection without one and refuse the request.
enum client_tls {
    CLIENT_TLS_FINE = 0,
    CLIENT_TLS_OTHER,         // the detail says what
    CLIENT_TLS_NAME,          // the certificate is not that host's
    CLIENT_TLS_EXPIRED,       //
    CLIENT_TLS_NOT_YET_VALID, //
    CLIENT_TLS_SELF_SIGNED,   //
    CLIENT_TLS_UNKNOWN_CA,    // an authority that is not trusted, or part of the chain is missing
    CLIENT_TLS_CERT_WANTED,   // the server asks for a client certificate; there is none for it
    CLIENT_TLS_CERT_REFUSED,  // the server does not take the client's certificate
    CLIENT_TLS_OLD,           // the server speaks no version from 1.2 on
    CLIENT_TLS_NOT_SPOKEN,    // what answers there is not TLS
    CLIENT_TLS_PROXY          // the handshake was one with the proxy
};

struct client;

// How requests to one target go where that is not as to all others.
struct client_target {
    struct str target; // "https://host:443", as url_target writes it
    struct str ca;    // trusted authorities, in the place of the system's: PEM; empty: the system's
    struct str cert;  // the client's certificate, perhaps with its chain: PEM; empty: none
    struct str key;   // its key: PEM, without a passphrase
    struct str proxy; // "http://[USER:PASSWORD@]HOST[:PORT]", or https://; empty: none
};

struct client_config {
    size_t max_connections;       // in all (default 512)
    int64_t connect_timeout_ms;   // default 5 s
    int64_t idle_ms;              // after which connections that nobody uses go (default 60 s)
    size_t max_response_bytes;    // of an answer's body that are kept (default 16 KiB)
    const struct netblock *allow; // borrowed for the client's life
    size_t allow_count;
    const char *user_agent; // copied; NULL: none is sent
    const char *ca_file;    // trusted certificates; NULL: the system's. Copied
    // Borrowed for the client's life, or NULL:
    const char *key_file;  // the public key (PEM) that servers must have, whatever else their
                           // certificates say
    const char *unix_path; // the Unix socket where all requests go, in the place of the URLs' hosts
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
    char address[46];       // the peer (with a proxy: the proxy), or empty
    enum client_tls tls;
    bool is_proxied;  // it went through the target's proxy, or was to
    int proxy_status; // with which the proxy refused; 0: it did not
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
    bool is_trusted; // an operator named its URL in the configuration: whatever its address is
    // The body of an answer 200 as it comes, borrowed until it returns, in place of being kept;
    // false: no more of it. It may take any time; timeout_ms is how long (over 5 s at a time) less
    // than a byte a second may come, in whole seconds. NULL: the body is kept.
    bool (*on_piece)(void *ctx, struct str piece);
    bool is_alone; // no other is expected to that place soon: the connection is closed after it
    void (*on_done)(void *ctx, const struct client_response *r);
    void *ctx;
};

int client_open(struct client **out, struct loop *l, const struct client_config *c, struct err *e);
// What holds from now on for requests to these targets, in the place of what held before. Copied.
// Certificates and proxies have been checked (wire/pem.h, client_proxy_check). A connection that
// was made with other certificates is not used again. ERR_NOMEM, ERR_INVALID: all is as it was.
int client_set_targets(struct client *c, const struct client_target *targets, size_t count);
// Whether the text may be a client_target's proxy. ERR_INVALID with words, which never have the
// user or the password in them.
int client_proxy_check(struct str proxy, struct err *e);
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
