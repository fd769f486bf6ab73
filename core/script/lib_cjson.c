// What `require "cjson"` gives to rules: lua-cjson's decode, bounded, and its encode, written anew.
// Decoding knows no budget itself, so what it is about to do is counted first; and it holds memory
// of its own, which must not be left by a longjmp, so that its allocations are refused before and
// not meanwhile.
#include "script/lib_freeze.h"
#include "script/lib_order.h"
#include "script/libs.h"

#include <lua-cjson.h>
#include <math.h>
#include <stdio.h>

enum {
    CJSON_DEPTH_MAX = 100,
    CJSON_NUMBER_MAX = 32,
    CJSON_SPARSE_SAFE = 10,
    CJSON_SPARSE_RATIO = 2,
    CJSON_TABLE_BYTES = 64, // what decoding makes of a bracket, a comma or a quote, at most
    CJSON_MEMBER_BYTES = 96,
    CJSON_BYTES_A_STEP = 8
};

// --- encode --------------------------------------------------------------------------------------

// What lua-cjson writes (as version 2.1.0 does), but for the order of an object's members, which is
// the same each time.
struct cjson_encoder {
    lua_State *L;
    struct buf *out;
    int depth;
};

static void cjson_encode_value(struct cjson_encoder *n, int index);

static void cjson_encode_text(struct cjson_encoder *n, struct str text)
{
    budget_charge(n->L, (int64_t)(text.len / CJSON_BYTES_A_STEP));
    buf_append_text(n->out, "\"");
    for (size_t i = 0; i < text.len; i++) {
        static const char plain[] = "\"\\/\b\f\n\r\t";
        static const char letters[] = "\"\\/bfnrt";
        char c = text.data[i];
        const char *found = c ? strchr(plain, c) : NULL;
        char escaped[8] = {'\\', found ? letters[found - plain] : '\0', '\0'};
        if (!found && ((unsigned char)c < 0x20 || c == 0x7f))
            snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned)(unsigned char)c);
        if (escaped[1])
            buf_append_text(n->out, escaped);
        else
            buf_append(n->out, &c, 1);
    }
    buf_append_text(n->out, "\"");
}

static void cjson_encode_number(struct cjson_encoder *n, int index, const char *format)
{
    char text[CJSON_NUMBER_MAX];
    double number = lua_tonumber(n->L, index);
    if (isnan(number) || isinf(number))
        luaL_error(n->L, "Cannot serialise number: must not be NaN or Infinity");
    snprintf(text, sizeof text, format, number);
    buf_append_text(n->out, text);
}

// The length of the list at index; 0 where it is an object.
static lua_Integer cjson_list_length(lua_State *L, int index)
{
    lua_Integer greatest = 0;
    lua_Integer items = 0;
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        budget_charge(L, 1);
        lua_Integer key = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : 0;
        if (key < 1) {
            lua_pop(L, 1);
            return 0;
        }
        greatest = key > greatest ? key : greatest;
        items++;
    }
    if (greatest > CJSON_SPARSE_SAFE && greatest / CJSON_SPARSE_RATIO > items)
        luaL_error(L, "Cannot serialise table: excessively sparse array");
    return greatest;
}

static void cjson_encode_list(struct cjson_encoder *n, int index, lua_Integer length)
{
    buf_append_text(n->out, "[");
    for (lua_Integer i = 1; i <= length; i++) {
        if (i > 1)
            buf_append_text(n->out, ",");
        lua_rawgeti(n->L, index, i);
        cjson_encode_value(n, lua_gettop(n->L));
        lua_pop(n->L, 1);
    }
    buf_append_text(n->out, "]");
}

static void cjson_encode_object(struct cjson_encoder *n, int index)
{
    lua_State *L = n->L;
    bool is_first = true;
    struct order_walk *keys = order_push_walk(L, index);
    int walk = lua_gettop(L);
    buf_append_text(n->out, "{");
    while (order_step(L, walk, keys) == 2) {
        int value = lua_gettop(L);
        if (!is_first)
            buf_append_text(n->out, ",");
        is_first = false;
        if (lua_type(L, value - 1) == LUA_TSTRING)
            cjson_encode_text(n, libs_check_str(L, value - 1));
        else if (lua_type(L, value - 1) == LUA_TNUMBER)
            cjson_encode_number(n, value - 1, "\"%.14g\"");
        else
            luaL_error(L, "Cannot serialise table: table key must be a number or string");
        buf_append_text(n->out, ":");
        cjson_encode_value(n, value);
        lua_settop(L, walk);
    }
    lua_settop(L, walk - 1);
    buf_append_text(n->out, "}");
}

static void cjson_encode_table(struct cjson_encoder *n, int index)
{
    lua_State *L = n->L;
    if (n->depth++ == CJSON_DEPTH_MAX)
        luaL_error(L, "cjson: nested too deep (%d levels at most)", CJSON_DEPTH_MAX);
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    int top = lua_gettop(L);
    if (freeze_push_target(L, index))
        index = lua_gettop(L);
    lua_Integer length = cjson_list_length(L, index);
    if (length > 0)
        cjson_encode_list(n, index, length);
    else
        cjson_encode_object(n, index);
    lua_settop(L, top);
    n->depth--;
}

static void cjson_encode_value(struct cjson_encoder *n, int index)
{
    lua_State *L = n->L;
    budget_charge(L, 1);
    if (n->out->failed == ERR_TOO_LARGE)
        budget_stop(L, BUDGET_STOP_OUTPUT);
    switch (lua_type(L, index)) {
    case LUA_TSTRING:
        cjson_encode_text(n, libs_check_str(L, index));
        return;
    case LUA_TNUMBER:
        cjson_encode_number(n, index, "%.14g");
        return;
    case LUA_TBOOLEAN:
        buf_append_text(n->out, lua_toboolean(L, index) ? "true" : "false");
        return;
    case LUA_TTABLE:
        cjson_encode_table(n, index);
        return;
    default:
        if (!lua_isnil(L, index) && !(lua_islightuserdata(L, index) && !lua_touserdata(L, index)))
            luaL_error(L, "Cannot serialise %s: type not supported", luaL_typename(L, index));
        buf_append_text(n->out, "null");
    }
}

static int cjson_lua_encode(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    struct cjson_encoder n = {.L = L, .out = libs_out(L)};
    cjson_encode_value(&n, 1);
    return libs_push_out(L, n.out);
}

// --- decode --------------------------------------------------------------------------------------

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
    lua_pushcfunction(L, cjson_lua_encode);
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
