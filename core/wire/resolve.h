// Names to addresses: c-ares on the loop, a bounded number of lookups at once, lookups of one name
// shared, answers cached by their TTL (at least 1 s, at most 5 min; failures 2 s). /etc/hosts
// counts, and a changed /etc/resolv.conf is read again. Loop thread only.
#ifndef WIRE_RESOLVE_H
#define WIRE_RESOLVE_H

#include "base/netaddr.h"
#include "loop/loop.h"

enum { RESOLVE_ADDRESSES_MAX = 8 };

struct resolve_answer {
    int code;                                        // 0, ERR_NOT_FOUND, ERR_TIMEOUT, ERR_IO
    const char *detail;                              // a constant text; NULL where all is well
    struct netaddr addresses[RESOLVE_ADDRESSES_MAX]; // the best first
    size_t count;
};

// A lookup that is waited for: the caller's memory until on_done or resolver_cancel.
struct resolve_wait {
    struct resolve_wait *next, *prev;
    struct resolve_name *name; // NULL: not waiting
    void (*on_done)(void *ctx, const struct resolve_answer *a);
    void *ctx;
};

struct resolver_config {
    const char *servers; // "192.0.2.1,192.0.2.2:5353"; NULL: as /etc/resolv.conf says
    int64_t timeout_ms;  // of the first try; it doubles (0: 1.5 s)
    int tries;           // for each server (0: 2)
};

struct resolver;
int resolver_open(struct resolver **out, struct loop *l, const struct resolver_config *c,
                  struct err *e);
// Returns 1 where the answer is known: *now is it, borrowed until the next call of this module, and
// w is not used. Returns 0 where w->on_done will run once, later, its answer borrowed until it
// returns. Negative: ERR_NOMEM, ERR_FULL. w is zeroed by the caller but for on_done and ctx.
int resolver_get(struct resolver *r, struct str host, struct resolve_wait *w,
                 const struct resolve_answer **now);
void resolver_cancel(struct resolver *r, struct resolve_wait *w); // no-op when it does not wait
void resolver_close(struct resolver *r); // no callback after; not from inside on_done

#endif
