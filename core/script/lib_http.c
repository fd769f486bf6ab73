// core.http: URLs judged, request heads built and checked.
#include "encode/head.h"
#include "encode/url.h"
#include "script/libs.h"

static int http_refuse_address(const struct state *s, const struct url *u, struct err *e)
{
    struct netaddr address;
    if (!url_address(u, &address))
        return 0;
    const char *why = netaddr_refusal(&address, s->config.allow, s->config.allow_count);
    if (!why)
        return 0;
    char text[46];
    netaddr_format(text, &address);
    return err_set(e, ERR_REFUSED,
                   "no webhook goes to %s (%s) unless it is allowed: --allow-target %s, or "
                   "network.allow in the configuration",
                   text, why, text);
}

// http.target(url) -> "https://host:443" | nil, message
static int http_lua_target(lua_State *L)
{
    struct err e = {0};
    struct url u;
    if (url_parse(libs_check_str(L, 1), &u, &e) || http_refuse_address(state_of(L), &u, &e))
        return libs_push_failure(L, &e);
    struct buf *out = libs_out(L);
    url_target(out, &u);
    return libs_push_out(L, out);
}

// The text field `key` of the table on top; the table keeps it alive. {NULL,0} where there is none.
static struct str http_field(lua_State *L, const char *key)
{
    struct str value = {0};
    if (lua_getfield(L, -1, key) == LUA_TSTRING)
        value.data = lua_tolstring(L, -1, &value.len);
    else if (!lua_isnil(L, -1))
        luaL_error(L, "http.head: '%s' is a %s, not a text", key, luaL_typename(L, -1));
    lua_pop(L, 1);
    return value;
}

static int http_write_header(lua_State *L, struct buf *out, struct err *e)
{
    if (lua_rawgeti(L, -1, 1) != LUA_TSTRING || lua_rawgeti(L, -2, 2) != LUA_TSTRING)
        return luaL_error(L, "http.head: a header is { name, value }");
    struct str name = libs_check_str(L, -2);
    struct str value = libs_check_str(L, -1);
    lua_pop(L, 2);
    int rc = head_check_name(name, e);
    return rc ? rc : head_write_header(out, name, value, e);
}

static int http_write_secret(lua_State *L, struct buf *out, struct err *e)
{
    struct head_secret secret = {.secret = http_field(L, "secret"),
                                 .key = http_field(L, "key"),
                                 .prefix = http_field(L, "prefix"),
                                 .timestamp = http_field(L, "timestamp"),
                                 .signed_text = http_field(L, "signed"),
                                 .value = http_field(L, "value"),
                                 .token_url = http_field(L, "token_url"),
                                 .form = http_field(L, "form")};
    static const char *const kinds[] = {[HEAD_SECRET_BASIC] = "basic",
                                        [HEAD_SECRET_HEADER] = "header",
                                        [HEAD_SECRET_QUERY] = "query",
                                        [HEAD_SECRET_SIGN] = "sign",
                                        [HEAD_SECRET_HMAC] = "hmac",
                                        [HEAD_SECRET_OAUTH2] = "oauth2",
                                        NULL};
    lua_getfield(L, -1, "kind");
    secret.kind = (enum head_secret_kind)luaL_checkoption(L, -1, NULL, kinds);
    lua_getfield(L, -2, "is_base64");
    secret.is_base64 = lua_toboolean(L, -1);
    lua_getfield(L, -3, "is_in_body");
    secret.is_in_body = lua_toboolean(L, -1);
    lua_pop(L, 3);
    return head_write_secret(out, &secret, e);
}

// Each element of the list `key` of the table on top goes through `write`, which finds it on top.
static int http_write_list(lua_State *L, const char *key, struct buf *out, struct err *e,
                           int (*write)(lua_State *, struct buf *, struct err *))
{
    int rc = 0;
    if (lua_getfield(L, -1, key) == LUA_TTABLE) {
        lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
        for (lua_Integer i = 1; i <= count && rc == 0; i++) {
            if (lua_rawgeti(L, -1, i) != LUA_TTABLE)
                luaL_error(L, "http.head: %s[%d] is no table", key, (int)i);
            rc = write(L, out, e);
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
    return rc;
}

// http.head { method=, url=, headers=, secrets= } -> text | nil, message
static int http_lua_head(lua_State *L)
{
    struct err e = {0};
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    struct buf *out = libs_out(L);
    int rc = head_write_start(out, http_field(L, "method"), http_field(L, "url"), &e);
    if (rc == 0)
        rc = http_write_list(L, "headers", out, &e, http_write_header);
    if (rc == 0)
        rc = http_write_list(L, "secrets", out, &e, http_write_secret);
    if (rc == 0 && out->len > HEAD_BYTES_MAX)
        rc = err_set(&e, ERR_INVALID, "the request's head is larger than %d KiB",
                     HEAD_BYTES_MAX / 1024);
    if (rc && !out->failed)
        return libs_push_failure(L, &e);
    return libs_push_out(L, out);
}

static int http_push_verdict(lua_State *L, int rc, const struct err *e)
{
    if (rc)
        return libs_push_failure(L, e);
    lua_pushboolean(L, true);
    return 1;
}

// http.check_name(name) -> true | nil, message
static int http_lua_check_name(lua_State *L)
{
    struct err e = {0};
    return http_push_verdict(L, head_check_name(libs_check_str(L, 1), &e), &e);
}

// http.check_value(value) -> true | nil, message
static int http_lua_check_value(lua_State *L)
{
    struct err e = {0};
    return http_push_verdict(L, head_check_value(libs_check_str(L, 1), &e), &e);
}

void lib_http_push(lua_State *L)
{
    static const luaL_Reg functions[] = {{"target", http_lua_target},
                                         {"head", http_lua_head},
                                         {"check_name", http_lua_check_name},
                                         {"check_value", http_lua_check_value},
                                         {NULL, NULL}};
    luaL_newlib(L, functions);
}
