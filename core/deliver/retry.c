#include "deliver/retry.h"

#include "base/duration.h"
#include "base/err.h"
#include "base/hash.h"

#define S INT64_C(1000)
#define M (60 * S)
#define H (60 * M)

enum { RETRY_SPREAD_MAX_MS = 15 * 60 * 1000 };

const struct retry_policy RETRY_DEFAULT = {
    .offset_ms = {15 * S, 1 * M, 4 * M, 10 * M, 20 * M, 35 * M, 60 * M, 2 * H, 4 * H, 8 * H, 12 * H,
                  18 * H, 24 * H, 32 * H, 40 * H, 49 * H},
    .ends_window = {[6] = true, [15] = true},
    .count = 16,
};

static int retry_add(struct retry_policy *p, struct str word)
{
    int64_t ms = 0;
    if (p->count == RETRY_OFFSETS_MAX) {
        return ERR_TOO_LARGE;
    }
    if (duration_parse(word, &ms) || ms <= 0 || ms > 30 * 24 * H ||
        (p->count && ms <= p->offset_ms[p->count - 1])) {
        return ERR_INVALID;
    }
    p->offset_ms[p->count++] = ms;
    return 0;
}

int retry_parse(struct str text, struct retry_policy *out)
{
    if (text.len == 0) {
        *out = RETRY_DEFAULT;
        return 0;
    }
    *out = (struct retry_policy){0};
    size_t at = 0;
    for (;;) {
        size_t end = at;
        while (end < text.len && text.data[end] != ' ' && text.data[end] != '|') {
            end++;
        }
        int code = retry_add(out, (struct str){text.data + at, end - at});
        if (code) {
            return code;
        }
        if (end == text.len || text.data[end] == '|') {
            out->ends_window[out->count - 1] = true;
        }
        if (end == text.len) {
            return 0;
        }
        at = end + 1;
    }
}

static int64_t retry_spread_ms(const struct retry_policy *p, size_t k,
                               const struct retry_failure *f)
{
    if (p->ends_window[k] || f->is_exact) {
        return 0;
    }
    int64_t most = p->offset_ms[k] / 10;
    int64_t gap = p->offset_ms[k + 1] - p->offset_ms[k]; // an inner offset has a next one
    most = most < RETRY_SPREAD_MAX_MS ? most : RETRY_SPREAD_MAX_MS;
    most = most < gap / 2 ? most : gap / 2;
    uint64_t what[2] = {f->delivery, k};
    return (int64_t)(hash_bytes(&HASH_KEY_FIXED, what, sizeof what) % (uint64_t)(most + 1));
}

int64_t retry_next_ms(const struct retry_policy *p, const struct retry_failure *f)
{
    // An attempt that was due behind offset k stands for k: the spread never reaches the next one.
    int64_t past_ms = f->due_ms > f->now_ms ? f->due_ms : f->now_ms;
    int64_t asked_ms = f->retry_after_ms >= 0 ? f->now_ms + f->retry_after_ms : 0;
    int64_t end_ms = f->base_ms + p->offset_ms[p->count - 1];
    if (past_ms >= end_ms) {
        return INT64_MAX;
    }
    if (asked_ms >= end_ms) {
        return end_ms;
    }
    for (size_t k = 0; k < p->count; k++) {
        int64_t at_ms = f->base_ms + p->offset_ms[k];
        if (at_ms <= past_ms) {
            continue;
        }
        if (k + 1 < p->count && f->base_ms + p->offset_ms[k + 1] <= asked_ms) {
            continue; // Retry-After passes this one and the next
        }
        int64_t due_ms = at_ms + retry_spread_ms(p, k, f);
        return due_ms > asked_ms ? due_ms : asked_ms;
    }
    return INT64_MAX;
}
