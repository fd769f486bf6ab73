// What rules may and may not do, in words and lines. (Rules that do not end are in
// tests/data/hostile.txt, which test_hostile runs.)
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "script/script_test.h"

struct world {
    struct stub_library lib;
    struct rules *rules;
    struct arena arena;
    int complaints; // of the table's rows: all are run before the test fails
};

#define STEPS 200000
#define MEMORY (8 * 1024 * 1024)

static struct world *world_open(void)
{
    struct err e;
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    stub_library_make(&w->lib);
    struct rules_config config = {.library_dir = w->lib.dir,
                                  .rules_dir = "rules",
                                  .limits = {.steps = STEPS,
                                             .memory_bytes = MEMORY,
                                             .output_bytes = 100000,
                                             .cpu_ms = 60000}}; // however slow the machine is
    if (rules_new(&w->rules, &config, &e))
        fail_msg("%s", e.text);
    arena_init(&w->arena, 64 * 1024 * 1024);
    return w;
}

#define complain(w, ...) (print_error(__VA_ARGS__), print_error("\n"), (w)->complaints++)

static void world_close(struct world *w)
{
    int complaints = w->complaints;
    rules_free(w->rules);
    arena_fini(&w->arena);
    stub_library_remove(&w->lib);
    free(w);
    assert_int_equal(complaints, 0);
}

static size_t world_load(struct world *w, const char *text)
{
    size_t before = rules_fault_count(w->rules);
    if (rules_load(w->rules, "case.lua", str_from(text)))
        fail_msg("%s\n%s", rules_fault(w->rules, before)->message, text);
    return rules_workflow_count(w->rules) - 1;
}

static struct rules_run world_run(struct world *w, size_t workflow)
{
    struct err e;
    struct rules_run out;
    struct rules_event ev = {
        .json =
            STR("{\"id\":\"e1\",\"type\":\"deal.created\",\"record\":{\"id\":1,\"s\":\"text\"}}"),
        .id = STR("e1"),
        .type = STR("deal.created"),
        .record_type = STR("deal"),
        .verb = STR("created"),
        .time_ms = 0};
    assert_int_equal(rules_event_begin(w->rules, &ev, &e), 0);
    rules_run(w->rules, workflow, &w->arena, &out);
    rules_event_end(w->rules);
    return out;
}

static bool starts_with(struct str s, const char *start)
{
    return str_starts_with(s, str_from(start));
}

// --- what a rule sees ----------------------------------------------------------------------------

struct value_case {
    const char *code; // of a function(event), returning a text
    const char *wanted;
};

