// What people are told by mail: the first failure of a target, its first termination and
// its recovery at once, and so what is invalid, an error or a suspension of a workflow; each at
// most once in 15 minutes for a target or workflow. The rest is counted and goes into its digest.
// Each is kept in the store until the mail server has taken it, so a server that is down, or an end
// of the host, loses none. Where no mail is configured there is no struct notices, and NULL is
// given: nothing is done. Loop thread only.
#ifndef DELIVER_NOTICES_H
#define DELIVER_NOTICES_H

#include "base/log.h"
#include "deliver/secrets.h"
#include "engine/engine.h"
#include "store/store.h"
#include "wire/smtp.h"

struct notices;

struct notices_config { // borrowed for the notices' life, as all it points at
    struct loop *loop;
    struct store *store;
    struct secrets *secrets;
    const struct log *log;
    const struct engine *engine; // its generation in force says whom a workflow notifies
    const char *server;
    enum smtp_tls tls;
    const char *from; // perhaps with a name before it
    const struct str *admins;
    size_t admin_count;
    const char *user;    // NULL: no login
    struct str password; // the secret's name
};

// Asks the store for what is still to be told.
int notices_open(struct notices **out, const struct notices_config *c, struct err *e);

struct notice_failure { // an attempt that failed
    struct str target;
    struct str workflow;
    struct str head; // encode/head.h: its URL is told, secrets masked
    uint64_t delivery;
    int attempt;
    int status;        // 0: no answer
    struct str error;  // a word of the API ("dns", ...), or empty
    struct str detail; // in words, masked
    bool is_end;       // it was the last
    struct str reason; // then: why
    int64_t next_ms;   // else: the next attempt's wall time
};
void notices_failed(struct notices *n, const struct notice_failure *f);
// Whether a target has failed since it last took something.
bool notices_is_failing(const struct notices *n, struct str target);
// It took something again.
void notices_recovered(struct notices *n, struct str target, struct str workflow);
// A run of an event that was stored: whether it failed, or made something that is invalid.
void notices_judged(struct notices *n, const struct store_event *ev, const struct store_run *run);
void notices_suspended(struct notices *n, struct str workflow, struct str reason);
// It ran too often for one record.
void notices_looping(struct notices *n, struct str workflow, struct str reason);

// Sends nothing more, stores what is counted; a mail that is under way is given up. on_stopped
// later, never inside this call; the store is open until then.
void notices_stop(struct notices *n, void (*on_stopped)(void *ctx), void *ctx);
// After the store is closed.
void notices_free(struct notices *n);

#endif
