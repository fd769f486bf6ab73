// The gate of a target: its breaker, and its rate. A target that is down is left alone for a while,
// then one delivery that is due finds out whether it is up again. Nothing is lost and no attempt is
// made in vain: what is owed stays as it is, and ends when it would have ended anyway.
#include <stdio.h>

#include "deliver/decide.h"
#include "deliver/internal.h"

enum {
    GATE_FAILURES = 10, // in a row
    GATE_OPEN_MS = 5 * 1000,
    GATE_OPEN_MAX_MS = 60 * 1000,
    GATE_BURST_US = 10 * 1000 // timers are no better than milliseconds
};

const char *deliver_target_state_word(enum deliver_target_state s)
{
    static const char *const words[] = {"closed", "open", "half_open", "paused"};
    return words[s];
}

static int64_t gate_now_ms(const struct target *t)
{
    return loop_now_ms(t->deliver->config.loop, LOOP_HOST_TIME);
}

static void gate_arm(struct deliver *d)
{
    struct heap_node *top = heap_top(&d->asleep);
    if (top == NULL || d->is_draining) {
        loop_timer_stop(&d->wake_timer);
        return;
    }
    int64_t wait_ms = top->key - loop_now_ms(d->config.loop, LOOP_HOST_TIME);
    loop_timer_start(&d->wake_timer, wait_ms > 0 ? wait_ms : 0);
}

static void gate_sleep(struct target *t, int64_t until_ms)
{
    struct deliver *d = t->deliver;
    if (heap_holds(&t->wake)) {
        heap_move(&d->asleep, &t->wake, until_ms);
    } else if (heap_push(&d->asleep, &t->wake, until_ms)) {
        return; // no memory: looked at again when something of it ends or falls due
    }
    gate_arm(d);
}

void gate_forget(struct target *t)
{
    heap_remove(&t->deliver->asleep, &t->wake);
}

void gate_on_timer(void *ctx)
{
    struct deliver *d = ctx;
    int64_t now_ms = loop_now_ms(d->config.loop, LOOP_HOST_TIME);
    struct heap_node *top;
    while (!d->is_draining && (top = heap_top(&d->asleep)) && top->key <= now_ms) {
        struct target *t = (struct target *)((char *)top - offsetof(struct target, wake));
        heap_remove(&d->asleep, top);
        target_update_ready(t);
    }
    gate_arm(d);
    schedule_pump(d);
}

// What the breaker held up ends when it would have ended without one.
static void gate_end_late(struct target *t)
{
    int64_t now_ms = deliver_now_ms(t->deliver);
    struct job **at = &t->first;
    while (*at) {
        struct job *j = *at;
        if (j->end_ms == 0) {
            j->end_ms = decide_end_ms(j->retry, j->base_ms, j->due_ms);
        }
        if (j->end_ms <= now_ms) {
            *at = j->next;
            j->next = NULL;
            attempt_give_up(j);
        } else {
            at = &j->next;
        }
    }
    t->last = at;
}

static bool gate_breaker_lets(struct target *t)
{
    if (t->state == TARGET_CLOSED) {
        return true;
    }
    gate_end_late(t);
    if (t->state == TARGET_OPEN && gate_now_ms(t) >= t->open_until_ms) {
        t->state = TARGET_HALF_OPEN;
        t->has_probe = false;
        schedule_ask_over(t); // its probe may have to wait for a place
    }
    if (t->state == TARGET_OPEN) {
        t->held_up_until_ms = deliver_now_ms(t->deliver);
        gate_sleep(t, t->open_until_ms);
        return false;
    }
    return !t->has_probe && t->first;
}

bool gate_lets(struct target *t)
{
    if (!gate_breaker_lets(t)) {
        return false;
    }
    int64_t now_us = gate_now_ms(t) * 1000;
    if (t->interval_us && t->next_us > now_us + GATE_BURST_US) {
        gate_sleep(t, (t->next_us - GATE_BURST_US + 999) / 1000);
        return false;
    }
    return true;
}

