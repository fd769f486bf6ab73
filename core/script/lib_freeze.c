#include "script/lib_freeze.h"

#include "script/libs.h"
#include "script/value.h"

#include <lauxlib.h>

// In a view's metatable: what is behind it, and whose it is.
enum { FREEZE_TARGET = 1, FREEZE_IS_LIBRARY = 2 };

static const char FREEZE_HANDLE = 'h'; // its address is the key that marks metatables of handles

// May longjmp: it is made to.
static int freeze_on_write(lua_State *L)
{
    const char *words = lua_tostring(L, lua_upvalueindex(1));
    const char *key = libs_tolstring(L, 2, NULL);
    if (strcmp(words, "_G is read-only") == 0)
        return luaL_error(L, "cannot set the global '%s': globals are read-only (write 'local %s')",
                          key, key);
    return luaL_error(L, "cannot set '%s': %s", key, words);
}

static int freeze_on_pairs(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1)); // next, which sees through views
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
}

bool freeze_is_own_pairs(lua_State *L, int index)
{
    return lua_tocfunction(L, index) == freeze_on_pairs;
}

static int freeze_on_length(lua_State *L)
{
    if (!freeze_push_target(L, 1))
        return luaL_error(L, "not a read-only table");
    lua_pushinteger(L, luaL_len(L, -1));
    return 1;
}

// Where a frozen table had an __index of its own. upvalues: what it held, that __index.
static int freeze_on_index(lua_State *L)
{
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
        return 1;
    if (lua_isfunction(L, lua_upvalueindex(2))) {
        lua_settop(L, 2);
        lua_pushvalue(L, lua_upvalueindex(2));
        lua_insert(L, 1);
        lua_call(L, 2, 1);
        return 1;
    }
    lua_pushvalue(L, 2);
    lua_gettable(L, lua_upvalueindex(2));
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

static void freeze_set_default(lua_State *L, const char *event, lua_CFunction function)
{
    lua_pushstring(L, event);
    if (lua_rawget(L, -2) == LUA_TNIL) {
        freeze_push_next(L);
        lua_pushcclosure(L, function, 1);
        lua_setfield(L, -3, event);
    }
    lua_pop(L, 1);
}

// Fills the view's metatable on top: what is read is in the table at `target`. words: why nothing
// is written.
static void freeze_fill(lua_State *L, int target, const char *words)
{
    lua_pushstring(L, words);
    lua_pushcclosure(L, freeze_on_write, 1);
    lua_setfield(L, -2, "__newindex");
    freeze_set_default(L, "__pairs", freeze_on_pairs);
    freeze_set_default(L, "__len", freeze_on_length);
    lua_pushvalue(L, target);
    lua_rawseti(L, -2, FREEZE_TARGET);
    lua_pushboolean(L, state_of(L)->phase == STATE_OPENS);
    lua_rawseti(L, -2, FREEZE_IS_LIBRARY);
}

void freeze_push_view(lua_State *L, int index, const char *name)
{
    index = lua_absindex(L, index);
    if (freeze_push_target(L, index)) {
        lua_pop(L, 1);
        lua_pushvalue(L, index);
        return;
    }
    const char *words = lua_pushfstring(L, "%s is read-only", name);
    lua_newtable(L);
    lua_createtable(L, 2, 5);
    lua_pushvalue(L, index);
    lua_setfield(L, -2, "__index");
    freeze_fill(L, index, words);
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_remove(L, -2);
}

static bool freeze_is_event(lua_State *L, int key)
{
    size_t len;
    if (lua_type(L, key) != LUA_TSTRING)
        return false;
    const char *text = lua_tolstring(L, key, &len);
    return len > 2 && text[0] == '_' && text[1] == '_';
}

// Moves what is in the table at `from` into the new table on top.
static void freeze_move(lua_State *L, int from)
{
    int to = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, from)) {
        budget_charge(L, 1);
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, to);
        lua_pop(L, 1);
        if (!freeze_is_event(L, -1)) {
            lua_pushvalue(L, -1);
            lua_pushnil(L);
            lua_rawset(L, from);
        }
    }
}

