// What a rule's functions keep is as it was after loading, at each run: upvalues are put back,
// tables among them are frozen and go on working for all who only read.
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
};

static struct world *world_open(void)
{
    struct err e;
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    stub_library_make(&w->lib);
    struct rules_config config = {.library_dir = w->lib.dir, .rules_dir = "rules"};
    if (rules_new(&w->rules, &config, &e))
        fail_msg("%s", e.text);
    arena_init(&w->arena, 64 * 1024 * 1024);
    return w;
}

static void world_close(struct world *w)
{
    rules_free(w->rules);
    arena_fini(&w->arena);
    stub_library_remove(&w->lib);
    free(w);
}

static struct rules_run world_run(struct world *w, size_t workflow)
{
    struct err e;
    struct rules_run out;
    struct rules_event ev = {.json = STR("{\"id\":\"e1\",\"type\":\"deal.created\",\"record\":{}}"),
                             .id = STR("e1"),
                             .type = STR("deal.created"),
                             .record_type = STR("deal"),
                             .verb = STR("created")};
    assert_int_equal(rules_event_begin(w->rules, &ev, &e), 0);
    rules_run(w->rules, workflow, &w->arena, &out);
    rules_event_end(w->rules);
    return out;
}

static int world_load(struct world *w, const char *load, const char *run)
{
    char text[4096];
    snprintf(text, sizeof text,
             "local hook = require 'hookline'; %s\n"
             "return { run = function(event)\nreturn hook.body(tostring((function() %s end)())) "
             "end }",
             load, run);
    return rules_load(w->rules, "case.lua", str_from(text));
}

struct undo_case {
    const char *load;   // at the file's line 1
    const char *run;    // at its line 3, in a function
    const char *wanted; // of every run: what it returns, or "! " and the beginning of its error
};

#define WRITE(place, key)                                                                          \
    "! rules/case.lua:3: cannot set '" key "': the table in '" place                               \
    "' is read-only outside the load"

