// The basic functions, bounded: nothing here swallows a stopped run, loads bytecode, or reaches
// outside.
#include "script/lib_freeze.h"
#include "script/libs.h"

enum { BASE_BYTES_A_STEP = 16, BASE_NAME_MAX = 64 };
// What a call costs beside an instruction: an error caught, a chunk compiled.
enum { BASE_CATCH_STEPS = 10, BASE_LOAD_STEPS = 200 };

// --- catching errors
// --------------------------------------------------------------------------------

// A stopped run is raised again by whatever could have caught it.
static int base_finish_pcall(lua_State *L, int status, lua_KContext below)
{
    if (status != LUA_OK && status != LUA_YIELD) {
        budget_check(L);
        lua_pushboolean(L, false);
        lua_pushvalue(L, -2);
        return 2;
    }
    return lua_gettop(L) - (int)below;
}

static int base_lua_pcall(lua_State *L)
{
    luaL_checkany(L, 1);
    budget_charge(L, BASE_CATCH_STEPS);
    lua_pushboolean(L, true); // the first result
    lua_insert(L, 1);
    int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, base_finish_pcall);
    return base_finish_pcall(L, status, 0);
}

// An error raised from the hook comes here with hooks off: a rule's handler would run uncounted.
static int base_on_error(lua_State *L)
{
    if (state_of(L)->budget.stop != BUDGET_RUNS)
        return 1;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

static int base_lua_xpcall(lua_State *L)
{
    int count = lua_gettop(L);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    budget_charge(L, BASE_CATCH_STEPS);
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, base_on_error, 1);
    lua_replace(L, 2);
    lua_pushboolean(L, true);
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2);
    int status = lua_pcallk(L, count - 2, LUA_MULTRET, 2, 2, base_finish_pcall);
    return base_finish_pcall(L, status, 2);
}

// --- tables
// -----------------------------------------------------------------------------------------

static int base_lua_pairs(lua_State *L)
{
    luaL_checkany(L, 1);
    if (luaL_getmetafield(L, 1, "__pairs") == LUA_TNIL) {
        freeze_push_next(L);
        lua_pushvalue(L, 1);
        lua_pushnil(L);
    } else {
        lua_pushvalue(L, 1);
        lua_call(L, 1, 3);
    }
    return 3;
}

// Of rules alone. `__gc` would run outside the budget; when a weak table lets go would show when
// memory was collected, which is not the same for the same event.
static int base_lua_setmetatable(lua_State *L)
{
    static const char *const refused[] = {"__gc", "__mode", NULL};
    for (int i = 0; refused[i] && lua_istable(L, 2); i++) {
        lua_pushstring(L, refused[i]);
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(L, "a metatable with %s is not for rules", refused[i]);
        lua_pop(L, 1);
    }
    return libs_original(L);
}

static int base_lua_rawset(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    if (freeze_push_target(L, 1))
        return luaL_error(L, "rawset: the table is read-only");
    return libs_original(L);
}

static int base_lua_rawget(lua_State *L)
{
    if (freeze_push_target(L, 1))
        lua_replace(L, 1);
    return libs_original(L);
}

static int base_lua_rawlen(lua_State *L)
{
    if (freeze_push_target(L, 1))
        lua_replace(L, 1);
    return libs_original(L);
}

// --- text
// -------------------------------------------------------------------------------------------

static int base_lua_tonumber(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TSTRING)
        budget_charge(L, (int64_t)(lua_rawlen(L, 1) / BASE_BYTES_A_STEP));
    return libs_original(L);
}

static int base_lua_tostring(lua_State *L)
{
    luaL_checkany(L, 1);
    libs_tolstring(L, 1, NULL);
    return 1;
}

