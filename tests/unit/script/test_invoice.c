// The example workflows over the real library: they load without a word, and the seed's deal owes
// what the invoice app is to get, byte for byte.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "script/rules.h"

#define RULES_FOLDER "rules"

static const char DEAL[] =
    "{ \"id\": \"crm-88121\", \"type\": \"deal.updated\", \"time\": \"2026-11-23T09:15:00Z\","
    " \"source\": \"ui\", \"actor\": { \"id\": 7, \"email\": \"rep@example.com\" },"
    " \"record\": { \"id\": 4021, \"name\": \"Acme renewal\", \"amount\": 12500.50,"
    " \"deal_stage\": \"Default Pipeline:Won\", \"closed_date\": \"2026-11-23\","
    " \"created_at\": \"2026-10-01T08:00:00Z\", \"product\": \"Gold plan\","
    " \"sales_account\": { \"id\": 88, \"name\": \"Acme Inc\" } },"
    " \"previous\": { \"deal_stage\": \"Default Pipeline:Negotiation\" } }";

static int is_workflow(const struct dirent *d)
{
    struct str name = str_from(d->d_name);
    return str_ends_with(name, STR(".lua")) && !str_ends_with(name, STR("_test.lua"));
}

static void load_file(struct rules *r, const char *name)
{
    static char text[65536];
    char path[512];
    snprintf(path, sizeof path, RULES_FOLDER "/%s", name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t len = fread(text, 1, sizeof text, f);
    fclose(f);
    rules_load(r, name, (struct str){text, len});
    if (rules_fault_count(r) > 0)
        fail_msg("%s:%d: %s", path, rules_fault(r, 0)->line, rules_fault(r, 0)->message);
}

static struct rules *open_examples(void)
{
    struct err e;
    struct rules *r;
    struct dirent **names = NULL;
    struct rules_config config = {.rules_dir = RULES_FOLDER};
    if (rules_new(&r, &config, &e))
        fail_msg("%s", e.text);
    int count = scandir(RULES_FOLDER, &names, is_workflow, alphasort);
    assert_true(count >= 6);
    for (int i = 0; i < count; i++) {
        load_file(r, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    assert_int_equal(rules_workflow_count(r), count);
    rules_settle(r);
    return r;
}

static size_t find_workflow(const struct rules *r, const char *id)
{
    for (size_t i = 0; i < rules_workflow_count(r); i++)
        if (strcmp(rules_workflow(r, i)->id, id) == 0)
            return i;
    fail_msg("no workflow %s", id);
    return 0;
}

static void begin_deal(struct rules *r, const char *json)
{
    struct err e;
    struct rules_event ev = {.json = str_from(json),
                             .id = STR("crm-88121"),
                             .type = STR("deal.updated"),
                             .record_type = STR("deal"),
                             .verb = STR("updated"),
                             .time_ms = 0,
                             .previous = STR("{}")};
    if (rules_event_begin(r, &ev, &e))
        fail_msg("%s", e.text);
}

static void test_won_deal_owes_the_invoice(void **ctx)
{
    (void)ctx;
    struct arena arena;
    struct rules_run run;
    struct rules *r = open_examples();
    size_t invoice = find_workflow(r, "invoice_on_won_deal");
    assert_true(rules_workflow(r, invoice)->is_once);
    assert_false(rules_workflow(r, invoice)->has_functions);
    arena_init(&arena, 1 << 20);
    begin_deal(r, DEAL);
    rules_run(r, invoice, &arena, &run);
    rules_event_end(r);
    if (run.verdict != RULES_MATCH)
        fail_msg("%d " STR_FMT, run.verdict, STR_ARG(run.message));
    assert_int_equal(run.request_count, 1);
    assert_true(str_starts_with(run.requests[0].head,
                                STR("POST https://invoices.example.com/api/invoices\n")));
    assert_true(str_eq(run.requests[0].target, STR("https://invoices.example.com:443")));
    assert_true(str_eq(run.requests[0].body,
                       STR("{\"amount\":12500.50,\"closed_date\":\"2026-11-23\","
                           "\"created_at\":\"2026-10-01T08:00:00Z\",\"product\":\"Gold plan\","
                           "\"sales_account\":{\"name\":\"Acme Inc\"}}")));
    assert_int_equal(run.requests[0].invalid.len, 0);
    arena_fini(&arena);
    rules_free(r);
}

static void test_open_deal_owes_nothing(void **ctx)
{
    (void)ctx;
    struct arena arena;
    struct rules_run run;
    struct buf trace;
    struct err e;
    struct rules *r = open_examples();
    size_t invoice = find_workflow(r, "invoice_on_won_deal");
    arena_init(&arena, 1 << 20);
    buf_init(&trace, 1 << 20);
    begin_deal(r, "{\"record\":{\"id\":1,\"deal_stage\":\"Default Pipeline:Lost\"},"
                  "\"previous\":{\"deal_stage\":\"x\"}}");
    rules_run(r, invoice, &arena, &run);
    assert_int_equal(run.verdict, RULES_NO_MATCH);
    assert_int_equal(rules_explain(r, invoice, &trace, &e), 0);
    const char *seen = "\"seen\":\"Default Pipeline:Lost\"";
    assert_non_null(memmem(trace.data, trace.len, seen, strlen(seen)));
    rules_event_end(r);
    buf_fini(&trace);
    arena_fini(&arena);
    rules_free(r);
}

// Every example ends in a verdict that is no error.
static void test_examples_run(void **ctx)
{
    (void)ctx;
    struct rules *r = open_examples();
    for (size_t i = 0; i < rules_workflow_count(r); i++) {
        struct arena arena;
        struct rules_run run;
        arena_init(&arena, 1 << 20);
        begin_deal(r, DEAL);
        rules_run(r, i, &arena, &run);
        rules_event_end(r);
        if (run.verdict != RULES_MATCH && run.verdict != RULES_NO_MATCH)
            fail_msg("%s: " STR_FMT, rules_workflow(r, i)->id, STR_ARG(run.message));
        arena_fini(&arena);
    }
    rules_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_won_deal_owes_the_invoice),
        cmocka_unit_test(test_open_deal_owes_nothing),
        cmocka_unit_test(test_examples_run),
    };
    return cmocka_run_group_tests_name("script/invoice", tests, NULL, NULL);
}
