#include "store/retention.h"

#include "store/retain.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    FIRST_ROUND_MS = 60 * 1000,
    ROUND_MS = 60 * 60 * 1000,
    STEP_PAUSE_MS = 4, // a step takes half a millisecond
    ARENA_MAX_BYTES = 64 << 20
};

struct retention {
    struct retention_config config;
    struct loop_timer round; // host time: when the next one begins
    struct loop_timer pause; // real time: the next step
    struct store_retain step;
    struct arena arena;
    struct store_removed removed; // by the round
    int64_t began_ms;             // real time
    bool is_under_way;
    bool is_at_store;
    bool is_stopped;
    bool is_over; // the last round left more than max_bytes
};

static void log_round(struct retention *r)
{
    const struct store_removed *n = &r->removed;
    const struct log *log = r->config.log;
    if (n->payloads || n->attempts || n->events) {
        log_info(log,
                 "retention removed %" PRId64 " payloads, the attempts of %" PRId64
                 " deliveries, and %" PRId64 " events with %" PRId64 " deliveries, in %" PRId64
                 " ms",
                 n->payloads, n->attempts, n->events, n->deliveries,
                 loop_now_ms(r->config.loop, LOOP_REAL_TIME) - r->began_ms);
    }
    if (r->step.is_over && !r->is_over) {
        log_warn(log,
                 "the store takes more than retention.size (%" PRId64
                 " bytes), and nothing more of it may be removed: what is left is owed, records' "
                 "latest states, and ids",
                 r->config.max_bytes);
    }
    r->is_over = r->step.is_over;
}

static void end_round(struct retention *r)
{
    r->is_under_way = false;
    if (!r->is_stopped) {
        loop_timer_start(&r->round, ROUND_MS);
    }
}

static void on_step(struct store_retain *q)
{
    struct retention *r = q->ctx;
    r->is_at_store = false;
    arena_fini(&r->arena);
    if (q->code == 0) {
        r->removed.payloads += q->removed.payloads;
        r->removed.attempts += q->removed.attempts;
        r->removed.events += q->removed.events;
        r->removed.deliveries += q->removed.deliveries;
    }
    if (q->code == 0 && q->is_done) {
        log_round(r);
    }
    if (q->code != 0 || q->is_done || r->is_stopped) {
        end_round(r); // the store has told what ails it; the next round begins anew
        return;
    }
    loop_timer_start(&r->pause, STEP_PAUSE_MS);
}

static void on_pause_end(void *ctx)
{
    struct retention *r = ctx;
    arena_init(&r->arena, ARENA_MAX_BYTES);
    r->is_at_store = true;
    store_retain(r->config.store, &r->step);
}

static void on_round(void *ctx)
{
    struct retention *r = ctx;
    const struct retention_config *c = &r->config;
    int64_t now_ms = clock_wall_ms(loop_clock(c->loop));
    r->removed = (struct store_removed){0};
    r->began_ms = loop_now_ms(c->loop, LOOP_REAL_TIME);
    r->is_under_way = true;
    r->step = (struct store_retain){.payloads_until_ms = now_ms - c->payloads_ms,
                                    .attempts_until_ms = now_ms - c->attempts_ms,
                                    .ids_until_ms = now_ms - c->ids_ms,
                                    .audit_until_ms = now_ms - c->audit_ms,
                                    .max_bytes = c->max_bytes,
                                    .arena = &r->arena,
                                    .on_done = on_step,
                                    .ctx = r};
    on_pause_end(r);
}

int retention_new(struct retention **out, const struct retention_config *c)
{
    struct retention *r = *out = calloc(1, sizeof *r);
    if (!r) {
        return ERR_NOMEM;
    }
    r->config = *c;
    loop_timer_init(&r->round, c->loop, LOOP_HOST_TIME, on_round, r);
    loop_timer_init(&r->pause, c->loop, LOOP_REAL_TIME, on_pause_end, r);
    return 0;
}

void retention_free(struct retention *r)
{
    if (r) {
        retention_stop(r);
        free(r);
    }
}

void retention_start(struct retention *r)
{
    loop_timer_start(&r->round, FIRST_ROUND_MS);
}

void retention_stop(struct retention *r)
{
    r->is_stopped = true;
    r->is_under_way = r->is_at_store;
    loop_timer_stop(&r->round);
    loop_timer_stop(&r->pause);
}

bool retention_is_busy(const struct retention *r)
{
    return r->is_at_store;
}

bool retention_is_settled(const struct retention *r)
{
    return !r->is_under_way;
}
