// GET /v1/live: what happens, as server-sent events, to those who watch. Each message is made once
// for all of them, and only where somebody watches; a watcher gets LIVE_PER_SECOND of them a second
// at most, spread over its topics, and is told how many it did not get. Loop thread only.
#ifndef API_LIVE_H
#define API_LIVE_H

#include "api/internal.h"

enum {
    LIVE_STREAMS_MAX = 64,
    LIVE_PER_SECOND = 100,
    LIVE_COMMENT_S = 15,             // between comments, which tell that the host is there
    LIVE_UNSENT_MAX_BYTES = 1 << 18, // for one that reads slowly
};

int live_new(struct live **out, struct api *a);
void live_free(struct live *l); // its streams have been ended, or their server is closed
void live_end(struct live *l);  // of all streams; nobody watches from then on
void live_gone(struct live *l, struct httpd_request *r); // of any request

// What was stored with an event: the event itself, its runs, the webhooks owed.
void live_saw_event(struct live *l, const struct store_event *ev);
// Another state of a delivery is stored. attempt: that led to it, or NULL; borrowed until it
// returns.
void live_saw_delivery(struct live *l, uint64_t delivery, const struct store_attempt *attempt);

#endif
