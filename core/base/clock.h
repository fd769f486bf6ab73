// The host's clocks, passed in wherever time is read, in milliseconds.
//
// Wall time is what people see, since 1970-01-01 UTC; somebody may set it, forward or back.
// Monotonic time is since some start, and is not comparable from one start of the host to the next.
// Running time is monotonic time that goes on over restarts: it began at the wall time, and moves
// only while the host runs and is not paused. What is owed is scheduled by it, so that neither a
// clock that is set nor an outage of the host moves what waits.
//
// A test clock starts at the wall time, or where the last one stood that the data folder knows of,
// if that is later, and then moves only by clock_advance and clock_set_wall. Loop thread only when
// it is a test clock; else wall, monotonic and running time from any thread.
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct clock {
    bool is_test;
    int64_t wall_ms;            // test clock only
    int64_t mono_ms;            // test clock only
    _Atomic int64_t running_ms; // running time minus monotonic time
    _Atomic int64_t held_ms;    // the running time at which it stands still; 0: it moves
    int64_t ahead_ms;           // wall time minus running time, as it was last shown
};

void clock_init(struct clock *c); // running time begins at the wall time
void clock_init_test(struct clock *c);
int64_t clock_wall_ms(const struct clock *c);
int64_t clock_mono_ms(const struct clock *c);
int64_t clock_running_ms(const struct clock *c);
// For how long something takes: real monotonic time, whatever a test clock says. Any thread.
int64_t clock_real_us(void);
// It is this running time now: for the start, before anybody has asked for it.
void clock_set_running(struct clock *c, int64_t running_ms);
// It stands still from now on, or moves on from where it stood. Loop thread.
void clock_hold_running(struct clock *c, bool is_held);
// The wall time at which it is, or was, that running time, if the host runs on and nobody sets the
// clock. The same at each call, to the millisecond, until it is set. Loop thread.
int64_t clock_wall_at_ms(struct clock *c, int64_t running_ms);
void clock_advance(struct clock *c, int64_t ms);  // test clock only; all three
void clock_set_wall(struct clock *c, int64_t ms); // test clock only; forward or back by that
#endif
