// The part of the store that is about the running time (base/clock.h), by which what is owed is
// scheduled. As store/store.h, whose contract it belongs to.
#ifndef STORE_TIME_H
#define STORE_TIME_H

#include "store/store.h"

struct store_time {
    struct store_item item; // the store's
    void (*on_done)(struct store_time *t);
    void *ctx;
    // out:
    int code;
    size_t changed; // step: deliveries
    bool is_done;   // step: with all
};
// Stores the time alone, for a host that has nothing else to store for long: not synced, as what a
// power loss undoes of it makes retries a little late, and no more.
void store_time_mark(struct store *s, struct store_time *t);
// For the start. A delayed delivery goes at its time also where the host was down meanwhile: moves
// some of those that were stored before the last outage earlier by as long as that was by the wall
// clock, to now at the earliest. A crash between two steps moves nothing twice.
void store_time_step(struct store *s, struct store_time *t);

#endif
