// string, bounded: results are charged before they are made, where the standard function would make
// them in one go; string.dump is gone.
#include "script/libs.h"

enum { STRING_SPREAD_MAX = 8000, STRING_BYTES_A_STEP = 4 };

static int string_lua_rep(lua_State *L)
{
    struct str s = libs_check_str(L, 1);
    lua_Integer count = luaL_checkinteger(L, 2);
    struct str between = {0};
    if (!lua_isnoneornil(L, 3))
        between = libs_check_str(L, 3);
    size_t piece = s.len + between.len;
    if (count > 0 && piece > 0) {
        size_t total =
            (uint64_t)count > SIZE_MAX / 2 / piece ? SIZE_MAX / 2 : piece * (size_t)count;
        budget_charge_bytes(L, total);
    }
    return libs_original(L);
}

static int string_lua_byte(lua_State *L)
{
    lua_Integer len = (lua_Integer)libs_check_str(L, 1).len;
    lua_Integer first = luaL_optinteger(L, 2, 1);
    lua_Integer last = luaL_optinteger(L, 3, first);
    if (first < 0)
        first = first < -len ? 1 : len + first + 1;
    if (last < 0)
        last = last < -len ? 0 : len + last + 1;
    if (last > len)
        last = len;
    if (last > first && last - first >= STRING_SPREAD_MAX)
        return luaL_error(L, "string slice too long (%d bytes at most)", STRING_SPREAD_MAX);
    budget_charge(L, last > first ? (last - first) / STRING_BYTES_A_STEP : 0);
    return libs_original(L);
}

// A format can be all spaces: long work that makes nothing.
static int string_lua_pack(lua_State *L)
{
    budget_charge(L, (int64_t)libs_check_str(L, 1).len);
    return libs_original(L);
}

static int string_lua_unpack(lua_State *L)
{
    size_t len = libs_check_str(L, 1).len;
    if (len > STRING_SPREAD_MAX)
        return luaL_error(L, "format too long (%d bytes at most)", STRING_SPREAD_MAX);
    budget_charge(L, (int64_t)len);
    return libs_original(L);
}

// What %s and %p would say of an object is its address, which is another in each process.
static int string_lua_format(lua_State *L)
{
    struct str format = libs_check_str(L, 1);
    int arg = 1;
    for (size_t i = 0; i < format.len; i++) {
        if (format.data[i] != '%' || ++i >= format.len || format.data[i] == '%')
            continue;
        while (i < format.len && strchr("-+ #0123456789.", format.data[i]) && format.data[i])
            i++;
        arg++;
        if (i < format.len && format.data[i] == 'p')
            return luaL_error(L, "format: %%p shows an address, which is another in each process");
        if (i < format.len && format.data[i] == 's' && arg <= lua_gettop(L)) {
            libs_tolstring(L, arg, NULL);
            lua_replace(L, arg);
        }
    }
    budget_charge(L, (int64_t)(format.len / STRING_BYTES_A_STEP));
    return libs_original(L);
}

void lib_string_bound(lua_State *L)
{
    libs_wrap(L, "rep", string_lua_rep);
    libs_wrap(L, "byte", string_lua_byte);
    libs_wrap(L, "format", string_lua_format);
    libs_wrap(L, "pack", string_lua_pack);
    libs_wrap(L, "packsize", string_lua_pack);
    libs_wrap(L, "unpack", string_lua_unpack);
    lib_pattern_set(L);
    lua_pushnil(L);
    lua_setfield(L, -2, "dump");
}
