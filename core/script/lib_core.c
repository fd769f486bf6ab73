// core.*: tables marked, copied, frozen; and where a rule's code stands.
#include "script/lib_freeze.h"
#include "script/libs.h"
#include "script/trace.h"
#include "script/undo.h"
#include "script/value.h"

// array(t) -> t
static int core_lua_array(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    if (lua_getmetatable(L, 1) && lua_topointer(L, -1) != state_of(L)->array_mark)
        return luaL_argerror(L, 1, "the table has a metatable");
    lua_settop(L, 1);
    value_mark_array(L, 1);
    return 1;
}

// ordered(t) -> t. t: a list of pairs { name, value }
static int core_lua_ordered(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    value_mark_ordered(L, 1);
    return 1;
}

// is_array(value) -> boolean
static int core_lua_is_array(lua_State *L)
{
    lua_pushboolean(L, lua_istable(L, 1) && value_is_marked_array(L, 1));
    return 1;
}

// copy(value) -> value
static int core_lua_copy(lua_State *L)
{
    luaL_checkany(L, 1);
    value_copy(L, 1);
    return 1;
}

// freeze(t [, name]) -> view. name is for the error that a write raises.
static int core_lua_freeze(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    freeze_push_view(L, 1, luaL_optstring(L, 2, "this table"));
    return 1;
}

// keep(function). While a file is loaded: what it keeps is put back after each run.
static int core_lua_keep(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    undo_keep(L, 1);
    return 0;
}

// mark_handles(metatable). Tables that have it are handles of the library.
static int core_lua_mark_handles(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    freeze_mark_handles(L, 1);
    return 0;
}

// count(): the rest of the run counts its steps, if it did not
static int core_lua_count(lua_State *L)
{
    budget_count(L);
    return 0;
}

// where([level]) -> file, line | nil. level 1 (the default): the rule's innermost frame.
static int core_lua_where(lua_State *L)
{
    lua_Debug ar;
    lua_Integer level = luaL_optinteger(L, 1, 1);
    if (level < 1 || level > 64 || !trace_rule_frame(L, (int)level - 1, &ar)) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushstring(L, ar.source[0] == '@' ? ar.source + 1 : ar.short_src);
    lua_pushinteger(L, ar.currentline);
    return 2;
}

void lib_core_set(lua_State *L)
{
    static const luaL_Reg functions[] = {{"array", core_lua_array},
                                         {"ordered", core_lua_ordered},
                                         {"is_array", core_lua_is_array},
                                         {"copy", core_lua_copy},
                                         {"freeze", core_lua_freeze},
                                         {"keep", core_lua_keep},
                                         {"mark_handles", core_lua_mark_handles},
                                         {"where", core_lua_where},
                                         {"count", core_lua_count},
                                         {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
}
