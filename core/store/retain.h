// The store's call for retention, a part of its contract (store.h): what is old goes.
#ifndef STORE_RETAIN_H
#define STORE_RETAIN_H

#include "store/store.h"

struct store_removed {
    int64_t payloads;   // events and deliveries of which the texts went: bodies, requests, answers
    int64_t attempts;   // deliveries of which the attempts went
    int64_t events;     // whole, with their ids
    int64_t deliveries; // whole
};

struct store_retain {
    struct store_item item; // the store's
    // An event ages together with its deliveries, from the last thing that happened to them: it was
    // received or replayed, a delivery of it was attempted. Removed is what was older:
    int64_t payloads_until_ms;
    int64_t attempts_until_ms;
    int64_t audit_until_ms; // acts of operators that are older go
    int64_t ids_until_ms;   // with the row all else goes, so the other two count too
    // While the store's rows and texts take more, the oldest payloads and attempts go whatever
    // their age; 0: it may take what it needs.
    int64_t max_bytes;
    uint64_t place;      // how far the round has come; 0 for the first step, then left as it is
    struct arena *arena; // for the step's own work
    void (*on_done)(struct store_retain *q);
    void *ctx;
    // out:
    int code;
    bool is_done;                 // with the round
    bool is_over;                 // then: it takes more than max_bytes still
    struct store_removed removed; // by this step
};
// A step of a round of retention: few rows, half a millisecond, and some pages of the file given
// back at the end of the round. It yields to all other requests: it has its turn when nothing else
// waits, or has waited for long. Its own commit is not synced (the next one of another request
// is), so a power loss may undo it. Never removed: an event of which a delivery is owed, with its
// deliveries; an event that is a record's latest state; marks.
void store_retain(struct store *s, struct store_retain *q);

#endif
