// A target: scheme, host and port, with its own limit in flight and its own queue in memory.
#include <stdlib.h>

#include "deliver/internal.h"

static void target_on_lease(struct store_lease *l)
{
    struct target *t = l->ctx;
    struct deliver *d = t->deliver;
    d->asked--;
    t->is_lease_asked = false;
    t->shards = l->shards;
    t->is_leased = l->code == 0;
    if (l->code) {
        log_write(d->config.log, LOG_ERROR, LOG_FIELDS({"target", target_name(t)}),
                  "the target %s could not be leased (%s): its webhooks wait", t->name,
                  err_word((enum err_code)l->code));
        deliver_ask_again(d);
        return;
    }
    t->told_held_up_ms = l->held_up_ms;
    if (l->held_up_ms > t->held_up_until_ms) {
        t->held_up_until_ms = l->held_up_ms;
    }
    if (l->is_paused) {
        pause_set(t, true);
    }
    target_update_ready(t);
    target_settle(t);
    schedule_arm(d);
    schedule_pump(d);
}

static void target_ask_lease(struct target *t)
{
    t->is_lease_asked = true;
    t->deliver->asked++;
    t->lease = (struct store_lease){.target = target_name(t),
                                    .last_error = t->last_error,
                                    .on_done = target_on_lease,
                                    .ctx = t};
    store_lease(t->deliver->config.store, &t->lease);
}

void target_ask_leases_again(struct deliver *d)
{
    size_t at = 0;
    void *value;
    while (map_next(&d->targets, &at, NULL, &value)) {
        struct target *t = value;
        if (!t->is_leased && !t->is_lease_asked) {
            target_ask_lease(t);
        }
    }
}

struct target *target_get(struct deliver *d, struct str name)
{
    struct target *t = map_get(&d->targets, name);
    if (t) {
        return t;
    }
    t = calloc(1, sizeof *t + name.len + 1);
    if (t == NULL) {
        return NULL;
    }
    memcpy(t->name, name.data, name.len);
    t->name_len = name.len;
    t->deliver = d;
    t->due_ms = INT64_MAX;
    t->last = &t->first;
    t->standing = TARGET_NEW;
    t->is_failing = notices_is_failing(d->config.notices, name);
    struct deliver_limits limits;
    d->config.target_limits(d->config.ctx, name, &limits);
    t->most = limits.in_flight;
    t->interval_us = limits.interval_us;
    t->allowed = TARGET_FIRST_IN_FLIGHT < t->most ? TARGET_FIRST_IN_FLIGHT : t->most;
    if (map_put(&d->targets, (struct str){t->name, t->name_len}, t)) {
        free(t);
        return NULL;
    }
    target_ask_lease(t);
    return t;
}

void target_mark_due(struct target *t, int64_t due_ms)
{
    struct deliver *d = t->deliver;
    if (due_ms >= t->due_ms) {
        return;
    }
    t->due_ms = due_ms;
    if (heap_holds(&t->due)) {
        heap_move(&d->due, &t->due, due_ms);
    } else if (!t->is_starved && heap_push(&d->due, &t->due, due_ms)) {
        t->is_starved = true; // no memory: asked for again when something of it ends
    }
}

void target_update_ready(struct target *t)
{
    struct deliver *d = t->deliver;
    if (list_holds(&t->ready) || !t->is_leased || t->is_paused || t->first == NULL ||
        t->in_flight >= t->allowed || !gate_lets(t)) {
        return;
    }
    list_append(&d->ready[t->standing], &t->ready);
}

void target_look_again(struct target *t)
{
    if (t->is_starved && t->job_count <= TARGET_JOBS_MAX / 2) {
        t->is_starved = false;
        int64_t due_ms = t->due_ms;
        t->due_ms = INT64_MAX;
        target_mark_due(t, due_ms);
        schedule_arm(t->deliver);
    }
}

static bool target_is_idle(const struct target *t)
{
    return t->job_count == 0 && t->due_ms == INT64_MAX && t->is_leased && !list_holds(&t->ready) &&
           t->state == TARGET_CLOSED && !t->is_paused && !t->deliver->is_reading_due;
}

// Of too many targets those go that were used longest ago: what a target has earned is worth
// keeping while it is in use, and that it is paused for as long as it is.
static void target_forget_oldest(struct deliver *d)
{
    struct list_node *oldest;
    while (d->targets.count > DELIVER_IDLE_TARGETS_MAX && (oldest = list_first(&d->idle)) != NULL) {
        struct target *t = LIST_OWNER(oldest, struct target, idle);
        list_remove(oldest);
        if (target_is_idle(t)) {
            map_remove(&d->targets, (struct str){t->name, t->name_len});
            gate_forget(t);
            list_remove(&t->over);
            free(t);
        } // else it comes back when something of it ends
    }
}

void target_settle(struct target *t)
{
    target_look_again(t);
    if (t->has_more_over && t->ending_count == 0) {
        t->has_more_over = false;
        schedule_ask_over(t);
    }
    list_remove(&t->idle);
    if (target_is_idle(t)) {
        list_append(&t->deliver->idle, &t->idle);
        target_forget_oldest(t->deliver);
    }
}

void target_tell(struct target *t, struct store_finish *f, struct arena *arena)
{
    f->held_up_ms = 0;
    f->target_error = (struct str){NULL, 0};
    if (t->is_untold || t->held_up_until_ms > t->told_held_up_ms) {
        f->held_up_ms = t->told_held_up_ms = t->held_up_until_ms;
    }
    if (t->is_untold) {
        f->target_error = arena_dup(arena, str_from(t->last_error));
    }
    t->is_untold = false;
}

void target_untold(struct target *t)
{
    t->is_untold = true;
}

static void target_stands(struct target *t, enum target_standing s)
{
    if (t->standing != s) { // it waits among those no more
        list_remove(&t->ready);
    }
    t->standing = s;
}

void target_succeeded(struct target *t)
{
    target_stands(t, TARGET_PROVEN);
    gate_succeeded(t);
}

void target_failed(struct target *t, const struct job *j, const char *error, int status)
{
    target_stands(t, TARGET_FAILING);
    if (t->allowed / 2 >= TARGET_FIRST_IN_FLIGHT) {
        t->allowed /= 2;
    }
    gate_failed(t, j, error, status);
}

void target_free_all(struct deliver *d)
{
    size_t at = 0;
    void *value;
    while (map_next(&d->targets, &at, NULL, &value)) {
        heap_remove(&d->due, &((struct target *)value)->due);
        gate_forget(value);
        free(value);
    }
    map_fini(&d->targets);
}