static const struct value_case value_cases[] = {
    {"return tostring(os)", "nil"},
    {"return tostring(io)", "nil"},
    {"return tostring(debug)", "nil"},
    {"return tostring(package)", "nil"},
    {"return tostring(dofile)", "nil"},
    {"return tostring(loadfile)", "nil"},
    {"return tostring(string.dump)", "nil"},
    {"return tostring(warn)", "nil"},
    {"return tostring(getmetatable(''))", "false"},
    {"return tostring(getmetatable(_G))", "false"},
    {"return tostring(getmetatable(string))", "false"},
    {"return tostring(_G._G == _G)", "true"},
    {"return tostring(_ENV == _G)", "true"},
    {"return tostring(rawget(string, 'rep') == string.rep)", "true"},
    {"return tostring(next(string) ~= nil)", "true"},
    {"local n = 0 for k in pairs(string) do n = n + 1 end return tostring(n)", "16"},
    {"return ('x'):rep(3)", "xxx"},
    {"return tostring(require 'hookline' == require 'hookline')", "true"},
    {"return tostring(require 'cjson'.null == require 'hookline'.null)", "true"},
    {"return require 'cjson'.encode { 1, 2, { a = 'b' } }", "[1,2,{\"a\":\"b\"}]"},
    {"local t = {} for i = 1, 3000 do t[i] = i end return tostring(#require 'cjson'.encode(t))",
     "13894"},
    {"return tostring(require 'cjson'.decode '[1,{\"a\":null}]'[1])", "1.0"},
    {"return table.concat({ pcall(error, 'x') == false and 'y' or 'n', select('#', pcall(error)) "
     "})",
     "y2"},
    {"return tostring(select(2, pcall(error, nil)))", "nil"},
    {"return select(2, xpcall(error, function(m) return m .. '!' end, 'x'))", "x!"},
    {"return select(2, xpcall(function(a, b) return tostring(a + b) end, print, 1, 2))", "3"},
    {"return tostring(pcall(coroutine.yield))", "false"},
    {"return table.concat({ coroutine.resume(coroutine.create(function(...) return ... end), 1, 2) "
     "== "
     "true and 'y' or 'n' })",
     "y"},
    {"local co = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return b * 2 end) "
     "return co(1) .. '/' .. co(21)",
     "2/42"},
    {"local co = coroutine.create(function() pcall(function() coroutine.yield(1) error 'x' end) "
     "return 'end' end) coroutine.resume(co) return select(2, coroutine.resume(co))",
     "end"},
    {"local t = {} local co = coroutine.create(function() local c <close> = "
     "setmetatable({}, { __close = function() t[1] = 'closed' end }) coroutine.yield() end) "
     "coroutine.resume(co) coroutine.close(co) return t[1]",
     "closed"},
    {"local co = coroutine.create(error) coroutine.resume(co, 'e') "
     "return tostring(select(2, coroutine.resume(co)))",
     "cannot resume dead coroutine"},
    {"return tostring(load('return 1 + 1')())", "2"},
    {"return tostring(load('return x', 'n', 't', { x = 5 })())", "5"},
    {"local p = { 'return ', '7' } local i = 0 "
     "return tostring(load(function() i = i + 1 return p[i] end)())",
     "7"},
    {"return tostring((load('return (')))", "nil"},
    {"return tostring(load 'return require'() == require)", "true"},
    {"return tostring(load '\\27Lua')", "nil"},
    {"return event.record.s", "text"},
    {"event.record.s = 'mine' return event.record.s", "mine"},
    {"return tostring(rawlen { 1, 2 })", "2"},
    {"return tostring(collectgarbage 'count')", "0"},
    {"local t = setmetatable({}, { __index = function(t, k) return k .. k end }) return t.ab",
     "abab"},
    {"local t = { 3, 1, 2 } table.sort(t) return table.concat(t, ',')", "1,2,3"},
    {"return table.concat({ table.unpack({ 1, 2, 3 }, 2) }, ',')", "2,3"},
    {"return utf8.char(228, 8364) .. utf8.len('ä€')", "ä€2"},
    {"local a = math.random(1000000) return tostring(a == math.random(1000000))", "false"},
    {"return ('%5.2f|%q|%s'):format(1.5, 'x', nil)", " 1.50|\"x\"|nil"},
    {"return tostring(#string.rep('x', 1000, ','))", "1999"},
    // A text as large as the slots of a table that would be refused.
    {"return tostring(#('x'):rep(24 * 16384) + #('x'):rep(24 * 16384):upper())", "786432"},
    {"local n, t = 0, {} for i = 1, 8000 do t['k' .. i] = i end for k in pairs(t) do n = n + 1 end "
     "return tostring(n)",
     "8000"},
};

static void test_sees(void **ctx)
{
    (void)ctx;
    struct world *w = world_open();
    for (size_t i = 0; i < sizeof value_cases / sizeof *value_cases; i++) {
        char text[1024];
        snprintf(text, sizeof text,
                 "local hook = require 'hookline' return { run = function(event)\n"
                 "return hook.body((function() %s end)()) end }",
                 value_cases[i].code);
        struct rules_run run = world_run(w, world_load(w, text));
        if (run.verdict != RULES_MATCH ||
            !str_eq(run.requests[0].body, str_from(value_cases[i].wanted)))
            complain(w, "%s: verdict %d, \"" STR_FMT STR_FMT "\"", value_cases[i].code, run.verdict,
                     STR_ARG(run.message),
                     STR_ARG(run.request_count ? run.requests[0].body : run.message));
    }
    world_close(w);
}

// --- what raises ---------------------------------------------------------------------------------

struct error_case {
    const char *code; // of a function(event), at line 2 of its file
    const char *wanted;
};

