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

// --- sort ----------------------------------------------------------------------------------------

// Lua's own takes the clock for chance where a list divides badly, which shows in the order of what
// is equal. This one merges: what is equal stays as it was, and a comparison that contradicts
// itself gives some order and no more.
struct table_sort {
    lua_State *L;
    bool has_less;
};

enum { SORT_TABLE = 1, SORT_LESS = 2, SORT_FROM = 3, SORT_TO = 4 };

// Whether the value on top comes before the one below it.
static bool table_is_before(const struct table_sort *t)
{
    lua_State *L = t->L;
    if (t->has_less) {
        lua_pushvalue(L, SORT_LESS);
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -4);
        lua_call(L, 2, 1);
        bool is_before = lua_toboolean(L, -1);
        lua_pop(L, 1);
        return is_before;
    }
    // Comparing long texts is long work between two instructions.
    if (lua_type(L, -1) == LUA_TSTRING && lua_type(L, -2) == LUA_TSTRING) {
        size_t a = lua_rawlen(L, -1);
        size_t b = lua_rawlen(L, -2);
        budget_charge(L, (int64_t)((a < b ? a : b) / TABLE_BYTES_A_STEP));
    }
    return lua_compare(L, -1, -2, LUA_OPLT);
}

// from[low..middle) and from[middle..high), each in order, into to[low..high).
static void table_merge(const struct table_sort *t, int from, int to, int64_t low, int64_t middle,
                        int64_t high)
{
    lua_State *L = t->L;
    int64_t left = low;
    int64_t right = middle;
    for (int64_t at = low; at < high; at++) {
        bool is_right = left >= middle;
        if (!is_right && right < high) {
            lua_rawgeti(L, from, left);
            lua_rawgeti(L, from, right);
            is_right = table_is_before(t);
            lua_pop(L, 2);
        }
        lua_rawgeti(L, from, is_right ? right++ : left++);
        lua_rawseti(L, to, at);
    }
}

static int table_lua_sort(lua_State *L)
{
    int64_t length = table_length(L);
    struct table_sort t = {.L = L, .has_less = !lua_isnoneornil(L, 2)};
    luaL_argcheck(L, length < INT32_MAX, 1, "array too big");
    if (t.has_less)
        luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    int64_t steps = 2 * length;
    for (int64_t n = length; n > 1; n /= 2)
        steps += length;
    budget_charge(L, steps);
    budget_charge_bytes(L, (size_t)(length > 0 ? length : 0) * 2 * sizeof(lua_Integer) * 2);
    int room = length > 0 ? (int)length : 0;
    lua_createtable(L, room, 0);
    lua_createtable(L, room, 0);
    for (int64_t i = 1; i <= length; i++) {
        lua_geti(L, SORT_TABLE, i);
        lua_rawseti(L, SORT_FROM, i);
    }
    int from = SORT_FROM;
    for (int64_t width = 1; width < length; width *= 2) {
        int to = from == SORT_FROM ? SORT_TO : SORT_FROM;
        for (int64_t low = 1; low <= length; low += 2 * width) {
            int64_t middle = low + width < length + 1 ? low + width : length + 1;
            int64_t high = middle + width < length + 1 ? middle + width : length + 1;
            table_merge(&t, from, to, low, middle, high);
        }
        from = to;
    }
    for (int64_t i = 1; i <= length; i++) {
        lua_rawgeti(L, from, i);
        lua_seti(L, SORT_TABLE, i);
    }
    return 0;
}

void lib_table_bound(lua_State *L)
{
    libs_wrap(L, "concat", table_lua_concat);
    libs_wrap(L, "unpack", table_lua_unpack);
    libs_wrap(L, "insert", table_lua_insert);
    libs_wrap(L, "remove", table_lua_remove);
    libs_wrap(L, "move", table_lua_move);
    lua_pushcfunction(L, table_lua_sort);
    lua_setfield(L, -2, "sort");
}
