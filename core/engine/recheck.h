// A delivery that was delayed: its conditions once more, before the first attempt. The
// host and `hookline test` ask the same function.
#ifndef ENGINE_RECHECK_H
#define ENGINE_RECHECK_H

#include "engine/event.h"
#include "script/rules.h"

struct recheck_event {         // all borrowed
    const struct event *cause; // the event that caused it
    struct str id;             // of it, as shown
    int64_t time_ms;
    struct str payload;
    bool has_state; // of its record, the latest
    bool is_deleted;
    struct str record;
    struct str previous; // what the host found that had changed; empty: what the event says
    // While the rules have the event still, as rules_cover wants it; or NULL.
    void (*on_judged)(void *ctx, struct rules *rules, size_t workflow, bool holds);
    void *ctx;
};

// Whether the conditions hold still, by the rules given. If not, *reason is why, on the arena.
bool recheck_holds(struct rules *rules, size_t workflow, const struct recheck_event *q,
                   struct arena *arena, struct str *reason);

#endif
