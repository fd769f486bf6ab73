// The engine's door: files loaded, their faults, events begun, runs and what they owe,
// explanations.
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
    char printed[256];
};

static void world_print(void *ctx, struct str line)
{
    struct world *w = ctx;
    snprintf(w->printed, sizeof w->printed, STR_FMT, STR_ARG(line));
}

static int world_open(void **ctx)
{
    struct err e;
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    stub_library_make(&w->lib);
    struct rules_config config = {
        .library_dir = w->lib.dir, .rules_dir = "rules", .print = world_print, .ctx = w};
    if (rules_new(&w->rules, &config, &e))
        fail_msg("%s", e.text);
    arena_init(&w->arena, 1024 * 1024);
    *ctx = w;
    return 0;
}

static int world_close(void **ctx)
{
    struct world *w = *ctx;
    rules_free(w->rules);
    arena_fini(&w->arena);
    stub_library_remove(&w->lib);
    free(w);
    return 0;
}

static int load(struct world *w, const char *file, const char *text)
{
    return rules_load(w->rules, file, str_from(text));
}

static size_t load_fine(struct world *w, const char *text)
{
    if (load(w, "case.lua", text))
        fail_msg("%s", rules_fault(w->rules, rules_fault_count(w->rules) - 1)->message);
    return rules_workflow_count(w->rules) - 1;
}

static struct rules_event event_of(const char *json)
{
    return (struct rules_event){.json = str_from(json),
                                .id = STR("e1"),
                                .type = STR("deal.created"),
                                .record_type = STR("deal"),
                                .verb = STR("created"),
                                .time_ms = 1795425300120};
}

static struct rules_run run(struct world *w, size_t workflow, const struct rules_event *ev)
{
    struct err e;
    struct rules_run out;
    if (rules_event_begin(w->rules, ev, &e))
        fail_msg("%s", e.text);
    rules_run(w->rules, workflow, &w->arena, &out);
    rules_event_end(w->rules);
    return out;
}

// --- loading -------------------------------------------------------------------------------------

static void test_describes(void **ctx)
{
    struct world *w = *ctx;
    assert_int_equal(
        load(w, "invoice.lua", "return { description = 'd', record = 'lead', once = true }"), 0);
    assert_int_equal(
        load(w, "other.lua",
             "return { id = 'x', name = 'n', verbs = { deleted = true }, active = false, "
             "has_functions = false }"),
        0);
    assert_int_equal(rules_workflow_count(w->rules), 2);
    const struct rules_workflow *one = rules_workflow(w->rules, 0);
    assert_string_equal(one->id, "invoice");
    assert_string_equal(one->name, "invoice");
    assert_string_equal(one->description, "d");
    assert_string_equal(one->record, "lead");
    assert_string_equal(one->file, "rules/invoice.lua");
    assert_int_equal(one->verbs, RULES_CREATED | RULES_UPDATED);
    assert_true(one->is_once && one->is_active && one->has_functions);
    const struct rules_workflow *two = rules_workflow(w->rules, 1);
    assert_string_equal(two->id, "x");
    assert_string_equal(two->name, "n");
    assert_string_equal(two->description, "");
    assert_int_equal(two->verbs, RULES_DELETED);
    assert_false(two->is_once || two->is_active || two->has_functions);
    assert_null(rules_workflow(w->rules, 2));
    assert_int_equal(rules_fault_count(w->rules), 0);
}

struct fault_case {
    const char *text;
    int line;
    const char *message; // how it begins
};

static const struct fault_case fault_cases[] = {
    {"return {", 1, "unexpected symbol near <eof>"},
    {"local x = 1\nlocal y = = 2", 2, "unexpected symbol near '='"},
    {"\n\n\nerror 'in the file'", 4, "in the file"},
    {"local t = nil\nreturn t.x", 2, "attempt to index a nil value (local 't')"},
    {"error {}", 1, "error object is a table value"},
    {"local function f()\nerror 'deep'\nend\nf()", 2, "deep"},
    {"x = 1", 1, "cannot set the global 'x'"},
    {"\nwhile true do end", 2, "stopped: over its budget of steps"},
    {"\nlocal s = 'x' while true do s = s .. s end", 2, "stopped: over its budget of memory"},
    {"\033Lua", 1, "a file is Lua text, not bytecode"},
    {"return 7", 0, "returns no table"},
    {"\xef\xbb\xbfreturn {", 1, "unexpected symbol near <eof>"},
    {"local x = 1\nlocal y = 'caf\xe9'\nreturn {}", 2, "is not UTF-8 here"},
    {"return { name = 5, record = 'deal', id = 5 }", 0, "hookline.host: a description needs"},
    {"require 'nowhere'", 1, "cannot require 'nowhere'"},
    {"return { faults = { { line = 3, path = 'a.b', message = 'wrong' } } }", 3, "wrong"},
};

