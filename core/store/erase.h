// The store's calls that make it forget a record, a part of its contract (store.h).
#ifndef STORE_ERASE_H
#define STORE_ERASE_H

#include "base/id_set.h"
#include "store/store.h"

struct store_erased {
    int64_t events;
    int64_t deliveries;
    int64_t owed; // of these, that were owed
    int64_t attempts;
    int64_t marks;
};

// How far it has come. Zeroed for the first step; then what the last one put into `next`.
struct store_erase_place {
    uint64_t event;
    uint64_t state;  // the event that held the record's latest state; it goes last
    bool is_through; // all events; the marks, the state and the pointer to it remain
};

struct store_erase {
    struct store_item item; // the store's
    struct str record_type;
    struct str record_id;
    uint64_t before; // events with an id below it, and all that they caused
    bool is_dry_run; // counts alone
    int64_t now_ms;  // running: when what waited for a delivery that is erased is due
    struct store_erase_place place;
    struct id_set *deliveries; // that went, filled by the steps; the caller's
    struct arena *arena;       // for the step's own work and for out values
    void (*on_done)(struct store_erase *q);
    void *ctx;
    // out:
    int code;
    bool is_done;
    struct store_erase_place next;
    struct store_erased erased; // by this step
    uint64_t *ended;            // deliveries that were owed
    size_t ended_count;
    struct store_freed *freed; // what waited for one of them
    size_t freed_count;
};
// A step, as one of retention is: small, when nothing else waits. What goes: the events of the
// record, the deliveries that they caused with their requests, attempts and answers, the events
// that these outcomes were and what they caused in turn, the marks, the pointer to the record's
// state. An attempt that is under way ends as of a delivery that is not there: nothing is stored.
void store_erase(struct store *s, struct store_erase *q);

struct store_scrub {
    struct store_item item; // the store's
    uint64_t place;         // 0 for the first step, then left as it is
    void (*on_done)(struct store_scrub *q);
    void *ctx;
    // out:
    int code; // ERR_BUSY: somebody reads what was before; again in a while
    bool is_done;
};
// A step through the files: what is of no use in them any more (of rows that went, also long ago)
// is overwritten, and is in no file beside them. What it has done is on disk.
void store_scrub(struct store *s, struct store_scrub *q);

#endif
