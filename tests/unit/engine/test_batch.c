// Bodies of POST /v1/events: what is taken, what is refused, and where the fault is.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "engine/batch.h"
#include "script/rules.h"

#define EVENT "{\"type\":\"deal.updated\",\"record\":{\"id\":1}}"

static const struct batch_limits LIMITS = {.events = 3, .depth = EVENT_DEPTH_MAX};

static int read_body(struct batch *b, const char *body, bool is_ndjson, struct arena *a,
                     struct err *e)
{
    arena_init(a, 1 << 20);
    return batch_read(b, str_from(body), is_ndjson, &LIMITS, a, e);
}

static void an_event_is_taken_apart(void **state)
{
    (void)state;
    struct batch b;
    struct arena a;
    struct err e;
    const char *body =
        " {\"id\":\"crm-\\u0031\",\"type\":\"deal.updated\",\"time\":\"2026-11-23T09:15:00Z\","
        "\"x\":[{}],\"depth\":2,\"record\":{\"a\":{\"id\":9},\"id\":4021,\"b\":[1]},"
        "\"previous\":{\"a\":null}} ";
    assert_int_equal(read_body(&b, body, false, &a, &e), 0);
    assert_int_equal(b.count, 1);
    const struct event *ev = &b.events[0];
    assert_true(str_eq(ev->id, STR("crm-1")));
    assert_true(str_eq(ev->type, STR("deal.updated")));
    assert_true(str_eq(ev->record_type, STR("deal")));
    assert_int_equal(ev->verb, RULES_UPDATED);
    assert_true(str_eq(ev->record_id, STR("4021")));
    assert_true(ev->has_time && ev->time_ms == 1795425300000);
    assert_true(str_eq(ev->previous, STR("{\"a\":null}")));
    assert_true(str_eq(ev->record, STR("{\"a\":{\"id\":9},\"id\":4021,\"b\":[1]}")));
    assert_int_equal(ev->depth, 2);
    assert_int_equal(ev->json.len, strlen(body) - 2);
    arena_fini(&a);
}

static void forms_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        bool is_ndjson;
        enum batch_form form;
        size_t count;
    } rows[] = {
        {EVENT, false, BATCH_OBJECT, 1},
        {"[]", false, BATCH_ARRAY, 0},
        {" \n[" EVENT "," EVENT "]", false, BATCH_ARRAY, 2},
        {EVENT "\n" EVENT "\n", true, BATCH_LINES, 2},
        {"\n" EVENT "\r\n\n  \n" EVENT, true, BATCH_LINES, 2},
        {"", true, BATCH_LINES, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct batch b;
        struct arena a;
        struct err e = {0};
        assert_int_equal(read_body(&b, rows[i].body, rows[i].is_ndjson, &a, &e), 0);
        assert_int_equal(b.form, rows[i].form);
        assert_int_equal(b.count, rows[i].count);
        arena_fini(&a);
    }
}

