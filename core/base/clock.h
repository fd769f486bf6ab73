// The host's clock, passed in wherever time is read. Wall time is milliseconds since 1970-01-01
// UTC, monotonic time milliseconds since some start. A test clock starts at the wall time and then
// moves only by clock_advance. Loop thread only when it is a test clock; any thread otherwise.
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct clock {
    bool is_test;
    int64_t wall_ms; // test clock only
    int64_t mono_ms; // test clock only
};

void clock_init(struct clock *c);
void clock_init_test(struct clock *c);
int64_t clock_wall_ms(const struct clock *c);
int64_t clock_mono_ms(const struct clock *c);
void clock_advance(struct clock *c, int64_t ms); // test clock only

#endif
