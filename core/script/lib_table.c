// table, bounded: each call is charged what its inner loop will do before it does it.
#include "script/libs.h"

enum { TABLE_SPREAD_MAX = 8000, TABLE_BYTES_A_STEP = 64 };

static int64_t table_length(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    return luaL_len(L, 1);
}

// The steps from `first` to `last`, both as optional arguments.
static int64_t table_span(lua_State *L, int first_arg, int last_arg, int64_t length)
{
    int64_t first = luaL_optinteger(L, first_arg, 1);
    int64_t last = luaL_optinteger(L, last_arg, length);
    if (first > last)
        return 0;
    uint64_t span = (uint64_t)last - (uint64_t)first;
    return span > INT32_MAX ? INT32_MAX : (int64_t)span + 1;
}

static int table_lua_concat(lua_State *L)
{
    budget_charge(L, table_span(L, 3, 4, table_length(L)));
    return libs_original(L);
}

static int table_lua_unpack(lua_State *L)
{
    int64_t length = lua_isnoneornil(L, 3) ? luaL_len(L, 1) : 0;
    int64_t span = table_span(L, 2, 3, length);
    if (span > TABLE_SPREAD_MAX)
        return luaL_error(L, "too many results to unpack (%d at most)", TABLE_SPREAD_MAX);
    budget_charge(L, span);
    return libs_original(L);
}

static int table_lua_insert(lua_State *L)
{
    int64_t length = table_length(L);
    if (lua_gettop(L) == 3)
        budget_charge(L, table_span(L, 2, 4, length));
    return libs_original(L);
}

static int table_lua_remove(lua_State *L)
{
    int64_t length = table_length(L);
    if (lua_gettop(L) == 2)
        budget_charge(L, table_span(L, 2, 3, length));
    return libs_original(L);
}

static int table_lua_move(lua_State *L)
{
    budget_charge(L, table_span(L, 2, 3, 0));
    return libs_original(L);
}

// a < b, charged for the bytes that comparing long texts may look at: a sort without a function of
// the rule's would go on for seconds between two instructions.
static int table_lua_is_less(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TSTRING && lua_type(L, 2) == LUA_TSTRING) {
        size_t a = lua_rawlen(L, 1);
        size_t b = lua_rawlen(L, 2);
        budget_charge(L, (int64_t)((a < b ? a : b) / TABLE_BYTES_A_STEP));
    }
    lua_pushboolean(L, lua_compare(L, 1, 2, LUA_OPLT));
    return 1;
}

static int table_lua_sort(lua_State *L)
{
    int64_t length = table_length(L);
    int64_t steps = length;
    for (int64_t n = length; n > 1; n /= 2)
        steps += length;
    budget_charge(L, steps);
    if (lua_isnoneornil(L, 2)) {
        lua_settop(L, 1);
        lua_pushcfunction(L, table_lua_is_less);
    }
    return libs_original(L);
}

void lib_table_bound(lua_State *L)
{
    libs_wrap(L, "concat", table_lua_concat);
    libs_wrap(L, "unpack", table_lua_unpack);
    libs_wrap(L, "insert", table_lua_insert);
    libs_wrap(L, "remove", table_lua_remove);
    libs_wrap(L, "move", table_lua_move);
    libs_wrap(L, "sort", table_lua_sort);
}
