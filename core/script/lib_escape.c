// core.escape: values made fit for a place inside JSON, XML, a URL or a form. A text that needs no
// change is given back as it is. What is neither nothing, text nor a whole number is nil: the
// caller makes a text of it first.
#include "encode/json_text.h"
#include "encode/json_writer.h"
#include "encode/percent.h"
#include "encode/xml_writer.h"
#include "script/libs.h"

enum { ESCAPE_BYTES_A_STEP = 16 };

// The text at 1, charged for: nothing is an empty one, a whole number is its digits. Without data
// (and nil pushed) for any other value.
static struct str escape_check(lua_State *L)
{
    struct str text = {0};
    lua_settop(L, 1);
    if (lua_isnil(L, 1)) {
        lua_pushliteral(L, "");
        lua_replace(L, 1);
    }
    if (lua_type(L, 1) != LUA_TSTRING && !lua_isinteger(L, 1)) {
        lua_pushnil(L);
        return text;
    }
    text.data = lua_tolstring(L, 1, &text.len);
    budget_charge(L, (int64_t)(text.len / ESCAPE_BYTES_A_STEP));
    return text;
}

// json(text) -> what stands for it between the quotes of a JSON string
static int escape_lua_json(lua_State *L)
{
    struct json_writer w;
    struct str text = escape_check(L);
    const char *end = text.data + text.len;
    if (!text.data)
        return 1;
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

// value(value) -> its JSON | nil: it is a table or a number with a point
static int escape_lua_value(lua_State *L)
{
    struct json_writer w;
    int type = lua_type(L, 1);
    if (type == LUA_TNUMBER && lua_isinteger(L, 1)) {
        lua_tostring(L, 1);
        lua_settop(L, 1);
        return 1;
    }
    if (type == LUA_TNIL || type == LUA_TBOOLEAN) {
        lua_pushstring(L, type == LUA_TNIL ? "null" : lua_toboolean(L, 1) ? "true" : "false");
        return 1;
    }
    if (type != LUA_TSTRING) {
        lua_pushnil(L);
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
    if (!text.data)
        return 1;
    struct buf *out = libs_out(L);
    size_t dropped = xml_escape(out, text, is_attribute);
    if (dropped == 0 && !out->failed && out->len == text.len)
        lua_pushvalue(L, 1);
    else
        libs_push_out(L, out);
    lua_pushinteger(L, (lua_Integer)dropped);
    return 2;
}

// xml(text) -> text, dropped characters
static int escape_lua_xml(lua_State *L)
{
    return escape_xml(L, false);
}

// xml_attribute(text) -> text, dropped characters. For a value in double quotes.
static int escape_lua_xml_attribute(lua_State *L)
{
    return escape_xml(L, true);
}

static int escape_percent(lua_State *L, bool is_form)
{
    struct str text = escape_check(L);
    if (!text.data)
        return 1;
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

// url(text) -> text, all but unreserved characters percent-encoded
static int escape_lua_url(lua_State *L)
{
    return escape_percent(L, false);
}

// form(text) -> the same, with + for a space
static int escape_lua_form(lua_State *L)
{
    return escape_percent(L, true);
}

void lib_escape_push(lua_State *L)
{
    static const luaL_Reg functions[] = {{"json", escape_lua_json},
                                         {"value", escape_lua_value},
                                         {"xml", escape_lua_xml},
                                         {"xml_attribute", escape_lua_xml_attribute},
                                         {"url", escape_lua_url},
                                         {"form", escape_lua_form},
                                         {NULL, NULL}};
    luaL_newlib(L, functions);
}
