#include "base/rate.h"

#include <stdio.h>

#include "base/err.h"

static const struct {
    char unit;
    int64_t ms;
} UNITS[] = {{'s', 1000}, {'m', 60 * 1000}, {'h', 3600 * 1000}};
enum { UNIT_COUNT = sizeof UNITS / sizeof UNITS[0] };

int rate_parse(struct str text, struct rate *out)
{
    int64_t n;
    if (text.len < 3 || text.data[text.len - 2] != '/' ||
        str_to_int64((struct str){text.data, text.len - 2}, &n) != 0 || n < 1 ||
        n > RATE_COUNT_MAX) {
        return ERR_INVALID;
    }
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        if (UNITS[i].unit == text.data[text.len - 1]) {
            *out = (struct rate){n, UNITS[i].ms};
            return 0;
        }
    }
    return ERR_INVALID;
}

void rate_format(char out[RATE_TEXT_MAX], struct rate r)
{
    out[0] = '\0';
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        if (UNITS[i].ms == r.per_ms) {
            snprintf(out, RATE_TEXT_MAX, "%lld/%c", (long long)r.count, UNITS[i].unit);
        }
    }
}

int64_t rate_take(struct rate_meter *m, struct rate r, int64_t now_ms)
{
    if (r.count == 0) {
        return 0;
    }
    const int64_t interval_us = r.per_ms * 1000 / r.count > 0 ? r.per_ms * 1000 / r.count : 1;
    const int64_t now_us = now_ms * 1000;
    const int64_t next_us = m->next_us > now_us ? m->next_us : now_us;
    const int64_t early_us = next_us + interval_us - now_us - r.per_ms * 1000;
    if (early_us > 0) {
        return (early_us + 999) / 1000;
    }
    m->next_us = next_us + interval_us;
    return 0;
}
