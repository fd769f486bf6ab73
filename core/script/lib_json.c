// core.json: our codec, and the content of plain fields.
#include "encode/json_writer.h"
#include "script/libs.h"
#include "script/value.h"

enum { JSON_BYTES_A_STEP = 16 };

// json.encode(value [, root]) -> text | nil, message. root names the value in the message.
static int json_lua_encode(lua_State *L)
{
    struct err e = {0};
    luaL_checkany(L, 1);
    const char *root = luaL_optstring(L, 2, "");
    struct buf *out = libs_out(L);
    int rc = value_encode(L, 1, out, root, &e);
    budget_charge(L, (int64_t)(out->len / JSON_BYTES_A_STEP));
    if (rc == ERR_INVALID)
        return libs_push_failure(L, &e);
    if (rc == ERR_NOMEM)
        return luaL_error(L, "%s", e.text);
    return libs_push_out(L, out);
}

// json.decode(text) -> value | nil, message
static int json_lua_decode(lua_State *L)
{
    struct err e = {0};
    struct str text = libs_check_str(L, 1);
    budget_charge(L, (int64_t)(text.len / JSON_BYTES_A_STEP));
    if (value_decode(L, text, &e))
        return libs_push_failure(L, &e);
    return 1;
}

// The table at `at` is where the path at `path` leads from: follows all but its last key, and
// leaves on top the table that should hold it and that key. False where the way ends early.
static bool json_follow(lua_State *L, int record, int path)
{
    lua_Integer length = (lua_Integer)lua_rawlen(L, path);
    lua_pushvalue(L, record);
    for (lua_Integer i = 1; lua_istable(L, -1); i++) {
        lua_rawgeti(L, path, i);
        if (i >= length)
            return length > 0;
        lua_rawget(L, -2);
        lua_remove(L, -2);
    }
    return false;
}

// json.fields(plan, record) -> text. What is found on a way that ends early is null.
static int json_lua_fields(lua_State *L)
{
    struct err e = {0};
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    struct buf *out = libs_out(L);
    lua_Integer count = (lua_Integer)lua_rawlen(L, 1);
    for (lua_Integer i = 1; i <= count; i++) {
        int rc = 0;
        if (lua_rawgeti(L, 1, i) == LUA_TSTRING) {
            struct str piece = libs_check_str(L, -1);
            buf_append_str(out, piece);
        } else if (!lua_istable(L, -1)) {
            return luaL_error(L, "json.fields: the plan holds texts and paths");
        } else if (json_follow(L, 2, 3)) {
            rc = value_encode_at(L, -2, out, "", &e);
        } else {
            buf_append_text(out, "null");
        }
        if (rc == ERR_INVALID)
            return luaL_error(L, "%s", e.text);
        lua_settop(L, 2);
    }
    return libs_push_out(L, out);
}

void lib_json_push(lua_State *L)
{
    static const luaL_Reg functions[] = {{"encode", json_lua_encode},
                                         {"decode", json_lua_decode},
                                         {"fields", json_lua_fields},
                                         {NULL, NULL}};
    luaL_newlib(L, functions);
}
