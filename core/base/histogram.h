// How long something takes, counted in fixed buckets. No allocation; one thread at a time.
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum { HISTOGRAM_BUCKETS_MAX = 20 };

struct histogram {
    const int64_t *bounds_us; // ascending; the last bucket, behind them, takes the rest
    size_t bound_count;       // at most HISTOGRAM_BUCKETS_MAX
    uint64_t count[HISTOGRAM_BUCKETS_MAX + 1];
    uint64_t total;
    uint64_t sum_us;
};

// bounds_us stays borrowed.
void histogram_init(struct histogram *h, const int64_t *bounds_us, size_t bound_count);
// `times` values of us each; a negative one counts as 0.
void histogram_add(struct histogram *h, int64_t us, uint64_t times);
// The value that the share of all (0 to 1) is not above, taken evenly within its bucket; of what is
// above all bounds the greatest one; -1 where there is nothing.
int64_t histogram_quantile_us(const struct histogram *h, double share);

#endif