void gate_started(struct target *t, struct job *j)
{
    if (t->interval_us) {
        int64_t now_us = gate_now_ms(t) * 1000;
        t->next_us = (t->next_us > now_us ? t->next_us : now_us) + t->interval_us;
    }
    j->was_held_up = t->held_up_until_ms >= j->due_ms;
    j->is_probe = t->state == TARGET_HALF_OPEN;
    t->has_probe |= j->is_probe;
}

void gate_took_back(struct target *t, struct job *j)
{
    t->has_probe = t->has_probe && !j->is_probe;
    j->is_probe = false;
}

// More in flight: with each success, but of one that was down by one for each round of them, so
// that its backlog comes back at a ramp.
static void gate_earn(struct target *t)
{
    t->successes++;
    if (t->allowed < t->most && (!t->is_ramping || t->successes >= t->allowed)) {
        t->allowed++;
        t->successes = 0;
    }
    t->is_ramping = t->is_ramping && t->allowed < t->most;
}

void gate_succeeded(struct target *t)
{
    if (t->state != TARGET_CLOSED) {
        log_write(t->deliver->config.log, LOG_INFO, LOG_FIELDS({"target", target_name(t)}),
                  "the target %s answers again: it gets what it is owed", t->name);
        t->state = TARGET_CLOSED;
        t->held_up_until_ms = deliver_now_ms(t->deliver);
        gate_forget(t);
    }
    t->has_probe = false;
    t->failures = 0;
    t->open_ms = 0;
    t->is_untold |= t->last_error[0] != '\0';
    t->last_error[0] = '\0';
    gate_earn(t);
}

static bool gate_is_down(const char *error, int status)
{
    if (error) {
        return strcmp(error, "connect") == 0 || strcmp(error, "tls") == 0 ||
               strcmp(error, "timeout") == 0;
    }
    return status == 429 || (status >= 502 && status <= 504);
}

static void gate_open(struct target *t)
{
    t->open_ms = t->open_ms ? t->open_ms * 2 : GATE_OPEN_MS;
    t->open_ms = t->open_ms < GATE_OPEN_MAX_MS ? t->open_ms : GATE_OPEN_MAX_MS;
    if (t->state == TARGET_CLOSED) {
        log_write(
            t->deliver->config.log, LOG_WARN, LOG_FIELDS({"target", target_name(t)}),
            "the target %s failed %d times in a row: from now on it is tried with one webhook "
            "at a time, in %d s first",
            t->name, t->failures, (int)(t->open_ms / 1000));
    }
    t->state = TARGET_OPEN;
    t->has_probe = false;
    t->open_until_ms = gate_now_ms(t) + t->open_ms;
    t->held_up_until_ms = deliver_now_ms(t->deliver);
    t->allowed = TARGET_FIRST_IN_FLIGHT < t->most ? TARGET_FIRST_IN_FLIGHT : t->most;
    t->is_ramping = true;
    t->successes = 0;
    list_remove(&t->ready);
    schedule_ask_over(t);
}

void gate_failed(struct target *t, const struct job *j, const char *error, int status)
{
    char now[STORE_TARGET_ERROR_MAX];
    if (error) {
        snprintf(now, sizeof now, "%s", error);
    } else {
        snprintf(now, sizeof now, "status %d", status);
    }
    t->is_untold |= strcmp(now, t->last_error) != 0;
    strcpy(t->last_error, now);
    bool is_down = gate_is_down(error, status);
    t->failures = is_down ? t->failures + 1 : 0;
    if (j->is_probe && t->state == TARGET_HALF_OPEN) {
        t->has_probe = false;
        if (error == NULL && !is_down) { // it is there, whatever it said
            t->state = TARGET_CLOSED;
            t->open_ms = 0;
        } else {
            gate_open(t);
        }
    } else if (t->state == TARGET_CLOSED && t->failures >= GATE_FAILURES) {
        gate_open(t);
    }
}
