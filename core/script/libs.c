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
