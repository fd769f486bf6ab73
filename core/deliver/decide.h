// What an attempt's end leads to: delivered, another attempt, or the end. Times are the running
// time (base/clock.h). The host and `hookline test` ask the same function. A
// webhook's own functions are asked through the rules in force; what one of them says that is gone,
// or raises, is what is said without any.
#ifndef DELIVER_DECIDE_H
#define DELIVER_DECIDE_H

#include "base/arena.h"
#include "script/rules.h"
#include "store/store.h"

enum {
    DECIDE_BODY_BYTES = 16 * 1024,     // of an answer's body that are stored, and shown
    DECIDE_ANSWER_BYTES = 1024 * 1024, // ... that are read where an event or `success` takes them
};

struct decide_attempt {
    uint64_t delivery;
    int number;             // of this attempt, from 1
    int status;             // of the answer; 0: there was none
    const char *error;      // why there is no whole answer ("timeout"), or NULL
    struct str detail;      // the same in words
    struct str retry;       // the delivery's policy (policy.h); empty: the default windows
    struct rules *rules;    // in force; NULL: the workflow is gone
    size_t workflow;        // among them
    int action;             // of it, from 1
    struct str headers;     // of the answer, "Name: value" lines
    struct str body;        // of the answer
    bool is_body_cut;       // there was more than was read
    int64_t base_ms;        // when the first failure was; 0: none before
    int64_t due_ms;         // when this attempt was due
    int64_t now_ms;         // when it ended
    int64_t retry_after_ms; // what the answer asked for, from now; negative: nothing
    bool is_exact;          // the next one comes at its offset, without a spread
};

struct decide_outcome {
    enum delivery_state state; // DELIVERED, RETRYING or TERMINATED
    int64_t base_ms;
    int64_t due_ms;    // RETRYING: of the next attempt; else 0
    const char *error; // the attempt's, or "response_too_large": `success` needs the whole of it
    struct str detail; // of a failure, in words
    struct str reason; // TERMINATED: why; on the arena
    struct str fault;  // what a function of the rule raised, or empty; on the arena
};

// The words are on the arena, or empty where it has no room.
void decide_outcome(const struct decide_attempt *a, struct arena *arena,
                    struct decide_outcome *out);

// How long a delivery with that policy may be tried, from its base.
int64_t decide_window_ms(struct str retry);

// When a delivery ends whatever becomes of its attempts. base_ms 0: none was made, and
// due_ms is when the first fell due.
int64_t decide_end_ms(struct str retry, int64_t base_ms, int64_t due_ms);

#endif
