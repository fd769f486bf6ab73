// The counted matcher beside Lua's own: the same results, and the same words for faulty patterns,
// over many made-up texts and patterns; and the stops that Lua's own does not have.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <lauxlib.h>
#include <lualib.h>

#include "script/gate.h"
#include "script/state.h"

// Gives all that the four functions give for a text and a pattern, as one text.
static const char PROBE[] =
    "local text, pattern, init = ...\n"
    "local out = {}\n"
    "local function note(...)\n"
    "  for i = 1, select('#', ...) do out[#out + 1] = tostring((select(i, ...))) end\n"
    "  out[#out + 1] = ';'\n"
    "end\n"
    "note(pcall(string.find, text, pattern, init))\n"
    "note(pcall(string.find, text, pattern, init, true))\n"
    "note(pcall(string.match, text, pattern, init))\n"
    "note(pcall(function() for a, b, c in string.gmatch(text, pattern, init) do note(a, b, c) end "
    "end))\n"
    "note(pcall(string.gsub, text, pattern, '<%0%1%%>'))\n"
    "note(pcall(string.gsub, text, pattern, '[%2]', 2))\n"
    "note(pcall(string.gsub, text, pattern, { a = 'A', ab = false, [1] = 'one', [''] = '.' }))\n"
    "note(pcall(string.gsub, text, pattern, function(x, y) if x ~= 'b' then return x end end))\n"
    "return table.concat(out, ' ')\n";

struct probe {
    int ref; // the compiled PROBE
    const char *text;
    const char *pattern;
    lua_Integer init;
    char result[8192];
};

static int probe_inside(lua_State *L)
{
    struct probe *p = lua_touserdata(L, 1);
    if (luaL_loadbufferx(L, PROBE, sizeof PROBE - 1, "=probe", "t") != LUA_OK)
        return lua_error(L);
    lua_pushstring(L, p->text);
    lua_pushstring(L, p->pattern);
    lua_pushinteger(L, p->init);
    lua_call(L, 3, 1);
    snprintf(p->result, sizeof p->result, "%s", lua_tostring(L, -1));
    return 0;
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void make_up(char *out, uint64_t *state, const char *const *pieces, size_t count,
                    uint64_t most)
{
    out[0] = '\0';
    for (uint64_t n = next_random(state) % (most + 1); n > 0; n--)
        strcat(out, pieces[next_random(state) % count]);
}

static void compare(struct state *s, lua_State *plain, const char *text, const char *pattern,
                    lua_Integer init)
{
    struct probe ours = {.text = text, .pattern = pattern, .init = init};
    struct probe theirs = ours;
    if (gate_call(s, probe_inside, &ours, NULL) != GATE_OK)
        fail_msg("%s", s->message);
    lua_pushcfunction(plain, probe_inside);
    lua_pushlightuserdata(plain, &theirs);
    assert_int_equal(lua_pcall(plain, 1, 0, 0), LUA_OK);
    if (strcmp(ours.result, theirs.result) != 0)
        fail_msg("text '%s' pattern '%s' init %d\n  ours   %s\n  theirs %s", text, pattern,
                 (int)init, ours.result, theirs.result);
}

static void test_is_as_lua_has_it(void **ctx)
{
    (void)ctx;
    static const char *const letters[] = {"a", "b", "ab", "(", ")", "]",
                                          "-", "1", " ",  ".", "%", "x"};
    static const char *const pieces[] = {
        "a",     "b",    "ab",   ".",      "%a",   "%A",   "%d",  "%s",   "%w",    "[ab]",   "[^a]",
        "[a-x]", "[%d]", "[]]",  "[^]",    "[%]]", "(",    ")",   "()",   "*",     "+",      "-",
        "?",     "^",    "$",    "%1",     "%2",   "%b()", "%ba", "%b",   "%f[a]", "%f[%w]", "%f",
        "%",     "%%",   "%.",   "[",      "]",    "x",    "%x",  "%u",   "%l",    "%p",     "%c",
        "%g",    "[a-]", "[-a]", "[%a-z]", "(a)",  "(a*)", "(.)", "(%w+)"};
    struct state *s;
    struct err e;
    struct state_config config = {0};
    assert_int_equal(state_new(&s, &config, &e), 0);
    lua_State *plain = luaL_newstate();
    luaL_openlibs(plain);
    uint64_t state = 0x853c49e6748fea9bu;
    for (int i = 0; i < 30000; i++) {
        char text[64];
        char pattern[128];
        make_up(text, &state, letters, sizeof letters / sizeof *letters, 12);
        make_up(pattern, &state, pieces, sizeof pieces / sizeof *pieces, 6);
        compare(s, plain, text, pattern, (lua_Integer)(next_random(&state) % 9) - 4);
    }
    lua_close(plain);
    state_free(s);
}

// --- stops ---------------------------------------------------------------------------------------

static int code_inside(lua_State *L)
{
    if (luaL_loadstring(L, lua_touserdata(L, 1)) != LUA_OK)
        return lua_error(L);
    lua_call(L, 0, 0);
    return 0;
}

static void test_backtracking_stops(void **ctx)
{
    (void)ctx;
    static const char *const codes[] = {
        "string.find(('a'):rep(40), ('a?'):rep(40) .. ('a'):rep(40))",
        "string.match(('a'):rep(5000), '.-.-.-.-b')",
        "string.match(('a'):rep(5000), '.*.*.*.*b')",
        "for _ in string.gmatch(('a'):rep(5000), '.-.-.-b') do end",
        "string.gsub(('a'):rep(5000), '(a*)(a*)(a*)b', '')",
        "string.find(('('):rep(20000), '%b()')",
        "while true do string.gsub(('x'):rep(1000), 'y', 'z') end",
        "while true do string.find(('x'):rep(100000), 'y', 1, true) end",
        "string.gsub(('x'):rep(1000), 'x', function() while true do end end)",
        "while true do pcall(string.rep, 'x', -1) string.find('x', '(x)') end",
    };
    static const struct budget_limits limits = {.steps = 200000, .memory_bytes = 1 << 26};
    struct state *s;
    struct err e;
    struct state_config config = {0};
    assert_int_equal(state_new(&s, &config, &e), 0);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (gate_call(s, code_inside, (void *)codes[i], &limits) != GATE_STEPS)
            fail_msg("%s: %s", codes[i], s->message);
    state_free(s);
}

static void test_deep_patterns_are_refused(void **ctx)
{
    (void)ctx;
    struct state *s;
    struct err e;
    struct state_config config = {0};
    assert_int_equal(state_new(&s, &config, &e), 0);
    assert_int_equal(
        gate_call(s, code_inside, "string.match(('x'):rep(500), ('x?'):rep(500))", NULL),
        GATE_ERROR);
    assert_non_null(strstr(s->message, "pattern too complex"));
    state_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_as_lua_has_it),
        cmocka_unit_test(test_backtracking_stops),
        cmocka_unit_test(test_deep_patterns_are_refused),
    };
    return cmocka_run_group_tests_name("script/pattern", tests, NULL, NULL);
}
