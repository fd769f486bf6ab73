// string.find, match, gmatch and gsub over the counted matcher, as the Lua 5.4 manual (6.4) has
// them.
#include "script/libs.h"
#include "script/pattern.h"

enum { PATTERN_BYTES_A_STEP = 16 };

struct pattern_place { // of a gmatch, between its steps
    size_t at;
    size_t last_end; // where the last match ended, SIZE_MAX before the first
};

// The optional position argument as an offset; false where it is behind the end.
static bool pattern_start(lua_State *L, int arg, size_t len, size_t *at)
{
    lua_Integer position = luaL_optinteger(L, arg, 1);
    if (position > 0)
        *at = (size_t)position - 1;
    else if (position == 0 || position < -(lua_Integer)len)
        *at = 0;
    else
        *at = len - (size_t)-position;
    return *at <= len;
}

static bool pattern_is_plain(struct str pattern)
{
    for (size_t i = 0; i < pattern.len; i++)
        if (pattern.data[i] && strchr("^$*+?.([%-", pattern.data[i]))
            return false;
    return true;
}

static int pattern_find_plain(lua_State *L, struct str text, struct str wanted, size_t at)
{
    budget_charge(L, (int64_t)((text.len - at) / PATTERN_BYTES_A_STEP));
    const char *found = memmem(text.data + at, text.len - at, wanted.data, wanted.len);
    if (!found) {
        luaL_pushfail(L);
        return 1;
    }
    lua_pushinteger(L, (lua_Integer)(found - text.data) + 1);
    lua_pushinteger(L, (lua_Integer)(found - text.data) + (lua_Integer)wanted.len);
    return 2;
}

// A leading '^' anchors and is no part of what is matched.
static bool pattern_take_anchor(struct str *pattern)
{
    if (pattern->len == 0 || pattern->data[0] != '^')
        return false;
    pattern->data++;
    pattern->len--;
    return true;
}

static int pattern_find_or_match(lua_State *L, bool is_find)
{
    struct pattern m;
    size_t at;
    struct str text = libs_check_str(L, 1);
    struct str pattern = libs_check_str(L, 2);
    if (!pattern_start(L, 3, text.len, &at)) {
        luaL_pushfail(L);
        return 1;
    }
    budget_charge(L, (int64_t)(pattern.len / PATTERN_BYTES_A_STEP));
    if (is_find && (lua_toboolean(L, 4) || pattern_is_plain(pattern)))
        return pattern_find_plain(L, text, pattern, at);
    bool is_anchored = pattern_take_anchor(&pattern);
    pattern_init(&m, L, text, pattern);
    for (const char *from = text.data + at; from <= m.text_end; from++) {
        const char *to = pattern_match(&m, from);
        if (to && is_find) {
            lua_pushinteger(L, (lua_Integer)(from - text.data) + 1);
            lua_pushinteger(L, (lua_Integer)(to - text.data));
            return pattern_push_captures(&m, NULL, NULL) + 2;
        }
        if (to)
            return pattern_push_captures(&m, from, to);
        if (is_anchored)
            break;
    }
    luaL_pushfail(L);
    return 1;
}

static int pattern_lua_find(lua_State *L)
{
    return pattern_find_or_match(L, true);
}

static int pattern_lua_match(lua_State *L)
{
    return pattern_find_or_match(L, false);
}

// --- gmatch --------------------------------------------------------------------------------------

// upvalues: the text, the pattern, the place.
static int pattern_next_match(lua_State *L)
{
    struct pattern m;
    struct str text = libs_check_str(L, lua_upvalueindex(1));
    struct pattern_place *place = lua_touserdata(L, lua_upvalueindex(3));
    pattern_init(&m, L, text, libs_check_str(L, lua_upvalueindex(2)));
    for (; place->at <= text.len; place->at++) {
        const char *from = text.data + place->at;
        const char *to = pattern_match(&m, from);
        if (to && (size_t)(to - text.data) != place->last_end) {
            place->at = place->last_end = (size_t)(to - text.data);
            return pattern_push_captures(&m, from, to);
        }
    }
    return 0;
}

