// Retention: what is old is removed, in rounds, the first a minute after the start and then one an
// hour. A round is a chain of the store's small steps with a pause behind each, so that it delays
// nobody. Loop thread only.
#ifndef STORE_RETENTION_H
#define STORE_RETENTION_H

#include "store/store.h"

struct retention;

struct retention_config { // ages count from the last thing that happened to an event
    struct loop *loop;
    struct store *store;
    const struct log *log;
    int64_t payloads_ms; // events' and requests' bodies, requests' heads, answers
    int64_t attempts_ms;
    int64_t ids_ms;    // ids of events and of the deliveries that answered them
    int64_t audit_ms;  // acts of operators
    int64_t max_bytes; // that the store may take; 0: any
};

// 0 or ERR_NOMEM. The store must live until it is freed.
int retention_new(struct retention **out, const struct retention_config *c);
void retention_free(struct retention *r); // NULL is fine; not busy any more
void retention_start(struct retention *r);
// Begins nothing more; a step that is at the store comes back while it is busy.
void retention_stop(struct retention *r);
bool retention_is_busy(const struct retention *r);
// Whether the round that is due has come to its end.
bool retention_is_settled(const struct retention *r);

#endif
