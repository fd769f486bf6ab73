// What `require "cjson"` gives to rules: lua-cjson's encode and decode, bounded. It knows no budget
// itself, so what it is about to do is counted first; and it holds memory of its own, which must
// not be left by a longjmp, so that its allocations are refused before and not meanwhile.
#include "script/libs.h"

#include <lua-cjson.h>

enum {
    CJSON_DEPTH_MAX = 100,
    CJSON_NODE_BYTES = 48,  // a number, or brackets and commas, at their longest
    CJSON_CHAR_BYTES = 6,   // \u0000
    CJSON_TABLE_BYTES = 64, // what decoding makes of a bracket, a comma or a quote, at most
    CJSON_MEMBER_BYTES = 96,
    CJSON_BYTES_A_STEP = 8
};

// How many bytes the value on top may be as text. Each value on the way is charged a step.
static void cjson_measure(lua_State *L, int depth, size_t *bytes)
{
    budget_charge(L, 1);
    *bytes += CJSON_NODE_BYTES;
    if (lua_type(L, -1) == LUA_TSTRING)
        *bytes += CJSON_CHAR_BYTES * lua_rawlen(L, -1);
    if (!lua_istable(L, -1))
        return;
    if (depth == 0)
        luaL_error(L, "cjson: nested too deep (%d levels at most)", CJSON_DEPTH_MAX);
    luaL_checkstack(L, 8, NULL);
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        if (lua_type(L, -2) == LUA_TSTRING)
            *bytes += CJSON_CHAR_BYTES * lua_rawlen(L, -2);
        cjson_measure(L, depth - 1, bytes);
        lua_pop(L, 1);
    }
}

// Calls the original with the one value on the stack, and gives its error the place of the caller.
static int cjson_call(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    struct budget *b = &state_of(L)->budget;
    b->is_granted = true;
    int status = lua_pcall(L, 1, 1, 0);
    b->is_granted = false;
    if (status == LUA_OK)
        return 1;
    budget_check(L);
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
    return lua_error(L);
}

static int cjson_lua_encode(lua_State *L)
{
    size_t bytes = 0;
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    cjson_measure(L, CJSON_DEPTH_MAX, &bytes);
    budget_charge_bytes(L, bytes);
    return cjson_call(L);
}

static int cjson_lua_decode(lua_State *L)
{
    struct str text = libs_check_str(L, 1);
    size_t bytes = text.len;
    lua_settop(L, 1);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '{' || c == '[')
            bytes += CJSON_TABLE_BYTES + CJSON_MEMBER_BYTES;
        else if (c == ',' || c == '"')
            bytes += CJSON_MEMBER_BYTES;
    }
    budget_charge(L, (int64_t)(text.len / CJSON_BYTES_A_STEP));
    budget_charge_bytes(L, bytes);
    return cjson_call(L);
}

void lib_cjson_push(lua_State *L)
{
    static const char *const kept[] = {"null", "_NAME", "_VERSION", NULL};
    lua_createtable(L, 0, 5);
    lua_pushcfunction(L, luaopen_cjson);
    lua_call(L, 0, 1);
    lua_getfield(L, -1, "encode");
    lua_pushcclosure(L, cjson_lua_encode, 1);
    lua_setfield(L, -3, "encode");
    lua_getfield(L, -1, "decode");
    lua_pushcclosure(L, cjson_lua_decode, 1);
    lua_setfield(L, -3, "decode");
    for (size_t i = 0; kept[i]; i++) {
        lua_getfield(L, -1, kept[i]);
        lua_setfield(L, -3, kept[i]);
    }
    lua_pop(L, 1);
}
