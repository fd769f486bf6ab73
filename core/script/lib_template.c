// core.template: the steps of templates that are taken most often.
#include "script/libs.h"
#include "script/value.h"

enum { PATH_NAMES_MAX = 32, LIST_ROOM_MAX = 1024 };

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

// Upvalues of what shows a value: the value, its escape, the text in front or nil, whether a number
// goes as it was written, and the names of the context's list of texts and of their number.
enum { SHOW_VALUE = 1, SHOW_ESCAPE, SHOW_FRONT, SHOW_WRITTEN, SHOW_OUT, SHOW_COUNT };
// SHOW_WRITTEN: what happens to the written form, where the value has one.
enum { WRITTEN_NEVER, WRITTEN_ESCAPED, WRITTEN_AS_IT_IS };

// Pushes the escaped value, at the context's index 1.
static void show_push_text(lua_State *L)
{
    lua_Integer written = lua_tointeger(L, lua_upvalueindex(SHOW_WRITTEN));
    lua_pushvalue(L, lua_upvalueindex(SHOW_ESCAPE));
    lua_pushvalue(L, lua_upvalueindex(SHOW_VALUE));
    lua_pushvalue(L, 1);
    lua_call(L, 1, written == WRITTEN_NEVER ? 1 : 2);
    if (written != WRITTEN_NEVER && lua_isnil(L, -1)) {
        lua_pop(L, 1);
    } else if (written == WRITTEN_AS_IT_IS) {
        lua_replace(L, -3);
        lua_pop(L, 1);
        return;
    } else if (written == WRITTEN_ESCAPED) {
        lua_remove(L, -2);
    }
    lua_call(L, 1, 1);
}

// (context). Adds the text in front and the escaped value to the context's list of texts.
static int show_lua_run(lua_State *L)
{
    lua_settop(L, 1);
    show_push_text(L);
    lua_pushvalue(L, lua_upvalueindex(SHOW_COUNT));
    lua_rawget(L, 1);
    lua_Integer count = lua_tointeger(L, -1);
    lua_pushvalue(L, lua_upvalueindex(SHOW_OUT));
    if (lua_rawget(L, 1) != LUA_TTABLE)
        return luaL_argerror(L, 1, "a rendering's context is wanted");
    if (!lua_isnil(L, lua_upvalueindex(SHOW_FRONT))) {
        lua_pushvalue(L, lua_upvalueindex(SHOW_FRONT));
        lua_rawseti(L, -2, ++count);
    }
    lua_pushvalue(L, 2);
    lua_rawseti(L, -2, ++count);
    lua_pushvalue(L, lua_upvalueindex(SHOW_COUNT));
    lua_pushinteger(L, count);
    lua_rawset(L, 1);
    return 0;
}

// template.show(value, escape, front, written) -> function(context), which shows value(context) by
// escape, with the text `front` (or nil) before it. written: nil where value gives one value, else
// it gives the written form of numbers too, which goes as it is ("raw") or escaped ("escaped").
static int show_lua_new(lua_State *L)
{
    static const char *const words[] = {"never", "escaped", "raw", NULL};
    luaL_checktype(L, 1, LUA_TFUNCTION);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    int written = luaL_checkoption(L, 4, "never", words);
    lua_settop(L, 3);
    lua_pushinteger(L, written);
    lua_pushliteral(L, "out");
    lua_pushliteral(L, "n");
    lua_pushcclosure(L, show_lua_run, SHOW_COUNT);
    return 1;
}

// template.list(count) -> an empty list with room for so many elements, 1,024 at most
static int list_lua_new(lua_State *L)
{
    lua_Integer count = luaL_checkinteger(L, 1);
    lua_createtable(L, count < 0 ? 0 : count < LIST_ROOM_MAX ? (int)count : LIST_ROOM_MAX, 0);
    return 1;
}

void lib_template_push(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"path", path_lua_new}, {"show", show_lua_new}, {"list", list_lua_new}, {NULL, NULL}};
    luaL_newlib(L, functions);
}
