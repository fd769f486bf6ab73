// Deliveries that were delayed with `recheck`: when one falls due its conditions are judged again,
// once, and what came of it is stored before its first attempt. So a crash behind that finds it
// decided: what was let through is sent, with retries that ask no more, and what was cancelled
// stays so.
#include "deliver/internal.h"
#include "engine/engine.h"

enum { RECHECK_AT_ONCE_MAX = 32 };

struct recheck { // on the job's arena
    struct cause cause;
    struct store_record_row state;
    struct store_read read;
};

static void recheck_end(struct job *j)
{
    j->target->deliver->recheck_count--;
    arena_fini(&j->arena);
}

// It is on disk as it was: read again in a while.
static void recheck_put_off(struct job *j)
{
    struct target *t = j->target;
    struct deliver *d = t->deliver;
    recheck_end(j);
    job_drop(j);
    target_mark_due(t, deliver_now_ms(d) + DELIVER_AGAIN_MS);
    schedule_arm(d);
}

static void recheck_on_stored(struct store_finish *f)
{
    struct job *j = f->ctx;
    struct target *t = j->target;
    struct deliver *d = t->deliver;
    enum delivery_state state = f->state;
    d->asked--;
    if (f->code && f->code != ERR_NOT_FOUND) {
        recheck_put_off(j);
    } else {
        if (f->code == 0 && state != DELIVERY_PENDING) {
            deliver_tell_state(j);
        }
        recheck_end(j);
        deliver_freed(d, &f->freed);
        if (f->code == 0 && state == DELIVERY_PENDING && !d->paused.since_ms &&
            !held_back_has(d, j->workflow)) {
            job_wait(j);
            target_update_ready(t);
        } else {
            job_drop(j);
            target_settle(t);
        }
    }
    recheck_pump(d);
    schedule_pump(d);
    deliver_check_drained(d);
}

static void recheck_decide(struct job *j)
{
    struct deliver *d = j->target->deliver;
    struct recheck *r = j->recheck;
    struct engine_recheck q = {.workflow = r->cause.delivery->owed.workflow,
                               .cause = r->cause.event,
                               .previous = r->cause.delivery->owed.recheck_previous,
                               .state = &r->state};
    j->finish = (struct store_finish){.delivery = j->id,
                                      .state = DELIVERY_PENDING,
                                      .due_at_ms = j->due_ms,
                                      .base_ms = j->base_ms,
                                      .is_rechecked = true,
                                      .order_key = j->order_key,
                                      .now_ms = deliver_now_ms(d),
                                      .arena = &j->arena,
                                      .on_done = recheck_on_stored,
                                      .ctx = j};
    if (!engine_holds_still(d->config.engine, &q, &j->arena, &j->finish.reason)) {
        j->finish.state = DELIVERY_CANCELLED;
    }
    d->asked++;
    store_finish(d->config.store, &j->finish);
}

static void recheck_on_state(struct store_read *read)
{
    struct job *j = read->ctx;
    struct deliver *d = j->target->deliver;
    d->asked--;
    if (read->code && !d->is_draining) {
        recheck_put_off(j);
        recheck_pump(d);
    } else if (!d->is_draining) {
        recheck_decide(j);
    }
    deliver_check_drained(d);
}

static void recheck_on_cause(struct job *j, int code)
{
    struct deliver *d = j->target->deliver;
    struct recheck *r = j->recheck;
    if (d->is_draining) {
        return;
    }
    if (code) {
        recheck_put_off(j);
        recheck_pump(d);
        return;
    }
    r->state = (struct store_record_row){.record_type = r->cause.event->record_type,
                                         .record_id = r->cause.event->record_id};
    r->read = (struct store_read){.kind = STORE_READ_RECORDS,
                                  .records = &r->state,
                                  .record_count = 1,
                                  .arena = &j->arena,
                                  .on_done = recheck_on_state,
                                  .ctx = j};
    d->asked++;
    store_read(d->config.store, &r->read);
}

void recheck_pump(struct deliver *d)
{
    while (d->rechecks.first && d->recheck_count < RECHECK_AT_ONCE_MAX && !d->is_draining) {
        struct job *j = d->rechecks.first;
        d->rechecks.first = j->next;
        if (j->next == NULL) {
            d->rechecks.last = &d->rechecks.first;
        }
        j->next = NULL;
        d->recheck_count++;
        j->recheck = arena_alloc(&j->arena, sizeof *j->recheck);
        if (j->recheck) {
            cause_read(&j->recheck->cause, j, recheck_on_cause);
        } else {
            recheck_put_off(j);
        }
    }
}
