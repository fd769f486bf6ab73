// What became of an event at a workflow whose conditions were asked: the stored run, or why there
// is none.
#ifndef API_BECAME_H
#define API_BECAME_H

#include "engine/engine.h"

struct became {
    bool fires;                      // a run of it owed something, or showed it (dry)
    const struct store_run_row *run; // NULL: none is stored
    struct str earlier;              // the event that has fired for the record before; or empty
    struct buf words;                // what follows the workflow's id in a sentence
};

// What the store holds beside the event.
struct became_known {
    const struct store_event_row *event;
    unsigned depth;                 // the workflows that the event came through
    const struct store_audit *acts; // on workflows until the event came, newest first
    size_t act_count;
    const struct store_run_row *runs; // of events before it, of its record, newest first
    size_t run_count;
};

// The run that tells, of the event: the last one that fired, else the last.
const struct store_run_row *became_run(const struct store_event_row *ev, struct str workflow);
// Only the store tells why a workflow left no run.
bool became_is_open(const struct store_event_row *ev, const struct engine_explained *item);
// mark_until_ms: up to when its mark for the record holds now; 0: there is none. words:
// initialized.
void became_tell(struct became *b, const struct became_known *known,
                 const struct engine_explained *item, int64_t mark_until_ms);

#endif
