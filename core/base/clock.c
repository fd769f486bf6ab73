#include "base/clock.h"

#include <time.h>

static int64_t read_ms(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void clock_init(struct clock *c)
{
    *c = (struct clock){.is_test = false};
}

void clock_init_test(struct clock *c)
{
    *c = (struct clock){
        .is_test = true, .wall_ms = read_ms(CLOCK_REALTIME), .mono_ms = read_ms(CLOCK_MONOTONIC)};
}

int64_t clock_wall_ms(const struct clock *c)
{
    return c->is_test ? c->wall_ms : read_ms(CLOCK_REALTIME);
}

int64_t clock_mono_ms(const struct clock *c)
{
    return c->is_test ? c->mono_ms : read_ms(CLOCK_MONOTONIC);
}

void clock_advance(struct clock *c, int64_t ms)
{
    c->wall_ms += ms;
    c->mono_ms += ms;
}