static const struct undo_case undo_cases[] = {
    // Kept in upvalues: as it was.
    {"local n = 0", "n = n + 1 return n", "1"},
    {"local n", "n = (n or 0) + 1 return n", "1"},
    {"local last = 'none'", "local was = last last = event.id return was", "none"},
    {"local f = function() return 1 end",
     "local was = f f = function() return was() + 1 end return f()", "2"},
    {"local n = 0 local function next_id() n = n + 1 return n end",
     "next_id() next_id() return next_id()", "3"},
    {"local n = 0 local t = { inc = function() n = n + 1 return n end }", "t.inc() return t.inc()",
     "2"},
    {"local n = 0 local mt = { __index = function() n = n + 1 return n end } "
     "local t = setmetatable({}, mt)",
     "return t.a + t.b", "3"},
    {"local counter = load 'local n = 0 return function() n = n + 1 return n end'()",
     "counter() return counter()", "2"},
    {"local function make() local n = 0 return function() n = n + 1 return n end end "
     "local a, b = make(), make()",
     "a() a() return a() .. b()", "31"},
    {"local cache", "cache = cache or {} cache[#cache + 1] = 1 return #cache", "1"},
    {"local cache = {}", "cache = { 1, 2 } return #cache", "2"},
    {"local done = false", "if done then return 'again' end done = true return 'first'", "first"},
    {"local n = 0", "n = n + 1 error('at ' .. n, 0)", "! rules/case.lua:3: at 1"},
    {"local n = 0", "_ENV = { tostring = tostring } n = n + 1 return n", "1"},
    // Kept in tables: refused, by whatever way.
    {"local seen = {}", "seen[event.id] = true return 'kept'", WRITE("seen", "e1")},
    {"local seen = { a = 1 }", "seen.a = 2 return 'kept'", WRITE("seen", "a")},
    {"local list = { 1 }", "table.insert(list, 2)", WRITE("list", "2")},
    {"local list = { 1, 2 }", "table.remove(list)", WRITE("list", "2")},
    {"local list = { 2, 1 }", "table.sort(list)", WRITE("list", "1")},
    {"local list = { 2, 1 }", "table.move({ 5 }, 1, 1, 1, list)", WRITE("list", "1")},
    {"local list = {}", "rawset(list, 1, 1)", "! rules/case.lua:3: rawset: the table is read-only"},
    {"local list = {}", "setmetatable(list, {})",
     "! rules/case.lua:3: cannot change a protected metatable"},
    {"local t = { deep = { deeper = {} } }", "t.deep.deeper.x = 1", WRITE("t", "x")},
    {"local t = { [{}] = 1 }", "next(t).x = 1", WRITE("t", "x")},
    {"local t = {} local function add(x) t.x = x end", "add(1)",
     "! rules/case.lua:1: cannot set 'x': the table in 't' is read-only outside the load"},
    {"local mt = {} local t = setmetatable({}, mt)", "mt.__index = function() return 1 end",
     WRITE("mt", "__index")},
    {"local A = {} A.__index = A function A.new(x) return setmetatable({ x = x }, A) end "
     "function A:get() return self.x end",
     "A.get = nil", WRITE("A", "get")},
    {"local E = load('return function() x = (x or 0) + 1 return x end', 'e', 't', {})()", "E()",
     "! rules/case.lua: (load: e):1: cannot set 'x': the table in '_ENV' is read-only outside the "
     "load"},
    // Metamethods may be changed for a run, and no longer.
    {"local A = { __call = function() return 'as it was' end } local a = setmetatable({}, A)",
     "local was = a() A.__call = function() return 'changed' end return was", "as it was"},
    {"local A = { __call = function() return 'as it was' end } local a = setmetatable({}, A)",
     "local was = a() A.__call = nil return was", "as it was"},
    // Reading goes on as before.
    {"local t = { 1, 2, 3, x = 'y' }",
     "local s = '' for i, v in ipairs(t) do s = s .. i .. v end "
     "for k, v in pairs(t) do s = s .. ',' .. k .. v end return s .. #t .. rawlen(t) .. rawget(t, "
     "'x')",
     "112233,11,22,33,xy33y"},
    {"local t = { 3, 4 }",
     "return table.concat(t, ',') .. table.unpack(t) .. select('#', "
     "table.unpack(t))",
     "3,432"},
    {"local t = { 3, 4 }", "return table.concat(table.move(t, 1, 2, 2, { 1 }))", "134"},
    {"local t = { 'x' }", "local k, v = next(t) return k .. v .. tostring(next(t, k))", "1xnil"},
    {"local t = {}", "return tostring(next(t))", "nil"},
    {"local t = {} local u = { t = t }", "return tostring(u.t == t) .. tostring(rawequal(u.t, t))",
     "truetrue"},
    {"local map = { a = 'b' }", "return (('aa'):gsub('a', map))", "bb"},
    {"local t = { x = { 1, { y = hook.null } }, e = hook.array {}, o = {} }",
     "return hook.core.json.encode(t)", "{\"e\":[],\"o\":{},\"x\":[1,{\"y\":null}]}"},
    {"local t = hook.core.json.decode '{\"a\":1.50,\"b\":[1e2,[]]}'",
     "return hook.core.json.encode { t = t }", "{\"t\":{\"a\":1.50,\"b\":[1e2,[]]}}"},
    {"local t = hook.core.ordered { { 'z', 1 }, { 'a', 2 } }", "return hook.core.json.encode(t)",
     "{\"z\":1,\"a\":2}"},
    {"local t = { x = { 1, y = nil } }", "return require 'cjson'.encode { t, t.x }",
     "[{\"x\":[1]},[1]]"},
    {"local t = hook.array { 1 }", "return hook.core.is_array(t)", "true"},
    {"local A = {} A.__index = A function A.new(x) return setmetatable({ x = x }, A) end "
     "function A:get() return self.x end local kept = A.new(7)",
     "return kept:get() + A.new(1):get()", "8"},
    {"local A = setmetatable({}, { __call = function(_, x) return x * 2 end })", "return A(4)",
     "8"},
    {"local A = setmetatable({ x = 1 }, { __index = function(t, k) return k .. t.x end })",
     "return A.x .. A.y", "1y1"},
    {"local B = { y = 2 } local A = setmetatable({ x = 1 }, { __index = B })", "return A.x + A.y",
     "3"},
    {"local A = setmetatable({ 1 }, { __len = function() return 9 end })", "return #A", "9"},
    {"local A = setmetatable({ 1 }, { __tostring = function() return 'A' end })",
     "return tostring(A)", "A"},
    {"local mt = { __eq = function() return true end } "
     "local a, b = setmetatable({}, mt), setmetatable({}, mt)",
     "return a == b", "true"},
    {"local mt = { __add = function(a, b) return 'sum' end } local a = setmetatable({}, mt)",
     "return a + 1", "sum"},
    {"local mt = {} local a = setmetatable({}, mt)", "return getmetatable(a) == mt", "true"},
    {"local t = {} for i = 1, 100 do t[i] = i end for i = 1, 50 do t['k' .. i] = i end",
     "local n = 0 for _, v in pairs(t) do n = n + v end return n", "6325"},
    {"local a = {} local b = { a = a } a.b = b", "return a.b.a == a", "true"},
    {"local co = coroutine.wrap(function() end) co()", "return tostring(pcall(co))", "false"},
};

