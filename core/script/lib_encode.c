// core.encode: our JSON as the other encodings, and whether a text is legal in one.
#include "encode/json_check.h"
#include "encode/transcode.h"
#include "encode/xml_check.h"
#include "script/libs.h"
#include "script/value.h"

enum { ENCODE_BYTES_A_STEP = 16, ENCODE_TYPES_MAX = 256 };

static struct str encode_optional(lua_State *L, int index)
{
    return lua_isnoneornil(L, index) ? (struct str){0} : libs_check_str(L, index);
}

static int encode_finish(lua_State *L, int rc, const struct buf *out, const struct err *e)
{
    if (rc && !out->failed)
        return libs_push_failure(L, e);
    return libs_push_out(L, out);
}

static int encode_xml(lua_State *L, const struct transcode_extended *extended)
{
    struct err e = {0};
    struct str json = libs_check_str(L, 1);
    struct str root = libs_check_str(L, 2);
    size_t dropped = 0;
    budget_charge(L, (int64_t)(json.len / ENCODE_BYTES_A_STEP));
    struct buf *out = libs_out(L);
    int rc = transcode_to_xml(json, root, extended, out, &state_of(L)->text, &dropped, &e);
    int count = encode_finish(L, rc, out, &e);
    if (count == 1) {
        lua_pushinteger(L, (lua_Integer)dropped);
        count++;
    }
    return count;
}

// encode.xml(json, root) -> text, dropped characters | nil, message
static int encode_lua_xml(lua_State *L)
{
    return encode_xml(L, NULL);
}

// The list { path, type, path, type, ... } at an index, by the paths' bytes; those beyond the room
// are left out. The texts are the list's.
static size_t encode_types(lua_State *L, int index, struct transcode_type *types)
{
    size_t count = lua_istable(L, index) ? lua_rawlen(L, index) / 2 : 0;
    count = count < ENCODE_TYPES_MAX ? count : ENCODE_TYPES_MAX;
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, index, (lua_Integer)(2 * i + 1));
        lua_rawgeti(L, index, (lua_Integer)(2 * i + 2));
        types[i].path.data = luaL_checklstring(L, -2, &types[i].path.len);
        const char *type = luaL_checkstring(L, -1);
        types[i].type = *type == 'i'   ? TRANSCODE_INTEGER
                        : *type == 'd' ? TRANSCODE_DECIMAL
                                       : TRANSCODE_TEXT;
        lua_pop(L, 2);
    }
    return count;
}

// encode.xml_extended(json, root [, id, type, time, workflow [, types]]) -> as xml. Without an id
// there is no event. types: { path, "text" | "integer" | "decimal", ... }, by the paths' bytes.
static int encode_lua_xml_extended(lua_State *L)
{
    struct transcode_type types[ENCODE_TYPES_MAX];
    struct transcode_extended extended = {.types = types,
                                          .type_count = encode_types(L, 7, types),
                                          .has_event = !lua_isnoneornil(L, 3),
                                          .id = encode_optional(L, 3),
                                          .type = encode_optional(L, 4),
                                          .time = encode_optional(L, 5),
                                          .workflow = encode_optional(L, 6)};
    return encode_xml(L, &extended);
}

// encode.form(json) -> text | nil, message
static int encode_lua_form(lua_State *L)
{
    struct err e = {0};
    struct str json = libs_check_str(L, 1);
    budget_charge(L, (int64_t)(json.len / ENCODE_BYTES_A_STEP));
    struct buf *out = libs_out(L);
    int rc = transcode_to_form(json, out, &state_of(L)->text, &e);
    return encode_finish(L, rc, out, &e);
}

static int encode_push_check(lua_State *L, int rc, const struct err *e)
{
    if (rc)
        return libs_push_failure(L, e);
    lua_pushboolean(L, true);
    return 1;
}

// encode.check_xml(text) -> true | nil, message
static int encode_lua_check_xml(lua_State *L)
{
    struct err e = {0};
    struct str text = libs_check_str(L, 1);
    budget_charge(L, (int64_t)(text.len / ENCODE_BYTES_A_STEP));
    return encode_push_check(L, xml_check(text, &e), &e);
}

// encode.check_json(text) -> true | nil, message
static int encode_lua_check_json(lua_State *L)
{
    struct err e = {0};
    struct str text = libs_check_str(L, 1);
    budget_charge(L, (int64_t)(text.len / ENCODE_BYTES_A_STEP));
    return encode_push_check(L, json_check(text, VALUE_DEPTH_MAX, &state_of(L)->text, &e), &e);
}

void lib_encode_push(lua_State *L)
{
    static const luaL_Reg functions[] = {{"xml", encode_lua_xml},
                                         {"xml_extended", encode_lua_xml_extended},
                                         {"form", encode_lua_form},
                                         {"check_xml", encode_lua_check_xml},
                                         {"check_json", encode_lua_check_json},
                                         {NULL, NULL}};
    luaL_newlib(L, functions);
}
