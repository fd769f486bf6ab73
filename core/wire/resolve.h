// Names to addresses: c-ares on the loop, a bounded number of lookups at once, answers cached by their TTL
// (at least 1 s, at most 5 min; failures 2 s). /etc/hosts counts. Loop thread only.
#ifndef WIRE_RESOLVE_H
#define WIRE_RESOLVE_H

#include "base/netaddr.h"
#include "loop/loop.h"

enum { RESOLVE_ADDRESSES_MAX = 8 };

struct resolve_answer {
    int code; // 0, ERR_NOT_FOUND, ERR_TIMEOUT, ERR_IO
    const char *detail; // a constant text
    struct netaddr addresses[RESOLVE_ADDRESSES_MAX];
    size_t count;
};

struct resolver;
int resolver_open(struct resolver **out, struct loop *l, struct err *e);
// on_done runs once, perhaps inside this call when the answer is cached; a is borrowed until it returns.
int resolver_get(struct resolver *r, struct str host,
                 void (*on_done)(void *ctx, const struct resolve_answer *a), void *ctx);
void resolver_close(struct resolver *r); // no callback after

#endif
