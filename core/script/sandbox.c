#include "script/sandbox.h"

#include "script/lib_freeze.h"
#include "script/library.h"
#include "script/libs.h"
#include "script/undo.h"

#include <lualib.h>
#include <stdio.h>

static void sandbox_open_library(lua_State *L, const char *name, lua_CFunction open,
                                 void (*bound)(lua_State *))
{
    lua_pushcfunction(L, open);
    lua_pushstring(L, name);
    lua_call(L, 1, 1);
    bound(L);
    lua_setglobal(L, name);
}

static void sandbox_protect_strings(lua_State *L)
{
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);
}

void sandbox_open_globals(lua_State *L)
{
    lua_pushcfunction(L, luaopen_base);
    lua_call(L, 0, 1);
    lib_base_bound(L);
    lua_pushcfunction(L, library_lua_require);
    lua_setfield(L, -2, "require");
    lua_pop(L, 1);
    sandbox_open_library(L, LUA_COLIBNAME, luaopen_coroutine, lib_coroutine_bound);
    sandbox_open_library(L, LUA_STRLIBNAME, luaopen_string, lib_string_bound);
    sandbox_open_library(L, LUA_TABLIBNAME, luaopen_table, lib_table_bound);
    sandbox_open_library(L, LUA_MATHLIBNAME, luaopen_math, lib_math_bound);
    sandbox_open_library(L, LUA_UTF8LIBNAME, luaopen_utf8, lib_utf8_bound);
    sandbox_protect_strings(L);
}

// A module of the rules folder. Which one it is depends on the set of texts in use: never kept
// here.
static int sandbox_require_module(lua_State *L)
{
    lua_Integer kept_before = undo_kept_count(L);
    library_require(L, "hookline.modules");
    lua_getfield(L, -1, "require");
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    undo_give_module(L, kept_before);
    return 1;
}

// `require` for rules; what it has given once it gives again. upvalue 1: the library's modules
// given.
static int sandbox_lua_require(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    lua_settop(L, 1);
    if (lua_getfield(L, lua_upvalueindex(1), name) != LUA_TNIL)
        return 1;
    if (strcmp(name, "hookline") == 0)
        library_require(L, "hookline");
    else if (strcmp(name, "cjson") == 0)
        lib_cjson_push(L);
    else
        return sandbox_require_module(L);
    freeze_push_view(L, -1, name);
    lua_pushvalue(L, -1);
    lua_setfield(L, lua_upvalueindex(1), name);
    return 1;
}

static void sandbox_freeze_field(lua_State *L, const char *name)
{
    lua_getfield(L, -1, name);
    freeze_push_view(L, -1, name);
    lua_setfield(L, -3, name);
    lua_pop(L, 1);
}

void sandbox_push_rules_env(lua_State *L)
{
    static const char *const libraries[] = {LUA_COLIBNAME,   LUA_STRLIBNAME,  LUA_TABLIBNAME,
                                            LUA_MATHLIBNAME, LUA_UTF8LIBNAME, NULL};
    lua_newtable(L);
    lua_pushglobaltable(L);
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -5);
    }
    lua_pop(L, 1);
    lib_base_set_for_rules(L);
    for (size_t i = 0; libraries[i]; i++)
        sandbox_freeze_field(L, libraries[i]);
    lua_newtable(L);
    lua_pushcclosure(L, sandbox_lua_require, 1);
    lua_setfield(L, -2, "require");
    freeze_push_view(L, -1, "_G");
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "_G");
    lua_remove(L, -2);
}

// Some editors put it in front of UTF-8.
static const struct str SANDBOX_BOM = {"\xef\xbb\xbf", 3};

// A rule's text with a declaration in front, on its first line. `return hook.workflow { ... }`
// would be a tail call, which leaves no frame of the rule behind and so no line to name in an
// error; where a variable is to be closed there are none (Lua 5.4 manual, 3.3.8).
struct sandbox_text {
    struct str pieces[2];
    int next;
};

static const char *sandbox_read_text(lua_State *L, void *data, size_t *len)
{
    struct sandbox_text *t = data;
    (void)L;
    if (t->next == 2) {
        *len = 0;
        return NULL;
    }
    struct str piece = t->pieces[t->next++];
    *len = piece.len;
    return piece.data;
}

static int sandbox_line_at(const char *text, size_t at)
{
    int line = 1;
    for (size_t i = 0; i < at; i++)
        line += text[i] == '\n';
    return line;
}

int sandbox_compile(lua_State *L, const char *text, size_t len, const char *name)
{
    char chunk[512];
    size_t bad_at;
    if (str_starts_with((struct str){text, len}, SANDBOX_BOM)) {
        text += SANDBOX_BOM.len;
        len -= SANDBOX_BOM.len;
    }
    snprintf(chunk, sizeof chunk, "@%s", name);
    if (len > 0 && text[0] == LUA_SIGNATURE[0]) {
        lua_pushfstring(L, "%s:1: a file is Lua text, not bytecode", name);
        return LUA_ERRSYNTAX;
    }
    if (!str_is_utf8((struct str){text, len}, &bad_at)) {
        lua_pushfstring(L,
                        "%s:%d: is not UTF-8 here, and would equal no text of an event; save the "
                        "file as UTF-8",
                        name, sandbox_line_at(text, bad_at));
        return LUA_ERRSYNTAX;
    }
    struct sandbox_text source = {{STR("local _no_tail_call <close> = nil; "), {text, len}}, 0};
    int status = lua_load(L, sandbox_read_text, &source, chunk, "t");
    if (status != LUA_OK)
        return status;
    lua_rawgeti(L, LUA_REGISTRYINDEX, state_of(L)->ref_rules_env);
    if (!lua_setupvalue(L, -2, 1)) // a chunk that names no global has none
        lua_pop(L, 1);
    return LUA_OK;
}
