// Rates as people write them: "20/s", "300/m", "1000/h"; and how to keep to one, with a burst of as
// many as the rate names.
#ifndef BASE_RATE_H
#define BASE_RATE_H

#include "base/str.h"

enum { RATE_COUNT_MAX = 1000000, RATE_TEXT_MAX = 24 };

struct rate { // count in per_ms at most; both 0: any
    int64_t count;
    int64_t per_ms;
};

// A whole number from 1 to RATE_COUNT_MAX, "/" and one of s m h. ERR_INVALID.
int rate_parse(struct str text, struct rate *out);
// As it was written, NUL-terminated; empty for any.
void rate_format(char out[RATE_TEXT_MAX], struct rate r);

// One that is counted: zeroed it is full. now_ms is monotonic. 0: it has its place; else how many
// milliseconds until there is one, and nothing was counted.
struct rate_meter {
    int64_t next_us; // when all that has been let through would have come at an even pace
};
int64_t rate_take(struct rate_meter *m, struct rate r, int64_t now_ms);

#endif
