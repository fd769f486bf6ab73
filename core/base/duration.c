#include "base/duration.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"

static const int64_t LONGEST_MS = INT64_C(36525) * 86400000;

static const struct unit {
    const char *name;
    int64_t ms;
} UNITS[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

enum { UNIT_COUNT = sizeof UNITS / sizeof UNITS[0] };

int duration_parse(struct str s, int64_t *ms)
{
    size_t digits = 0;
    while (digits < s.len && s.data[digits] >= '0' && s.data[digits] <= '9') {
        digits++;
    }
    if (digits == 0) {
        return ERR_INVALID;
    }
    struct str name = {s.data + digits, s.len - digits};
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        if (!str_eq(name, str_from(UNITS[i].name))) {
            continue;
        }
        int64_t count;
        int rc = str_to_int64((struct str){s.data, digits}, &count);
        if (rc != 0) {
            return rc;
        }
        if (count > LONGEST_MS / UNITS[i].ms) {
            return ERR_TOO_LARGE;
        }
        *ms = count * UNITS[i].ms;
        return 0;
    }
    return ERR_INVALID;
}

void duration_format(char out[24], int64_t ms)
{
    size_t i = 0;
    while (i + 1 < UNIT_COUNT && ms % UNITS[i].ms != 0) {
        i++;
    }
    if (ms == 0) {
        i = UNIT_COUNT - 2; // "0s": of a zero, seconds say it as people would
    }
    snprintf(out, 24, "%" PRId64 "%s", ms / UNITS[i].ms, UNITS[i].name);
}
