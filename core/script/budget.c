#include "script/budget.h"

#include "script/state.h"
#include "script/trace.h"

#include <lauxlib.h>
#include <time.h>

// A tick is short, so that instructions that are long in themselves (two equal strings of megabytes
// compared, a table of emptied slots walked) do not run far before the clock is looked at.
enum { BUDGET_TICK = 100, BUDGET_CPU_GRACE_MS = 20, BUDGET_BYTES_A_STEP = 64 };
// Small pieces over the limit are still given, for the hook to stop the run at its next tick: a
// refusal makes Lua collect everything first.
enum { BUDGET_SMALL_BYTES = 4096, BUDGET_SLACK_BYTES = 4 * 1024 * 1024 };

static const char BUDGET_STOPPED = 's'; // its address is the error value of a stop

static int64_t budget_coarse_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t budget_cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

// The coarse clock costs a few nanoseconds, but counts time that other threads had; the processor's
// is asked only once a run is long.
static bool budget_time_is_up(struct budget *b)
{
    if (b->limits.cpu_ms == 0 || budget_coarse_ms() - b->started_ms < BUDGET_CPU_GRACE_MS)
        return false;
    int64_t now_ms = budget_cpu_ms();
    if (b->cpu_started_ms == 0)
        b->cpu_started_ms = now_ms - BUDGET_CPU_GRACE_MS;
    return now_ms - b->cpu_started_ms > b->limits.cpu_ms;
}

static void budget_hook(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    budget_charge(L, BUDGET_TICK);
}

static void budget_note(struct state *s, enum budget_stop stop)
{
    struct budget *b = &s->budget;
    if (b->stop != BUDGET_RUNS)
        return;
    b->stop = stop;
    b->trace_place_len = trace_write(s->running, b->trace, sizeof b->trace);
}

static _Noreturn void budget_raise(lua_State *L)
{
    struct state *s = state_of(L);
    // From now on each instruction of this thread raises at once: handlers of __close get nowhere.
    lua_sethook(L, budget_hook, LUA_MASKCOUNT, 1);
    if (L == s->L)
        s->budget.is_hooked = true;
    lua_pushlightuserdata(L, (void *)&BUDGET_STOPPED);
    lua_error(L);
    __builtin_unreachable();
}

// What the run before has left. Putting false in a place that the registry has needs no memory.
static void budget_forget_run(struct state *s)
{
    s->random.is_seeded = false;
    if (s->named_count > 0) {
        lua_pushboolean(s->L, false);
        lua_rawseti(s->L, LUA_REGISTRYINDEX, s->ref_names);
    }
    if (s->has_next) {
        lua_pushboolean(s->L, false);
        lua_rawseti(s->L, LUA_REGISTRYINDEX, s->ref_next);
    }
    s->named_count = 0;
    s->has_next = false;
}

void budget_begin(struct state *s, const struct budget_limits *limits)
{
    static const struct budget_limits none = {.is_unhooked = true};
    struct budget *b = &s->budget;
    b->limits = limits ? *limits : none;
    b->is_open = true;
    b->stop = BUDGET_RUNS;
    b->is_out_of_time = false;
    b->refused = NULL;
    b->steps_left = b->limits.steps ? b->limits.steps : INT64_MAX;
    b->allocated_bytes = 0;
    b->charged_bytes = 0;
    b->cpu_started_ms = 0;
    b->is_granted = false;
    s->has_own_work = false;
    if (b->limits.is_unhooked) {
        b->cpu_limit_ms = b->limits.cpu_ms; // for when the run is counted after all
        b->limits.cpu_ms = 0;
        if (b->is_hooked)
            lua_sethook(s->L, NULL, 0, 0);
    } else {
        b->started_ms = budget_coarse_ms();
        lua_sethook(s->L, budget_hook, LUA_MASKCOUNT, BUDGET_TICK);
    }
    b->is_hooked = !b->limits.is_unhooked;
    s->running = s->L;
    budget_forget_run(s);
}

void budget_count(lua_State *L)
{
    struct state *s = state_of(L);
    struct budget *b = &s->budget;
    if (b->is_hooked || !b->limits.steps)
        return;
    b->limits.cpu_ms = b->cpu_limit_ms;
    b->started_ms = budget_coarse_ms();
    lua_sethook(L, budget_hook, LUA_MASKCOUNT, BUDGET_TICK);
    b->is_hooked = L == s->L;
}

void budget_end(struct state *s)
{
    s->budget.is_open = false;
    s->running = s->L;
}

void budget_charge(lua_State *L, int64_t steps)
{
    struct state *s = state_of(L);
    struct budget *b = &s->budget;
    b->steps_left -=
        steps + (int64_t)((b->allocated_bytes - b->charged_bytes) / BUDGET_BYTES_A_STEP);
    b->charged_bytes = b->allocated_bytes;
    if (b->stop == BUDGET_RUNS) {
        if (b->limits.memory_bytes && b->allocated_bytes > b->limits.memory_bytes)
            budget_note(s, BUDGET_STOP_MEMORY);
        else if (b->steps_left < 0 || (b->is_out_of_time = budget_time_is_up(b)))
            budget_note(s, BUDGET_STOP_STEPS);
        else
            return;
    }
    budget_raise(L);
}

void budget_charge_bytes(lua_State *L, size_t bytes)
{
    struct state *s = state_of(L);
    struct budget *b = &s->budget;
    if (b->stop == BUDGET_RUNS && b->limits.memory_bytes &&
        (b->allocated_bytes > b->limits.memory_bytes ||
         bytes > b->limits.memory_bytes - b->allocated_bytes))
        budget_note(s, BUDGET_STOP_MEMORY);
    budget_charge(L, (int64_t)(bytes / BUDGET_BYTES_A_STEP));
}

void budget_check(lua_State *L)
{
    if (state_of(L)->budget.stop != BUDGET_RUNS)
        budget_raise(L);
}

_Noreturn void budget_stop(lua_State *L, enum budget_stop stop)
{
    budget_note(state_of(L), stop);
    budget_raise(L);
}

bool budget_grants(struct state *s, size_t growth)
{
    struct budget *b = &s->budget;
    bool is_small = growth <= BUDGET_SMALL_BYTES;
    if (growth > s->cap_bytes || s->used_bytes > s->cap_bytes - growth) {
        if (b->is_open)
            budget_note(s, BUDGET_STOP_MEMORY);
        return false;
    }
    b->allocated_bytes += growth;
    if (!b->is_open || b->is_granted || !b->limits.memory_bytes ||
        b->allocated_bytes <= b->limits.memory_bytes)
        return true;
    if (is_small && b->allocated_bytes <= b->limits.memory_bytes + BUDGET_SLACK_BYTES)
        return true;
    budget_note(s, BUDGET_STOP_MEMORY);
    return false;
}

void budget_refuse(struct state *s, const char *why)
{
    if (s->budget.stop == BUDGET_RUNS)
        s->budget.refused = why;
    budget_note(s, BUDGET_STOP_MEMORY);
}