static int pattern_lua_gmatch(lua_State *L)
{
    size_t at;
    struct str text = libs_check_str(L, 1);
    libs_check_str(L, 2);
    if (!pattern_start(L, 3, text.len, &at))
        at = text.len + 1;
    lua_settop(L, 2);
    struct pattern_place *place = lua_newuserdatauv(L, sizeof *place, 0);
    *place = (struct pattern_place){.at = at, .last_end = SIZE_MAX};
    lua_pushcclosure(L, pattern_next_match, 3);
    return 1;
}

// --- gsub ----------------------------------------------------------------------------------------

static void pattern_add_text(struct pattern *m, luaL_Buffer *out, const char *from, const char *to)
{
    size_t len;
    const char *replacement = lua_tolstring(m->L, 3, &len);
    for (size_t i = 0; i < len; i++) {
        if (replacement[i] != '%') {
            luaL_addchar(out, replacement[i]);
            continue;
        }
        char c = ++i < len ? replacement[i] : '\0';
        if (c == '%') {
            luaL_addchar(out, c);
        } else if (c == '0') {
            luaL_addlstring(out, from, (size_t)(to - from));
        } else if (c >= '1' && c <= '9') {
            pattern_push_capture(m, c - '1', from, to);
            luaL_tolstring(m->L, -1, NULL); // a position is a number
            lua_remove(m->L, -2);
            luaL_addvalue(out);
        } else {
            luaL_error(m->L, "invalid use of '%%' in replacement string");
        }
    }
}

// Adds what stands in for the match; returns whether that is anything else than it.
static bool pattern_add_replacement(struct pattern *m, luaL_Buffer *out, const char *from,
                                    const char *to, int type)
{
    lua_State *L = m->L;
    if (type == LUA_TFUNCTION) {
        lua_pushvalue(L, 3);
        lua_call(L, pattern_push_captures(m, from, to), 1);
    } else if (type == LUA_TTABLE) {
        pattern_push_capture(m, 0, from, to);
        lua_gettable(L, 3);
    } else {
        pattern_add_text(m, out, from, to);
        return true;
    }
    if (!lua_toboolean(L, -1)) {
        lua_pop(L, 1);
        luaL_addlstring(out, from, (size_t)(to - from));
        return false;
    }
    if (!lua_isstring(L, -1))
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    luaL_addvalue(out);
    return true;
}

static int pattern_lua_gsub(lua_State *L)
{
    struct pattern m;
    luaL_Buffer out;
    struct str text = libs_check_str(L, 1);
    struct str pattern = libs_check_str(L, 2);
    int type = lua_type(L, 3);
    lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)text.len + 1);
    lua_Integer count = 0;
    bool is_changed = false;
    luaL_argexpected(L,
                     type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION ||
                         type == LUA_TTABLE,
                     3, "string/function/table");
    bool is_anchored = pattern_take_anchor(&pattern);
    pattern_init(&m, L, text, pattern);
    luaL_buffinit(L, &out);
    const char *at = text.data;
    const char *last_end = NULL;
    while (count < most) {
        const char *to = pattern_match(&m, at);
        if (to && to != last_end) {
            count++;
            budget_charge(L, 1);
            is_changed = pattern_add_replacement(&m, &out, at, to, type) || is_changed;
            at = last_end = to;
        } else if (at < m.text_end) {
            luaL_addchar(&out, *at++);
        } else {
            break;
        }
        if (is_anchored)
            break;
    }
    if (is_changed) {
        luaL_addlstring(&out, at, (size_t)(m.text_end - at));
        luaL_pushresult(&out);
    } else {
        lua_pushvalue(L, 1);
    }
    lua_pushinteger(L, count);
    return 2;
}

void lib_pattern_set(lua_State *L)
{
    static const luaL_Reg functions[] = {{"find", pattern_lua_find},
                                         {"match", pattern_lua_match},
                                         {"gmatch", pattern_lua_gmatch},
                                         {"gsub", pattern_lua_gsub},
                                         {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}
