// For targets whose parser is Lua: one state for all inputs, each under the gate's budget. The
// lines that Lua runs are counted where libFuzzer looks for coverage of its own making, so that it
// learns from them as it does from instrumented C.
#ifndef FUZZ_LUA_TARGET_H
#define FUZZ_LUA_TARGET_H

#include "fuzz.h"

#include "script/gate.h"
#include "script/library.h"
#include "script/state.h"

#include <lauxlib.h>

enum { LUA_COUNTERS = 1 << 14, LUA_TICK = 100, LUA_ALLOWED_STEPS = 300000 };

__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t lua_counters[LUA_COUNTERS];

static struct state *lua_target; // made by the first input, kept to the end
static uint32_t lua_last_line;

static void lua_target_hook(lua_State *L, lua_Debug *ar)
{
    if (ar->event == LUA_HOOKCOUNT) {
        budget_charge(L, LUA_TICK);
        return;
    }
    lua_getinfo(L, "S", ar);
    uint32_t line = (uint32_t)((uintptr_t)ar->source >> 4) * 31u + (uint32_t)ar->currentline;
    uint8_t *counter = &lua_counters[(line * 2654435761u ^ lua_last_line) % LUA_COUNTERS];
    *counter = (uint8_t)(*counter + (*counter < UINT8_MAX));
    lua_last_line = (line * 2654435761u) >> 1;
}

struct lua_target_call {
    lua_CFunction body;
    struct str text;
};

static int lua_target_inside(lua_State *L)
{
    const struct lua_target_call *call = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lua_sethook(L, lua_target_hook, LUA_MASKLINE | LUA_MASKCOUNT, LUA_TICK);
    lua_pushlstring(L, call->text.data ? call->text.data : "", call->text.len);
    return call->body(L);
}

// Runs body with the text as its only argument. It may run over its budget; that it raises is a
// broken promise.
static void lua_target_run(struct str text, lua_CFunction body)
{
    static const struct budget_limits limits = {
        .steps = LUA_ALLOWED_STEPS, .memory_bytes = 16 * 1024 * 1024, .output_bytes = 1024 * 1024};
    struct err e = {0};
    struct state_config config = {0};
    if (lua_target == NULL && state_new(&lua_target, &config, &e)) {
        fprintf(stderr, "%s\n", e.text);
        abort();
    }
    lua_last_line = 0;
    struct lua_target_call call = {.body = body, .text = text};
    enum gate_outcome outcome = gate_call(lua_target, lua_target_inside, &call, &limits);
    if (outcome == GATE_ERROR) {
        fprintf(stderr, "raised: %s\n", lua_target->message);
        abort();
    }
}

#endif
