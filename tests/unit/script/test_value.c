// JSON to Lua and back: what must be the same after the way there and back, written forms,
// agreement with lua-cjson where the two must agree, and values that JSON cannot say.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <lauxlib.h>
#include <lua-cjson.h>
#include <stdio.h>
#include <stdlib.h>

#include "script/gate.h"
#include "script/state.h"
#include "script/value.h"

static struct state *open_state(void)
{
    struct state *s;
    struct err e;
    struct state_config config = {0};
    if (state_new(&s, &config, &e))
        fail_msg("%s", e.text);
    return s;
}

// --- there and back ------------------------------------------------------------------------------

struct crossing {
    struct str text;
    struct buf out;
    struct err e;
    int rc;
    bool is_copied;
};

static int cross_inside(lua_State *L)
{
    struct crossing *c = lua_touserdata(L, 1);
    int top = lua_gettop(L);
    c->rc = value_decode(L, c->text, &c->e);
    if (c->rc) {
        assert_int_equal(lua_gettop(L), top);
        return 0;
    }
    assert_int_equal(lua_gettop(L), top + 1);
    if (c->is_copied)
        value_copy(L, -1);
    c->rc = value_encode(L, -1, &c->out, "", &c->e);
    assert_int_equal(lua_gettop(L), top + 1 + c->is_copied);
    return 0;
}

static void cross(struct state *s, struct crossing *c, const char *text, size_t len)
{
    *c = (struct crossing){.text = {text, len}, .is_copied = c->is_copied};
    buf_init(&c->out, 64 * 1024 * 1024);
    if (gate_call(s, cross_inside, c, NULL) != GATE_OK)
        fail_msg("%s: %s", text, s->message);
}

struct cross_case {
    const char *text;
    const char *wanted; // NULL: the same
};

static const struct cross_case cross_cases[] = {
    {"null", NULL},
    {"true", NULL},
    {"\"\"", NULL},
    {"[]", NULL},
    {"{}", NULL},
    {"[[],{},[[]]]", NULL},
    {"{\"a\":[],\"b\":{}}", NULL},
    {"{\"b\":1,\"a\":2}", "{\"a\":2,\"b\":1}"},
    {"{\"a\":1,\"a\":2}", "{\"a\":2}"},
    {"{\"a\":1,\"b\":0,\"a\":{\"x\":1}}", "{\"a\":{\"x\":1},\"b\":0}"},
    {" [ 1 , 2 ] ", "[1,2]"},
    {"[9223372036854775807,-9223372036854775808,9007199254740993]", NULL},
    {"[9223372036854775808,123456789012345678901234567890]", NULL},
    {"[12500.10,1e3,1E3,1.0,0.0,-0,-0.0,100000000000000000000000,1.50]", NULL},
    {"[0.1,1.5,-2.25,1e300]", "[0.1,1.5,-2.25,1e300]"},
    {"{\"amount\":12500.50,\"list\":[{\"price\":9.90}]}", NULL},
    {"{\"a\":12500.10,\"a\":7}", "{\"a\":7}"},
    {"{\"a\":7,\"a\":12500.10}", "{\"a\":12500.10}"},
    {"\"\\u00e4\\n\\u0000\\ud83d\\ude00\"", "\"ä\\n\\u0000😀\""},
    {"{\"\":{\"\":[null,true,false]}}", NULL},
    {"{\"a\\u0000b\":1,\"a\":2}", "{\"a\":2,\"a\\u0000b\":1}"},
    {"{\"Z\":1,\"a\":2,\"aa\":3,\"\xc3\xa4\":4}", NULL},
    {"[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]", NULL},
};

static void check_cross(struct state *s, const struct cross_case *row, bool is_copied)
{
    struct crossing c = {.is_copied = is_copied};
    const char *wanted = row->wanted ? row->wanted : row->text;
    cross(s, &c, row->text, strlen(row->text));
    if (c.rc || !str_eq(buf_str(&c.out), str_from(wanted)))
        fail_msg("%s: got " STR_FMT " %s", row->text, STR_ARG(buf_str(&c.out)), c.e.text);
    buf_fini(&c.out);
}

static void test_crosses(void **ctx)
{
    (void)ctx;
    struct state *s = open_state();
    for (size_t i = 0; i < sizeof cross_cases / sizeof *cross_cases; i++) {
        check_cross(s, &cross_cases[i], false);
        check_cross(s, &cross_cases[i], true);
    }
    state_free(s);
}

