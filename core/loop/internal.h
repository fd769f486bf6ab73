// The loop's inside, for the files of this folder: what each of them keeps in struct loop.
#ifndef LOOP_INTERNAL_H
#define LOOP_INTERNAL_H

#include <stdatomic.h>
#include <uv.h>

#include "loop/flush_list.h"
#include "loop/loop.h"

enum { LOOP_TIMES = 2, LOOP_READ_BUFFER_BYTES = 64 * 1024 };

struct loop {
    uv_loop_t uv;
    struct clock *clock;
    bool is_running; // inside loop_run or loop_turn

    // timers.c: a heap for each kind of time, each woken by one uv_timer.
    struct heap timers[LOOP_TIMES];
    uv_timer_t wakes[LOOP_TIMES];
    int64_t armed_ms[LOOP_TIMES]; // when the uv_timer fires, by uv_now; INT64_MAX: stopped
    unsigned turn;                // counts the turns of the loop
    bool is_firing;
    bool is_arming_owed; // at the end of the turn

    // messages.c
    _Atomic(struct loop_message *) inbox; // newest first
    uv_async_t inbox_wake;
    int expected;

    // flush.c
    struct flush_list flushes;
    uv_prepare_t before_wait;
    uv_check_t after_wait;
    uv_idle_t stay_awake; // active: the loop does not wait

    char read_buffer[LOOP_READ_BUFFER_BYTES]; // stream.c: of the read that is under way
};

// The parts of struct loop. Their handles are unreferenced where they would keep the loop running.
void loop_timers_init(struct loop *l);
void loop_timers_fini(struct loop *l);
void loop_timers_close(struct loop *l);
void loop_timers_before_wait(struct loop *l); // arms what a moved test clock made due
void loop_timers_after_wait(struct loop *l);  // arms what was put off to the end of the turn

int loop_messages_open(struct loop *l);
void loop_messages_close(struct loop *l);

// Hooks on the loop's phases; they do not keep it running.
void loop_flush_open(struct loop *l);
void loop_flush_close(struct loop *l); // asynchronous: done when the loop has run on
// The next wait of this turn returns at once, and loop_run does not end before it.
void loop_stay_awake(struct loop *l);

// The enum err_code for a libuv error.
int loop_err_code(int uv_code);

#endif
