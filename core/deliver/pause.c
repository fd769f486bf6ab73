// What an operator pauses. Targets: nothing is started to them, and what they are owed is held in
// the store, in steps that nobody waits for. For one target one step is under way at a time; the
// next start goes on where this one ended. Everything: a mark in the store and here, which the
// schedule asks first, and the running time stands still; no delivery is touched, and the API shows
// as held what it keeps waiting.
#include <stdio.h>
#include <stdlib.h>

#include "base/rfc3339.h"
#include "deliver/internal.h"

enum { PAUSE_ARENA_MAX = 16 << 20 };

struct pause { // one whose deliveries are being held or released
    struct deliver *deliver;
    bool is_under_way;
    bool is_said_again; // it was paused or resumed meanwhile: what is there is gone through anew
    struct store_pause_step step;
    size_t name_len;
    char name[];
};

struct pause_request {
    struct deliver *deliver;
    struct store_pause_put put;
    void (*on_done)(void *ctx, int code);
    void *ctx;
    bool was_paused;              // here, before it was asked for
    struct deliver_paused paused; // everything: as it is then
    size_t name_len;
    char name[];
};

static struct str pause_name(const struct pause *p)
{
    return (struct str){p->name, p->name_len};
}

static void pause_drop(struct pause *p)
{
    map_remove(&p->deliver->pauses, pause_name(p));
    free(p);
}

static void pause_step(struct pause *p);

// Some of it was let go, or all of it: it may be due.
static void pause_look(struct pause *p)
{
    struct deliver *d = p->deliver;
    struct target *t = map_get(&d->targets, pause_name(p));
    if (t == NULL) {
        t = target_get(d, pause_name(p));
    }
    if (t && !t->is_paused) {
        target_mark_due(t, deliver_now_ms(d));
        schedule_arm(d);
    }
}

static void pause_on_step(struct store_pause_step *step)
{
    struct pause *p = step->ctx;
    struct deliver *d = p->deliver;
    d->asked--;
    p->is_under_way = false;
    if (step->code) {
        deliver_ask_again(d);
        deliver_check_drained(d);
        return;
    }
    if (step->changed) {
        pause_look(p);
    }
    if (p->is_said_again || !step->is_done) {
        pause_step(p);
    } else {
        pause_drop(p);
    }
    deliver_check_drained(d);
}

static void pause_step(struct pause *p)
{
    struct deliver *d = p->deliver;
    if (d->is_draining || p->is_under_way) {
        return;
    }
    if (p->is_said_again) {
        p->is_said_again = false;
        p->step.place = 0;
    }
    p->is_under_way = true;
    p->step.target = pause_name(p);
    p->step.now_ms = deliver_now_ms(d);
    p->step.on_done = pause_on_step;
    p->step.ctx = p;
    d->asked++;
    store_pause_step(d->config.store, &p->step);
}

void pause_step_again(struct deliver *d)
{
    size_t at = 0;
    void *value;
    while (map_next(&d->pauses, &at, NULL, &value)) {
        pause_step(value);
    }
    if (d->is_pauses_owed) {
        pause_start(d);
    }
}

// What is stored for the target is held or released, as the store has it now.
static void pause_follow(struct deliver *d, struct str target)
{
    struct pause *p = map_get(&d->pauses, target);
    if (p == NULL) {
        p = calloc(1, sizeof *p + target.len + 1);
        if (p) {
            memcpy(p->name, target.data, target.len);
            p->name_len = target.len;
            p->deliver = d;
        }
        if (p == NULL || map_put(&d->pauses, pause_name(p), p)) {
            free(p);
            log_write(d->config.log, LOG_ERROR, LOG_FIELDS({"target", target}),
                      "out of memory: what is held for " STR_FMT " is seen to by the next start",
                      STR_ARG(target));
            return;
        }
    }
    p->is_said_again = true;
    pause_step(p);
}

// --- what is said of a target -----------------------------------------------------------------

void pause_set(struct target *t, bool is_paused)
{
    struct deliver *d = t->deliver;
    t->is_paused = is_paused;
    if (is_paused) {
        held_back_drop_all(t);
        return;
    }
    t->is_starved = false;
    t->due_ms = INT64_MAX;
    target_mark_due(t, deliver_now_ms(d));
    target_update_ready(t);
    schedule_arm(d);
    schedule_pump(d);
}

// What waits here is in the store, too, where it may be changed until the pause ends: it is read
// again then.
static void pause_drop_all(struct deliver *d)
{
    size_t at = 0;
    void *value;
    while (map_next(&d->targets, &at, NULL, &value)) {
        held_back_drop_all(value);
    }
}

static void pause_set_all(struct deliver *d, const struct deliver_paused *paused)
{
    d->paused = *paused;
    clock_hold_running(loop_clock(d->config.loop), d->paused.since_ms != 0);
    if (d->paused.since_ms) {
        pause_drop_all(d);
        loop_timer_stop(&d->timer);
    } else {
        deliver_start(d); // what fell due meanwhile is looked for
        schedule_pump(d);
    }
}

static void pause_on_put_all(struct store_pause_put *put)
{
    struct pause_request *q = put->ctx;
    struct deliver *d = q->deliver;
    d->asked--;
    if (put->code == 0) {
        log_info(d->config.log, "everything is %s by an operator",
                 put->is_paused ? "paused" : "resumed");
        pause_set_all(d, put->is_paused && d->paused.since_ms ? &d->paused : &q->paused);
    } else if (put->code && put->is_paused && !q->was_paused) {
        pause_set_all(d, &(struct deliver_paused){0});
    }
    q->on_done(q->ctx, put->code);
    free(q);
    deliver_check_drained(d);
}

