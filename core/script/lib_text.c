// core.*: texts read and changed.
#include "base/casefold.h"
#include "base/duration.h"
#include "base/err.h"
#include "base/nearest.h"
#include "base/rfc3339.h"
#include "base/zone.h"
#include "encode/base64.h"
#include "encode/json_number.h"
#include "encode/mail.h"
#include "encode/percent.h"
#include "script/libs.h"

enum { TEXT_BYTES_A_STEP = 16 };

// fold(text) -> text
static int text_lua_fold(lua_State *L)
{
    struct str text = libs_check_str(L, 1);
    budget_charge(L, (int64_t)(text.len / TEXT_BYTES_A_STEP));
    struct buf *out = libs_out(L);
    casefold_simple(out, text);
    return libs_push_out(L, out);
}

// number(text) -> number | nil
static int text_lua_number(lua_State *L)
{
    struct json_number number;
    if (json_number_parse(libs_check_str(L, 1), &number))
        lua_pushnil(L);
    else if (number.is_integer)
        lua_pushinteger(L, number.integer);
    else
        lua_pushnumber(L, number.value);
    return 1;
}

// duration(text) -> milliseconds | nil
static int text_lua_duration(lua_State *L)
{
    int64_t ms;
    if (duration_parse(libs_check_str(L, 1), &ms))
        lua_pushnil(L);
    else
        lua_pushinteger(L, ms);
    return 1;
}

// time(text) -> milliseconds since 1970, whether it is a whole day (from its midnight in UTC) | nil
static int text_lua_time(lua_State *L)
{
    int64_t ms;
    struct str text = libs_check_str(L, 1);
    bool is_day = rfc3339_parse_date(text, &ms) == 0;
    if (!is_day && rfc3339_parse(text, &ms)) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, ms);
    lua_pushboolean(L, is_day);
    return 2;
}

// zone(name) -> true | nil, why it is no time zone
static int text_lua_zone(lua_State *L)
{
    struct err e;
    struct zone *z;
    if (zone_load(&z, libs_check_str(L, 1), &e))
        return libs_push_failure(L, &e);
    zone_free(z);
    lua_pushboolean(L, true);
    return 1;
}

// percent(text) -> text
static int text_lua_percent(lua_State *L)
{
    struct str text = libs_check_str(L, 1);
    struct buf *out = libs_out(L);
    percent_encode(out, text);
    return libs_push_out(L, out);
}

// base64(text) -> text
static int text_lua_base64(lua_State *L)
{
    struct str text = libs_check_str(L, 1);
    struct buf *out = libs_out(L);
    base64_encode(out, text);
    return libs_push_out(L, out);
}

// unbase64(text) -> text | nil
static int text_lua_unbase64(lua_State *L)
{
    struct str text = libs_check_str(L, 1);
    budget_charge(L, (int64_t)(text.len / TEXT_BYTES_A_STEP));
    struct buf *out = libs_out(L);
    if (base64_decode(out, text) == ERR_INVALID) {
        lua_pushnil(L);
        return 1;
    }
    return libs_push_out(L, out);
}

// nearest(word, names) -> name | nil
static int text_lua_nearest(lua_State *L)
{
    struct nearest n;
    nearest_init(&n, libs_check_str(L, 1));
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_Integer count = (lua_Integer)lua_rawlen(L, 2);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, 2, i);
        nearest_offer(&n, libs_check_str(L, -1)); // the table keeps the text alive
        lua_pop(L, 1);
    }
    if (n.name.data)
        lua_pushlstring(L, n.name.data, n.name.len);
    else
        lua_pushnil(L);
    return 1;
}

// var(name) -> text | nil
static int text_lua_var(lua_State *L)
{
    const struct state_config *c = &state_of(L)->config;
    struct str name = libs_check_str(L, 1);
    struct str value = c->var ? c->var(c->ctx, name) : (struct str){0};
    if (value.data)
        lua_pushlstring(L, value.data, value.len);
    else
        lua_pushnil(L);
    return 1;
}

// is_mail_address(text) -> boolean
static int text_lua_is_mail_address(lua_State *L)
{
    lua_pushboolean(L, mail_address_is_valid(libs_check_str(L, 1)));
    return 1;
}

// is_ascii(text) -> boolean
static int text_lua_is_ascii(lua_State *L)
{
    struct str text = libs_check_str(L, 1);
    budget_charge(L, (int64_t)(text.len / TEXT_BYTES_A_STEP));
    unsigned char seen = 0;
    for (size_t i = 0; i < text.len; i++)
        seen |= (unsigned char)text.data[i];
    lua_pushboolean(L, seen < 0x80);
    return 1;
}

static bool text_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

// trim(text, left, right) -> text without the white space of ASCII at the ends that are true
static int text_lua_trim(lua_State *L)
{
    struct str text = libs_check_str(L, 1);
    budget_charge(L, (int64_t)(text.len / TEXT_BYTES_A_STEP));
    size_t from = 0, to = text.len;
    while (lua_toboolean(L, 2) && from < to && text_is_space(text.data[from]))
        from++;
    while (lua_toboolean(L, 3) && to > from && text_is_space(text.data[to - 1]))
        to--;
    if (to - from == text.len)
        lua_pushvalue(L, 1);
    else
        lua_pushlstring(L, text.data + from, to - from);
    return 1;
}

void lib_text_set(lua_State *L)
{
    static const luaL_Reg functions[] = {{"fold", text_lua_fold},
                                         {"number", text_lua_number},
                                         {"duration", text_lua_duration},
                                         {"time", text_lua_time},
                                         {"percent", text_lua_percent},
                                         {"base64", text_lua_base64},
                                         {"unbase64", text_lua_unbase64},
                                         {"nearest", text_lua_nearest},
                                         {"var", text_lua_var},
                                         {"zone", text_lua_zone},
                                         {"is_mail_address", text_lua_is_mail_address},
                                         {"is_ascii", text_lua_is_ascii},
                                         {"trim", text_lua_trim},
                                         {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}
