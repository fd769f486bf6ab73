// How many wrong tokens an address may try: bounded memory, whoever comes. Loop thread only.
#ifndef API_TRIES_H
#define API_TRIES_H

#include "base/hash.h"
#include "base/rate.h"

enum { TRIES_SETS = 1024, TRIES_WAYS = 4 };

// The one that is longest without a try makes room for another address.
struct try_slot {
    uint64_t peer; // hash of the address; 0: free
    struct rate_meter meter;
    bool is_told; // the log has it
};

struct tries {
    struct hash_key key;
    struct rate rate;
    struct try_slot slots[TRIES_SETS][TRIES_WAYS];
};

// None was tried yet.
void tries_init(struct tries *t);
// One more of an address (of IPv6 the network, its first 64 bits). 0; or how many milliseconds it
// is to wait. *is_news: it is the first one over the limit.
int64_t tries_count(struct tries *t, struct str peer, int64_t now_ms, bool *is_news);

#endif
