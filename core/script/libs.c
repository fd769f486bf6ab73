#include "script/libs.h"

void libs_push_core(lua_State *L)
{
    lua_newtable(L);
    lib_json_push(L);
    lua_setfield(L, -2, "json");
    lib_encode_push(L);
    lua_setfield(L, -2, "encode");
    lib_escape_push(L);
    lua_setfield(L, -2, "escape");
    lib_template_push(L);
    lua_setfield(L, -2, "template");
    lib_http_push(L);
    lua_setfield(L, -2, "http");
    lib_retry_push(L);
    lua_setfield(L, -2, "retry");
    lib_files_push(L);
    lua_setfield(L, -2, "files");
    lib_text_set(L);
    lib_core_set(L);
}

// The number of the object at index.
static lua_Integer libs_number(lua_State *L, int index)
{
    struct state *s = state_of(L);
    if (lua_rawgeti(L, LUA_REGISTRYINDEX, s->ref_names) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawseti(L, LUA_REGISTRYINDEX, s->ref_names);
    }
    lua_pushvalue(L, index);
    if (lua_rawget(L, -2) == LUA_TNIL) {
        lua_pushvalue(L, index);
        lua_pushinteger(L, ++s->named_count);
        lua_rawset(L, -4);
        lua_pop(L, 1);
        lua_pushinteger(L, s->named_count);
    }
    lua_Integer number = lua_tointeger(L, -1);
    lua_pop(L, 2);
    return number;
}

const char *libs_tolstring(lua_State *L, int index, size_t *len)
{
    index = lua_absindex(L, index);
    int type = lua_type(L, index);
    bool is_object =
        type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TTHREAD || type == LUA_TUSERDATA;
    if (!is_object || luaL_getmetafield(L, index, "__tostring") != LUA_TNIL) {
        if (is_object)
            lua_pop(L, 1);
        return luaL_tolstring(L, index, len);
    }
    lua_Integer number = libs_number(L, index);
    if (luaL_getmetafield(L, index, "__name") != LUA_TSTRING)
        lua_pushstring(L, lua_typename(L, type));
    lua_pushfstring(L, "%s: %I", lua_tostring(L, -1), (LUAI_UACINT)number);
    lua_remove(L, -2);
    return lua_tolstring(L, -1, len);
}

void libs_wrap(lua_State *L, const char *name, lua_CFunction fn)
{
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, fn, 1);
    lua_setfield(L, -2, name);
}

struct buf *libs_out(lua_State *L)
{
    struct state *s = state_of(L);
    buf_reset(&s->out);
    size_t max = s->budget.limits.output_bytes;
    s->out.max = max ? max : STATE_BUFFER_MAX;
    return &s->out;
}

int libs_push_out(lua_State *L, const struct buf *out)
{
    if (out->failed == ERR_TOO_LARGE)
        budget_stop(L, BUDGET_STOP_OUTPUT);
    if (out->failed)
        return luaL_error(L, "not enough memory");
    budget_charge_bytes(L, out->len);
    lua_pushlstring(L, out->data ? out->data : "", out->len);
    return 1;
}

int libs_push_failure(lua_State *L, const struct err *e)
{
    lua_pushnil(L);
    lua_pushstring(L, e->text);
    return 2;
}
