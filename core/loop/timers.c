#include <unistd.h>

#include "loop/internal.h"

int64_t loop_now_ms(struct loop *l, enum loop_time time)
{
    if (time == LOOP_HOST_TIME && l->clock->is_test) {
        return clock_mono_ms(l->clock);
    }
    // libuv reads the time once a turn; between runs nobody does.
    if (!l->is_running) {
        uv_update_time(&l->uv);
    }
    return (int64_t)uv_now(&l->uv);
}

// libuv's time when the first timer of the heap should wake the loop; INT64_MAX for never.
static int64_t wake_ms(struct loop *l, enum loop_time time)
{
    const struct heap_node *first = heap_top(&l->timers[time]);
    if (!first) {
        return INT64_MAX;
    }
    if (time == LOOP_HOST_TIME && l->clock->is_test) {
        return first->key <= clock_mono_ms(l->clock) ? (int64_t)uv_now(&l->uv) : INT64_MAX;
    }
    return first->key;
}

static void on_wake(uv_timer_t *handle);

static void arm(struct loop *l, enum loop_time time)
{
    int64_t due_ms = wake_ms(l, time);
    if (due_ms == INT64_MAX) {
        if (l->armed_ms[time] != INT64_MAX) {
            uv_timer_stop(&l->wakes[time]);
            l->armed_ms[time] = INT64_MAX;
        }
        return;
    }
    // Waking too early is harmless, and cheaper than following every stopped timer.
    if (l->armed_ms[time] <= due_ms) {
        return;
    }
    int64_t now_ms = (int64_t)uv_now(&l->uv);
    // libuv runs a timer that was started with 0 from a timer's callback in the same pass, for ever
    // if need be. What falls due while timers fire is armed at the end of the turn.
    if (l->is_firing && due_ms <= now_ms) {
        l->is_arming_owed = true;
        loop_stay_awake(l);
        return;
    }
    uv_timer_start(&l->wakes[time], on_wake, due_ms > now_ms ? (uint64_t)(due_ms - now_ms) : 0, 0);
    l->armed_ms[time] = due_ms;
}

static void fire(struct loop *l, enum loop_time time, struct loop_timer *t)
{
    heap_remove(&l->timers[time], &t->node);
    t->on_due(t->ctx);
}

static void on_wake(uv_timer_t *handle)
{
    struct loop *l = handle->data;
    enum loop_time time = handle == &l->wakes[LOOP_REAL_TIME] ? LOOP_REAL_TIME : LOOP_HOST_TIME;
    int64_t now_ms = loop_now_ms(l, time);
    l->is_firing = true;
    l->armed_ms[time] = INT64_MIN; // armed below, once
    for (;;) {
        struct heap_node *first = heap_top(&l->timers[time]);
        if (!first || first->key > now_ms) {
            break;
        }
        struct loop_timer *t = (struct loop_timer *)(void *)first;
        if (t->turn == l->turn) {
            break; // started by one of this turn's
        }
        fire(l, time, t);
    }
    l->armed_ms[time] = INT64_MAX;
    arm(l, time);
    l->is_firing = false;
}

void loop_timer_init(struct loop_timer *t, struct loop *l, enum loop_time time,
                     void (*on_due)(void *ctx), void *ctx)
{
    *t = (struct loop_timer){.loop = l, .time = time, .on_due = on_due, .ctx = ctx};
}

void loop_timer_start(struct loop_timer *t, int64_t ms)
{
    struct loop *l = t->loop;
    int64_t now_ms = loop_now_ms(l, t->time);
    ms = ms > 0 ? ms : 0;
    int64_t due_ms = ms < INT64_MAX - now_ms ? now_ms + ms : INT64_MAX - 1;
    t->turn = l->is_firing ? l->turn : l->turn - 1;
    if (heap_holds(&t->node)) {
        heap_move(&l->timers[t->time], &t->node, due_ms);
    } else if (heap_push(&l->timers[t->time], &t->node, due_ms) != 0) {
        // Without its timers the host would wait for ever, unseen. What is owed is on disk.
        static const char words[] = "hookline ends: out of memory for a timer\n";
        (void)!write(STDERR_FILENO, words, sizeof words - 1);
        _exit(1);
    }
    arm(l, t->time);
}

void loop_timer_stop(struct loop_timer *t)
{
    if (heap_holds(&t->node)) {
        heap_remove(&t->loop->timers[t->time], &t->node);
        arm(t->loop, t->time);
    }
}

int64_t loop_next_host_due_ms(struct loop *l)
{
    const struct heap_node *first = heap_top(&l->timers[LOOP_HOST_TIME]);
    return first ? first->key : INT64_MAX;
}

int64_t loop_advance_to_next(struct loop *l, int64_t ms)
{
    int64_t now_ms = clock_mono_ms(l->clock);
    struct heap_node *first = heap_top(&l->timers[LOOP_HOST_TIME]);
    if (!first || first->key - now_ms > ms) {
        clock_advance(l->clock, ms);
        return ms;
    }
    int64_t moved_ms = first->key > now_ms ? first->key - now_ms : 0;
    clock_advance(l->clock, moved_ms);
    fire(l, LOOP_HOST_TIME, (struct loop_timer *)(void *)first);
    arm(l, LOOP_HOST_TIME); // of what is due now too, a step may run one alone
    return moved_ms;
}

void loop_timers_before_wait(struct loop *l)
{
    if (l->clock->is_test) {
        arm(l, LOOP_HOST_TIME);
    }
}

void loop_timers_after_wait(struct loop *l)
{
    l->turn++;
    if (l->is_arming_owed) {
        l->is_arming_owed = false;
        arm(l, LOOP_HOST_TIME);
        arm(l, LOOP_REAL_TIME);
    }
}

void loop_timers_init(struct loop *l)
{
    l->turn = 0;
    l->is_firing = false;
    l->is_arming_owed = false;
    for (int i = 0; i < LOOP_TIMES; i++) {
        heap_init(&l->timers[i]);
        l->armed_ms[i] = INT64_MAX;
        uv_timer_init(&l->uv, &l->wakes[i]);
        l->wakes[i].data = l;
    }
}

void loop_timers_close(struct loop *l)
{
    for (int i = 0; i < LOOP_TIMES; i++) {
        uv_close((uv_handle_t *)&l->wakes[i], NULL);
    }
}

void loop_timers_fini(struct loop *l)
{
    for (int i = 0; i < LOOP_TIMES; i++) {
        heap_fini(&l->timers[i]);
    }
}