static void test_undone(void **ctx)
{
    (void)ctx;
    int complaints = 0;
    struct world *w = world_open();
    for (size_t i = 0; i < sizeof undo_cases / sizeof *undo_cases; i++) {
        const struct undo_case *c = &undo_cases[i];
        bool is_error = c->wanted[0] == '!';
        if (world_load(w, c->load, c->run))
            fail_msg("%s\n%s", rules_fault(w->rules, 0)->message, c->load);
        for (int n = 1; n <= 3; n++) {
            struct rules_run run = world_run(w, rules_workflow_count(w->rules) - 1);
            bool is_right = is_error ? run.verdict == RULES_ERROR &&
                                           str_starts_with(run.message, str_from(c->wanted + 2))
                                     : run.verdict == RULES_MATCH &&
                                           str_eq(run.requests[0].body, str_from(c->wanted));
            if (is_right)
                continue;
            complaints++;
            print_error("%s; %s: run %d: " STR_FMT "\n", c->load, c->run, n,
                        STR_ARG(run.verdict == RULES_MATCH ? run.requests[0].body : run.message));
        }
    }
    world_close(w);
    assert_int_equal(complaints, 0);
}

struct refused_case {
    const char *load;
    const char *wanted;
};

static const struct refused_case refused_cases[] = {
    {"local next_one = coroutine.wrap(function() while true do coroutine.yield(1) end end)",
     "'next_one' is a coroutine, which keeps its place from one run to the next: make it inside "
     "the function that uses it"},
    {"local next_one = coroutine.create(function() coroutine.yield(1) end) "
     "coroutine.resume(next_one)",
     "'next_one' is a coroutine, which"},
    {"local next_one = ('abc'):gmatch '.'", "'next_one' is an iterator, which"},
    {"local next_one = { coroutine.create(print) }", "the table in 'next_one' holds a coroutine"},
};

static void test_refused(void **ctx)
{
    (void)ctx;
    struct world *w = world_open();
    for (size_t i = 0; i < sizeof refused_cases / sizeof *refused_cases; i++) {
        size_t before = rules_fault_count(w->rules);
        assert_int_not_equal(world_load(w, refused_cases[i].load, "return next_one"), 0);
        const char *message = rules_fault(w->rules, before)->message;
        if (strncmp(message, refused_cases[i].wanted, strlen(refused_cases[i].wanted)) != 0)
            fail_msg("%s: %s", refused_cases[i].load, message);
    }
    world_close(w);
}

// A run that is stopped leaves as little as one that ends.
static void test_undone_after_a_stop(void **ctx)
{
    (void)ctx;
    struct world *w = world_open();
    assert_int_equal(
        world_load(w, "local n = 0", "n = n + 1 if n > 1 then return 'kept' end while true do end"),
        0);
    for (int n = 1; n <= 3; n++)
        assert_int_equal(world_run(w, 0).verdict, RULES_BUDGET_STEPS);
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_undone),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_undone_after_a_stop),
    };
    return cmocka_run_group_tests_name("script/undo", tests, NULL, NULL);
}