// The metatable of the table at `index` is on top and gets company: a new one with its metamethods
// and the target's.
static void freeze_push_metatable(lua_State *L, int target, const char *words)
{
    int original = lua_gettop(L);
    lua_createtable(L, 2, 5);
    int meta = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, original)) {
        if (freeze_is_event(L, -2)) {
            lua_pushvalue(L, -2);
            lua_insert(L, -2);
            lua_rawset(L, meta);
        } else {
            lua_pop(L, 1);
        }
    }
    lua_pushvalue(L, target);
    lua_pushliteral(L, "__index");
    if (lua_rawget(L, meta) == LUA_TNIL)
        lua_pop(L, 1);
    else
        lua_pushcclosure(L, freeze_on_index, 2);
    lua_setfield(L, meta, "__index");
    lua_pushliteral(L, "__metatable");
    if (lua_rawget(L, meta) == LUA_TNIL) {
        lua_pushvalue(L, original);
        lua_setfield(L, meta, "__metatable");
    }
    lua_settop(L, meta);
    freeze_fill(L, target, words);
}

void freeze_in_place(lua_State *L, int index, const char *name)
{
    index = lua_absindex(L, index);
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    const void *mark = value_mark(L, index);
    const char *words = lua_pushfstring(L, "the table in '%s' is read-only outside the load", name);
    lua_newtable(L);
    int target = lua_gettop(L);
    freeze_move(L, index);
    value_move_forms(L, index, target);
    bool is_marked = mark == state_of(L)->array_mark || mark == state_of(L)->ordered_mark;
    if (is_marked) {
        lua_getmetatable(L, index);
        lua_setmetatable(L, target);
    }
    if (!is_marked && lua_getmetatable(L, index)) {
        freeze_push_metatable(L, target, words);
    } else {
        lua_createtable(L, 2, 5);
        lua_pushvalue(L, target);
        lua_setfield(L, -2, "__index");
        freeze_fill(L, target, words);
        lua_pushboolean(L, false);
        lua_setfield(L, -2, "__metatable");
    }
    lua_setmetatable(L, index);
    lua_settop(L, target);
    lua_remove(L, -2);
}

// Pushes the metatable of a view.
static bool freeze_push_view_metatable(lua_State *L, int index)
{
    if (!lua_istable(L, index) || !lua_getmetatable(L, index))
        return false;
    lua_pushliteral(L, "__newindex");
    lua_rawget(L, -2);
    bool is_view = lua_tocfunction(L, -1) == freeze_on_write;
    lua_pop(L, is_view ? 1 : 2);
    return is_view;
}

bool freeze_push_target(lua_State *L, int index)
{
    bool is_view = false;
    index = lua_absindex(L, index);
    while (freeze_push_view_metatable(L, index)) {
        lua_rawgeti(L, -1, FREEZE_TARGET);
        lua_remove(L, -2);
        if (is_view)
            lua_remove(L, -2);
        is_view = true;
        index = lua_gettop(L);
    }
    return is_view;
}

bool freeze_is_library_view(lua_State *L, int index)
{
    if (!freeze_push_view_metatable(L, index))
        return false;
    lua_rawgeti(L, -1, FREEZE_IS_LIBRARY);
    bool is_library = lua_toboolean(L, -1);
    lua_pop(L, 2);
    return is_library;
}

void freeze_mark_handles(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    lua_pushboolean(L, true);
    lua_rawsetp(L, index, &FREEZE_HANDLE);
}

bool freeze_is_handle(lua_State *L, int index)
{
    if (!lua_getmetatable(L, index))
        return false;
    lua_rawgetp(L, -1, &FREEZE_HANDLE);
    bool is_handle = lua_toboolean(L, -1);
    lua_pop(L, 2);
    return is_handle;
}