static void pause_on_put(struct store_pause_put *put)
{
    struct pause_request *q = put->ctx;
    struct deliver *d = q->deliver;
    struct target *t = map_get(&d->targets, put->target);
    d->asked--;
    if (t == NULL && put->code == 0 && put->is_paused) {
        t = target_get(d, put->target);
    }
    if (t && put->code == 0) {
        pause_set(t, put->is_paused);
    } else if (t && t->is_paused != q->was_paused) {
        pause_set(t, q->was_paused);
    }
    if (put->code == 0) {
        log_write(d->config.log, LOG_INFO, LOG_FIELDS({"target", put->target}),
                  "the target " STR_FMT " is %s by an operator", STR_ARG(put->target),
                  put->is_paused ? "paused" : "resumed");
        pause_follow(d, put->target);
    }
    q->on_done(q->ctx, put->code);
    free(q);
    deliver_check_drained(d);
}

// From now on, and not from when it is stored.
static void pause_begin(struct pause_request *q, struct str target, struct str who, bool is_paused)
{
    struct deliver *d = q->deliver;
    struct target *t = target.len ? map_get(&d->targets, target) : NULL;
    int64_t wall_ms = deliver_wall_ms(d);
    q->was_paused = target.len ? t && t->is_paused : d->paused.since_ms != 0;
    if (t && is_paused) {
        t->is_paused = true;
        list_remove(&t->ready);
    }
    if (target.len == 0 && is_paused) {
        q->paused.since_ms = wall_ms;
        snprintf(q->paused.by, sizeof q->paused.by, STR_FMT, STR_ARG(who));
        d->paused = q->was_paused ? d->paused : q->paused;
        clock_hold_running(loop_clock(d->config.loop), true);
    }
    q->put = (struct store_pause_put){.target = {q->name, target.len},
                                      .is_paused = is_paused,
                                      .who = str_from(q->paused.by),
                                      .now_ms = target.len ? deliver_now_ms(d) : wall_ms,
                                      .on_done = target.len ? pause_on_put : pause_on_put_all,
                                      .ctx = q};
}

int deliver_pause(struct deliver *d, struct str target, struct str who, bool is_paused,
                  struct store_audit_put *audit, void (*on_done)(void *ctx, int code), void *ctx)
{
    struct pause_request *q = d->is_drained ? NULL : calloc(1, sizeof *q + target.len + 1);
    if (q == NULL) {
        audit_drop(audit);
        return d->is_drained ? ERR_CLOSED : ERR_NOMEM;
    }
    memcpy(q->name, target.len ? target.data : "", target.len);
    q->deliver = d;
    q->on_done = on_done;
    q->ctx = ctx;
    pause_begin(q, target, who, is_paused);
    d->asked++;
    store_pause_put(d->config.store, &q->put);
    if (audit) {
        audit->code_of_act = &q->put.code;
        audit->before = target.len ? &q->put.before : NULL;
        audit_give(d->config.store, audit);
    }
    return 0;
}

// --- the start --------------------------------------------------------------------------------

static void pause_take_all(struct deliver *d, const struct store_pauses *r)
{
    char since[RFC3339_LEN + 1];
    d->is_pause_known = true;
    d->paused.since_ms = r->all_since_ms;
    clock_hold_running(loop_clock(d->config.loop), r->all_since_ms != 0);
    snprintf(d->paused.by, sizeof d->paused.by, STR_FMT, STR_ARG(r->all_by));
    if (r->all_since_ms) {
        rfc3339_format(since, r->all_since_ms);
        log_warn(d->config.log,
                 "everything is paused by %s since %s: nothing is sent until hookline resume",
                 d->paused.by, since);
    }
    schedule_arm(d);
    schedule_pump(d);
}

static void pause_on_start(struct store_pauses *r)
{
    struct deliver *d = r->ctx;
    d->asked--;
    if (r->code) {
        log_error(d->config.log, "which targets are paused could not be read from the store (%s)",
                  err_word((enum err_code)r->code));
        d->is_pauses_owed = true;
        deliver_ask_again(d);
    }
    for (size_t i = 0; r->code == 0 && i < r->count; i++) {
        pause_follow(d, r->rows[i].target);
        if (r->rows[i].pause == STORE_PAUSE_ON) {
            target_get(d, r->rows[i].target); // which is told so with its lease
        }
    }
    if (r->code == 0) {
        pause_take_all(d, r);
    }
    arena_fini(&d->pauses_arena);
    deliver_check_drained(d);
}

void pause_start(struct deliver *d)
{
    d->is_pauses_owed = false;
    arena_init(&d->pauses_arena, PAUSE_ARENA_MAX);
    d->pauses_read =
        (struct store_pauses){.arena = &d->pauses_arena, .on_done = pause_on_start, .ctx = d};
    d->asked++;
    store_pauses(d->config.store, &d->pauses_read);
}

void pause_free_all(struct deliver *d)
{
    size_t at = 0;
    void *value;
    while (map_next(&d->pauses, &at, NULL, &value)) {
        free(value);
    }
    map_fini(&d->pauses);
}
