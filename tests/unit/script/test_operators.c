// Operators in the host: what one may cost, and that a stop leaves the others alone.
#include "unit.h"

#include <stdio.h>

#include "script/rules.h"

static void load(struct rules *r, const char *file, const char *when)
{
    char text[1024];
    snprintf(text, sizeof text,
             "local hook = require 'hookline' local field = hook.field "
             "return hook.workflow { record = 'deal', trigger = hook.every { 'updated' }, "
             "when = %s, actions = { hook.webhook { method = 'GET', url = 'https://a.example/' } "
             "} }",
             when);
    if (rules_load(r, file, str_from(text))) {
        fail_msg("%s: %s", when, rules_fault(r, rules_fault_count(r) - 1)->message);
    }
}

static enum rules_verdict verdict(struct rules *r, size_t workflow, const char *record,
                                  struct arena *arena)
{
    struct err e;
    struct rules_run run;
    char json[512];
    snprintf(json, sizeof json, "{\"type\":\"deal.updated\",\"record\":%s}", record);
    struct rules_event ev = {.json = str_from(json),
                             .id = STR("e1"),
                             .type = STR("deal.updated"),
                             .record_type = STR("deal"),
                             .verb = STR("updated"),
                             .time_ms = 1795425300120};
    if (rules_event_begin(r, &ev, &e)) {
        fail_msg("%s", e.text);
    }
    rules_run(r, workflow, arena, &run);
    rules_event_end(r);
    return run.verdict;
}

static void a_pattern_that_backtracks_ends_at_the_budget(void **state)
{
    (void)state;
    static const char long_text[] =
        "{\"id\":1,\"x\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}";
    struct rules *r;
    struct err e;
    struct arena arena;
    struct rules_config config = {.rules_dir = "rules"};
    assert_int_equal(rules_new(&r, &config, &e), 0);
    arena_init(&arena, 1 << 20);
    load(r, "slow.lua", "field 'x':matches '.-.-.-.-.-.-.-.-.-.-b$'");
    load(r, "quick.lua", "field 'x':matches '^A+$'");
    load(r, "timed.lua", "field 'd':older_than '1d'");
    assert_false(rules_workflow(r, 0)->has_functions);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(verdict(r, 0, long_text, &arena), RULES_BUDGET_STEPS);
        assert_int_equal(verdict(r, 1, long_text, &arena), RULES_MATCH);
        assert_int_equal(verdict(r, 0, "{\"id\":1,\"x\":\"aab\"}", &arena), RULES_MATCH);
        assert_int_equal(verdict(r, 0, "{\"id\":1,\"x\":5}", &arena), RULES_NO_MATCH);
    }
    // The host's time, in an event that came without one.
    assert_int_equal(verdict(r, 2, "{\"id\":1,\"d\":\"2026-11-22T09:00:00Z\"}", &arena),
                     RULES_MATCH);
    assert_int_equal(verdict(r, 2, "{\"id\":1,\"d\":\"2026-11-22T10:00:00Z\"}", &arena),
                     RULES_NO_MATCH);
    rules_free(r);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_that_backtracks_ends_at_the_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
