// The running time of the host (base/clock.h) while nothing else is stored: what waits is counted
// from it, so a kill in a long pause must not lose the pause.
#include "deliver/internal.h"

enum {
    RUNNING_MARK_LEAST_MS = 1000,
    RUNNING_MARK_MOST_MS = 60 * 1000,
    RUNNING_MARK_SHARE = 8 // of what is still waited for, a kill makes it later by one at most
};

static void running_on_mark(struct store_time *t)
{
    struct deliver *d = t->ctx;
    d->asked--;
    d->is_marking = false;
    deliver_check_drained(d); // a store that failed has told why
}

int64_t running_look_ms(int64_t wait_ms)
{
    int64_t look_ms = wait_ms / RUNNING_MARK_SHARE;
    look_ms = look_ms > RUNNING_MARK_LEAST_MS ? look_ms : RUNNING_MARK_LEAST_MS;
    look_ms = look_ms < RUNNING_MARK_MOST_MS ? look_ms : RUNNING_MARK_MOST_MS;
    return wait_ms < look_ms ? wait_ms : look_ms;
}

void running_mark(struct deliver *d)
{
    int64_t now_ms = deliver_now_ms(d);
    if (d->is_marking || now_ms - d->marked_ms < RUNNING_MARK_LEAST_MS) {
        return;
    }
    d->is_marking = true;
    d->marked_ms = now_ms;
    d->asked++;
    d->mark = (struct store_time){.on_done = running_on_mark, .ctx = d};
    store_time_mark(d->config.store, &d->mark);
}

// --- the start -----------------------------------------------------------------------------------

static void running_on_step(struct store_time *t)
{
    struct deliver *d = t->ctx;
    d->asked--;
    d->is_delay_owed = t->code != 0;
    if (t->code) {
        deliver_ask_again(d);
    } else {
        d->has_moved_delays |= t->changed > 0;
        if (!t->is_done && !d->is_draining) {
            running_start(d);
        } else if (d->has_moved_delays) {
            deliver_start(d); // some may be due
        }
    }
    deliver_check_drained(d);
}

void running_start(struct deliver *d)
{
    d->asked++;
    d->delay_step = (struct store_time){.on_done = running_on_step, .ctx = d};
    store_time_step(d->config.store, &d->delay_step);
}

void running_step_again(struct deliver *d)
{
    if (d->is_delay_owed) {
        running_start(d);
    }
}
