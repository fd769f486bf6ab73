// core.retry: retry windows as a rule writes them, to the text that is stored with a delivery.
#include "base/duration.h"
#include "script/libs.h"

enum { RETRY_OFFSETS_MAX = 100 };
#define RETRY_LAST_MAX_MS ((int64_t)30 * 24 * 60 * 60 * 1000)

struct retry_text {
    struct buf *out;
    int64_t last_ms;
    int count;
};

// The offset on top of the stack; `window` and `place` are for words.
static int retry_add_offset(lua_State *L, struct retry_text *t, int window, int place,
                            struct err *e)
{
    int64_t at_ms;
    struct str text = {0};
    if (lua_type(L, -1) == LUA_TSTRING)
        text.data = lua_tolstring(L, -1, &text.len);
    if (!text.data || duration_parse(text, &at_ms))
        return err_set(e, ERR_INVALID, "[%d][%d] is no duration (write \"15s\", \"10m\", \"2h\")",
                       window, place);
    if (at_ms <= t->last_ms)
        return err_set(e, ERR_INVALID,
                       "[%d][%d] (%s) is not after the offset before it: offsets count from the "
                       "first failure and increase",
                       window, place, text.data);
    if (at_ms > RETRY_LAST_MAX_MS)
        return err_set(e, ERR_INVALID, "[%d][%d] (%s) is over 30 days", window, place, text.data);
    if (++t->count > RETRY_OFFSETS_MAX)
        return err_set(e, ERR_INVALID, "more than %d offsets", RETRY_OFFSETS_MAX);
    t->last_ms = at_ms;
    char written[24];
    duration_format(written, at_ms);
    if (place > 1)
        buf_append_char(t->out, ' ');
    buf_append_text(t->out, written);
    return 0;
}

// The window on top of the stack.
static int retry_add_window(lua_State *L, struct retry_text *t, int window, struct err *e)
{
    if (!lua_istable(L, -1) || lua_rawlen(L, -1) == 0)
        return err_set(e, ERR_INVALID, "[%d] is no list of durations ({ \"15s\", \"1m\" })",
                       window);
    if (window > 1)
        buf_append_char(t->out, '|');
    int rc = 0;
    int count = (int)lua_rawlen(L, -1);
    for (int i = 1; i <= count && rc == 0; i++) {
        lua_rawgeti(L, -1, i);
        rc = retry_add_offset(L, t, window, i, e);
        lua_pop(L, 1);
    }
    return rc;
}

// retry.parse(windows) -> text | nil, message. { { "15s", "1m" }, { "2h" } } -> "15s 1m|2h"
static int retry_lua_parse(lua_State *L)
{
    struct err e = {0};
    luaL_checktype(L, 1, LUA_TTABLE);
    struct retry_text t = {.out = libs_out(L)};
    int count = (int)lua_rawlen(L, 1);
    int rc =
        count ? 0 : err_set(&e, ERR_INVALID, "no window ({ { \"15s\", \"1m\" }, { \"2h\" } })");
    lua_settop(L, 1);
    for (int i = 1; i <= count && rc == 0; i++) {
        lua_rawgeti(L, 1, i);
        rc = retry_add_window(L, &t, i, &e);
        lua_pop(L, 1);
    }
    return rc ? libs_push_failure(L, &e) : libs_push_out(L, t.out);
}

void lib_retry_push(lua_State *L)
{
    static const luaL_Reg functions[] = {{"parse", retry_lua_parse}, {NULL, NULL}};
    luaL_newlib(L, functions);
}
