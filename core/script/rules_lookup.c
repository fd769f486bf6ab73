// What the library says of a description can be looked up, taken out of Lua.
#include <lauxlib.h>

#include "script/rules_internal.h"

enum { LOOKUP_STACK = 8 };

// May longjmp.
static void *lookup_alloc(lua_State *L, struct rules *r, size_t len)
{
    void *piece = arena_alloc(&r->arena, len ? len : 1);
    if (!piece)
        luaL_error(L, "not enough memory");
    return piece;
}

// The text on top, kept; popped. May longjmp.
static struct str lookup_take_text(lua_State *L, struct rules *r)
{
    struct str text;
    text.data = lua_tolstring(L, -1, &text.len);
    text = arena_dup(&r->arena, text);
    if (!text.data)
        luaL_error(L, "not enough memory");
    lua_pop(L, 1);
    return text;
}

// The list of texts on top, kept. May longjmp.
static const struct str *lookup_take_texts(lua_State *L, struct rules *r, size_t *count)
{
    *count = (size_t)lua_rawlen(L, -1);
    struct str *texts = lookup_alloc(L, r, *count * sizeof *texts);
    for (size_t i = 0; i < *count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        texts[i] = lookup_take_text(L, r);
    }
    return texts;
}

// The length of the list at `key` of the table on top, which is pushed. May longjmp.
static size_t lookup_push_list(lua_State *L, const char *key)
{
    lua_getfield(L, -1, key);
    luaL_checktype(L, -1, LUA_TTABLE);
    return (size_t)lua_rawlen(L, -1);
}

static struct json_number lookup_take_number(lua_State *L)
{
    struct json_number number = {.is_integer = lua_isinteger(L, -1),
                                 .integer = lua_tointeger(L, -1),
                                 .value = lua_tonumber(L, -1)};
    lua_pop(L, 1);
    return number;
}

// The value on top; popped. May longjmp.
static struct lookup_value lookup_take_value(lua_State *L, struct rules *r)
{
    struct lookup_value value = {.kind = LOOKUP_EMPTY};
    switch (lua_type(L, -1)) {
    case LUA_TSTRING:
        value.kind = LOOKUP_TEXT;
        value.text = lookup_take_text(L, r);
        return value;
    case LUA_TNUMBER:
        value.kind = LOOKUP_IS_NUMBER;
        value.number = lookup_take_number(L);
        return value;
    case LUA_TBOOLEAN:
        value.kind = lua_toboolean(L, -1) ? LOOKUP_TRUE : LOOKUP_FALSE;
        break;
    default:
        break;
    }
    lua_pop(L, 1);
    return value;
}

static void lookup_take_values(lua_State *L, struct rules *r, struct lookup *out)
{
    out->kind = LOOKUP_VALUES;
    out->count = lookup_push_list(L, "values");
    out->values = lookup_alloc(L, r, out->count * sizeof *out->values);
    for (size_t i = 0; i < out->count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        out->values[i] = lookup_take_value(L, r);
    }
    lua_pop(L, 1);
}

// The path, the view and what is wanted there, of the table on top. May longjmp.
static void lookup_take_leaf(lua_State *L, struct rules *r, struct lookup *out)
{
    static const char *const views[] = {"now", "changed_to", "before", NULL};
    static const char *const axes[] = {"number", "time", "age", NULL};
    out->path_len = lookup_push_list(L, "path");
    out->path = lookup_alloc(L, r, out->path_len * sizeof *out->path);
    for (size_t i = 0; i < out->path_len; i++) {
        if (lua_rawgeti(L, -1, (lua_Integer)i + 1) == LUA_TSTRING)
            out->path[i] = lookup_take_text(L, r);
        else
            lua_pop(L, 1);
    }
    lua_getfield(L, -2, "view");
    out->view = (enum lookup_view)luaL_checkoption(L, -1, NULL, views);
    lua_pop(L, 2);
    if (lua_getfield(L, -1, "axis") == LUA_TNIL) {
        lua_pop(L, 1);
        lookup_take_values(L, r, out);
        return;
    }
    out->kind = LOOKUP_RANGE;
    out->axis = (enum lookup_axis)luaL_checkoption(L, -1, NULL, axes);
    lua_getfield(L, -2, "low");
    lua_getfield(L, -3, "high");
    out->range[0] = luaL_checknumber(L, -2);
    out->range[1] = luaL_checknumber(L, -1);
    lua_pop(L, 3);
}

static const struct lookup *lookup_take(lua_State *L, struct rules *r);

// The list of lookups on top; popped. May longjmp.
static void lookup_take_group(lua_State *L, struct rules *r, enum lookup_kind kind,
                              struct lookup *out)
{
    out->kind = kind;
    out->count = (size_t)lua_rawlen(L, -1);
    out->children = lookup_alloc(L, r, out->count * sizeof *out->children);
    for (size_t i = 0; i < out->count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        out->children[i] = lookup_take(L, r);
    }
    lua_pop(L, 1);
}

// The lookup on top; popped. NULL for nil. May longjmp.
static const struct lookup *lookup_take(lua_State *L, struct rules *r)
{
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return NULL;
    }
    struct lookup *out = lookup_alloc(L, r, sizeof *out);
    luaL_checkstack(L, LOOKUP_STACK, NULL);
    if (lua_getfield(L, -1, "all") == LUA_TTABLE) {
        lookup_take_group(L, r, LOOKUP_ALL, out);
    } else if (lua_getfield(L, -2, "any") == LUA_TTABLE) {
        lookup_take_group(L, r, LOOKUP_ANY, out);
        lua_pop(L, 1);
    } else if (lua_getfield(L, -3, "changed") == LUA_TSTRING) {
        out->kind = LOOKUP_CHANGED;
        out->path_len = 1;
        out->path = lookup_alloc(L, r, sizeof *out->path);
        out->path[0] = lookup_take_text(L, r);
        lua_pop(L, 2);
    } else {
        lua_pop(L, 3);
        lookup_take_leaf(L, r, out);
    }
    lua_pop(L, 1);
    return out;
}

void rules_take_lookups(lua_State *L, struct rules *r, struct rules_workflow *w)
{
    if (lua_getfield(L, -1, "lookups") == LUA_TTABLE) {
        lua_getfield(L, -1, "when");
        w->when = lookup_take(L, r);
        lua_getfield(L, -1, "watch");
        w->watch = lookup_take(L, r);
    }
    lua_pop(L, 1);
    lua_pushnil(L); // taken: the description need not hold it
    lua_setfield(L, -2, "lookups");
}

void rules_take_reads(lua_State *L, struct rules *r, struct rules_workflow *w)
{
    w->reads_time = lua_getfield(L, -1, "reads_time") == LUA_TBOOLEAN && lua_toboolean(L, -1);
    lua_pop(L, 1);
    w->reads_all = lua_getfield(L, -1, "reads") != LUA_TTABLE;
    if (!w->reads_all) {
        w->reads = lookup_take_texts(L, r, &w->read_count);
    }
    lua_pop(L, 1);
}

void rules_take_notify(lua_State *L, struct rules *r, struct rules_workflow *w)
{
    if (lua_getfield(L, -1, "notify") == LUA_TTABLE) {
        w->notify = lookup_take_texts(L, r, &w->notify_count);
    }
    lua_pop(L, 1);
}

void rules_take_secrets(lua_State *L, struct rules *r, struct rules_workflow *w)
{
    if (lua_getfield(L, -1, "secrets") == LUA_TTABLE) {
        w->secrets = lookup_take_texts(L, r, &w->secret_count);
    }
    lua_pop(L, 1);
}
