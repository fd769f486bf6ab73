#include "base/clock.h"

#include <time.h>

// Two clocks are not read at the same instant, and one of them is disciplined: what they differ by
// trembles. Less than this is not a clock that was set.
enum { SET_LEAST_MS = 50 };

static int64_t read_ms(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void begin_running(struct clock *c)
{
    c->running_ms = clock_wall_ms(c) - clock_mono_ms(c);
}

void clock_init(struct clock *c)
{
    *c = (struct clock){.is_test = false};
    begin_running(c);
}

void clock_init_test(struct clock *c)
{
    *c = (struct clock){
        .is_test = true, .wall_ms = read_ms(CLOCK_REALTIME), .mono_ms = read_ms(CLOCK_MONOTONIC)};
    begin_running(c);
}

int64_t clock_wall_ms(const struct clock *c)
{
    return c->is_test ? c->wall_ms : read_ms(CLOCK_REALTIME);
}

int64_t clock_mono_ms(const struct clock *c)
{
    return c->is_test ? c->mono_ms : read_ms(CLOCK_MONOTONIC);
}

int64_t clock_running_ms(const struct clock *c)
{
    int64_t held_ms = c->held_ms;
    return held_ms ? held_ms : clock_mono_ms(c) + c->running_ms;
}

int64_t clock_real_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void clock_set_running(struct clock *c, int64_t running_ms)
{
    c->running_ms = running_ms - clock_mono_ms(c);
}

void clock_hold_running(struct clock *c, bool is_held)
{
    if (is_held && c->held_ms == 0) {
        c->held_ms = clock_running_ms(c);
    } else if (!is_held && c->held_ms) {
        clock_set_running(c, c->held_ms); // before it moves: other threads ask, too
        c->held_ms = 0;
    }
}

int64_t clock_wall_at_ms(struct clock *c, int64_t running_ms)
{
    int64_t ahead_ms = clock_wall_ms(c) - clock_running_ms(c);
    int64_t off_ms = ahead_ms - c->ahead_ms;
    if (off_ms >= SET_LEAST_MS || off_ms <= -SET_LEAST_MS) {
        c->ahead_ms = ahead_ms;
    }
    return running_ms + c->ahead_ms;
}

void clock_advance(struct clock *c, int64_t ms)
{
    c->wall_ms += ms;
    c->mono_ms += ms;
}

void clock_set_wall(struct clock *c, int64_t ms)
{
    c->wall_ms += ms;
}
