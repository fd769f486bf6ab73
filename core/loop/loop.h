// The event loop of one thread, over libuv. Everything here belongs to the loop's thread except
// loop_post. Things that hold an operating system resource are opened and closed (asynchronously
// where a done callback is taken); timers are plain memory of their owner.
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include "base/clock.h"
#include "base/err.h"
#include "base/heap.h"

struct loop;

// clock is borrowed for the loop's life. Makes the process ignore SIGPIPE where nothing handles it
// yet: a write to a broken connection is an error code here, not a signal.
int loop_new(struct loop **out, struct clock *clock, struct err *e);
// Runs until loop_stop, or until nothing is open any more.
void loop_run(struct loop *l);
// One turn without waiting (tests). Returns whether anything is still open.
bool loop_turn(struct loop *l);
void loop_stop(struct loop *l);
// Everything opened on it must be closed (closings still under way are awaited), and threads that
// post must have been joined. Frees it. Returns the number of handles, and of expected messages,
// that were still open: 0, or somebody leaked.
size_t loop_free(struct loop *l);
struct clock *loop_clock(struct loop *l);

// --- timers: host time moves with the clock (a test clock too); real time never does
// --------------- A running timer keeps the loop running, except one in the future of a test clock.
enum loop_time { LOOP_HOST_TIME, LOOP_REAL_TIME };

struct loop_timer {
    struct heap_node node; // first member
    struct loop *loop;
    enum loop_time time;
    unsigned turn; // of the loop: a timer that another one starts does not fire in the same turn
    void (*on_due)(void *ctx);
    void *ctx;
};

void loop_timer_init(struct loop_timer *t, struct loop *l, enum loop_time time,
                     void (*on_due)(void *ctx), void *ctx);
// Due in `ms` from now (0: at the next turn); one shot; a running timer is moved. It cannot fail:
// where not even a pointer's memory is to be had, the process aborts (what is owed is on disk).
void loop_timer_start(struct loop_timer *t, int64_t ms);
void loop_timer_stop(struct loop_timer *t);
// Now for timers: cached for the turn, so free to call. Milliseconds, monotonic.
int64_t loop_now_ms(struct loop *l, enum loop_time time);
// When the earliest host-time timer is due, by loop_now_ms(LOOP_HOST_TIME); INT64_MAX for none.
int64_t loop_next_host_due_ms(struct loop *l);
// Moves a test clock by at most `ms`, to the next timer that falls due, and runs that one timer;
// with none due within `ms` it moves by `ms`. Returns the milliseconds moved. To see whether more
// is due at the new time, compare loop_next_host_due_ms with loop_now_ms.
int64_t loop_advance_to_next(struct loop *l, int64_t ms);

// --- file descriptors of others (curl, c-ares)
// ------------------------------------------------------
enum { LOOP_READABLE = 1, LOOP_WRITABLE = 2 };
// Close the poll before the descriptor. A broken descriptor is told as readable and writable.
struct loop_poll;
int loop_poll_open(struct loop_poll **out, struct loop *l, int fd,
                   void (*on_event)(void *ctx, int fd, int events), void *ctx);
int loop_poll_set(struct loop_poll *p, int events); // 0: none
void loop_poll_close(struct loop_poll *p);          // no callback after; memory goes by itself

// --- messages from other threads
// -------------------------------------------------------------------- Intrusive; the poster owns
// the memory until on_loop has run. First in, first out over all threads.
struct loop_message {
    struct loop_message *next;
    void (*on_loop)(struct loop_message *m);
};
void loop_post(struct loop *l, struct loop_message *m); // any thread
// A message does not keep the loop running by itself. While the sum of the changes is positive the
// loop goes on running (a thread will post): loop_expect(l, 1), later loop_expect(l, -1).
void loop_expect(struct loop *l, int change);

// --- work off the loop
// ----------------------------------------------------------------------------- `work` runs on a
// pool thread, then `done` on the loop. 0 or ERR_NOMEM.
int loop_work(struct loop *l, void (*work)(void *ctx), void (*done)(void *ctx), void *ctx);

// --- the end of a turn
// ------------------------------------------------------------------------------- on_flush runs
// once before the loop next waits, after loop_flush_request. Intrusive.
struct loop_flush {
    struct loop_flush *next;
    struct loop *loop;
    bool is_requested;
    void (*on_flush)(void *ctx);
    void *ctx;
};
void loop_flush_init(struct loop_flush *f, struct loop *l, void (*on_flush)(void *ctx), void *ctx);
void loop_flush_request(struct loop_flush *f);
void loop_flush_cancel(struct loop_flush *f); // no-op if not requested; before f's memory goes

// --- signals
// ----------------------------------------------------------------------------------------
struct loop_signal;
int loop_signal_open(struct loop_signal **out, struct loop *l, int signum,
                     void (*on_signal)(void *ctx, int signum), void *ctx);
void loop_signal_close(struct loop_signal *s);

#endif
