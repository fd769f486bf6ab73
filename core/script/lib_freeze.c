#include "script/lib_freeze.h"

#include "script/libs.h"

#include <lauxlib.h>

// May longjmp: it is made to.
static int freeze_on_write(lua_State *L)
{
    const char *name = lua_tostring(L, lua_upvalueindex(1));
    const char *key = luaL_tolstring(L, 2, NULL);
    if (strcmp(name, "_G") == 0)
        return luaL_error(L, "cannot set the global '%s': globals are read-only (write 'local %s')",
                          key, key);
    return luaL_error(L, "cannot set '%s': %s is read-only", key, name);
}

static int freeze_on_pairs(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1)); // next, which sees through views
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
}

static int freeze_on_length(lua_State *L)
{
    if (!freeze_push_target(L, 1))
        return luaL_error(L, "not a read-only table");
    lua_pushinteger(L, luaL_len(L, -1));
    return 1;
}

// Works on views and on plain tables; the check at each step is small beside the call.
static int freeze_next(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    if (freeze_push_target(L, 1))
        lua_replace(L, 1);
    budget_charge(L, 0);
    if (lua_next(L, 1))
        return 2;
    lua_pushnil(L);
    return 1;
}

void freeze_push_next(lua_State *L)
{
    lua_pushcfunction(L, freeze_next);
}

void freeze_push_view(lua_State *L, int index, const char *name)
{
    index = lua_absindex(L, index);
    if (freeze_push_target(L, index)) {
        lua_pop(L, 1);
        lua_pushvalue(L, index);
        return;
    }
    lua_newtable(L);
    lua_createtable(L, 0, 5);
    lua_pushvalue(L, index);
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, name);
    lua_pushcclosure(L, freeze_on_write, 1);
    lua_setfield(L, -2, "__newindex");
    freeze_push_next(L);
    lua_pushcclosure(L, freeze_on_pairs, 1);
    lua_setfield(L, -2, "__pairs");
    lua_pushcfunction(L, freeze_on_length);
    lua_setfield(L, -2, "__len");
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
}

bool freeze_push_target(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    if (!lua_istable(L, index) || !lua_getmetatable(L, index))
        return false;
    lua_pushliteral(L, "__newindex");
    lua_rawget(L, -2);
    bool is_view = lua_tocfunction(L, -1) == freeze_on_write;
    lua_pop(L, 1);
    if (is_view) {
        lua_pushliteral(L, "__index");
        lua_rawget(L, -2);
        lua_remove(L, -2);
    } else {
        lua_pop(L, 1);
    }
    return is_view;
}