static const struct error_case error_cases[] = {
    {"x = 1",
     "rules/case.lua:2: cannot set the global 'x': globals are read-only (write 'local x')"},
    {"_G.x = 1", "rules/case.lua:2: cannot set the global 'x'"},
    {"print = nil", "rules/case.lua:2: cannot set the global 'print'"},
    {"local t = os.time()",
     "rules/case.lua:2: attempt to index a nil value (global 'os'); there is no os here"},
    {"io.open 'x'",
     "rules/case.lua:2: attempt to index a nil value (global 'io'); there is no io here"},
    {"debug.traceback()",
     "rules/case.lua:2: attempt to index a nil value (global 'debug'); there is no debug here"},
    {"loadstring 'x'",
     "rules/case.lua:2: attempt to call a nil value (global 'loadstring'); this is Lua 5.4: load"},
    {"dofile 'x'", "rules/case.lua:2: attempt to call a nil value (global 'dofile'); there is none "
                   "here: require takes modules"},
    {"field 'a'", "rules/case.lua:2: attempt to call a nil value (global 'field'); write local "
                  "field = hook.field above"},
    {"return hook.workflow {}", "rules/case.lua:2: attempt to index a nil value (global 'hook'); "
                                "write local hook = require \"hookline\" above"},
    {"other.x()", "rules/case.lua:2: attempt to index a nil value (global 'other')\n"},
    {"string.rep = nil", "rules/case.lua:2: cannot set 'rep': string is read-only"},
    {"rawset(_G, 'x', 1)", "rules/case.lua:2: rawset: the table is read-only"},
    {"rawset(math, 'pi', 3)", "rules/case.lua:2: rawset: the table is read-only"},
    {"require('hookline').x = 1", "rules/case.lua:2: cannot set 'x': hook is read-only"},
    {"require('cjson').x = 1", "rules/case.lua:2: cannot set 'x': cjson is read-only"},
    {"table.insert(string, 1)", "rules/case.lua:2: cannot set '1': string is read-only"},
    {"setmetatable(_G, {})", "rules/case.lua:2: cannot change a protected metatable"},
    {"setmetatable({}, { __gc = print })",
     "rules/case.lua:2: a metatable with __gc is not for rules"},
    {"math.randomseed(1)", "rules/case.lua:2: math.randomseed is not for rules"},
    {"require 'lib.money'", "rules/case.lua:2: cannot require 'lib.money'"},
    {"require 'hookline.core'", "rules/case.lua:2: cannot require 'hookline.core'"},
    {"load('x', 'y', 'b')", "rules/case.lua:2: load: only text is loaded"},
    {"local a = nil; a.b = 1", "rules/case.lua:2: attempt to index a nil value (local 'a')"},
    {"error('with place')", "rules/case.lua:2: with place"},
    {"error('without', 0)", "rules/case.lua:2: without"},
    {"error()", "rules/case.lua:2: error object is a nil value"},
    {"error {}", "rules/case.lua:2: error object is a table value"},
    {"error(setmetatable({}, { __tostring = function() return 'words' end }))",
     "rules/case.lua:2: words"},
    {"error(setmetatable({}, { __tostring = function() error 'again' end }))",
     "rules/case.lua:2: "},
    {"string.rep()", "rules/case.lua:2: bad argument #1 to 'rep'"},
    {"('x'):rep({})", "rules/case.lua:2: bad argument #1 to 'rep'"},
    {"table.concat({ {} })",
     "rules/case.lua:2: invalid value (table) at index 1 in table for 'concat'"},
    {"table.unpack({}, 1, 1e6)", "rules/case.lua:2: too many results to unpack"},
    {"string.byte(('x'):rep(9000), 1, -1)", "rules/case.lua:2: string slice too long"},
    {"coroutine.wrap(function() error 'in it' end)()", "rules/case.lua:2: rules/case.lua:2: in it"},
    {"require 'cjson'.decode '{'", "rules/case.lua:2: Expected object key string"},
    {"require 'cjson'.encode(print)", "rules/case.lua:2: Cannot serialise function"},
    {"local t = {} t[1] = t require 'cjson'.encode(t)", "rules/case.lua:2: cjson: nested too deep"},
    {"local s = ('('):rep(500) .. ('x'):rep(1) assert(load('return ' .. s))", "rules/case.lua:2: "},
    {"return 7", "rules/case.lua"},
};

