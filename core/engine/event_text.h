// A stored event as people and rules see it: as it was sent, with what the host has filled in, and
// with another record where it is judged against one. Any thread.
#ifndef ENGINE_EVENT_TEXT_H
#define ENGINE_EVENT_TEXT_H

#include "encode/json_writer.h"

struct event_text {
    struct str id;       // as shown
    int64_t time_ms;     // written where it was sent without one
    struct str record;   // in place of its own; empty: its own
    struct str previous; // the same
};

// Writes it as one object. payload: what the store holds. 0, ERR_CORRUPT (no object), ERR_NOMEM.
int event_text_write(struct json_writer *w, struct str payload, const struct event_text *t);

#endif
