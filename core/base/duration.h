// Durations as people write them in workflow files and flags: "500ms", "15s", "10m", "2h", "30d".
#ifndef BASE_DURATION_H
#define BASE_DURATION_H

#include "base/str.h"

// A whole number and one unit of ms s m h d, nothing else. ERR_INVALID; ERR_TOO_LARGE over 100
// years.
int duration_parse(struct str s, int64_t *ms);

// The shortest exact form ("90s" for 90000, "2h" for 7200000), NUL-terminated.
void duration_format(char out[24], int64_t ms);

#endif
