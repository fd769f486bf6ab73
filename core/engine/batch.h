// The body of POST /v1/events or /v1/records taken apart into events: one object, an array of them,
// or NDJSON. All or nothing: the first fault ends it, with the place of the bad item. Any thread.
#ifndef ENGINE_BATCH_H
#define ENGINE_BATCH_H

#include "engine/event.h"

enum batch_form { BATCH_OBJECT, BATCH_ARRAY, BATCH_LINES };

// A body with events of more records than this is an import, and no answer of an app to a webhook.
enum { BATCH_RECORDS_MAX = 100 };

struct batch_limits {
    enum event_origin origin;
    size_t events;  // of one body
    unsigned depth; // nesting of one event, at most EVENT_DEPTH_MAX
};

struct batch {
    struct event *events; // on the arena
    size_t count;
    enum batch_form form;
    bool is_import;
    // On a fault that is one item's: its index (from 0) for an array, its line (from 1) for NDJSON.
    bool has_fault_place;
    size_t fault_place;
};

// body stays borrowed by the events. ERR_INVALID, ERR_TOO_LARGE (more than the limit), ERR_NOMEM.
int batch_read(struct batch *out, struct str body, bool is_ndjson,
               const struct batch_limits *limits, struct arena *arena, struct err *e);

#endif
