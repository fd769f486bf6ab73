// Spans of what happens, sent as OTLP/HTTP JSON to the collector that the configuration names: one
// for each event that is stored, from its arrival to its commit, and one for each attempt of a
// webhook. Sent in batches, never waited for: over SPANS_MAX_WAITING, or where the collector does
// not take them, they are dropped and counted. Loop thread only.
#ifndef API_SPANS_H
#define API_SPANS_H

#include "api/spans_config.h"
#include "deliver/deliver.h"

enum {
    SPANS_BATCH = 512,        // is sent at once
    SPANS_BATCH_MS = 5000,    // what is there is sent after that
    SPANS_MAX_WAITING = 4096, // beside those that are being sent
    SPANS_END_MS = 1000       // real, for the last ones when the host stops
};

struct spans;

// *out is NULL where no URL is configured, and every other function takes that. ERR_NOMEM.
int spans_new(struct spans **out, struct loop *l, struct client *client, struct secrets *secrets,
              const struct log *log, const struct spans_config *c);
void spans_free(struct spans *s); // its client is closed

void spans_saw_event(struct spans *s, const struct store_event *ev); // as a deliver_observer
void spans_saw_state(struct spans *s, const struct deliver_change *c);
// Sends what is there. on_done, perhaps at once: it is sent, or SPANS_END_MS have passed.
void spans_end(struct spans *s, void (*on_done)(void *ctx), void *ctx);

struct spans_counts {
    uint64_t sent; // the collector has them
    uint64_t dropped;
};
struct spans_counts spans_counts(const struct spans *s);

#endif