static void test_refuses(void **ctx)
{
    (void)ctx;
    static const char *const texts[] = {
        "",      "{",    "[1,]",  "{\"a\":}", "{\"a\" 1}", "[1 2]",
        "nul",   "01",   "1.",    "\"\\x\"",  "\"\xff\"",  "\"\\ud800\"",
        "{1:2}", "[1]]", "[NaN]", "'a'",      "\"a",       "{\"a\":1,}"};
    struct state *s = open_state();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct crossing c = {0};
        cross(s, &c, texts[i], strlen(texts[i]));
        assert_int_equal(c.rc, ERR_INVALID);
        assert_true(c.e.text[0] != '\0');
        buf_fini(&c.out);
    }
    state_free(s);
}

static void test_bounds_depth(void **ctx)
{
    (void)ctx;
    struct state *s = open_state();
    char text[512];
    for (size_t depth = VALUE_DEPTH_MAX; depth <= VALUE_DEPTH_MAX + 1; depth++) {
        struct crossing c = {0};
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        cross(s, &c, text, 2 * depth);
        assert_int_equal(c.rc, depth > VALUE_DEPTH_MAX ? ERR_TOO_LARGE : 0);
        buf_fini(&c.out);
    }
    state_free(s);
}

// --- many members --------------------------------------------------------------------------------

// Containers around the sizes in which members wait on the stack.
static void test_sizes(void **ctx)
{
    (void)ctx;
    static const int sizes[] = {1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 1000, 50000};
    struct state *s = open_state();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct buf list;
        struct buf object;
        buf_init(&list, 1 << 24);
        buf_init(&object, 1 << 24);
        for (int k = 0; k < sizes[i]; k++) {
            buf_printf(&list, "%c%d.50", k ? ',' : '[', k);
            buf_printf(&object, "%c\"k%06d\":{\"n\":%d}", k ? ',' : '{', k, k);
        }
        buf_append_char(&list, ']');
        buf_append_char(&object, '}');
        for (int is_copied = 0; is_copied < 2; is_copied++) {
            struct crossing c = {.is_copied = is_copied};
            cross(s, &c, list.data, list.len);
            assert_true(str_eq(buf_str(&c.out), buf_str(&list)));
            buf_fini(&c.out);
            cross(s, &c, object.data, object.len);
            assert_true(str_eq(buf_str(&c.out), buf_str(&object)));
            buf_fini(&c.out);
        }
        buf_fini(&list);
        buf_fini(&object);
    }
    state_free(s);
}

// --- a property ----------------------------------------------------------------------------------

static uint64_t property_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void property_write(struct buf *out, uint64_t *state, int depth)
{
    static const char *const leaves[] = {"null",
                                         "true",
                                         "false",
                                         "0",
                                         "-1",
                                         "1.50",
                                         "1e3",
                                         "\"\"",
                                         "\"x\"",
                                         "\"\\\"\\\\\"",
                                         "\"ä\"",
                                         "12500.10",
                                         "4021",
                                         "0.1",
                                         "1E400",
                                         "-0",
                                         "99999999999999999999"};
    uint64_t kind = property_random(state) % (depth > 0 ? 6 : 4);
    if (kind < 4) {
        buf_append_text(out, leaves[property_random(state) % (sizeof leaves / sizeof *leaves)]);
        return;
    }
    uint64_t count = property_random(state) % 40;
    buf_append_char(out, kind == 4 ? '[' : '{');
    for (uint64_t i = 0; i < count; i++) {
        if (i > 0)
            buf_append_char(out, ',');
        if (kind == 5)
            buf_printf(out, "\"%llu\":", (unsigned long long)(property_random(state) % 50));
        property_write(out, state, depth - 1);
    }
    buf_append_char(out, kind == 4 ? ']' : '}');
}

// Read, write, read, write: the second text is the first, for any value.
static void test_there_and_back_is_stable(void **ctx)
{
    (void)ctx;
    struct state *s = open_state();
    uint64_t state = 88172645463325252u;
    for (int i = 0; i < 2000; i++) {
        struct crossing first = {0};
        struct crossing second = {.is_copied = true};
        struct buf text;
        buf_init(&text, 1 << 24);
        buf_append_char(&text, '['); // a number alone has no place that its written form is kept by
        property_write(&text, &state, 3);
        buf_append_char(&text, ']');
        cross(s, &first, text.data, text.len);
        assert_int_equal(first.rc, 0);
        cross(s, &second, first.out.data, first.out.len);
        assert_int_equal(second.rc, 0);
        if (!str_eq(buf_str(&first.out), buf_str(&second.out)))
            fail_msg("round %d: " STR_FMT, i, STR_ARG(buf_str(&text)));
        buf_fini(&text);
        buf_fini(&first.out);
        buf_fini(&second.out);
    }
    state_free(s);
}

