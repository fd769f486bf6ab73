// core.template: the steps of templates that are taken most often.
#include "script/libs.h"
#include "script/value.h"

enum { PATH_NAMES_MAX = 32 };

static const char *const path_scopes[] = {"locals", "assigns", "counters", "data"};
enum { PATH_SCOPES = 4 };

// Upvalues of a path: how many names, whether the written form is wanted, the slow way, the scopes'
// names, the names.
enum {
    PATH_COUNT = 1,
    PATH_WITH_FORM,
    PATH_SLOW,
    PATH_SCOPE,
    PATH_NAMES = PATH_SCOPE + PATH_SCOPES
};

// Pushes the variable: of a loop or an argument, assigned, counted, or of the data.
static int path_push_variable(lua_State *L)
{
    for (int i = 0; i < PATH_SCOPES; i++) {
        lua_pushvalue(L, lua_upvalueindex(PATH_SCOPE + i));
        lua_rawget(L, 1);
        lua_pushvalue(L, lua_upvalueindex(PATH_NAMES));
        if (lua_rawget(L, -2) != LUA_TNIL) {
            lua_remove(L, -2);
            return lua_type(L, -1);
        }
        lua_pop(L, 2);
    }
    lua_pushnil(L);
    return LUA_TNIL;
}

static int path_slow(lua_State *L)
{
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(PATH_SLOW));
    lua_insert(L, 1);
    lua_call(L, 1, LUA_MULTRET);
    return lua_gettop(L);
}

// (context) -> value [, its written form]. What an object, or a loop's drop, has by a name is found
// here, all else the slow way: a list has no names.
static int path_lua_read(lua_State *L)
{
    int count = (int)lua_tointeger(L, lua_upvalueindex(PATH_COUNT));
    lua_settop(L, 1);
    int type = path_push_variable(L);
    for (int i = 1; i < count; i++) {
        if (type != LUA_TTABLE)
            return path_slow(L);
        lua_pushvalue(L, lua_upvalueindex(PATH_NAMES + i));
        type = lua_rawget(L, -2);
        if (type == LUA_TNIL)
            return path_slow(L);
    }
    if (type == LUA_TLIGHTUSERDATA && lua_touserdata(L, -1) == NULL) {
        lua_pushnil(L);
        return 1;
    }
    if (type != LUA_TNUMBER || lua_isinteger(L, -1) || count == 1 ||
        !lua_toboolean(L, lua_upvalueindex(PATH_WITH_FORM)))
        return 1;
    lua_pushvalue(L, lua_upvalueindex(PATH_NAMES + count - 1));
    return value_push_written(L, lua_gettop(L) - 2) ? 2 : 1;
}

// template.path(names, slow, with_form) -> function(context). names: of a variable and of the
// fields that lead on from it.
static int path_lua_new(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 3);
    lua_Integer count = (lua_Integer)lua_rawlen(L, 1);
    if (count < 1 || count > PATH_NAMES_MAX)
        return luaL_argerror(L, 1, "1 to 32 names are wanted");
    luaL_checkstack(L, PATH_NAMES_MAX + PATH_NAMES, NULL);
    lua_pushinteger(L, count);
    lua_pushvalue(L, 3);
    lua_pushvalue(L, 2);
    for (int i = 0; i < PATH_SCOPES; i++)
        lua_pushstring(L, path_scopes[i]);
    for (lua_Integer i = 1; i <= count; i++)
        lua_rawgeti(L, 1, i);
    lua_pushcclosure(L, path_lua_read, PATH_NAMES - 1 + (int)count);
    return 1;
}

void lib_template_push(lua_State *L)
{
    static const luaL_Reg functions[] = {{"path", path_lua_new}, {NULL, NULL}};
    luaL_newlib(L, functions);
}
