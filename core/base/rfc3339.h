// Timestamps as RFC 3339 writes them.
#ifndef BASE_RFC3339_H
#define BASE_RFC3339_H

#include "base/str.h"

enum { RFC3339_LEN = 24 }; // "2026-11-23T09:15:00.120Z"

// Writes UTC with milliseconds and a NUL.
void rfc3339_format(char out[RFC3339_LEN + 1], int64_t wall_ms);

// A full date-time ("2026-11-23T09:15:00Z", ".5" fractions, "+01:00" offsets, "t" and "z" too).
// ERR_INVALID for anything else, days a month does not have among it, and for a time that is not in
// the years 0000 to 9999 of UTC. A leap second is the next second.
int rfc3339_parse(struct str s, int64_t *wall_ms);

// A full-date alone ("2026-11-23"): the midnight in UTC that it begins with. ERR_INVALID.
int rfc3339_parse_date(struct str s, int64_t *midnight_ms);

#endif
