#include "deliver/decide.h"

#include <stdarg.h>
#include <stdio.h>

#include "deliver/policy.h"

enum { DECIDE_STATUS_GONE = 410 };

// However a rule's function puts an attempt off: no later than this after the first failure.
static const int64_t DECIDE_ASKED_MAX_MS = INT64_C(30) * 24 * 60 * 60 * 1000;

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

// Whether the answer is a success; the policy's function says so where it says something.
static bool decide_success(const struct decide_attempt *a, const struct policy *p,
                           struct arena *arena, struct decide_outcome *out)
{
    if (out->error) {
        return false;
    }
    if (p->asks_success && a->rules) {
        struct rules_answer answer = {.status = a->status, .headers = a->headers, .body = a->body};
        struct rules_saying said;
        rules_success(a->rules, a->workflow, a->action, &answer, arena, &said);
        out->fault = said.message;
        if (said.say == RULES_SAY_YES || said.say == RULES_SAY_NO) {
            return said.say == RULES_SAY_YES;
        }
    }
    return a->status >= 200 && a->status <= 299;
}

// Why this failure is the last one whatever the windows say, or NULL data.
static struct str decide_end(const struct decide_attempt *a, const struct policy *p,
                             struct arena *arena, const struct decide_outcome *out)
{
    if (out->error || a->status == 0) {
        return (struct str){NULL, 0};
    }
    if (a->status == DECIDE_STATUS_GONE) {
        return STR("the receiver answered 410: it is gone for good");
    }
    if (policy_has_status(p->give_up_on, a->status)) {
        return decide_words(arena, "the receiver answered %d, which give_up_on names", a->status);
    }
    if (p->retry_on.len && !policy_has_status(p->retry_on, a->status)) {
        return decide_words(arena, "the receiver answered %d, which retry_on does not name",
                            a->status);
    }
    return (struct str){NULL, 0};
}

// The next attempt by the policy's function: false where it says nothing.
static bool decide_asked(const struct decide_attempt *a, struct arena *arena,
                         struct decide_outcome *out)
{
    struct rules_attempt attempt = {.number = a->number,
                                    .status = a->status,
                                    .error = out->error,
                                    .elapsed_ms = a->now_ms - out->base_ms};
    struct rules_saying said = {.say = RULES_SAY_NOTHING};
    if (a->rules) {
        rules_retry(a->rules, a->workflow, a->action, &attempt, arena, &said);
    }
    out->fault = said.message.len ? said.message : out->fault;
    if (said.say == RULES_SAY_NO) {
        out->due_ms = INT64_MAX;
    } else if (said.say == RULES_SAY_YES) {
        // What the receiver asks for ends nothing: it puts the attempt off to the end at most.
        int64_t end_ms = out->base_ms + DECIDE_ASKED_MAX_MS;
        int64_t asked_ms = a->now_ms + a->retry_after_ms;
        asked_ms = asked_ms < end_ms ? asked_ms : end_ms;
        out->due_ms = a->now_ms + said.wait_ms;
        out->due_ms = said.wait_ms > DECIDE_ASKED_MAX_MS || out->due_ms > end_ms ? INT64_MAX
                      : out->due_ms > asked_ms                                   ? out->due_ms
                                                                                 : asked_ms;
    }
    return said.say == RULES_SAY_NO || said.say == RULES_SAY_YES;
}

static void decide_failure(const struct decide_attempt *a, const struct policy *p,
                           struct arena *arena, struct decide_outcome *out)
{
    out->base_ms = a->base_ms ? a->base_ms : a->now_ms;
    out->reason = decide_end(a, p, arena, out);
    if (out->reason.data) {
        out->state = DELIVERY_TERMINATED;
        return;
    }
    struct retry_failure failure = {.delivery = a->delivery,
                                    .base_ms = out->base_ms,
                                    .due_ms = a->base_ms ? a->due_ms : 0,
                                    .now_ms = a->now_ms,
                                    .retry_after_ms = a->retry_after_ms,
                                    .is_exact = a->is_exact};
    if (!p->asks_retry || !decide_asked(a, arena, out)) {
        out->due_ms = retry_next_ms(&p->windows, &failure);
    }
    out->state = DELIVERY_RETRYING;
    if (out->due_ms == INT64_MAX) {
        out->state = DELIVERY_TERMINATED;
        out->due_ms = 0;
        out->reason = decide_words(arena, "the last of %d attempts failed: " STR_FMT, a->number,
                                   STR_ARG(out->detail));
    }
}

int64_t decide_window_ms(struct str retry)
{
    struct policy policy;
    if (policy_parse(retry, &policy)) {
        policy = (struct policy){.windows = RETRY_DEFAULT};
    }
    return policy.asks_retry ? DECIDE_ASKED_MAX_MS
                             : policy.windows.offset_ms[policy.windows.count - 1];
}

int64_t decide_end_ms(struct str retry, int64_t base_ms, int64_t due_ms)
{
    return (base_ms ? base_ms : due_ms) + decide_window_ms(retry);
}

void decide_outcome(const struct decide_attempt *a, struct arena *arena, struct decide_outcome *out)
{
    struct policy policy;
    if (policy_parse(a->retry, &policy)) {
        policy = (struct policy){.windows = RETRY_DEFAULT};
    }
    *out = (struct decide_outcome){
        .state = DELIVERY_DELIVERED, .base_ms = a->base_ms, .error = a->error, .detail = a->detail};
    if (a->error == NULL && a->is_body_cut && policy.asks_success) {
        out->error = "response_too_large";
        out->detail = STR("the answer's body is over 1 MiB, and success needs the whole of it");
    }
    if (decide_success(a, &policy, arena, out)) {
        return;
    }
    if (out->error == NULL && a->status >= 200 && a->status <= 299) {
        out->detail = decide_words(arena,
                                   "the receiver answered %d, and success says that this is "
                                   "a failure",
                                   a->status);
    } else if (out->error == NULL) {
        out->detail = decide_words(arena, "the receiver answered %d", a->status);
    }
    decide_failure(a, &policy, arena, out);
}
