#include "deliver/decide.h"

#include <stdarg.h>
#include <stdio.h>

#include "deliver/retry.h"

enum { DECIDE_STATUS_GONE = 410 };

static struct str decide_words(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static struct str decide_words(struct arena *arena, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return arena_dup(arena, str_from(text));
}

static void decide_failure(const struct decide_attempt *a, struct arena *arena,
                           struct decide_outcome *out)
{
    out->base_ms = a->base_ms ? a->base_ms : a->now_ms;
    if (a->status == DECIDE_STATUS_GONE) {
        out->state = DELIVERY_TERMINATED;
        out->reason = STR("the receiver answered 410: it is gone for good");
        return;
    }
    struct retry_policy policy;
    if (retry_parse(a->retry, &policy)) {
        policy = RETRY_DEFAULT;
    }
    struct retry_failure failure = {.delivery = a->delivery,
                                    .base_ms = out->base_ms,
                                    .due_ms = a->base_ms ? a->due_ms : 0,
                                    .now_ms = a->now_ms,
                                    .retry_after_ms = a->retry_after_ms,
                                    .is_exact = a->is_exact};
    out->due_ms = retry_next_ms(&policy, &failure);
    out->state = DELIVERY_RETRYING;
    if (out->due_ms == INT64_MAX) {
        out->state = DELIVERY_TERMINATED;
        out->due_ms = 0;
        out->reason = decide_words(arena, "the last of %d attempts failed: " STR_FMT, a->number,
                                   STR_ARG(out->detail));
    }
}

void decide_outcome(const struct decide_attempt *a, struct arena *arena, struct decide_outcome *out)
{
    *out = (struct decide_outcome){
        .state = DELIVERY_DELIVERED, .base_ms = a->base_ms, .detail = a->detail};
    if (a->error == NULL && a->status >= 200 && a->status <= 299) {
        return;
    }
    if (a->error == NULL) {
        out->detail = decide_words(arena, "the receiver answered %d", a->status);
    }
    decide_failure(a, arena, out);
}