// --- beside lua-cjson ----------------------------------------------------------------------------

// The library's Lua code of these tests: `ours` and `theirs` are hookline.core.json and cjson.
static const char AGREE[] =
    "local function same(a, b)\n"
    "  if type(a) ~= type(b) then return false end\n"
    "  if type(a) ~= 'table' then return a == b end\n"
    "  for k, v in pairs(a) do if not same(v, b[k]) then return false end end\n"
    "  for k in pairs(b) do if a[k] == nil then return false end end\n"
    "  return true\n"
    "end\n"
    "local ours, theirs, texts = ...\n"
    "for i, text in ipairs(texts) do\n"
    "  local a = assert(ours.decode(text))\n"
    "  local b = theirs.decode(text)\n"
    "  assert(same(a, b), 'read otherwise: ' .. text)\n"
    "  assert(same(theirs.decode(assert(ours.encode(a))), b), 'ours is not read by theirs: ' .. "
    "text)\n"
    "  assert(same(assert(ours.decode(theirs.encode(b))), a), 'theirs is not read by ours: ' .. "
    "text)\n"
    "end\n";

static const char *const agree_texts[] = {
    "[1,2,3]",
    "{\"a\":1,\"b\":[true,false,null,\"x\"]}",
    "{\"a\":{\"b\":{\"c\":[{\"d\":1.5}]}}}",
    "[\"\\u00e4\\u20ac\\ud83d\\ude00\",\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]",
    "[0.5,-0.25,1e10,123456789]",
    "[\"äöü€😀\",\"\\u0001\\u001f\\u007f\"]",
    "{\"key with space\":\"v\",\"\":\"empty\"}",
    "[[1],[[2]],[[[3]]]]",
    "{\"a\":[{\"b\":1},{\"b\":2}],\"n\":null}",
    " \t\r\n{ \"a\" : [ 1 , 2 ] } ",
    "[2147483648,-4503599627]",
};