// Pieces that a function gives, put together.
static void base_gather_chunk(lua_State *L)
{
    lua_newtable(L);
    int pieces = lua_gettop(L);
    for (lua_Integer i = 1;; i++) {
        size_t len = 0;
        lua_pushvalue(L, 1);
        lua_call(L, 0, 1);
        const char *piece = lua_tolstring(L, -1, &len);
        if (!piece && !lua_isnil(L, -1))
            luaL_error(L, "reader function must return a string");
        if (len == 0)
            break;
        lua_rawseti(L, pieces, i);
        budget_charge(L, BASE_CATCH_STEPS);
    }
    lua_pop(L, 1);
    luaL_Buffer text;
    luaL_buffinit(L, &text);
    lua_Integer count = (lua_Integer)lua_rawlen(L, pieces);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, pieces, i);
        luaL_addvalue(&text);
    }
    luaL_pushresult(&text);
    lua_replace(L, 1);
    lua_settop(L, pieces - 1);
}

// load(text | function [, name [, mode [, env]]]): text alone, in the environment of rules.
static int base_lua_load(lua_State *L)
{
    char name[BASE_NAME_MAX + 16];
    bool has_env = !lua_isnone(L, 4);
    lua_settop(L, 4);
    if (lua_type(L, 1) != LUA_TSTRING) {
        luaL_checktype(L, 1, LUA_TFUNCTION);
        base_gather_chunk(L);
    }
    struct str text = libs_check_str(L, 1);
    const char *given = luaL_optstring(L, 2, "");
    const char *mode = luaL_optstring(L, 3, "t");
    if (!strchr(mode, 't'))
        return luaL_error(L, "load: only text is loaded (mode \"t\")");
    budget_charge(L, BASE_LOAD_STEPS + (int64_t)text.len);
    // The name cannot be one of the library's or of a file: positions are read from it.
    given += strspn(given, "=@");
    snprintf(name, sizeof name, given[0] ? "=(load: %.*s)" : "=(load%.*s)", BASE_NAME_MAX, given);
    if (luaL_loadbufferx(L, text.data, text.len, name, "t") != LUA_OK) {
        budget_check(L);
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    if (has_env)
        lua_pushvalue(L, 4);
    else
        lua_rawgeti(L, LUA_REGISTRYINDEX, state_of(L)->ref_rules_env);
    if (!lua_setupvalue(L, -2, 1))
        lua_pop(L, 1);
    return 1;
}

// What a rule prints is for its author, who gets it where the host was told to give it.
static int base_lua_print(lua_State *L)
{
    const struct state_config *c = &state_of(L)->config;
    int count = lua_gettop(L);
    luaL_Buffer line;
    luaL_buffinit(L, &line);
    for (int i = 1; i <= count; i++) {
        if (i > 1)
            luaL_addchar(&line, '\t');
        libs_tolstring(L, i, NULL);
        luaL_addvalue(&line);
    }
    luaL_pushresult(&line);
    struct str text = libs_check_str(L, -1);
    budget_charge(L, (int64_t)(text.len / BASE_BYTES_A_STEP));
    if (c->print)
        c->print(c->ctx, text);
    return 0;
}

// Collections are the host's; the function is there for code that calls it by habit.
static int base_lua_collectgarbage(lua_State *L)
{
    lua_pushinteger(L, 0);
    return 1;
}

void lib_base_bound(lua_State *L)
{
    static const luaL_Reg replaced[] = {{"pcall", base_lua_pcall},
                                        {"xpcall", base_lua_xpcall},
                                        {"pairs", base_lua_pairs},
                                        {"load", base_lua_load},
                                        {"tostring", base_lua_tostring},
                                        {"print", base_lua_print},
                                        {"collectgarbage", base_lua_collectgarbage},
                                        {NULL, NULL}};
    static const char *const removed[] = {"dofile", "loadfile", "warn", NULL};
    luaL_setfuncs(L, replaced, 0);
    freeze_push_next(L);
    lua_setfield(L, -2, "next");
    libs_wrap(L, "rawset", base_lua_rawset);
    libs_wrap(L, "rawget", base_lua_rawget);
    libs_wrap(L, "rawlen", base_lua_rawlen);
    libs_wrap(L, "tonumber", base_lua_tonumber);
    for (size_t i = 0; removed[i]; i++) {
        lua_pushnil(L);
        lua_setfield(L, -2, removed[i]);
    }
}

void lib_base_set_for_rules(lua_State *L)
{
    libs_wrap(L, "setmetatable", base_lua_setmetatable);
    lib_order_set(L);
}
