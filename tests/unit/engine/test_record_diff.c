// What has changed between two states of a record.
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/record_diff.h"

static int diff(const char *before, const char *now, struct arena *a, struct buf *out)
{
    struct record_fields old, new;
    arena_init(a, 64 << 20);
    buf_init(out, 64 << 20);
    assert_int_equal(record_fields_read(&old, str_from(before), a), 0);
    assert_int_equal(record_fields_read(&new, str_from(now), a), 0);
    int code = record_diff(&old, &new, out);
    record_fields_fini(&old);
    record_fields_fini(&new);
    return code;
}

static void old_values_of_what_differs(void **state)
{
    (void)state;
    static const struct {
        const char *before, *now, *previous;
    } cases[] = {
        {"{}", "{}", "{}"},
        {"{\"a\":1}", "{\"a\":1}", "{}"},
        {"{\"a\":1}", "{\"a\":2}", "{\"a\":1}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", "{\"c\":4,\"a\":0,\"b\":2}", "{\"c\":3,\"a\":1}"},
        // gone, new
        {"{\"a\":1,\"b\":[1]}", "{\"a\":1}", "{\"b\":[1]}"},
        {"{\"a\":1}", "{\"a\":1,\"b\":2}", "{\"b\":null}"},
        {"{\"a\":1}", "{\"a\":null}", "{\"a\":1}"},
        {"{\"a\":null}", "{\"a\":1}", "{\"a\":null}"},
        // numbers by value, in the form in which they were written
        {"{\"a\":1.0}", "{\"a\":1}", "{}"},
        {"{\"a\":12500.10}", "{\"a\":1.25001e4}", "{}"},
        {"{\"a\":12500.10}", "{\"a\":12500.11}", "{\"a\":12500.10}"},
        {"{\"a\":9007199254740993}", "{\"a\":9007199254740992}", "{\"a\":9007199254740993}"},
        // unlike types differ
        {"{\"a\":1}", "{\"a\":\"1\"}", "{\"a\":1}"},
        {"{\"a\":{}}", "{\"a\":[]}", "{\"a\":{}}"},
        {"{\"a\":false}", "{\"a\":null}", "{\"a\":false}"},
        // white space, order of keys, escapes
        {"{ \"a\" : { \"x\":1, \"y\" : [1 , 2] } }", "{\"a\":{\"y\":[1,2],\"x\":1}}", "{}"},
        {"{\"a\":[1,2]}", "{\"a\":[2,1]}", "{\"a\":[1,2]}"},
        {"{\"\\u0061\":\"\\u00e9\"}", "{\"a\":\"\xc3\xa9\"}", "{}"},
        {"{\"\\u0061\\\"\":1}", "{\"a\\\"\":2}", "{\"a\\\"\":1}"},
        {"{\"\":1}", "{\"\":2}", "{\"\":1}"},
        // of a name that comes twice the last counts
        {"{\"a\":1,\"a\":2}", "{\"a\":2}", "{}"},
        {"{\"a\":2}", "{\"a\":1,\"a\":2}", "{}"},
        {"{\"a\":1}", "{\"a\":1,\"a\":2}", "{\"a\":1}"},
        {"{\"a\":1,\"a\":2}", "{}", "{\"a\":2}"},
        // what names the record is no change, deeper it is
        {"{\"id\":4021}", "{\"id\":\"4021\"}", "{}"},
        {"{\"a\":{\"id\":1}}", "{\"a\":{\"id\":2}}", "{\"a\":{\"id\":1}}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena a;
        struct buf out;
        int code = diff(cases[i].before, cases[i].now, &a, &out);
        if (code || !str_eq(buf_str(&out), str_from(cases[i].previous))) {
            fail_case(i, "code %d, " STR_FMT, code, STR_ARG(buf_str(&out)));
        }
        buf_fini(&out);
        arena_fini(&a);
    }
}

static char *record_of_many(size_t count, size_t changed)
{
    char *text = malloc(count * 32 + 3);
    size_t len = (size_t)sprintf(text, "{");
    for (size_t i = 0; i < count; i++) {
        len += (size_t)sprintf(text + len, "%s\"f%zu\":%d", i ? "," : "", i, i == changed);
    }
    sprintf(text + len, "}");
    return text;
}

static void many_fields(void **state)
{
    (void)state;
    enum { MANY = 100000 };
    char *before = record_of_many(MANY, MANY), *now = record_of_many(MANY, 777);
    struct arena a;
    struct buf out;
    assert_int_equal(diff(before, now, &a, &out), 0);
    assert_str(buf_str(&out), STR("{\"f777\":0}"));
    buf_fini(&out);
    arena_fini(&a);
    free(before);
    free(now);
}

static void bounds_are_kept(void **state)
{
    (void)state;
    struct arena a;
    struct record_fields old, new;
    struct buf out;
    arena_init(&a, 4096);
    buf_init(&out, 16);
    assert_int_equal(record_fields_read(&old, STR("{\"a\":\"0123456789abcdef\"}"), &a), 0);
    assert_int_equal(record_fields_read(&new, STR("{}"), &a), 0);
    assert_int_equal(record_diff(&old, &new, &out), ERR_TOO_LARGE);
    record_fields_fini(&old);
    record_fields_fini(&new);
    char *many = record_of_many(1000, 0);
    assert_int_equal(record_fields_read(&old, str_from(many), &a), ERR_TOO_LARGE);
    record_fields_fini(&old);
    assert_int_equal(record_fields_read(&old, STR("[1]"), &a), ERR_INVALID);
    record_fields_fini(&old);
    free(many);
    buf_fini(&out);
    arena_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_values_of_what_differs),
        cmocka_unit_test(many_fields),
        cmocka_unit_test(bounds_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
