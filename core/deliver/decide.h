// What an attempt's end leads to: delivered, another attempt, or the end (SPEC section 3). The host
// and `hookline test` ask the same function. Pure, any thread.
#ifndef DELIVER_DECIDE_H
#define DELIVER_DECIDE_H

#include "base/arena.h"
#include "store/store.h"

struct decide_attempt {
    uint64_t delivery;
    int number;             // of this attempt, from 1
    int status;             // of the answer; 0: there was none
    const char *error;      // why there is no whole answer ("timeout"), or NULL
    struct str detail;      // the same in words
    struct str retry;       // the delivery's windows ("15s 1m|2h"); empty: the default ones
    int64_t base_ms;        // wall time of the first failure; 0: none before
    int64_t due_ms;         // when this attempt was due
    int64_t now_ms;         // when it ended
    int64_t retry_after_ms; // what the answer asked for, from now; negative: nothing
    bool is_exact;          // the next one comes at its offset, without a spread
};

struct decide_outcome {
    enum delivery_state state; // DELIVERED, RETRYING or TERMINATED
    int64_t base_ms;
    int64_t due_ms;    // RETRYING: of the next attempt; else 0
    struct str detail; // of a failure, in words
    struct str reason; // TERMINATED: why; on the arena
};

// The words are on the arena, or empty where it has no room.
void decide_outcome(const struct decide_attempt *a, struct arena *arena,
                    struct decide_outcome *out);

#endif