static int agree_inside(lua_State *L)
{
    if (luaL_loadbufferx(L, AGREE, sizeof AGREE - 1, "=agree", "t") != LUA_OK)
        return lua_error(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, state_of(L)->ref_loaded);
    lua_getfield(L, -1, "hookline.core");
    lua_getfield(L, -1, "json");
    lua_replace(L, -3);
    lua_pop(L, 1);
    lua_pushcfunction(L, luaopen_cjson);
    lua_call(L, 0, 1);
    lua_newtable(L);
    for (size_t i = 0; i < sizeof agree_texts / sizeof *agree_texts; i++) {
        lua_pushstring(L, agree_texts[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_call(L, 3, 0);
    return 0;
}

static void test_agrees_with_cjson(void **ctx)
{
    (void)ctx;
    struct state *s = open_state();
    if (gate_call(s, agree_inside, NULL, NULL) != GATE_OK)
        fail_msg("%s", s->message);
    state_free(s);
}

// --- core.json, core.copy, core.array, as Lua code sees them -------------------------------------

static const char *const lua_cases[] = {
    // forms are kept while the value is unchanged, and dropped with it
    "local v = json.decode '{\"a\":12500.10,\"b\":[1e3]}' eq(json.encode(v), "
    "'{\"a\":12500.10,\"b\":[1e3]}') "
    "v.a = v.a + 1 v.b[1] = 7 eq(json.encode(v), '{\"a\":12501.1,\"b\":[7]}') "
    "v.a = 12500.1 eq(json.encode(v), '{\"a\":12500.10,\"b\":[7]}')",
    "local v = json.decode '{\"a\":-0}' v.a = 0.0 eq(json.encode(v), '{\"a\":0.0}')",
    "local v = json.decode '{\"a\":1e3}' v.a = nil v.a = 'x' eq(json.encode(v), '{\"a\":\"x\"}')",
    "local v = json.decode '[1.50,2.50]' table.remove(v, 1) eq(json.encode(v), '[2.5]')",
    // a copy is another value, marks and forms with it
    "local v = json.decode '{\"a\":{\"n\":1.50},\"l\":[[]]}' local c = core.copy(v) "
    "c.a.n = 2 c.l[2] = 1 eq(json.encode(v), '{\"a\":{\"n\":1.50},\"l\":[[]]}') "
    "eq(json.encode(c), '{\"a\":{\"n\":2},\"l\":[[],1]}')",
    "eq(core.copy(5), 5) eq(core.copy('x'), 'x') eq(core.copy(core.null), core.null)",
    "local t = {} t[1] = t local ok, m = pcall(core.copy, t) eq(ok, false) has(m, 'deeper than')",
    // tables that no JSON made
    "eq(json.encode {}, '{}') eq(json.encode(core.array {}), '[]') eq(json.encode { 1, 2 }, "
    "'[1,2]')",
    "eq(json.encode { { a = 1 }, 'x' }, '[{\"a\":1},\"x\"]') eq(json.encode(nil), 'null')",
    "eq(json.encode { [3] = 3, [1] = 1, [2] = 2 }, '[1,2,3]')",
    "eq(json.encode(1), '1') eq(json.encode(1.0), '1.0') eq(json.encode(0.1), '0.1')",
    "eq(json.encode(math.mininteger), '-9223372036854775808')",
    "eq(json.encode '\\0\\n\"\\\\', '\"\\\\u0000\\\\n\\\\\"\\\\\\\\\"')",
    "local shared = { 1 } eq(json.encode { a = shared, b = shared }, '{\"a\":[1],\"b\":[1]}')",
    "eq(json.encode(core.freeze { a = core.freeze { 1 } }), '{\"a\":[1]}')",
    "eq(core.is_array(core.array {}), true) eq(core.is_array {}, false) eq(core.is_array(1), "
    "false) "
    "eq(core.is_array(json.decode '[]'), true) eq(core.is_array(json.decode '{}'), false)",
    "local a = core.array { 1 } eq(core.array(a), a) eq(getmetatable(a), false) "
    "eq(pcall(setmetatable, a, {}), false) eq(pcall(core.array, setmetatable({}, {})), false)",
    "local v = json.decode '[1]' v[1] = nil eq(json.encode(v), '[]')",
    // what JSON cannot say, with its place
    "fails({ a = print }, 'a: a function is no JSON value')",
    "fails({ items = { 1, 2, { price = 0/0 } } }, 'items[3].price: JSON has no')",
    "fails({ x = 1/0 }, 'x: JSON has no')",
    "fails({ [1] = 1, a = 2 }, 'a table')",
    "fails({ a = { [1] = 1, [3] = 3 } }, 'a: a table is a list')",
    "fails({ [1.5] = 1 }, 'a table is a list') fails({ [true] = 1 }, 'a table is a list')",
    "fails({ [0] = 1 }, 'a table is a list')",
    "fails(core.array { 1, nil, 3 }, 'a list with a hole')",
    "fails(core.array { a = 1 }, 'a list with a hole')",
    "local t = {} t.self = { t } fails(t, 'self[1]: a cycle')",
    "local t = {} local top = t for i = 1, 80 do t.a = {} t = t.a end fails(top, 'deeper than 80 "
    "levels')",
    "local ok, m = json.encode({ items = { { price = print } } }, 'content') eq(ok, nil) "
    "has(m, 'content.items[1].price: a function')",
    "fails(coroutine.create(print), 'a thread is no JSON value')",
    // decoding's faults
    "local v, m = json.decode '{\"a\":}' eq(v, nil) has(m, 'at byte 5')",
    "local v, m = json.decode(('['):rep(81) .. (']'):rep(81)) eq(v, nil) has(m, 'at byte')",
    // fields: the plan is texts and paths
    "local r = json.decode '{\"amount\":12500.50,\"s\":{\"name\":\"Acme\",\"x\":null},\"l\":[1]}' "
    "eq(json.fields({ '{\"amount\":', { 'amount' }, ',\"n\":', { 's', 'name' }, '}' }, r), "
    "'{\"amount\":12500.50,\"n\":\"Acme\"}') "
    "eq(json.fields({ { 's', 'x' }, ' ', { 's', 'y' }, ' ', { 'z', 'y' }, ' ', { 'amount', 'y' } "
    "}, r), "
    "'null null null null') "
    "eq(json.fields({ { 'l' }, { 's' } }, r), '[1]{\"name\":\"Acme\",\"x\":null}') "
    "eq(json.fields({}, r), '') eq(json.fields({ { 'l', 1 } }, r), '1')",
    "eq(pcall(json.fields, { 1 }, {}), false) eq(pcall(json.fields, { { 'a' } }, { a = print }), "
    "false)",
    // the rest of core
    "eq(core.null, json.decode 'null')",
    "eq(core.number '12', 12) eq(math.type(core.number '12'), 'integer') eq(core.number '1.5', "
    "1.5) "
    "eq(core.number ' 1', nil) eq(core.number '0x10', nil) eq(core.number '', nil) eq(core.number "
    "'01', nil)",
    "eq(core.duration '15s', 15000) eq(core.duration '2h', 7200000) eq(core.duration 'x', nil)",
    "eq(core.percent 'a b/ä', 'a%20b%2F%C3%A4') eq(core.fold 'STRASSE', 'strasse')",
    "eq(core.var 'ANY', nil)",
    "eq(core.retry.parse { { '15s', '1m' }, { '2h' } }, '15s 1m|2h')",
    "refused(core.retry.parse {}, core.retry.parse { {} }, core.retry.parse { 'x' }, "
    "core.retry.parse { { 'x' } }, core.retry.parse { { '2m', '1m' } }, core.retry.parse { { '31d' "
    "} }, "
    "core.retry.parse { { '1m' }, { '1m' } }, core.retry.parse { { 5 } })",
    "eq(core.http.target 'https://Invoices.example.com/api?x=1', "
    "'https://invoices.example.com:443')",
    "local t, m = core.http.target 'http://127.0.0.1:8/' eq(t, nil) has(m, '--allow-target')",
    "refused(core.http.target 'ftp://x/', core.http.target 'x', core.http.target 'http://[::1]/')",
    "eq(core.http.head { method = 'POST', url = 'https://a.example/', headers = { { 'A', 'b' } }, "
    "secrets = { { kind = 'basic', secret = 'P', key = 'crm' }, "
    "{ kind = 'header', secret = 'K', key = 'Authorization', prefix = 'Token ' }, "
    "{ kind = 'query', secret = 'Q', key = 'key' } } }, 'POST https://a.example/\\nA: b\\n"
    ":basic P crm\\n:header K Authorization: Token \\n:query Q key\\n')",
    "refused(core.http.head { method = 'POST', url = 'https://a/', headers = { { 'A b', 'c' } } }, "
    "core.http.head { method = 'POST', url = 'https://a/', headers = { { 'Host', 'c' } } }, "
    "core.http.head { method = 'POST', url = 'https://a/', headers = { { 'A', 'c\\nd' } } })",
    "eq(pcall(core.http.head, { method = 'POST', url = 'https://a/', secrets = { { kind = 'x' } } "
    "}), false)",
    "eq(core.http.check_name 'X-A', true) refused(core.http.check_name 'X A', core.http.check_name "
    "'Host', "
    "core.http.check_value 'a\\r', core.http.check_name '')",
    "local f = core.freeze({ 1, 2, a = 3 }, 'it') eq(f.a, 3) eq(#f, 2) eq(pcall(function() f.b = 1 "
    "end), false) "
    "local n = 0 for _ in pairs(f) do n = n + 1 end eq(n, 3) eq(core.freeze(f), f) eq(rawget(f, "
    "'a'), 3)",
};

static const char LUA_PRELUDE[] =
    "local core = require 'hookline.core' local json = core.json "
    "local function eq(a, b) if a ~= b then error(tostring(a) .. ' is not ' .. tostring(b), 2) end "
    "end "
    "local function has(a, b) if not a:find(b, 1, true) then error(a .. ' lacks ' .. b, 2) end end "
    "local function fails(v, m) local t, e = json.encode(v) eq(t, nil) has(e, m) end "
    "local function refused(...) for i = 1, select('#', ...) do "
    "if select(i, ...) ~= nil then error('not refused: ' .. i, 2) end if i == select('#', ...) - 1 "
    "then "
    "break end end end ";

static int lua_case_inside(lua_State *L)
{
    const char *code = lua_touserdata(L, 1);
    lua_pushstring(L, LUA_PRELUDE);
    lua_pushstring(L, code);
    lua_concat(L, 2);
    if (luaL_loadstring(L, lua_tostring(L, -1)) != LUA_OK)
        return lua_error(L);
    lua_call(L, 0, 0);
    return 0;
}

static void test_lua_cases(void **ctx)
{
    (void)ctx;
    struct state *s = open_state();
    int complaints = 0;
    for (size_t i = 0; i < sizeof lua_cases / sizeof *lua_cases; i++) {
        if (gate_call(s, lua_case_inside, (void *)lua_cases[i], NULL) != GATE_OK) {
            print_error("%s\n  %s\n", lua_cases[i], s->message);
            complaints++;
        }
    }
    assert_int_equal(complaints, 0);
    state_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crosses),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_bounds_depth),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_there_and_back_is_stable),
        cmocka_unit_test(test_agrees_with_cjson),
        cmocka_unit_test(test_lua_cases),
    };
    return cmocka_run_group_tests_name("script/value", tests, NULL, NULL);
}
