#include "deliver/internal.h"

#include <stdlib.h>

#include "base/id.h"

enum { DELIVER_START_ARENA_MAX = 64 << 20 };

static void deliver_on_again(void *ctx)
{
    struct deliver *d = ctx;
    if (d->is_start_owed) {
        deliver_start(d);
    }
    attempt_store_again(d);
    target_ask_leases_again(d);
    pause_step_again(d);
    running_step_again(d);
}

static void deliver_end_drain(void *ctx)
{
    struct deliver *d = ctx;
    loop_timer_stop(&d->drain_timer);
    d->is_drained = true;
    loop_timer_stop(&d->again_timer);
    void (*on_drained)(void *) = d->on_drained;
    d->on_drained = NULL;
    if (on_drained) {
        on_drained(d->drain_ctx);
    }
}

static void deliver_on_drain_late(void *ctx)
{
    struct deliver *d = ctx;
    log_warn(d->config.log, "what is in flight did not end in time: the next start sends it again");
    deliver_end_drain(d);
}

void deliver_ask_again(struct deliver *d)
{
    if (!d->is_drained) {
        loop_timer_start(&d->again_timer, DELIVER_AGAIN_MS);
    }
}

int deliver_open(struct deliver **out, const struct deliver_config *c, struct err *e)
{
    struct deliver *d = calloc(1, sizeof *d);
    if (d == NULL) {
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    d->config = *c;
    map_init(&d->targets);
    map_init(&d->jobs);
    map_init(&d->held_back);
    map_init(&d->pauses);
    heap_init(&d->due);
    heap_init(&d->asleep);
    for (size_t i = 0; i < TARGET_STANDINGS; i++) {
        list_init(&d->ready[i]);
    }
    list_init(&d->idle);
    list_init(&d->over);
    d->rechecks.last = &d->rechecks.first;
    loop_timer_init(&d->trial_timer, c->loop, LOOP_REAL_TIME, schedule_on_trial, d);
    d->at_oauth.last = &d->at_oauth.first;
    d->oauth_listener = (struct oauth_listener){.on_change = oauth_wait_on_change, .ctx = d};
    oauth_listen(c->oauth, &d->oauth_listener);
    loop_timer_init(&d->timer, c->loop, LOOP_HOST_TIME, schedule_on_timer, d);
    loop_timer_init(&d->wake_timer, c->loop, LOOP_HOST_TIME, gate_on_timer, d);
    loop_timer_init(&d->again_timer, c->loop, LOOP_REAL_TIME, deliver_on_again, d);
    loop_timer_init(&d->drain_timer, c->loop, LOOP_REAL_TIME, deliver_on_drain_late, d);
    *out = d;
    return 0;
}

void deliver_start(struct deliver *d)
{
    if (d->is_start_asked || d->is_draining) {
        d->is_start_owed = true;
        return;
    }
    if (!d->has_started) {
        d->has_started = true;
        pause_start(d);
        running_start(d);
    }
    d->is_start_owed = false;
    d->is_start_asked = true;
    arena_init(&d->start_arena, DELIVER_START_ARENA_MAX);
    d->start_read =
        (struct store_targets){.arena = &d->start_arena, .on_done = schedule_on_start, .ctx = d};
    d->asked++;
    store_targets(d->config.store, &d->start_read);
}

// When its breaker lets something through again (running time); 0: it does now.
static int64_t target_not_before_ms(const struct target *t)
{
    int64_t left_ms = t->open_until_ms - loop_now_ms(t->deliver->config.loop, LOOP_HOST_TIME);
    return t->state == TARGET_OPEN && left_ms > 0 ? deliver_now_ms(t->deliver) + left_ms : 0;
}

void deliver_look_at(const struct deliver *d, struct str target, struct deliver_target *out)
{
    const struct target *t = map_get(&d->targets, target);
    *out = (struct deliver_target){.state = d->paused.since_ms ? TARGET_PAUSED : TARGET_CLOSED};
    struct deliver_limits limits;
    d->config.target_limits(d->config.ctx, target, &limits);
    out->interval_us = limits.interval_us;
    if (t == NULL) {
        return;
    }
    out->state = d->paused.since_ms || t->is_paused ? TARGET_PAUSED : t->state;
    out->in_flight = t->in_flight;
    out->not_before_ms = target_not_before_ms(t);
    out->failures = t->failures;
}

int64_t deliver_waits_since_ms(const struct deliver *d)
{
    size_t at = 0;
    void *value;
    int64_t due_ms = INT64_MAX, since_ms = INT64_MAX;
    while (map_next(&d->jobs, &at, NULL, &value)) {
        int64_t made_ms = id_time_ms(((const struct job *)value)->id);
        since_ms = made_ms < since_ms ? made_ms : since_ms;
    }
    for (at = 0; map_next(&d->targets, &at, NULL, &value);) {
        const struct target *t = value;
        due_ms = t->due_ms < due_ms ? t->due_ms : due_ms;
    }
    if (due_ms <= deliver_now_ms(d)) {
        int64_t wall_ms = clock_wall_at_ms(loop_clock(d->config.loop), due_ms);
        since_ms = wall_ms < since_ms ? wall_ms : since_ms;
    }
    return since_ms;
}

void deliver_count_targets(const struct deliver *d, size_t count[TARGET_PAUSED + 1])
{
    size_t at = 0;
    void *value;
    memset(count, 0, (TARGET_PAUSED + 1) * sizeof *count);
    while (map_next(&d->targets, &at, NULL, &value)) {
        const struct target *t = value;
        count[d->paused.since_ms || t->is_paused ? TARGET_PAUSED : t->state]++;
    }
}

static void deliver_take(struct deliver *d, const struct store_delivery *one, struct str workflow,
                         int64_t now_ms)
{
    struct target *t = target_get(d, one->target);
    if (t == NULL) {
        char id[ID_SHOWN_LEN + 1];
        log_write(d->config.log, LOG_ERROR,
                  LOG_FIELDS({"delivery", id_show(id, ID_DELIVERY, one->id)},
                             {"workflow", workflow}, {"target", one->target}),
                  "out of memory: a delivery waits for the next start");
        return;
    }
    bool has_room = t->job_count < TARGET_JOBS_MAX && d->job_bytes < DELIVER_JOB_BYTES_MAX;
    bool has_older = t->due_ms <= now_ms;
    struct store_owed owed = {.id = one->id,
                              .due_at_ms = one->due_at_ms,
                              .head = one->head,
                              .body = one->body,
                              .action = one->action,
                              .retry = one->retry,
                              .workflow = workflow,
                              .order_key = one->order_key,
                              .timeout_ms = one->timeout_ms};
    if (one->due_at_ms > now_ms || one->wants_recheck || !has_room || has_older ||
        d->paused.since_ms || t->is_paused || job_add(t, &owed) == NULL) {
        target_mark_due(t, one->due_at_ms);
    }
    target_update_ready(t);
}

void deliver_tell_state(const struct job *j)
{
    const struct deliver_observer *o = &j->target->deliver->config.observer;
    const struct store_finish *f = &j->finish;
    if (o->on_state) {
        struct deliver_change c = {.delivery = f->delivery,
                                   .state = f->state,
                                   .workflow = j->workflow,
                                   .target = target_name(j->target),
                                   .head = j->head,
                                   .attempt = f->attempt.number ? &f->attempt : NULL};
        o->on_state(o->ctx, &c);
    }
}

void deliver_tell_event(struct deliver *d, const struct store_event *ev)
{
    if (d->config.observer.on_event) {
        d->config.observer.on_event(d->config.observer.ctx, ev);
    }
    for (size_t r = 0; r < ev->run_count; r++) {
        notices_judged(d->config.notices, ev, &ev->runs[r]);
    }
}

void deliver_take_event(struct deliver *d, const struct store_event *ev)
{
    deliver_tell_event(d, ev);
    deliver_start_event(d, ev);
}

void deliver_start_event(struct deliver *d, const struct store_event *ev)
{
    int64_t now_ms = deliver_now_ms(d);
    for (size_t r = 0; r < ev->run_count; r++) {
        const struct store_run *run = &ev->runs[r];
        for (size_t i = 0; !run->was_marked && !run->is_held_back && i < run->delivery_count; i++) {
            const struct store_delivery *one = &run->deliveries[i];
            if (one->outdated.id) {
                held_back_outdated(d, &one->outdated);
            }
            if (one->state == DELIVERY_PENDING && !one->is_waiting) {
                deliver_take(d, one, run->workflow, now_ms);
            }
        }
    }
    schedule_arm(d);
    schedule_pump(d);
}

bool deliver_is_settled(const struct deliver *d)
{
    const struct heap_node *top = heap_top(&d->due);
    const struct heap_node *asleep = heap_top(&d->asleep);
    bool is_asleep = asleep == NULL || asleep->key > loop_now_ms(d->config.loop, LOOP_HOST_TIME);
    int64_t now_ms = deliver_now_ms(d);
    bool has_due = !d->paused.since_ms && ((top && top->key <= now_ms) || list_first(&d->over));
    return d->asked == 0 && !d->is_reading_due && d->trials < DELIVER_TRIALS && is_asleep &&
           !has_due;
}

const struct deliver_paused *deliver_paused(const struct deliver *d)
{
    return &d->paused;
}

// What its breaker holds up is due when that lets it through.
static bool target_has_nothing_due(const struct target *t, int64_t now_ms)
{
    return t->state == TARGET_OPEN || (t->first == NULL && t->due_ms > now_ms);
}

bool deliver_is_idle(const struct deliver *d, int64_t *next_ms)
{
    int64_t now_ms = deliver_now_ms(d);
    bool is_idle = d->in_flight == 0 && d->asked == 0 && !d->is_reading_due && !d->is_start_owed &&
                   list_first(&d->over) == NULL && d->at_oauth.first == NULL &&
                   d->rechecks.first == NULL;
    size_t at = 0;
    void *value;
    *next_ms = INT64_MAX;
    while (map_next(&d->targets, &at, NULL, &value)) {
        const struct target *t = value;
        int64_t not_before_ms = target_not_before_ms(t);
        int64_t due_ms = t->first ? t->first->due_ms : t->due_ms;
        due_ms = due_ms > not_before_ms ? due_ms : not_before_ms;
        *next_ms = due_ms < *next_ms && !t->is_paused ? due_ms : *next_ms;
        is_idle = is_idle && (t->is_paused || target_has_nothing_due(t, now_ms));
    }
    for (at = 0; is_idle && map_next(&d->jobs, &at, NULL, &value);) {
        const struct job *j = value; // those that wait for their turn have not been started
        is_idle = j->started_ms == 0;
    }
    return is_idle;
}

size_t deliver_in_flight(const struct deliver *d)
{
    return d->in_flight;
}

// Jobs that were never started are owed in the store as they were: only those with an attempt
// count.
void deliver_check_drained(struct deliver *d)
{
    if (d->on_drained == NULL || d->in_flight || d->is_reading_due || d->asked) {
        return;
    }
    size_t at = 0;
    void *value;
    while (map_next(&d->jobs, &at, NULL, &value)) {
        if (((struct job *)value)->started_ms) {
            return;
        }
    }
    deliver_end_drain(d);
}

void deliver_drain(struct deliver *d, int64_t limit_ms, void (*on_drained)(void *ctx), void *ctx)
{
    d->is_draining = true;
    d->on_drained = on_drained;
    d->drain_ctx = ctx;
    loop_timer_stop(&d->trial_timer);
    d->trials = 0;
    loop_timer_stop(&d->timer);
    loop_timer_stop(&d->wake_timer);
    loop_timer_start(&d->drain_timer, limit_ms);
    deliver_check_drained(d);
}

void deliver_free(struct deliver *d)
{
    if (d == NULL) {
        return;
    }
    loop_timer_stop(&d->trial_timer);
    loop_timer_stop(&d->timer);
    loop_timer_stop(&d->wake_timer);
    loop_timer_stop(&d->again_timer);
    loop_timer_stop(&d->drain_timer);
    oauth_unlisten(d->config.oauth, &d->oauth_listener);
    size_t at = 0;
    void *value;
    while (map_next(&d->jobs, &at, NULL, &value)) {
        struct job *j = value;
        arena_fini(&j->arena);
        mask_fini(&j->mask);
        free(j);
    }
    map_fini(&d->jobs);
    held_back_free(d);
    pause_free_all(d);
    target_free_all(d);
    heap_fini(&d->due);
    heap_fini(&d->asleep);
    free(d);
}
