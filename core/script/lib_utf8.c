// utf8, bounded: what reads a whole text in one call is charged for it.
#include "script/libs.h"

enum { UTF8_BYTES_A_STEP = 16, UTF8_SPREAD_MAX = 8000 };

static int utf8_lua_len(lua_State *L)
{
    budget_charge(L, (int64_t)(libs_check_str(L, 1).len / UTF8_BYTES_A_STEP));
    return libs_original(L);
}

static int utf8_lua_offset(lua_State *L)
{
    budget_charge(L, (int64_t)(libs_check_str(L, 1).len / UTF8_BYTES_A_STEP));
    return libs_original(L);
}

static int utf8_lua_codepoint(lua_State *L)
{
    lua_Integer len = (lua_Integer)libs_check_str(L, 1).len;
    lua_Integer first = luaL_optinteger(L, 2, 1);
    lua_Integer last = luaL_optinteger(L, 3, first);
    first = first < 0 ? len + first + 1 : first;
    last = last < 0 ? len + last + 1 : last;
    if (last > first && last - first >= UTF8_SPREAD_MAX)
        return luaL_error(L, "string slice too long (%d bytes at most)", UTF8_SPREAD_MAX);
    return libs_original(L);
}

void lib_utf8_bound(lua_State *L)
{
    libs_wrap(L, "len", utf8_lua_len);
    libs_wrap(L, "offset", utf8_lua_offset);
    libs_wrap(L, "codepoint", utf8_lua_codepoint);
}
