// How often each workflow ran for each record within the last minute, so that workflows that feed
// one another through an app cannot do so for ever. Kept in memory, of a bounded size: where more
// records than fit are busy, those that ran least are forgotten, so what goes in circles stays.
// Loop thread only.
#ifndef ENGINE_LOOPS_H
#define ENGINE_LOOPS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

enum { LOOPS_RUNS_MAX = 60, LOOPS_WITHIN_MS = 60 * 1000 };

struct loops;

// Zero memory is taken until the first run is counted.
struct loops *loops_new(void); // NULL: no memory
void loops_free(struct loops *l);

enum loops_verdict {
    LOOPS_FINE, // it is counted
    LOOPS_OVER, // it is one too many, and is not counted
    LOOPS_FIRST // the same, and the first for a minute or more: people are to be told
};
// A run at `now_ms` (monotonic). Without memory every run is fine.
enum loops_verdict loops_count(struct loops *l, struct str workflow, struct str record_type,
                               struct str record_id, int64_t now_ms);
// Why a run that is one too many does nothing, for people.
void loops_say(struct buf *out, struct str record_type, struct str record_id);
// One that was counted last was not stored: it does not count.
void loops_take_back(struct loops *l, struct str workflow, struct str record_type,
                     struct str record_id);

#endif
