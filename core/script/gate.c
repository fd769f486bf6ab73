#include "script/gate.h"

#include "base/str.h"
#include "script/absent.h"
#include "script/state.h"
#include "script/trace.h"

#include <lauxlib.h>
#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 2, 3))) static void gate_say(struct state *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(s->message, sizeof s->message, format, args);
    va_end(args);
}

// Runs where the error was raised, while its frames still stand. May longjmp: an error value's
// __tostring is the rule's, and the budget goes on counting in it.
static int gate_on_error(lua_State *L)
{
    struct state *s = state_of(L);
    char trace[BUDGET_TRACE_MAX];
    if (s->budget.stop != BUDGET_RUNS)
        return 1;
    size_t place_len = trace_write(L, trace, sizeof trace);
    const char *text = lua_tostring(L, 1);
    if (!text && luaL_getmetafield(L, 1, "__tostring") != LUA_TNIL) {
        lua_pop(L, 1);
        text = luaL_tolstring(L, 1, NULL);
    }
    if (!text)
        gate_say(s, "%.*serror object is a %s value%s", (int)place_len, trace, luaL_typename(L, 1),
                 trace + place_len);
    else if (place_len && strncmp(text, trace, strcspn(trace, ":") + 1) != 0)
        gate_say(s, "%.*s%.2000s%s%s", (int)place_len, trace, text, absent_hint(text),
                 trace + place_len);
    else
        gate_say(s, "%.2000s%s%s", text, absent_hint(text), trace + place_len);
    return 1;
}

static enum gate_outcome gate_stopped(struct state *s)
{
    const struct budget *b = &s->budget;
    int place_len = (int)b->trace_place_len;
    const char *frames = b->trace + b->trace_place_len;
    switch (b->stop) {
    case BUDGET_STOP_MEMORY:
        if (b->refused) {
            gate_say(s, "%.*sstopped: over its budget of memory (%s)%s", place_len, b->trace,
                     b->refused, frames);
            return GATE_MEMORY;
        }
        gate_say(s, "%.*sstopped: over its budget of memory (%zu KiB allocated in the run)%s",
                 place_len, b->trace, b->limits.memory_bytes / 1024, frames);
        return GATE_MEMORY;
    case BUDGET_STOP_OUTPUT:
        gate_say(s, "%.*sstopped: over its budget of output (%zu KiB in the run)%s", place_len,
                 b->trace, b->limits.output_bytes / 1024, frames);
        return GATE_OUTPUT;
    case BUDGET_RUNS:
    case BUDGET_STOP_STEPS:
        break;
    }
    if (b->is_out_of_time)
        gate_say(s, "%.*sstopped: over its budget of time (%lld ms of the processor)%s", place_len,
                 b->trace, (long long)b->limits.cpu_ms, frames);
    else
        gate_say(s, "%.*sstopped: over its budget of steps (%lld in the run)%s", place_len,
                 b->trace, (long long)b->limits.steps, frames);
    return GATE_STEPS;
}

enum gate_outcome gate_call(struct state *s, lua_CFunction body, void *arg,
                            const struct budget_limits *limits)
{
    lua_State *L = s->L;
    int top = lua_gettop(L);
    s->message[0] = '\0';
    if (!lua_checkstack(L, LUA_MINSTACK)) {
        gate_say(s, "not enough memory");
        return GATE_MEMORY;
    }
    budget_begin(s, limits);
    lua_pushcfunction(L, gate_on_error);
    lua_pushcfunction(L, body);
    lua_pushlightuserdata(L, arg);
    int status = lua_pcall(L, 1, 0, top + 1);
    budget_end(s);

    enum gate_outcome outcome = GATE_OK;
    if (s->budget.stop != BUDGET_RUNS) {
        outcome = gate_stopped(s);
    } else if (status == LUA_ERRMEM) {
        gate_say(s, "not enough memory");
        outcome = GATE_MEMORY;
    } else if (status != LUA_OK) {
        if (!s->message[0]) // an error in handling an error
            gate_say(s, "%s",
                     lua_isstring(L, -1) ? lua_tostring(L, -1) : "error in error handling");
        outcome = GATE_ERROR;
    }
    lua_settop(L, top);
    return outcome;
}
