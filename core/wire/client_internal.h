// The client's inside, for its files: client.c (transfers and their life), client_route.c (names,
// addresses, proxies), client_target.c (what holds for some targets alone), client_request.c (what
// goes out), client_multi.c (curl's sockets and timers on the loop), client_answer.c (what comes
// back), client_tls.c (what was wrong with TLS).
#ifndef WIRE_CLIENT_INTERNAL_H
#define WIRE_CLIENT_INTERNAL_H

#include <curl/curl.h>

#include "base/map.h"
#include "encode/url.h"
#include "wire/client.h"

// What holds for one target; shared by the table and the easy handles that it is set on.
struct target_route {
    size_t refs;
    char *target;
    struct str ca, cert, key;          // PEM
    char *proxy;                       // "http://host:port"; NULL: none
    char *proxy_user, *proxy_password; // NULL: none
    struct url proxy_parts;            // borrowed from proxy
    bool is_proxy_literal;
};

// One request. Transfers and their easy handles are used again: what is constant is set once, and
// what is as it was the last time is not set again.
struct transfer {
    struct client *client;
    struct transfer *next, *prev;
    struct transfer_list *list; // the one it is in
    CURL *easy;

    // as the easy handle has them
    int method;
    long http_version;
    long timeout_ms;
    long silence_s;             // that a body read in pieces may have; 0: any
    struct buf url;             // NUL-terminated
    bool is_url_parsed;         // what follows is of this URL
    struct url parts;           // borrowed from it
    bool is_literal;            // its host is an address
    struct netaddr literal;     // ... this one
    struct target_route *route; // what holds for its target; NULL: what holds for all
    bool is_route_set;          // on the easy handle
    unsigned targets_version;   // of the table that the route is from; 0: of none
    struct buf header_text;
    struct curl_slist *header_nodes;
    size_t header_cap;
    struct buf resolve_text;
    struct curl_slist resolve_nodes[2];
    char connect_to_text[64];
    struct curl_slist connect_to;

    // the request
    struct str body;
    struct netblock also_allow;
    bool is_trusted;
    bool has_also_allow;
    bool is_fresh;           // a second try, on a connection of its own
    bool is_resolving_proxy; // the proxy's name, not the target's
    int64_t started_ms;
    int64_t limit_ms;
    struct resolve_wait wait;
    struct loop_timer resolve_timer;
    bool (*on_piece)(void *ctx, struct str piece);
    void (*on_done)(void *ctx, const struct client_response *r);
    void *ctx;

    // the answer
    struct client_response response;
    struct buf headers;
    struct buf body_kept;
    size_t header_bytes;     // of all heads, the interim ones (1xx) too
    unsigned tunnel_steps;   // of curl, until its proxy had connected it
    bool is_head_done;       // what comes now are trailers
    bool is_headers_full;    // no more lines are kept
    bool is_flooded;         // cut for its headers
    bool is_refused;         // an address was refused
    bool is_refused_reused;  // that of a kept connection
    const void *tls_context; // OpenSSL's of the connection that it opens; to be compared alone
    bool is_cert_wanted;     // the server asked for a client certificate, and there is none
    char retry_after[64];
    char error_text[CURL_ERROR_SIZE];
};

struct transfer_list {
    struct transfer *first;
    size_t count;
};

struct client_socket {
    struct loop_poll *poll;
    int wanted;   // LOOP_READABLE | LOOP_WRITABLE as curl asked; 0: a kept connection
    bool is_ours; // opened by on_open_socket, so closed by on_close_socket
    bool is_tls;
    struct netaddr peer;
    int64_t heard_ms; // when something last came, by loop_now_ms(LOOP_REAL_TIME)
};

struct client {
    struct loop *loop;
    struct client_config config;
    char *user_agent;
    char *ca_file;
    struct resolver *resolver;
    CURLM *multi;
    struct loop_timer multi_timer;
    struct loop_timer idle_timer; // runs while there may be connections that nobody uses
    bool is_idle_timer_on;
    int64_t used_ms;          // when the last transfer ended
    struct map targets;       // by target_route.target
    unsigned targets_version; // from 1 on
    struct loop_timer kick;   // failures to tell; the end of client_close
    struct transfer_list pool;
    struct transfer_list resolving; // wait for the resolver
    struct transfer_list running;   // curl has them
    struct transfer_list failed;    // their on_done runs at the next turn
    struct transfer_list telling;   // ... and those of this turn
    struct client_socket *sockets;  // by descriptor
    size_t socket_cap;
    const void *read_tls; // the TLS connection that was read last in this turn of curl's
    size_t read_bytes;    // ... and how much of it
    bool has_exceptions;  // a connection was opened that also_allow alone allows
    bool is_inside;       // of curl or a callback: closing waits until it has returned
    bool is_closing;
    bool is_closed;
    void (*on_closed)(void *ctx);
    void *closed_ctx;
};

// --- client_request.c
void client_request_prepare(struct transfer *t);
// Sets what the request has on the easy handle. ERR_NOMEM, ERR_INVALID.
int client_request_set(struct transfer *t, const struct client_request *q);

// --- client_target.c
// Finds what holds for the transfer's target and sets it on the easy handle. ERR_NOMEM.
int client_target_set(struct transfer *t);
void client_target_unset(struct transfer *t); // its easy handle goes
void client_targets_fini(struct client *c);

// --- client_route.c
void client_route_prepare(struct transfer *t);
// Finds where the request goes and starts it, or starts to look.
void client_route(struct transfer *t);
// Why the transfer may not use the address, or NULL.
const char *transfer_refusal(const struct transfer *t, const struct netaddr *a);
void transfer_say_refused(struct transfer *t, const struct netaddr *a, const char *why);

// --- client_multi.c
int client_multi_open(struct client *c);
void client_multi_close(struct client *c); // all transfers are gone
// Sets what belongs to sockets and addresses on a new easy handle.
void client_multi_prepare(struct transfer *t);
// A transfer has ended: its connection may be one that nobody uses.
void client_multi_used(struct client *c);

// --- client_tls.c
void client_tls_prepare(struct transfer *t);
// What the code says of TLS; FINE where it was not that.
enum client_tls client_tls_fault(const struct transfer *t, CURLcode code);

// --- client_answer.c
void client_answer_prepare(struct transfer *t);
void client_answer_reset(struct transfer *t);
// Fills t->response from what curl says.
void client_answer_finish(struct transfer *t, CURLcode code);

// --- client.c
void transfer_start(struct transfer *t);
// Never tells from inside client_send: the next turn does.
void transfer_fail(struct transfer *t, enum client_error error);
void transfer_say(struct transfer *t, const char *words);
// curl is through with it. Runs on_done.
void transfer_done(struct transfer *t, CURLcode code);
void client_finish_closing(struct client *c);

#endif