static void test_collects_faults(void **ctx)
{
    struct world *w = *ctx;
    for (size_t i = 0; i < sizeof fault_cases / sizeof *fault_cases; i++) {
        const struct fault_case *c = &fault_cases[i];
        assert_int_equal(load(w, "case.lua", c->text), ERR_INVALID);
        assert_int_equal(rules_fault_count(w->rules), i + 1);
        const struct rules_fault *f = rules_fault(w->rules, i);
        assert_false(f->is_warning);
        assert_string_equal(f->file, "rules/case.lua");
        if (f->line != c->line || strncmp(f->message, c->message, strlen(c->message)) != 0 ||
            strchr(f->message, '\n'))
            fail_msg("%s: line %d: %s", c->text, f->line, f->message);
    }
    assert_string_equal(rules_fault(w->rules, rules_fault_count(w->rules) - 1)->path, "a.b");
    assert_int_equal(rules_workflow_count(w->rules), 0);
    assert_null(rules_fault(w->rules, rules_fault_count(w->rules)));
    assert_int_equal(load(w, "fine.lua", "return {}"), 0);
}

static void test_warnings_do_not_stand_in_the_way(void **ctx)
{
    struct world *w = *ctx;
    assert_int_equal(load(w, "case.lua",
                          "return { warnings = { { line = 2, path = '', message = 'odd', "
                          "warning = true } } }"),
                     0);
    assert_int_equal(rules_fault_count(w->rules), 1);
    assert_true(rules_fault(w->rules, 0)->is_warning);
    assert_null(rules_fault(w->rules, 0)->path);
    assert_int_equal(rules_add_fault(w->rules, "rules/b.lua", "id", "taken by %s", "a"), 0);
    const struct rules_fault *f = rules_fault(w->rules, 1);
    assert_string_equal(f->file, "rules/b.lua");
    assert_string_equal(f->path, "id");
    assert_string_equal(f->message, "taken by a");
    assert_false(f->is_warning);
}

// Lua would cut a long name in front: positions are read from it, and people read it.
static void test_long_folders(void **ctx)
{
    struct world *w = *ctx;
    struct err e;
    struct rules *r;
    struct rules_config config = {
        .library_dir = w->lib.dir,
        .rules_dir = "/a/folder/with/a/name/that/is/longer/than/lua/keeps/of/chunk/names/rules"};
    assert_int_equal(rules_new(&r, &config, &e), 0);
    assert_int_equal(rules_load(r, "case.lua", STR("\n\nerror 'x'")), ERR_INVALID);
    assert_int_equal(rules_fault(r, 0)->line, 3);
    assert_string_equal(rules_fault(r, 0)->message, "x");
    assert_string_equal(
        rules_fault(r, 0)->file,
        "/a/folder/with/a/name/that/is/longer/than/lua/keeps/of/chunk/names/rules/case.lua");
    // A name that is too long by itself, in an error of Lua's parser and in one of the running
    // file.
    const char *file = "tell_the_sales_team_when_a_big_deal_moves_back_to_negotiation.lua";
    assert_int_equal(rules_load(r, file, STR("\nreturn return")), ERR_INVALID);
    assert_int_equal(rules_fault(r, 1)->line, 2);
    assert_string_equal(rules_fault(r, 1)->message, "unexpected symbol near 'return'");
    assert_int_equal(rules_load(r, file, STR("\n\nerror 'x'")), ERR_INVALID);
    assert_int_equal(rules_fault(r, 2)->line, 3);
    assert_string_equal(rules_fault(r, 2)->message, "x");
    rules_free(r);
}

static void test_library_faults(void **ctx)
{
    struct world *w = *ctx;
    struct err e;
    struct rules *r;
    struct rules_config config = {.library_dir = "/nowhere", .rules_dir = "rules"};
    assert_int_equal(rules_new(&r, &config, &e), ERR_INVALID);
    assert_null(r);
    assert_non_null(strstr(e.text, "module 'hookline' is not in the library"));
    stub_write(&w->lib, "hookline/host.lua", "require 'hookline.host' return {}");
    config.library_dir = w->lib.dir;
    assert_int_equal(rules_new(&r, &config, &e), ERR_INVALID);
    assert_non_null(strstr(e.text, "in a circle"));
    stub_write(
        &w->lib, "hookline/host.lua",
        "local p = print return { load = p, check_module = p, run = p, recheck = p, success = p, "
        "retry = p }");
    assert_int_equal(rules_new(&r, &config, &e), ERR_INVALID);
    assert_non_null(strstr(e.text, "has no function 'explain'"));
}

// --- events --------------------------------------------------------------------------------------

