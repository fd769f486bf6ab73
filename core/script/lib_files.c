// core.files: the texts of the rules folder beside its workflows, of the set that is in use.
#include "script/files.h"
#include "script/libs.h"
#include "script/sandbox.h"

static const struct files_text *files_find_in(lua_State *L)
{
    const struct files *f = state_of(L)->files;
    struct str path = libs_check_str(L, 1);
    return f ? files_find(f, path) : NULL;
}

// text(path) -> text | nil. path: relative to the rules folder, "templates/invoice.json"
static int files_lua_text(lua_State *L)
{
    const struct files_text *t = files_find_in(L);
    if (!t) {
        lua_pushnil(L);
        return 1;
    }
    budget_charge_bytes(L, t->text.len);
    lua_pushlstring(L, t->text.data ? t->text.data : "", t->text.len);
    return 1;
}

// list([prefix]) -> the paths that begin with it, sorted
static int files_lua_list(lua_State *L)
{
    const struct files *f = state_of(L)->files;
    struct str prefix = {0};
    prefix.data = luaL_optlstring(L, 1, "", &prefix.len);
    lua_newtable(L);
    lua_Integer count = 0;
    for (size_t i = f ? files_first(f, prefix) : 0; f && i < f->count; i++) {
        struct str path = f->texts[i].path;
        if (!str_starts_with(path, prefix))
            break;
        budget_charge(L, 1);
        lua_pushlstring(L, path.data, path.len);
        lua_rawseti(L, -2, ++count);
    }
    return 1;
}

// compile(path) -> function | nil, message. In the environment of rules; the message begins with
// "rules/lib/money.lua:12: ".
static int files_lua_compile(lua_State *L)
{
    char chunk[FILES_CHUNK_MAX];
    const struct files_text *t = files_find_in(L);
    if (!t) {
        lua_pushnil(L);
        lua_pushfstring(L, "there is no file '%s' in the rules folder", lua_tostring(L, 1));
        return 2;
    }
    files_name_chunk(state_of(L)->files->dir, lua_tostring(L, 1), chunk);
    budget_charge(L, (int64_t)t->text.len);
    if (sandbox_compile(L, t->text.data, t->text.len, chunk) == LUA_OK)
        return 1;
    budget_check(L);
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
}

// shown(path) -> "rules/lib/money.lua"
static int files_lua_shown(lua_State *L)
{
    char chunk[FILES_CHUNK_MAX];
    const struct files *f = state_of(L)->files;
    files_name_chunk(f ? f->dir : NULL, luaL_checkstring(L, 1), chunk);
    lua_pushstring(L, chunk);
    return 1;
}

// loading() -> the text of the workflow file that is being loaded, "rules/x.lua" | nil
static int files_lua_loading(lua_State *L)
{
    const struct state *s = state_of(L);
    if (!s->loading_name) {
        lua_pushnil(L);
        return 1;
    }
    budget_charge_bytes(L, s->loading.len);
    lua_pushlstring(L, s->loading.data ? s->loading.data : "", s->loading.len);
    lua_pushstring(L, s->loading_name);
    return 2;
}

// set() -> what tells the set in use from the others
static int files_lua_set(lua_State *L)
{
    lua_pushlightuserdata(L, (void *)state_of(L)->files);
    return 1;
}

void lib_files_push(lua_State *L)
{
    static const luaL_Reg functions[] = {{"text", files_lua_text},
                                         {"list", files_lua_list},
                                         {"compile", files_lua_compile},
                                         {"shown", files_lua_shown},
                                         {"set", files_lua_set},
                                         {"loading", files_lua_loading},
                                         {NULL, NULL}};
    luaL_newlib(L, functions);
}
