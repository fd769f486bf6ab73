// core.escape: values made fit for a place inside JSON, XML, a URL or a form. Each of its functions
// takes what makes a text of a value that is neither nothing, text nor a whole number, and gives
// the escape: escape(value) -> text. A text that needs no change is given back as it is.
#include <math.h>

#include "encode/json_print.h"
#include "encode/json_text.h"
#include "encode/json_writer.h"
#include "encode/percent.h"
#include "encode/xml_writer.h"
#include "script/libs.h"

enum { ESCAPE_BYTES_A_STEP = 16 };

// Puts what the maker's function, upvalue 1, gives for the value at 1 in its place.
static void escape_make_text(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 1, 1);
}

// The text of the value at 1, charged for: nothing is an empty one, a whole number is its digits.
static struct str escape_check(lua_State *L)
{
    struct str text;
    lua_settop(L, 1);
    if (lua_isnil(L, 1)) {
        lua_pushliteral(L, "");
        lua_replace(L, 1);
    } else if (lua_type(L, 1) != LUA_TSTRING && !lua_isinteger(L, 1)) {
        escape_make_text(L);
    }
    text.data = luaL_checklstring(L, 1, &text.len);
    budget_charge(L, (int64_t)(text.len / ESCAPE_BYTES_A_STEP));
    return text;
}

// What stands for a value between the quotes of a JSON string.
static int escape_lua_json(lua_State *L)
{
    struct json_writer w;
    struct str text = escape_check(L);
    const char *end = text.data + text.len;
    if (json_text_skip_plain(text.data, end) == end)
        return 1;
    struct buf *out = libs_out(L);
    json_writer_init(&w, out);
    json_string(&w, text);
    if (out->failed)
        return libs_push_out(L, out);
    budget_charge_bytes(L, out->len);
    lua_pushlstring(L, out->data + 1, out->len - 2);
    return 1;
}

// A value's JSON.
static int escape_lua_value(lua_State *L)
{
    struct json_writer w;
    char number[JSON_PRINT_MAX];
    int type = lua_type(L, 1);
    if (type == LUA_TNUMBER && (lua_isinteger(L, 1) || isfinite(lua_tonumber(L, 1)))) {
        size_t len = lua_isinteger(L, 1) ? json_print_integer(number, lua_tointeger(L, 1))
                                         : json_print_double(number, lua_tonumber(L, 1));
        lua_pushlstring(L, number, len);
        return 1;
    }
    if (type == LUA_TNIL || type == LUA_TBOOLEAN) {
        lua_pushstring(L, type == LUA_TNIL ? "null" : lua_toboolean(L, 1) ? "true" : "false");
        return 1;
    }
    lua_settop(L, 1);
    if (type != LUA_TSTRING) {
        escape_make_text(L);
        return 1;
    }
    struct str text = escape_check(L);
    struct buf *out = libs_out(L);
    json_writer_init(&w, out);
    json_string(&w, text);
    return libs_push_out(L, out);
}

static int escape_xml(lua_State *L, bool is_attribute)
{
    struct str text = escape_check(L);
    struct buf *out = libs_out(L);
    size_t dropped = xml_escape(out, text, is_attribute);
    if (dropped == 0 && !out->failed && out->len == text.len)
        lua_pushvalue(L, 1);
    else
        libs_push_out(L, out);
    lua_pushinteger(L, (lua_Integer)dropped);
    return 2;
}

// Also how many characters were dropped.
static int escape_lua_xml(lua_State *L)
{
    return escape_xml(L, false);
}

// The same for a value in double quotes.
static int escape_lua_xml_attribute(lua_State *L)
{
    return escape_xml(L, true);
}

static int escape_percent(lua_State *L, bool is_form)
{
    struct str text = escape_check(L);
    struct buf *out = libs_out(L);
    for (size_t from = 0; is_form && from <= text.len;) {
        const char *space = memchr(text.data + from, ' ', text.len - from);
        size_t to = space ? (size_t)(space - text.data) : text.len;
        percent_encode(out, (struct str){text.data + from, to - from});
        if (space)
            buf_append_char(out, '+');
        from = to + 1;
    }
    if (!is_form)
        percent_encode(out, text);
    if (!out->failed && out->len == text.len && (!is_form || !memchr(text.data, ' ', text.len)))
        return lua_gettop(L);
    return libs_push_out(L, out);
}

// All but unreserved characters are percent-encoded.
static int escape_lua_url(lua_State *L)
{
    return escape_percent(L, false);
}

// The same, with + for a space.
static int escape_lua_form(lua_State *L)
{
    return escape_percent(L, true);
}

// escape.NAME(make_text) -> the escape
static int escape_lua_new(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_pushcclosure(L, lua_tocfunction(L, lua_upvalueindex(1)), 1);
    return 1;
}

void lib_escape_push(lua_State *L)
{
    static const luaL_Reg escapes[] = {{"json", escape_lua_json},
                                       {"value", escape_lua_value},
                                       {"xml", escape_lua_xml},
                                       {"xml_attribute", escape_lua_xml_attribute},
                                       {"url", escape_lua_url},
                                       {"form", escape_lua_form},
                                       {NULL, NULL}};
    lua_newtable(L);
    for (const luaL_Reg *e = escapes; e->name; e++) {
        lua_pushcfunction(L, e->func);
        lua_pushcclosure(L, escape_lua_new, 1);
        lua_setfield(L, -2, e->name);
    }
}