// Gives the event back as JSON.
#define ECHO                                                                                       \
    "local hook = require 'hookline' return { run = function(event) return "                       \
    "hook.body(hook.core.json.encode(event)) end }"

static void check_echo(struct world *w, size_t echo, const struct rules_event *ev,
                       const char *wanted)
{
    struct rules_run out = run(w, echo, ev);
    assert_int_equal(out.verdict, RULES_MATCH);
    if (!str_eq(out.requests[0].body, str_from(wanted)))
        fail_msg("got " STR_FMT, STR_ARG(out.requests[0].body));
}

static void test_completes_events(void **ctx)
{
    struct world *w = *ctx;
    size_t echo = load_fine(w, ECHO);
    struct rules_event ev = event_of("{\"record\":{\"id\":1,\"n\":1.50},\"source\":\"ui\"}");
    check_echo(w, echo, &ev,
               "{\"id\":\"e1\",\"record\":{\"id\":1,\"n\":1.50},\"source\":\"ui\","
               "\"time\":\"2026-11-23T09:15:00.120Z\",\"type\":\"deal.created\"}");
    ev = event_of(
        "{\"id\":7,\"time\":\"2026-11-23T10:15:00+01:00\",\"previous\":{\"a\":1},\"record\":{}}");
    check_echo(w, echo, &ev,
               "{\"id\":\"e1\",\"record\":{},\"time\":\"2026-11-23T10:15:00+01:00\","
               "\"type\":\"deal.created\"}");
    ev.previous = STR("{\"a\":1}");
    check_echo(w, echo, &ev,
               "{\"id\":\"e1\",\"previous\":{\"a\":1},\"record\":{},"
               "\"time\":\"2026-11-23T10:15:00+01:00\",\"type\":\"deal.created\"}");
}

static void test_refuses_events(void **ctx)
{
    struct world *w = *ctx;
    static const char *const texts[] = {"[]", "7", "null", "{", "{\"a\":\"\\ud800\"}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct err e;
        struct rules_event ev = event_of(texts[i]);
        assert_int_equal(rules_event_begin(w->rules, &ev, &e), ERR_INVALID);
        assert_true(e.text[0] != '\0');
        rules_event_end(w->rules);
    }
    struct rules_run out;
    rules_run(w->rules, load_fine(w, ECHO), &w->arena, &out);
    assert_int_equal(out.verdict, RULES_ERROR);
}

// --- runs ----------------------------------------------------------------------------------------

static void test_gives_requests(void **ctx)
{
    struct world *w = *ctx;
    size_t rule = load_fine(w, "return { run = function(event) return { { head = 'POST u\\n', body "
                               "= 'b\\0c', target = 't', "
                               "retry = '1s', timeout_ms = 5000 }, { head = 'h', target = 't2', "
                               "invalid = 'why' } } end }");
    struct rules_event ev = event_of("{\"record\":{}}");
    struct rules_run out = run(w, rule, &ev);
    assert_int_equal(out.verdict, RULES_MATCH);
    assert_int_equal(out.request_count, 2);
    const struct rules_request *q = out.requests;
    assert_int_equal(q[0].action, 1);
    assert_true(str_eq(q[0].head, STR("POST u\n")));
    assert_true(str_eq(q[0].body, STR("b\0c")));
    assert_true(str_eq(q[0].target, STR("t")));
    assert_true(str_eq(q[0].retry, STR("1s")));
    assert_int_equal(q[0].timeout_ms, 5000);
    assert_int_equal(q[0].invalid.len, 0);
    assert_int_equal(q[1].action, 2);
    assert_int_equal(q[1].body.len, 0);
    assert_int_equal(q[1].retry.len, 0);
    assert_int_equal(q[1].timeout_ms, 0);
    assert_true(str_eq(q[1].invalid, STR("why")));
}

struct verdict_case {
    const char *code;
    enum rules_verdict wanted;
    const char *message;
};

static const struct verdict_case verdict_cases[] = {
    {"return nil", RULES_NO_MATCH, ""},
    {"return {}", RULES_MATCH, ""},
    {"return { 7 }", RULES_ERROR, "rules/case.lua: bad argument"},
    {"return { { head = 7 } }", RULES_ERROR,
     "rules/case.lua: hookline.host: the request's head is a number"},
    {"error 'x'", RULES_ERROR, "rules/case.lua:1: x"},
    {"return { { head = 'h', body = ('x'):rep(2000000) } }", RULES_BUDGET_OUTPUT,
     "rules/case.lua: what it owes"},
    {"return { { head = 'h', body = ('x'):rep(9000000) } }", RULES_BUDGET_OUTPUT,
     "rules/case.lua: stopped"},
    {"local t = {} for i = 1, 10001 do t[i] = {} end return t", RULES_ERROR,
     "rules/case.lua: more than 10000"},
};

