// What a webhook's functions say of an attempt that has ended: `success` and `retry`.
#include <lauxlib.h>
#include <stdio.h>

#include "encode/header_lines.h"
#include "script/gate.h"
#include "script/rules_internal.h"

enum { MS_PER_S = 1000 };

struct policy_call {
    struct rules *r;
    const struct rules_entry *entry;
    int ref_function;
    int action;
    const struct rules_answer *answer;
    const struct rules_attempt *attempt;
    struct rules_saying *out;
};

static void policy_set_text(lua_State *L, const char *key, struct str value)
{
    lua_pushlstring(L, value.data ? value.data : "", value.len);
    lua_setfield(L, -2, key);
}

static void policy_push_answer(lua_State *L, const struct rules_answer *a)
{
    struct str lines = a->headers, name, value;
    lua_createtable(L, 0, 4);
    lua_pushinteger(L, a->status);
    lua_setfield(L, -2, "status");
    lua_newtable(L);
    while (header_lines_next(&lines, &name, &value)) {
        rules_put_header(L, name, str_trim(value));
    }
    lua_setfield(L, -2, "headers");
    policy_set_text(L, "body", a->body);
}

static void policy_push_attempt(lua_State *L, const struct rules_attempt *a)
{
    lua_createtable(L, 0, 4);
    lua_pushinteger(L, a->number);
    lua_setfield(L, -2, "number");
    if (a->status) {
        lua_pushinteger(L, a->status);
        lua_setfield(L, -2, "status");
    }
    if (a->error) {
        policy_set_text(L, "error", str_from(a->error));
    }
    lua_pushnumber(L, (lua_Number)a->elapsed_ms / MS_PER_S);
    lua_setfield(L, -2, "elapsed");
}

// Inside the gate. May longjmp.
static int policy_ask_inside(lua_State *L)
{
    const struct policy_call *c = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->ref_function);
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->entry->ref_description);
    lua_pushinteger(L, c->action);
    if (c->answer) {
        policy_push_answer(L, c->answer);
    } else {
        policy_push_attempt(L, c->attempt);
    }
    lua_call(L, 3, 2);
    if (c->answer) {
        c->out->say = lua_isnil(L, -2)       ? RULES_SAY_NOTHING
                      : lua_toboolean(L, -2) ? RULES_SAY_YES
                                             : RULES_SAY_NO;
        return 0;
    }
    c->out->say = !lua_toboolean(L, -2) ? RULES_SAY_NOTHING
                  : lua_isnil(L, -1)    ? RULES_SAY_NO
                                        : RULES_SAY_YES;
    c->out->wait_ms = lua_tointeger(L, -1);
    return 0;
}

static void policy_ask(struct policy_call *c, size_t workflow, struct arena *arena)
{
    *c->out = (struct rules_saying){.say = RULES_SAY_NOTHING};
    if (workflow >= c->r->entry_count) {
        return;
    }
    c->entry = c->r->entries[workflow];
    if (rules_enter(c->r, c->entry, true, policy_ask_inside, c) != GATE_OK) {
        *c->out = (struct rules_saying){.say = RULES_SAY_FAULT,
                                        .message = arena_dup(arena, str_from(c->r->s->message))};
    }
}

void rules_success(struct rules *r, size_t workflow, int action, const struct rules_answer *answer,
                   struct arena *arena, struct rules_saying *out)
{
    struct policy_call c = {
        .r = r, .ref_function = r->ref_success, .action = action, .answer = answer, .out = out};
    policy_ask(&c, workflow, arena);
}

void rules_retry(struct rules *r, size_t workflow, int action, const struct rules_attempt *attempt,
                 struct arena *arena, struct rules_saying *out)
{
    struct policy_call c = {
        .r = r, .ref_function = r->ref_retry, .action = action, .attempt = attempt, .out = out};
    policy_ask(&c, workflow, arena);
}
