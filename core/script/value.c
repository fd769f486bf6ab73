#include "script/value.h"

#include "script/lib_freeze.h"

#include <lauxlib.h>

enum { COPY_BATCH = 32 };

void value_mark_array(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    lua_rawgeti(L, LUA_REGISTRYINDEX, state_of(L)->ref_array_mark);
    lua_setmetatable(L, index);
}

void value_mark_ordered(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    lua_rawgeti(L, LUA_REGISTRYINDEX, state_of(L)->ref_ordered_mark);
    lua_setmetatable(L, index);
}

const void *value_mark(lua_State *L, int index)
{
    if (!lua_getmetatable(L, index))
        return NULL;
    const struct state *s = state_of(L);
    const void *mark = lua_topointer(L, -1);
    lua_pop(L, 1);
    if (mark != s->array_mark && mark != s->ordered_mark && freeze_push_target(L, index)) {
        mark = value_mark(L, -1);
        lua_pop(L, 1);
    }
    return mark;
}

bool value_is_marked_array(lua_State *L, int index)
{
    return value_mark(L, index) == state_of(L)->array_mark;
}

static void copy_table(lua_State *L, struct state *s, int from, int depth);

static void copy_value(lua_State *L, struct state *s, int index, int depth)
{
    if (lua_type(L, index) == LUA_TTABLE)
        copy_table(L, s, lua_absindex(L, index), depth);
    else
        lua_pushvalue(L, index);
}

static void copy_forms(lua_State *L, struct state *s, int from, int to)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->ref_forms);
    lua_pushvalue(L, from);
    if (lua_rawget(L, -2) == LUA_TTABLE) {
        // Shared: forms are never changed once noted, only passed over where the value is another.
        lua_pushvalue(L, to);
        lua_insert(L, -2);
        lua_rawset(L, -3);
        lua_pop(L, 1);
    } else {
        lua_pop(L, 2);
    }
}

static void copy_list(lua_State *L, struct state *s, int from, int depth)
{
    lua_Integer count = (lua_Integer)lua_rawlen(L, from);
    lua_createtable(L, count > INT32_MAX ? 0 : (int)count, 0);
    int to = lua_gettop(L);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, from, i);
        if (lua_istable(L, -1)) {
            copy_value(L, s, -1, depth);
            lua_remove(L, -2);
        }
        lua_rawseti(L, to, i);
    }
    value_mark_array(L, to);
}

// Pairs wait on the stack until it is known how many there are, so that the copy is not rehashed.
static void copy_map(lua_State *L, struct state *s, int from, int depth)
{
    int base = lua_gettop(L) + 1;
    bool is_made = false;
    int waiting = 0;
    lua_pushnil(L); // the copy's place
    lua_pushnil(L); // the first key
    for (;;) {
        bool has_more = lua_next(L, from);
        if (!has_more || waiting == COPY_BATCH) {
            if (!is_made) {
                lua_createtable(L, 0, has_more ? 2 * waiting : waiting);
                lua_replace(L, base);
                is_made = true;
            }
            for (int i = 0; i < waiting; i++) {
                lua_pushvalue(L, base + 1 + 2 * i);
                lua_pushvalue(L, base + 2 + 2 * i);
                lua_rawset(L, base);
            }
            if (!has_more)
                break;
            lua_replace(L, base + 2); // the pair that was just read is the first to wait
            lua_replace(L, base + 1);
            lua_settop(L, base + 2);
            waiting = 0;
        }
        waiting++;
        if (lua_istable(L, -1)) {
            copy_value(L, s, -1, depth);
            lua_replace(L, -2);
        }
        lua_pushvalue(L, -2);
    }
    lua_settop(L, base);
}

static void copy_table(lua_State *L, struct state *s, int from, int depth)
{
    if (depth == 0)
        luaL_error(L, "the value is deeper than %d levels", VALUE_DEPTH_MAX);
    luaL_checkstack(L, 2 * COPY_BATCH + 16, NULL);
    if (value_is_marked_array(L, from))
        copy_list(L, s, from, depth - 1);
    else
        copy_map(L, s, from, depth - 1);
    if (s->has_forms)
        copy_forms(L, s, from, lua_gettop(L));
}

void value_move_forms(lua_State *L, int from, int to)
{
    struct state *s = state_of(L);
    if (!s->has_forms)
        return;
    from = lua_absindex(L, from);
    to = lua_absindex(L, to);
    copy_forms(L, s, from, to);
}

void value_copy(lua_State *L, int index)
{
    struct state *s = state_of(L);
    s->has_own_work = true;
    copy_value(L, s, index, VALUE_DEPTH_MAX);
    s->has_own_work = false;
}
