// The client's inside, for its four files: client.c (transfers and their life), client_request.c
// (what goes out), client_multi.c (curl's sockets and timers on the loop), client_answer.c (what
// comes back).
#ifndef WIRE_CLIENT_INTERNAL_H
#define WIRE_CLIENT_INTERNAL_H

#include <curl/curl.h>

#include "encode/url.h"
#include "wire/client.h"

// One request. Transfers and their easy handles are used again: what is constant is set once, and
// what is as it was the last time is not set again.
struct transfer {
    struct client *client;
    struct transfer *next, *prev;
    struct transfer_list *list; // the one it is in
    CURL *easy;

    // as the easy handle has them
    int method;
    long timeout_ms;
    struct buf url;         // NUL-terminated
    bool is_url_parsed;     // what follows is of this URL
    struct url parts;       // borrowed from it
    bool is_literal;        // its host is an address
    struct netaddr literal; // ... this one
    struct buf header_text;
    struct curl_slist *header_nodes;
    size_t header_cap;
    struct buf resolve_text;
    struct curl_slist resolve_nodes[2];

    // the request
    struct str body;
    struct netblock also_allow;
    bool has_also_allow;
    bool is_fresh; // a second try, on a connection of its own
    int64_t started_ms;
    int64_t limit_ms;
    struct resolve_wait wait;
    struct loop_timer resolve_timer;
    void (*on_done)(void *ctx, const struct client_response *r);
    void *ctx;

    // the answer
    struct client_response response;
    struct buf headers;
    struct buf body_kept;
    size_t header_bytes;    // of all heads, the interim ones (1xx) too
    bool is_head_done;      // what comes now are trailers
    bool is_headers_full;   // no more lines are kept
    bool is_flooded;        // cut for its headers
    bool is_refused;        // an address was refused
    bool is_refused_reused; // that of a kept connection
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
};

struct client {
    struct loop *loop;
    struct client_config config;
    char *user_agent;
    char *ca_file;
    struct resolver *resolver;
    CURLM *multi;
    struct loop_timer multi_timer;
    struct loop_timer kick; // failures to tell; the end of client_close
    struct transfer_list pool;
    struct transfer_list resolving; // wait for the resolver
    struct transfer_list running;   // curl has them
    struct transfer_list failed;    // their on_done runs at the next turn
    struct transfer_list telling;   // ... and those of this turn
    struct client_socket *sockets;  // by descriptor
    size_t socket_cap;
    bool has_exceptions; // a connection was opened that also_allow alone allows
    bool is_inside;      // of curl or a callback: closing waits until it has returned
    bool is_closing;
    bool is_closed;
    void (*on_closed)(void *ctx);
    void *closed_ctx;
};

// --- client_request.c
void client_request_prepare(struct transfer *t);
// Sets what the request has on the easy handle. ERR_NOMEM, ERR_INVALID.
int client_request_set(struct transfer *t, const struct client_request *q);

// --- client_multi.c
int client_multi_open(struct client *c);
void client_multi_close(struct client *c); // all transfers are gone
// Sets what belongs to sockets and addresses on a new easy handle.
void client_multi_prepare(struct transfer *t);
// Why the transfer may not use the address, or NULL.
const char *transfer_refusal(const struct transfer *t, const struct netaddr *a);
void transfer_say_refused(struct transfer *t, const struct netaddr *a, const char *why);

// --- client_answer.c
void client_answer_prepare(struct transfer *t);
void client_answer_reset(struct transfer *t);
// Fills t->response from what curl says.
void client_answer_finish(struct transfer *t, CURLcode code);

// --- client.c
// curl is through with it. Runs on_done.
void transfer_done(struct transfer *t, CURLcode code);
void client_finish_closing(struct client *c);

#endif
