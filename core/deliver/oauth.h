// Access tokens of hook.oauth2 (RFC 6749 section 4.4, client credentials): got from their token
// server when one is needed, kept in memory until they expire, shared by all webhooks that say the
// same of it (the line of their heads, encode/head.h). They are in no row, log, mail or answer.
//
// A token server is left alone for a while after it failed: 5 s, doubling to 60. Whoever needs a
// token meanwhile is told so at once. Then it is asked again, with less patience than at first. One
// thread, that of the client.
#ifndef DELIVER_OAUTH_H
#define DELIVER_OAUTH_H

#include "base/log.h"
#include "deliver/secrets.h"
#include "wire/client.h"

enum {
    OAUTH_TOKENS_MAX = 1024, // kept; those that were not used for longest go first
    OAUTH_ERROR_MAX = ERR_TEXT_MAX
};

struct oauth;

struct oauth_config {
    struct secrets *secrets; // borrowed; tokens go with them (secrets_forget)
    const struct clock *clock;
    const struct log *log; // borrowed; NULL: none
    size_t max_fetches;    // under way at once (default 64); those beyond wait
    // Sends a request: q->on_done runs once, within the call or later. Else nothing was sent, and
    // the error has words.
    int (*send)(void *ctx, const struct client_request *q, struct err *e);
    void *send_ctx;
};

// On a heap, by whoever waits. on_change runs when a fetch has ended; it may ask, and take its own
// listener off, but no other.
struct oauth_listener {
    struct oauth_listener *next;
    void (*on_change)(void *ctx);
    void *ctx;
};

enum oauth_state { OAUTH_READY, OAUTH_WAITING, OAUTH_FAILED };

struct oauth_answer {
    struct str token;             // READY: borrowed until the next call
    uint64_t serial;              // READY: for oauth_reject
    const char *error;            // FAILED: "oauth" or "secret_missing"
    char detail[OAUTH_ERROR_MAX]; // FAILED: in words, without secrets
};

// 0 or ERR_NOMEM. config is copied.
int oauth_new(struct oauth **out, const struct oauth_config *config, struct err *e);
// No request may be under way any more, or its answer must be told to nobody (client_close).
// Wipes the tokens.
void oauth_free(struct oauth *o);

void oauth_listen(struct oauth *o, struct oauth_listener *l);
void oauth_unlisten(struct oauth *o, struct oauth_listener *l); // no-op where it does not listen

// The token for what head_find_oauth2 found. WAITING: a fetch is under way, or will be: ask again
// when a listener is told.
enum oauth_state oauth_get(struct oauth *o, struct str spec, struct oauth_answer *out);
// A receiver answered 401 to the token of that serial: it is given to nobody any more. False where
// another would be of no use: one was got for this reason just now.
bool oauth_reject(struct oauth *o, struct str spec, uint64_t serial);

#endif
