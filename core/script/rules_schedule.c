// A description's schedule, from the table that lua/hookline/schedules.lua makes.
#include <lauxlib.h>

#include "script/rules_internal.h"

static const char *const KINDS[] = {"daily", "weekly", "monthly", "date", NULL};

// The value of `key` in the table on top, 0 where it has none. May longjmp.
static int take_int(lua_State *L, const char *key)
{
    lua_getfield(L, -1, key);
    lua_Integer value = lua_tointeger(L, -1);
    lua_pop(L, 1);
    return (int)value;
}

// The text on top, kept; popped. May longjmp.
static const char *take_text(lua_State *L, struct rules *r)
{
    struct str text;
    text.data = luaL_checklstring(L, -1, &text.len);
    const char *kept = arena_dup(&r->arena, text).data;
    lua_pop(L, 1);
    if (!kept)
        luaL_error(L, "not enough memory");
    return kept;
}

// The schedule is on top, here and below. May longjmp.
static void take_weekdays(lua_State *L, struct rules_schedule *s)
{
    lua_getfield(L, -1, "weekdays");
    luaL_checktype(L, -1, LUA_TTABLE);
    for (int day = 0; day < 7; day++) {
        lua_rawgeti(L, -1, day + 1);
        s->weekdays |= lua_toboolean(L, -1) ? 1u << day : 0;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void take_field(lua_State *L, struct rules *r, struct rules_schedule *s)
{
    lua_getfield(L, -1, "field");
    luaL_checktype(L, -1, LUA_TTABLE);
    s->field_count = (size_t)lua_rawlen(L, -1);
    s->field = arena_alloc(&r->arena, (s->field_count + 1) * sizeof *s->field);
    if (!s->field)
        luaL_error(L, "not enough memory");
    for (size_t i = 0; i < s->field_count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        s->field[i] = take_text(L, r);
    }
    lua_pop(L, 1);
}

const struct rules_schedule *rules_take_schedule(lua_State *L, struct rules *r)
{
    if (lua_getfield(L, -1, "schedule") != LUA_TTABLE) {
        lua_pop(L, 1);
        return NULL;
    }
    struct rules_schedule *s = arena_alloc(&r->arena, sizeof *s);
    if (!s)
        luaL_error(L, "not enough memory");
    lua_getfield(L, -1, "kind");
    s->kind = (enum rules_schedule_kind)luaL_checkoption(L, -1, NULL, KINDS);
    lua_pop(L, 1);
    s->at_minutes = take_int(L, "at_minutes");
    s->month_day = take_int(L, "month_day");
    s->offset_days = take_int(L, "offset_days");
    if (s->kind == RULES_WEEKLY)
        take_weekdays(L, s);
    else if (s->kind == RULES_DATE)
        take_field(L, r, s);
    lua_getfield(L, -1, "text");
    s->text = take_text(L, r);
    lua_pop(L, 1);
    lua_getfield(L, -1, "zone");
    s->zone = take_text(L, r);
    return s;
}
