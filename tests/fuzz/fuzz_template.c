// Liquid templates, compiled and rendered over fixed data: the result is a text or a fault with its
// place in the template, never a Lua error; and the same again.
#include "lua_target.h"

#include "script/value.h"

static const char DATA[] =
    "{\"deal\":{\"id\":4021,\"name\":\"Acme \\\"renewal\\\" <b>\",\"amount\":12500.50,"
    "\"closed_date\":\"2026-11-23\",\"tags\":[\"a\",\"b\",\"a\",null],\"empty\":{},"
    "\"products\":[{\"sku\":\"A-1\",\"price\":9.99,\"count\":3},{\"sku\":\"b-2\",\"price\":-1,"
    "\"count\":0}]},\"text\":\"The quick\\nbrown "
    "f\\u00f6x\",\"n\":7,\"yes\":true,\"nothing\":null}";

enum { NOW_S = 1795000000, AGAIN_EACH = 8 };

// load_partial(name) -> text | nil, message
static int partial(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    if (strcmp(name, "p") == 0) {
        lua_pushliteral(L, "{{ p }}{{ x }}{% assign y = 1 %}");
        return 1;
    }
    lua_pushnil(L);
    lua_pushliteral(L, "there is no such partial");
    return 2;
}

// Pushes what render_text gives for the text at 1: five values.
static void render(lua_State *L)
{
    struct err e = {0};
    library_require(L, "hookline.liquid");
    lua_getfield(L, -1, "render_text");
    lua_remove(L, -2);
    lua_pushvalue(L, 1);
    lua_pushliteral(L, "t");
    if (value_decode(L, str_from(DATA), &e)) {
        luaL_error(L, "%s", e.text);
    }
    lua_pushinteger(L, NOW_S);
    lua_pushcfunction(L, partial);
    lua_call(L, 5, 5);
}

// text | nil, name, line, column, message: at 2 to 6.
static void check_result(lua_State *L)
{
    if (lua_type(L, 2) == LUA_TSTRING) {
        return;
    }
    promise(lua_isnil(L, 2) && lua_type(L, 3) == LUA_TSTRING);
    promise(lua_tointeger(L, 4) >= 1 && lua_tointeger(L, 5) >= 1);
    promise(lua_type(L, 6) == LUA_TSTRING && lua_rawlen(L, 6) > 0);
}

static int check(lua_State *L)
{
    render(L);
    check_result(L);
    if (lua_rawlen(L, 1) % AGAIN_EACH == 0) {
        render(L);
        for (int i = 2; i <= 6; i++) {
            promise(lua_rawequal(L, i, i + 5));
        }
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lua_target_run(fuzz_text(data, size), check);
    return 0;
}
