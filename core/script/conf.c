#include "script/conf.h"

#include <lauxlib.h>
#include <stdlib.h>

#include "base/file.h"
#include "script/gate.h"
#include "script/lib_freeze.h"
#include "script/sandbox.h"
#include "script/value.h"

enum { CONF_FILE_MAX = 1024 * 1024, CONF_MEMORY_MAX = 64 * 1024 * 1024 };

struct conf_loading {
    const char *path;
    struct str text;
    struct buf *out;
};

static int conf_lua_secret(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TSTRING);
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "$secret");
    return 1;
}

static int conf_lua_require(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    if (strcmp(name, "hookline") != 0)
        return luaL_error(L, "a configuration can require 'hookline' alone, not '%s'", name);
    lua_pushvalue(L, lua_upvalueindex(1));
    return 1;
}

// Gives the function on top an environment of its own: what rules see, and `hook`. May longjmp.
static void conf_set_env(lua_State *L)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, state_of(L)->ref_rules_env);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, conf_lua_secret);
    lua_setfield(L, -2, "secret");
    freeze_push_view(L, -1, "hook");
    lua_pushvalue(L, -1);
    lua_setfield(L, -4, "hook");
    lua_pushcclosure(L, conf_lua_require, 1);
    lua_setfield(L, -3, "require");
    lua_pop(L, 1);
    if (!lua_setupvalue(L, -2, 1))
        lua_pop(L, 1);
}

// Where Lua cannot read the file it quotes what is there (near '"smtp://me:...'): a text may be a
// password, so it is not said. May longjmp.
static void conf_hide_text(lua_State *L)
{
    static const char near[] = " near '";
    const char *said = lua_tostring(L, -1);
    const char *at = said ? strstr(said, near) : NULL;
    const char *token = at ? at + strlen(near) : "";
    if (*token != '"' && *token != '\'' && (*token != '[' || (token[1] != '[' && token[1] != '=')))
        return;
    lua_pushlstring(L, said, (size_t)(at - said));
    lua_pushliteral(L, " near a text");
    lua_concat(L, 2);
}

// Inside the gate. May longjmp.
static int conf_inside(lua_State *L)
{
    struct err e = {0};
    struct conf_loading *l = lua_touserdata(L, 1);
    if (sandbox_compile(L, l->text.data, l->text.len, l->path) != LUA_OK) {
        conf_hide_text(L);
        return lua_error(L);
    }
    conf_set_env(L);
    lua_call(L, 0, 1);
    if (!lua_istable(L, -1))
        return luaL_error(L, "%s: must return a table (return { listen = ... })", l->path);
    if (value_encode(L, -1, l->out, "", &e))
        return luaL_error(
            L, "%s: %s (a configuration is texts, numbers, true, false, and tables of them)",
            l->path, e.text + (e.text[0] == '.'));
    return 0;
}

int conf_load(const char *path, struct buf *json_out, struct err *e)
{
    static const struct budget_limits limits = {
        .steps = 10000000, .memory_bytes = CONF_MEMORY_MAX, .cpu_ms = 1000};
    struct state_config config = {0};
    struct state *s = NULL;
    char *text = NULL;
    size_t len = 0;
    int rc = file_read(path, CONF_FILE_MAX, &text, &len, e);
    if (rc == 0)
        rc = state_new(&s, &config, e);
    if (rc == 0) {
        struct conf_loading l = {.path = path, .text = {text, len}, .out = json_out};
        enum gate_outcome outcome = gate_call(s, conf_inside, &l, &limits);
        if (outcome != GATE_OK)
            rc = err_set(e, ERR_INVALID, "%s", s->message);
    }
    state_free(s);
    free(text);
    return rc;
}