static void test_verdicts(void **ctx)
{
    struct world *w = *ctx;
    for (size_t i = 0; i < sizeof verdict_cases / sizeof *verdict_cases; i++) {
        const struct verdict_case *c = &verdict_cases[i];
        char text[512];
        snprintf(text, sizeof text, "return { run = function(event) %s end }", c->code);
        struct rules_event ev = event_of("{\"record\":{}}");
        struct rules_run out = run(w, load_fine(w, text), &ev);
        if (out.verdict != c->wanted || !str_starts_with(out.message, str_from(c->message)))
            fail_msg("%s: %d " STR_FMT, c->code, out.verdict, STR_ARG(out.message));
    }
    struct rules_run out;
    rules_run(w->rules, 999, &w->arena, &out);
    assert_int_equal(out.verdict, RULES_ERROR);
}

static void test_many_runs_on_one_event(void **ctx)
{
    struct world *w = *ctx;
    struct err e;
    struct rules_event ev = event_of("{\"record\":{\"n\":1.50}}");
    size_t bad = load_fine(w, "return { run = function(event) error 'x' end }");
    size_t echo = load_fine(w, "local hook = require 'hookline' return { run = function(event) "
                               "local mine = hook.core.copy(event) mine.record.n = 2 "
                               "return hook.body(hook.core.json.encode(event.record)) end }");
    rules_settle(w->rules);
    for (int i = 0; i < 100; i++) {
        struct rules_run out;
        assert_int_equal(rules_event_begin(w->rules, &ev, &e), 0);
        rules_run(w->rules, bad, &w->arena, &out);
        assert_int_equal(out.verdict, RULES_ERROR);
        rules_run(w->rules, echo, &w->arena, &out);
        assert_int_equal(out.verdict, RULES_MATCH);
        assert_true(str_eq(out.requests[0].body, STR("{\"n\":1.50}")));
        rules_event_end(w->rules);
    }
}

static void test_memory_is_flat(void **ctx)
{
    struct world *w = *ctx;
    struct rules_event ev =
        event_of("{\"record\":{\"n\":1.50,\"list\":[1,2,{\"x\":\"some text\"}]}}");
    size_t echo =
        load_fine(w, "local hook = require 'hookline' return { run = function(event) "
                     "return hook.body(hook.core.json.encode(hook.core.copy(event))) end }");
    rules_settle(w->rules);
    size_t most = 0;
    for (int i = 0; i < 20000; i++) {
        struct arena arena;
        struct rules_run out;
        struct err e;
        arena_init(&arena, 65536);
        assert_int_equal(rules_event_begin(w->rules, &ev, &e), 0);
        rules_run(w->rules, echo, &arena, &out);
        assert_int_equal(out.verdict, RULES_MATCH);
        rules_event_end(w->rules);
        arena_fini(&arena);
        if (i == 2000)
            most = rules_memory_bytes(w->rules) + 1024 * 1024;
    }
    assert_true(rules_memory_bytes(w->rules) < most);
}

static void test_prints(void **ctx)
{
    struct world *w = *ctx;
    struct rules_event ev = event_of("{\"record\":{}}");
    run(w, load_fine(w, "return { run = function(event) print('a', 1, nil, event.type) end }"),
        &ev);
    assert_string_equal(w->printed, "a\t1\tnil\tdeal.created");
}

static void test_explains(void **ctx)
{
    struct world *w = *ctx;
    struct err e;
    struct buf out;
    struct rules_event ev = event_of("{\"record\":{\"n\":1.50}}");
    size_t rule = load_fine(w, "return {}");
    buf_init(&out, 1024);
    assert_int_equal(rules_event_begin(w->rules, &ev, &e), 0);
    assert_int_equal(rules_explain(w->rules, rule, &out, &e), 0);
    assert_true(str_eq(buf_str(&out), STR("{\"field\":\"x\",\"seen\":{\"n\":1.50}}")));
    assert_int_equal(rules_explain(w->rules, 999, &out, &e), ERR_NOT_FOUND);
    rules_event_end(w->rules);
    assert_int_equal(rules_explain(w->rules, rule, &out, &e), ERR_INVALID);
    buf_fini(&out);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_describes),
        TEST(test_collects_faults),
        TEST(test_warnings_do_not_stand_in_the_way),
        TEST(test_long_folders),
        TEST(test_library_faults),
        TEST(test_completes_events),
        TEST(test_refuses_events),
        TEST(test_gives_requests),
        TEST(test_verdicts),
        TEST(test_many_runs_on_one_event),
        TEST(test_memory_is_flat),
        TEST(test_prints),
        TEST(test_explains),
    };
    return cmocka_run_group_tests_name("script/rules", tests, NULL, NULL);
}
