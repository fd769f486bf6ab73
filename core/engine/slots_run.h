// A time of a workflow with a schedule, for one record: the event "deal.scheduled" that it is. The
// host and `hookline test` make it alike. Any thread.
#ifndef ENGINE_SLOTS_RUN_H
#define ENGINE_SLOTS_RUN_H

#include "engine/event.h"
#include "engine/timetable.h"

enum { SLOTS_RUN_KEY_BYTES = EVENT_ID_MAX + 1, SLOTS_RUN_TIME_LEN = 19 }; // "2026-11-23T09:00:00"

struct slots_run {
    char key[SLOTS_RUN_KEY_BYTES];
    char type[EVENT_TYPE_MAX];
    char time[SLOTS_RUN_TIME_LEN + 2]; // with a Z behind it
    struct event event;                // its texts are these, the buffer's and the caller's
};

struct slots_run_of { // all borrowed
    const char *workflow;
    struct str record_type;
    struct str record_id;
    struct str record; // its latest state, JSON
    int64_t due_ms;
};

// json: takes the event's text. 0, or what the buffer says when it is full.
int slots_run_make(struct slots_run *run, struct buf *json, const struct slots_run_of *of);

// Whether a record is due at the time under way; when exactly (hook.date) is its own matter. Times
// up to done_ms are dealt with.
bool slots_run_is_due(const struct timetable *t, int64_t done_ms, int64_t under_way_ms,
                      struct str record, int64_t *due_ms);

#endif