static void test_raises(void **ctx)
{
    (void)ctx;
    struct world *w = world_open();
    for (size_t i = 0; i < sizeof error_cases / sizeof *error_cases; i++) {
        char text[1024];
        snprintf(text, sizeof text, "return { run = function(event)\n%s end }",
                 error_cases[i].code);
        struct rules_run run = world_run(w, world_load(w, text));
        bool is_ours = strcmp(error_cases[i].code, "return 7") == 0;
        if (run.verdict != RULES_ERROR ||
            (!is_ours && !starts_with(run.message, error_cases[i].wanted)))
            complain(w, "%s: verdict %d, \"" STR_FMT "\"", error_cases[i].code, run.verdict,
                     STR_ARG(run.message));
    }
    world_close(w);
}

// --- what is too large ---------------------------------------------------------------------------

static void test_stops_output(void **ctx)
{
    (void)ctx;
    struct world *w = world_open();
    size_t rule = world_load(w, "local hook = require 'hookline'\n"
                                "return { run = function(event) local t = {} for i = 1, 11 do "
                                "t[i] = hook.body(('x'):rep(10000))[1] end return t end }");
    struct rules_run run = world_run(w, rule);
    assert_int_equal(run.verdict, RULES_BUDGET_OUTPUT);
    assert_int_equal(run.request_count, 0);
    rule = world_load(w, "local hook = require 'hookline'\nlocal t = {}\n"
                         "for i = 1, 1000 do t[i] = ('x'):rep(1000) end\n"
                         "return { run = function(event)\n"
                         "pcall(hook.core.json.encode, t) return {} end }");
    run = world_run(w, rule);
    assert_int_equal(run.verdict, RULES_BUDGET_OUTPUT);
    assert_true(starts_with(run.message, "rules/case.lua:5: stopped: over its budget of output"));
    world_close(w);
}

// --- the words -----------------------------------------------------------------------------------

static void test_frames_follow_the_message(void **ctx)
{
    (void)ctx;
    struct world *w = world_open();
    size_t rule = world_load(w, "local function inner() error 'no' end\n"
                                "local function outer() inner() end\n"
                                "return { run = function(event) outer() return {} end }");
    struct rules_run run = world_run(w, rule);
    assert_int_equal(run.verdict, RULES_ERROR);
    const char *wanted = "rules/case.lua:1: no\n"
                         "    rules/case.lua:1: in upvalue 'inner'\n"
                         "    rules/case.lua:2: in upvalue 'outer'\n"
                         "    rules/case.lua:3: in the function at line 3";
    if (!starts_with(run.message, wanted))
        fail_msg(STR_FMT, STR_ARG(run.message));
    world_close(w);
}

static void test_random_follows_the_event(void **ctx)
{
    (void)ctx;
    struct world *w = world_open();
    const char *text =
        "local hook = require 'hookline'\n"
        "return { id = '%s', run = function(event) return hook.body("
        "math.random(1, 1000000) .. ',' .. math.random() .. ',' .. math.random(0)) end }";
    char one[512];
    char two[512];
    snprintf(one, sizeof one, text, "one");
    snprintf(two, sizeof two, text, "two");
    size_t first = world_load(w, one);
    size_t second = world_load(w, two);
    struct rules_run a = world_run(w, first);
    struct rules_run b = world_run(w, first);
    struct rules_run c = world_run(w, second);
    assert_true(str_eq(a.requests[0].body, b.requests[0].body));
    assert_false(str_eq(a.requests[0].body, c.requests[0].body));
    world_close(w);
}

static void test_memory_comes_back(void **ctx)
{
    (void)ctx;
    struct world *w = world_open();
    size_t rule = world_load(w, "return { run = function(event) local t = {} "
                                "while true do t[#t + 1] = ('x'):rep(5000) .. #t end end }");
    size_t deep = world_load(w, "local function f() return 1 + f() end "
                                "return { run = function(event) f() end }");
    rules_settle(w->rules);
    size_t before = rules_memory_bytes(w->rules);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(world_run(w, rule).verdict, RULES_BUDGET_MEMORY);
        assert_int_equal(world_run(w, deep).verdict, RULES_BUDGET_STEPS);
        assert_true(rules_memory_bytes(w->rules) < before + MEMORY);
    }
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sees),
        cmocka_unit_test(test_raises),
        cmocka_unit_test(test_stops_output),
        cmocka_unit_test(test_frames_follow_the_message),
        cmocka_unit_test(test_random_follows_the_event),
        cmocka_unit_test(test_memory_comes_back),
    };
    return cmocka_run_group_tests_name("script/sandbox", tests, NULL, NULL);
}
