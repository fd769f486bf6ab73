#include "cli/span.h"

#include <stdio.h>

static const char *two(char out[SPAN_LEN_MAX], int64_t whole, const char *unit, int64_t part,
                       const char *part_unit)
{
    if (part)
        snprintf(out, SPAN_LEN_MAX, "%lld%s%lld%s", (long long)whole, unit, (long long)part,
                 part_unit);
    else
        snprintf(out, SPAN_LEN_MAX, "%lld%s", (long long)whole, unit);
    return out;
}

const char *span_format(char out[SPAN_LEN_MAX], int64_t ms)
{
    int64_t s = (ms + 500) / 1000;
    int64_t m = s / 60;
    int64_t h = m / 60;

    if (ms < 1000) {
        snprintf(out, SPAN_LEN_MAX, "%lld ms", (long long)(ms < 0 ? 0 : ms));
        return out;
    }
    if (ms < 9950 && (ms + 50) / 100 % 10)
        snprintf(out, SPAN_LEN_MAX, "%lld.%llds", (long long)((ms + 50) / 1000),
                 (long long)((ms + 50) / 100 % 10));
    else if (s < 60)
        snprintf(out, SPAN_LEN_MAX, "%llds", (long long)s);
    else if (m < 60)
        return two(out, m, "m", s % 60, "s");
    else if (h < 48)
        return two(out, h, "h", m % 60, "m");
    else
        return two(out, h / 24, "d", h % 24, "h");
    return out;
}
