// The index from an event to the workflows that could match it. When a generation is built, each
// workflow is put where only events that could match find it: at the values and ranges that its
// conditions need (script/lookup.h), of several the most selective by what all workflows need; what
// cannot be looked up stays behind its type. Immutable once built; what a look needs is its own.
#ifndef ENGINE_INDEX_H
#define ENGINE_INDEX_H

#include "base/arena.h"
#include "base/map.h"
#include "engine/event.h"
#include "script/rules.h"

struct index_field;

struct index {
    struct map types;          // "deal.updated" -> struct index_type
    struct map names;          // fields that some workflow reads -> their number + 1
    struct index_reads *reads; // by workflow
    size_t workflow_count;     // of the rules
    struct index_field *made;  // all fields, to be freed
    struct arena arena;
};

// workflows: those in force, by their places among the rules, in their order. Any thread. 0 or
// ERR_NOMEM (then too index_fini is due).
int index_build(struct index *x, const struct rules *r, const size_t *workflows, size_t count);
void index_fini(struct index *x); // of a zeroed one too

// Whether a workflow in force wants events of this type ("deal.updated").
bool index_wants(const struct index *x, struct str type);

// One thread's: what was found for the last event, and the room for it. Zeroed at first; goes with
// any index.
struct index_look {
    // the workflows to ask, in their order
    const uint32_t *asked;
    size_t asked_count;
    // what they read of the event
    const struct part *parts; // NULL: all of it
    size_t part_count;
    bool reads_time;
    struct index_room *room;
};

// Looks up which workflows could match the event. time_ms: the event's time. What is found is
// valid until the next look, and as long as the event and the arena. 0 or ERR_NOMEM.
int index_look(struct index_look *l, const struct index *x, const struct event *ev, int64_t time_ms,
               struct arena *arena);
void index_look_fini(struct index_look *l);

#endif
