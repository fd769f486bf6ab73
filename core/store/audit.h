// Acts of operators, a part of the store's contract (store.h), and what gives one to the log: a
// copy of its own, freed when it is stored. Loop thread only.
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include "base/id.h"
#include "store/store.h"

struct store_audit { // one act
    uint64_t id;     // ordered by time
    int64_t at_ms;
    struct str who;     // "admin", "signal"
    struct str from;    // the address it came from; empty: from this machine's own hand
    struct str act;     // "delivery.resend"
    struct str subject; // what it was done to
    struct str before;  // in words; empty: nothing to tell
    struct str after;
};

struct store_audit_put {
    struct store_item item; // the store's
    struct store_audit row;
    // Given in the same turn right behind the request that is the act, so that both are one
    // transaction: that one's code; where it is not 0 by then nothing is stored. NULL: it is
    // stored.
    const int *code_of_act;
    const struct str *before; // filled in by that request, in the place of row's; or NULL
    const struct str *after;
    void (*on_done)(struct store_audit_put *p);
    void *ctx;
    int code; // out
};
void store_audit_put(struct store *s, struct store_audit_put *p);

// A copy of the row with its texts, each cut at 2 KiB; `code_of_act`, `before` and `after` of what
// is returned are the caller's to set. NULL: no memory.
struct store_audit_put *audit_new(const struct store_audit *row);
// Puts it, and frees it when that is done. Where it belongs to a request: right behind that one.
void audit_give(struct store *s, struct store_audit_put *p);
// An act of no request's ("SIGHUP"). NULL: no memory.
struct store_audit_put *audit_new_own(struct id_source *ids, int64_t now_ms, const char *who,
                                      const char *act);
// Frees one that was not given. NULL is fine.
void audit_drop(struct store_audit_put *p);

#endif
