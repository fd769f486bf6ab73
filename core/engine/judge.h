// One workflow and one event: what the store is to be told of it. The engine asks it of each
// workflow that wants an event; `hookline test` asks the same. Any thread.
#ifndef ENGINE_JUDGE_H
#define ENGINE_JUDGE_H

#include "base/id.h"
#include "engine/event.h"
#include "script/rules.h"
#include "store/store.h"

struct judge_context {
    struct rules *rules; // with the event: rules_event_begin
    uint64_t generation;
    const struct event *event;
    struct id_source *ids; // of the deliveries
    int64_t now_ms;        // wall
    int64_t running_ms;    // base/clock.h
    struct str trace;      // of what is owed, as a head has it (trace_put_event); empty: none
    // How long a webhook with that retry text may be tried; NULL: what is owed is not stored.
    int64_t (*window_ms)(struct str retry);
    struct arena *arena; // takes what is owed
};

// Asks the workflow of that index. *verdict: RULES_NO_MATCH, or *run is to be stored; whether an
// earlier run holds its mark is the store's to say. is_dry: what it owes is shown and never sent.
// 0; ERR_TOO_LARGE where the arena has no room.
int judge_workflow(const struct judge_context *c, size_t index, bool is_dry, struct store_run *run,
                   enum rules_verdict *verdict);

#endif
