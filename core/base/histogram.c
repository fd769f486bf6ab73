#include "base/histogram.h"

void histogram_init(struct histogram *h, const int64_t *bounds_us, size_t bound_count)
{
    *h = (struct histogram){.bounds_us = bounds_us, .bound_count = bound_count};
}

void histogram_add(struct histogram *h, int64_t us, uint64_t times)
{
    size_t i = 0;
    us = us > 0 ? us : 0;
    while (i < h->bound_count && us > h->bounds_us[i]) {
        i++;
    }
    h->count[i] += times;
    h->total += times;
    h->sum_us += (uint64_t)us * times;
}

int64_t histogram_quantile_us(const struct histogram *h, double share)
{
    double wanted = share * (double)h->total;
    uint64_t below = 0;
    for (size_t i = 0; i < h->bound_count; i++) {
        uint64_t here = h->count[i];
        if (here && (double)(below + here) >= wanted) {
            int64_t from_us = i ? h->bounds_us[i - 1] : 0;
            double part = (wanted - (double)below) / (double)here;
            return from_us + (int64_t)(part * (double)(h->bounds_us[i] - from_us));
        }
        below += here;
    }
    return h->total ? h->bounds_us[h->bound_count - 1] : -1;
}
