// When a failed webhook is tried again: the two windows ("for an hour", "for the next 2 days") as a
// table of offsets from the first failure (docs/reference.md, When attempts are due). Times are the
// running time (base/clock.h). Pure functions, any thread.
#ifndef DELIVER_RETRY_H
#define DELIVER_RETRY_H

#include "base/str.h"

enum { RETRY_OFFSETS_MAX = 100 };

struct retry_policy {
    int64_t offset_ms[RETRY_OFFSETS_MAX]; // increasing
    bool ends_window[RETRY_OFFSETS_MAX];  // the last of its window: no spread
    size_t count;
};

// 15 s, 1, 4, 10, 20, 35, 60 min; then 2, 4, 8, 12, 18, 24, 32, 40, 49 h.
extern const struct retry_policy RETRY_DEFAULT;

// "15s 1m|2h": offsets, windows apart by '|'. Empty text: the default. ERR_INVALID (not increasing,
// empty window, over 30 days), ERR_TOO_LARGE (over 100 offsets).
int retry_parse(struct str text, struct retry_policy *out);

struct retry_failure {
    uint64_t delivery;      // spreads its attempts, always in the same way
    int64_t base_ms;        // when the first failure was
    int64_t due_ms;         // when the attempt that failed was due
    int64_t now_ms;         // when it failed
    int64_t retry_after_ms; // what the answer asked for, from now; negative: nothing
    bool is_exact;          // without the spread
};

// When the next attempt is due: base + offset + a spread of 0 to 10 % of the offset (15 min at
// most, none on the last of a window, never as far as the next offset). Offsets that are past, by
// the clock or by Retry-After, are dropped. INT64_MAX: there is none left, the delivery is at its
// end.
int64_t retry_next_ms(const struct retry_policy *p, const struct retry_failure *f);

#endif
