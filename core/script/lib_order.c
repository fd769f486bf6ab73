#include "script/lib_order.h"

#include "script/lib_freeze.h"
#include "script/libs.h"

#include <math.h>
#include <stdlib.h>

enum order_rank { ORDER_INTEGER, ORDER_FLOAT, ORDER_TEXT, ORDER_BOOLEAN, ORDER_NULL, ORDER_OBJECT };

enum { ORDER_STEPS_A_KEY = 4 };

struct order_key {
    enum order_rank rank;
    union {
        lua_Integer integer; // and false and true
        lua_Number number;
        const char *text; // the table's own key
    } is;
    size_t len;
    lua_Integer place; // in the list of keys
};

// What pairs and next walk over: the keys of one table as they were, in order. A userdata; its user
// values are the list of keys and the table.
struct order_walk {
    size_t count;
    size_t next;
    struct order_key keys[];
};

enum { ORDER_LIST = 1, ORDER_TABLE = 2 };

// --- the order -----------------------------------------------------------------------------------

static int order_compare_mixed(lua_Integer integer, lua_Number number)
{
    if (number >= 0x1p63)
        return -1;
    if (number < -0x1p63)
        return 1;
    return integer <= (lua_Integer)floor(number) ? -1 : 1; // a float key is never a whole number
}

static int order_compare(const void *left, const void *right)
{
    const struct order_key *a = left;
    const struct order_key *b = right;
    bool are_numbers = a->rank <= ORDER_FLOAT && b->rank <= ORDER_FLOAT;
    if (a->rank != b->rank && !are_numbers)
        return a->rank < b->rank ? -1 : 1;
    if (a->rank != b->rank)
        return a->rank == ORDER_INTEGER ? order_compare_mixed(a->is.integer, b->is.number)
                                        : -order_compare_mixed(b->is.integer, a->is.number);
    if (a->rank == ORDER_FLOAT)
        return (a->is.number > b->is.number) - (a->is.number < b->is.number);
    if (a->rank != ORDER_TEXT)
        return (a->is.integer > b->is.integer) - (a->is.integer < b->is.integer);
    int order = memcmp(a->is.text, b->is.text, a->len < b->len ? a->len : b->len);
    return order ? order : (a->len > b->len) - (a->len < b->len);
}

static struct order_key order_key(lua_State *L, int index)
{
    struct order_key key = {.rank = ORDER_OBJECT};
    switch (lua_type(L, index)) {
    case LUA_TNUMBER:
        key.rank = lua_isinteger(L, index) ? ORDER_INTEGER : ORDER_FLOAT;
        if (key.rank == ORDER_INTEGER)
            key.is.integer = lua_tointeger(L, index);
        else
            key.is.number = lua_tonumber(L, index);
        break;
    case LUA_TSTRING:
        key.rank = ORDER_TEXT;
        key.is.text = lua_tolstring(L, index, &key.len);
        break;
    case LUA_TBOOLEAN:
        key.rank = ORDER_BOOLEAN;
        key.is.integer = lua_toboolean(L, index);
        break;
    case LUA_TLIGHTUSERDATA:
        key.rank = ORDER_NULL;
        break;
    default:
        break;
    }
    return key;
}

static int order_refuse(lua_State *L)
{
    return luaL_error(L, "tables and functions as keys have no order that is the same each time: "
                         "keep a list of them beside, and walk over that");
}

// --- a walk --------------------------------------------------------------------------------------

// How many keys the table at `table` has; -1 where they are not 1..count, given in that order.
static lua_Integer order_count_list(lua_State *L, int table)
{
    lua_Integer count = 0;
    lua_pushnil(L);
    while (lua_next(L, table)) {
        budget_charge(L, 1);
        lua_pop(L, 1);
        if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) != ++count) {
            lua_pop(L, 1);
            return -1;
        }
    }
    return count;
}

// Pushes the list of the keys of the table at `table`, as Lua gives them.
static lua_Integer order_push_list(lua_State *L, int table)
{
    lua_Integer count = 0;
    lua_newtable(L);
    lua_pushnil(L);
    while (lua_next(L, table)) {
        budget_charge(L, 1);
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, ++count);
    }
    return count;
}

static void order_sort(lua_State *L, struct order_walk *w)
{
    int64_t steps = 0;
    for (size_t n = w->count; n > 1; n /= 2)
        steps += (int64_t)w->count;
    budget_charge(L, steps);
    qsort(w->keys, w->count, sizeof *w->keys, order_compare);
    if (w->count > 1 && w->keys[w->count - 2].rank == ORDER_OBJECT)
        order_refuse(L);
}

struct order_walk *order_push_walk(lua_State *L, int table)
{
    lua_Integer count = order_push_list(L, table);
    size_t bytes = sizeof(struct order_walk) + (size_t)count * sizeof(struct order_key);
    budget_charge_bytes(L, bytes);
    struct order_walk *w = lua_newuserdatauv(L, bytes, 2);
    state_of(L)->kind_before = 0; // it holds no buffer
    w->count = (size_t)count;
    w->next = 0;
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, -2, i);
        w->keys[i - 1] = order_key(L, -1);
        w->keys[i - 1].place = i;
        lua_pop(L, 1);
    }
    order_sort(L, w);
    lua_insert(L, -2);
    lua_setiuservalue(L, -2, ORDER_LIST);
    lua_pushvalue(L, table);
    lua_setiuservalue(L, -2, ORDER_TABLE);
    return w;
}

