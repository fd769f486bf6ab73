#include "script/library.h"

#include "base/embedded.h"
#include "script/state.h"
#include "script/trace.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>

extern const struct embedded_file embedded_lua_files[]; // of lua/: "hookline/conditions.lua"

enum { LIBRARY_NAME_MAX = 128, LIBRARY_FILE_MAX = 1024 * 1024 };

static bool library_find_embedded(const char *file, struct str *text)
{
    for (const struct embedded_file *f = embedded_lua_files; f->name; f++) {
        if (strcmp(f->name, file) == 0) {
            *text = (struct str){f->text, f->len};
            return true;
        }
    }
    return false;
}

// The text ends in the state's buffer.
static bool library_read_file(struct state *s, const char *file, struct str *text)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/%s", s->config.library_dir, file);
    FILE *f = n > 0 && (size_t)n < sizeof path ? fopen(path, "rb") : NULL;
    if (!f)
        return false;
    buf_reset(&s->out);
    s->out.max = LIBRARY_FILE_MAX;
    char *room = buf_reserve(&s->out, LIBRARY_FILE_MAX);
    if (room)
        s->out.len = fread(room, 1, LIBRARY_FILE_MAX, f);
    bool is_whole = room && feof(f) && !ferror(f);
    fclose(f);
    *text = buf_str(&s->out);
    return is_whole;
}

static bool library_find(struct state *s, const char *file, struct str *text)
{
    return s->config.library_dir ? library_read_file(s, file, text)
                                 : library_find_embedded(file, text);
}

void library_push_text(lua_State *L, const char *file)
{
    struct str text;
    if (!library_find(state_of(L), file, &text))
        luaL_error(L, "the library has no file %s", file);
    lua_pushlstring(L, text.data, text.len);
}

// Pushes the module's function, not run yet.
static void library_compile(lua_State *L, const char *name)
{
    struct state *s = state_of(L);
    char stem[LIBRARY_NAME_MAX];
    char file[LIBRARY_NAME_MAX + 16];
    char chunk[LIBRARY_NAME_MAX + 32];
    struct str text;
    size_t len = strlen(name);
    if (len >= sizeof stem)
        luaL_error(L, "module name too long");
    for (size_t i = 0; i <= len; i++)
        stem[i] = (char)(name[i] == '.' ? '/' : name[i]);
    snprintf(file, sizeof file, "%s.lua", stem);
    if (!library_find(s, file, &text)) {
        snprintf(file, sizeof file, "%s/init.lua", stem);
        if (!library_find(s, file, &text))
            luaL_error(L, "module '%s' is not in the library", name);
    }
    snprintf(chunk, sizeof chunk, "=%s", file);
    if (luaL_loadbufferx(L, text.data, text.len, chunk, "t") != LUA_OK)
        lua_error(L);
}

void library_require(lua_State *L, const char *name)
{
    struct state *s = state_of(L);
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->ref_loaded);
    int loaded = lua_gettop(L);
    if (lua_getfield(L, loaded, name) != LUA_TNIL) {
        if (lua_touserdata(L, -1) == s)
            luaL_error(L, "modules require each other in a circle: '%s' is still being loaded",
                       name);
        lua_remove(L, loaded);
        return;
    }
    lua_pop(L, 1);
    library_compile(L, name);
    lua_pushlightuserdata(L, s);
    lua_setfield(L, loaded, name);
    lua_pushstring(L, name);
    lua_call(L, 1, 1);
    if (lua_isnil(L, -1))
        luaL_error(L, "module '%s' returns nothing", name);
    lua_pushvalue(L, -1);
    lua_setfield(L, loaded, name);
    lua_remove(L, loaded);
}

int library_lua_require(lua_State *L)
{
    library_require(L, luaL_checkstring(L, 1));
    return 1;
}
