// Coroutines that share the run's one budget, and that keep no stopped run from ending.
#include "script/libs.h"

// A coroutine starts with a count of its own, so one that is made and left before its first tick
// would cost nothing: it is charged what it may run uncounted, and more.
enum { COROUTINE_STEPS = 200, COROUTINE_RESUME_STEPS = 10 };

static lua_State *coroutine_check(lua_State *L)
{
    lua_State *co = lua_tothread(L, 1);
    luaL_argexpected(L, co, 1, "coroutine");
    return co;
}

static lua_State *coroutine_new(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    budget_charge(L, COROUTINE_STEPS);
    lua_State *co = lua_newthread(L); // has the hook of the thread that makes it
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    return co;
}

static int coroutine_lua_create(lua_State *L)
{
    coroutine_new(L);
    return 1;
}

// Resumes co with the count values on top of L. The number of results, on top of L; -1 with an
// error value there. Raises where the run is stopped.
static int coroutine_resume(lua_State *L, lua_State *co, int count)
{
    struct state *s = state_of(L);
    int results = 0;
    budget_charge(L, COROUTINE_RESUME_STEPS);
    if (lua_status(co) > LUA_YIELD || (lua_status(co) == LUA_OK && lua_gettop(co) == 0)) {
        lua_pushliteral(L, "cannot resume dead coroutine");
        return -1;
    }
    if (!lua_checkstack(co, count)) {
        lua_pushliteral(L, "too many arguments to resume");
        return -1;
    }
    lua_xmove(L, co, count);
    lua_State *outer = s->running;
    s->running = co;
    int status = lua_resume(co, L, count, &results);
    s->running = outer;
    budget_check(L);
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_xmove(co, L, 1);
        return -1;
    }
    if (!lua_checkstack(L, results + 1)) {
        lua_pop(co, results);
        lua_pushliteral(L, "too many results to resume");
        return -1;
    }
    lua_xmove(co, L, results);
    return results;
}

static int coroutine_lua_resume(lua_State *L)
{
    lua_State *co = coroutine_check(L);
    int results = coroutine_resume(L, co, lua_gettop(L) - 1);
    lua_pushboolean(L, results >= 0);
    if (results < 0)
        results = 1;
    lua_insert(L, -(results + 1));
    return results + 1;
}

// Closes what a dead or suspended coroutine left to be closed. (One that a stop killed is never
// met: whatever runs after the stop raises, and no later run has it.)
static int coroutine_reset(lua_State *L, lua_State *co)
{
    struct state *s = state_of(L);
    lua_State *outer = s->running;
    s->running = co;
    int status = lua_resetthread(co);
    s->running = outer;
    budget_check(L);
    return status;
}

static int coroutine_call_wrapped(lua_State *L)
{
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    int results = coroutine_resume(L, co, lua_gettop(L));
    if (results >= 0)
        return results;
    int status = lua_status(co);
    if (status != LUA_OK && status != LUA_YIELD) {
        status = coroutine_reset(L, co);
        lua_xmove(co, L, 1);
    }
    if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int coroutine_lua_wrap(lua_State *L)
{
    coroutine_new(L);
    lua_pushcclosure(L, coroutine_call_wrapped, 1);
    return 1;
}

static int coroutine_lua_close(lua_State *L)
{
    lua_State *co = coroutine_check(L);
    lua_Debug ar;
    bool is_idle = lua_status(co) == LUA_YIELD || lua_status(co) > LUA_YIELD ||
                   (co != L && !lua_getstack(co, 0, &ar));
    if (!is_idle)
        return luaL_error(L, "cannot close a running coroutine");
    int status = coroutine_reset(L, co);
    if (status == LUA_OK) {
        lua_pushboolean(L, true);
        return 1;
    }
    lua_pushboolean(L, false);
    lua_xmove(co, L, 1);
    return 2;
}

void lib_coroutine_bound(lua_State *L)
{
    static const luaL_Reg replaced[] = {{"create", coroutine_lua_create},
                                        {"resume", coroutine_lua_resume},
                                        {"wrap", coroutine_lua_wrap},
                                        {"close", coroutine_lua_close},
                                        {NULL, NULL}};
    luaL_setfuncs(L, replaced, 0);
}