int order_step(lua_State *L, int index, struct order_walk *w)
{
    lua_getiuservalue(L, index, ORDER_TABLE);
    lua_getiuservalue(L, index, ORDER_LIST);
    while (w->next < w->count) {
        lua_rawgeti(L, -1, w->keys[w->next++].place);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, -4) != LUA_TNIL)
            return 2;
        lua_pop(L, 2);
        budget_charge(L, 1);
    }
    lua_pushnil(L);
    return 1;
}

// --- pairs ---------------------------------------------------------------------------------------

static int order_lua_step(lua_State *L)
{
    return order_step(L, lua_upvalueindex(1), lua_touserdata(L, lua_upvalueindex(1)));
}

// A list needs no keys kept: the place is the key. upvalues: the table, how long it was.
static int order_lua_step_list(lua_State *L)
{
    lua_Integer i = luaL_optinteger(L, 2, 0);
    lua_Integer count = lua_tointeger(L, lua_upvalueindex(2));
    while (++i <= count) {
        lua_pushinteger(L, i);
        if (lua_rawgeti(L, lua_upvalueindex(1), i) != LUA_TNIL)
            return 2;
        lua_pop(L, 2);
        budget_charge(L, 1);
    }
    lua_pushnil(L);
    return 1;
}

// pairs(t) -> iterator, t, nil
static int order_lua_pairs(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL && !freeze_is_own_pairs(L, -1)) {
        lua_pushvalue(L, 1);
        lua_call(L, 1, 3);
        return 3;
    }
    lua_settop(L, 1);
    luaL_checktype(L, 1, LUA_TTABLE);
    if (!freeze_push_target(L, 1))
        lua_pushvalue(L, 1);
    lua_Integer count = order_count_list(L, 2);
    if (count >= 0) {
        lua_pushinteger(L, count);
        lua_pushcclosure(L, order_lua_step_list, 2);
    } else {
        order_push_walk(L, 2);
        lua_pushcclosure(L, order_lua_step, 1);
    }
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
}

// --- next ----------------------------------------------------------------------------------------

// Pushes the least key of the table at `table` and its value; or nil alone.
static int order_first(lua_State *L, int table)
{
    struct order_key least = {0};
    bool is_any = false;
    lua_pushnil(L); // the least key's place
    int place = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, table)) {
        struct order_key key = order_key(L, -2);
        budget_charge(L, ORDER_STEPS_A_KEY);
        lua_pop(L, 1);
        if (is_any && key.rank == ORDER_OBJECT && least.rank == ORDER_OBJECT)
            return order_refuse(L);
        if (!is_any || order_compare(&key, &least) < 0) {
            least = key;
            lua_pushvalue(L, -1);
            lua_replace(L, place);
        }
        is_any = true;
    }
    if (!is_any)
        return 1;
    lua_pushvalue(L, place);
    lua_rawget(L, table);
    return 2;
}

// The first of the keys that comes behind the one at `index`.
static size_t order_find(lua_State *L, int index, const struct order_walk *w)
{
    struct order_key key = order_key(L, index);
    size_t low = 0;
    size_t high = w->count;
    if (key.rank == ORDER_OBJECT) // at most one, and the last
        return w->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (order_compare(&w->keys[middle], &key) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// Pushes the walk that `next` is on, where it is over the table at `table`.
static struct order_walk *order_push_kept(lua_State *L, int table)
{
    struct state *s = state_of(L);
    if (!s->has_next)
        return NULL;
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->ref_next);
    lua_getiuservalue(L, -1, ORDER_TABLE);
    bool is_same = lua_rawequal(L, -1, table);
    lua_pop(L, is_same ? 1 : 2);
    return is_same ? lua_touserdata(L, -1) : NULL;
}

// next(t [, key]) -> key, value | nil. The keys are put in order once, when the second is asked
// for, and kept until another table is walked over.
static int order_lua_next(lua_State *L)
{
    struct state *s = state_of(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    if (freeze_push_target(L, 1))
        lua_replace(L, 1);
    struct order_walk *w = order_push_kept(L, 1);
    if (lua_isnil(L, 2)) {
        if (w) {
            lua_pushboolean(L, false);
            lua_rawseti(L, LUA_REGISTRYINDEX, s->ref_next);
            s->has_next = false;
        }
        return order_first(L, 1);
    }
    if (!w) {
        w = order_push_walk(L, 1);
        lua_pushvalue(L, -1);
        lua_rawseti(L, LUA_REGISTRYINDEX, s->ref_next);
        s->has_next = true;
    }
    w->next = order_find(L, 2, w);
    return order_step(L, lua_gettop(L), w);
}

void lib_order_set(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"pairs", order_lua_pairs}, {"next", order_lua_next}, {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}