static void faults_have_words_and_a_place(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        bool is_ndjson;
        int code;
        int place; // -1: none
        const char *words;
    } rows[] = {
        {"", false, ERR_INVALID, -1, ""},
        {"x", false, ERR_INVALID, -1, "byte 0"},
        {"[1]", false, ERR_INVALID, 0, "must be an object"},
        {"{}", false, ERR_INVALID, -1, "\"type\" is missing"},
        {"{\"type\":\"deal.updated\"}", false, ERR_INVALID, -1, "\"record\" is missing"},
        {"{\"type\":\"deal.updated\",\"record\":{}}", false, ERR_INVALID, -1,
         "\"record.id\" is missing"},
        {"{\"type\":\"deal.updated\",\"record\":{\"id\":1.5}}", false, ERR_INVALID, -1,
         "record.id"},
        {"{\"type\":\"deal.updated\",\"record\":{\"id\":\"\"}}", false, ERR_INVALID, -1,
         "record.id"},
        {"{\"type\":\"deal.updated\",\"record\":{\"id\":null}}", false, ERR_INVALID, -1,
         "record.id"},
        {"{\"type\":\"deal.updated\",\"record\":[]}", false, ERR_INVALID, -1, "\"record\" must be"},
        {"{\"type\":\"deal.updated\",\"record\":{\"id\":1},\"previous\":1}", false, ERR_INVALID, -1,
         "previous"},
        {"{\"type\":\"deal\",\"record\":{\"id\":1}}", false, ERR_INVALID, -1, "RECORD_TYPE"},
        {"{\"type\":\"deal.won\",\"record\":{\"id\":1}}", false, ERR_INVALID, -1, ".created"},
        {"{\"type\":\"webhook.updated\",\"record\":{\"id\":1}}", false, ERR_INVALID, -1,
         "host's own"},
        {"{\"type\":\"deal.scheduled\",\"record\":{\"id\":1}}", false, ERR_INVALID, -1,
         "host's own"},
        {"{\"type\":\".updated\",\"record\":{\"id\":1}}", false, ERR_INVALID, -1, "record type"},
        {"{\"type\":7,\"record\":{\"id\":1}}", false, ERR_INVALID, -1, "\"type\" must be a string"},
        {"{\"id\":7,\"type\":\"a.updated\",\"record\":{\"id\":1}}", false, ERR_INVALID, -1,
         "\"id\""},
        {"{\"id\":\"\",\"type\":\"a.updated\",\"record\":{\"id\":1}}", false, ERR_INVALID, -1,
         "event's id"},
        {"{\"time\":\"today\",\"type\":\"a.updated\",\"record\":{\"id\":1}}", false, ERR_INVALID,
         -1, "RFC 3339"},
        {"{\"time\":\"2026-02-30T00:00:00Z\",\"type\":\"a.updated\",\"record\":{\"id\":1}}", false,
         ERR_INVALID, -1, "RFC 3339"},
        {EVENT "x", false, ERR_INVALID, -1, "byte"},
        {"[" EVENT "," EVENT ",{}]", false, ERR_INVALID, 2, "\"type\""},
        {"[" EVENT ",]", false, ERR_INVALID, 1, "byte"},
        {"[" EVENT, false, ERR_INVALID, 1, "byte"},
        {EVENT "\n\n{}\n", true, ERR_INVALID, 3, "\"type\""},
        {EVENT " " EVENT, true, ERR_INVALID, 1, "byte"},
        {"[" EVENT "," EVENT "," EVENT "," EVENT "]", false, ERR_TOO_LARGE, 3, "at most 3"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct batch b;
        struct arena a;
        struct err e = {0};
        assert_int_equal(read_body(&b, rows[i].body, rows[i].is_ndjson, &a, &e), rows[i].code);
        if (strstr(e.text, rows[i].words) == NULL) {
            fail_msg("row %zu: \"%s\" is not in \"%s\"", i, rows[i].words, e.text);
        }
        assert_int_equal(b.has_fault_place ? (int)b.fault_place : -1, rows[i].place);
        arena_fini(&a);
    }
}

static void nesting_is_bounded_for_each_event(void **state)
{
    (void)state;
    for (int levels = 60; levels < 70; levels++) {
        char body[512] = "[{\"type\":\"a.updated\",\"record\":{\"id\":1,\"x\":";
        for (int i = 2; i < levels; i++) {
            strcat(body, "[");
        }
        for (int i = 2; i < levels; i++) {
            strcat(body, "]");
        }
        strcat(body, "}}]");
        struct batch b;
        struct arena a;
        struct err e;
        assert_int_equal(read_body(&b, body, false, &a, &e), levels <= 64 ? 0 : ERR_INVALID);
        body[strlen(body) - 1] = 0;
        arena_fini(&a);
        assert_int_equal(read_body(&b, body + 1, false, &a, &e), levels <= 64 ? 0 : ERR_INVALID);
        arena_fini(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_taken_apart),
        cmocka_unit_test(forms_are_told_apart),
        cmocka_unit_test(faults_have_words_and_a_place),
        cmocka_unit_test(nesting_is_bounded_for_each_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
