// What the writer writes: commas, escapes, numbers, members; faults that stick.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "encode/json_writer.h"

static void assert_written(struct buf *out, const char *expected)
{
    assert_int_equal(out->failed, 0);
    assert_int_equal(buf_append_char(out, '\0'), 0);
    assert_string_equal(out->data, expected);
    buf_reset(out);
}

static void test_structure(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    struct json_writer w;
    json_writer_init(&w, &out);
    json_object_begin(&w);
    json_key(&w, STR("a"));
    json_array_begin(&w);
    json_integer(&w, 1);
    json_array_begin(&w);
    json_array_end(&w);
    json_object_begin(&w);
    json_object_end(&w);
    json_string(&w, STR("x"));
    json_bool(&w, true);
    json_bool(&w, false);
    json_null(&w);
    json_raw(&w, STR("{\"raw\": 1.50}"));
    assert_int_equal(json_double(&w, 2), 0);
    json_array_end(&w);
    json_key(&w, STR(""));
    json_object_begin(&w);
    json_key(&w, STR("k"));
    json_string(&w, STR(""));
    json_object_end(&w);
    json_key(&w, STR("z"));
    json_null(&w);
    json_object_end(&w);
    assert_int_equal(w.depth, 0);
    assert_written(&out,
                   "{\"a\":[1,[],{},\"x\",true,false,null,{\"raw\": 1.50},2.0],\"\":{\"k\":\"\"},"
                   "\"z\":null}");
    buf_fini(&out);
}

static void test_scalars_alone(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    struct json_writer w;
    json_writer_init(&w, &out);
    json_integer(&w, INT64_MIN);
    assert_written(&out, "-9223372036854775808");
    json_writer_init(&w, &out);
    json_integer(&w, INT64_MAX);
    assert_written(&out, "9223372036854775807");
    json_writer_init(&w, &out);
    json_integer(&w, 0);
    assert_written(&out, "0");
    json_writer_init(&w, &out);
    json_double(&w, -12500.5);
    assert_written(&out, "-12500.5");
    json_writer_init(&w, &out);
    json_string(&w, (struct str){NULL, 0});
    assert_written(&out, "\"\"");
    buf_fini(&out);
}

static void test_no_number(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 64);
    struct json_writer w;
    json_writer_init(&w, &out);
    json_array_begin(&w);
    assert_int_equal(json_double(&w, (double)NAN), ERR_INVALID);
    assert_int_equal(json_double(&w, HUGE_VAL), ERR_INVALID);
    assert_int_equal(json_double(&w, -HUGE_VAL), ERR_INVALID);
    json_double(&w, 1.5);
    json_array_end(&w);
    assert_written(&out, "[1.5]");
    buf_fini(&out);
}

static void test_escapes(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        const char *written;
    } CASES[] = {
        {{"plain", 5}, "\"plain\""},
        {{"a\"b\\c/d", 7}, "\"a\\\"b\\\\c/d\""},
        {{"\b\f\n\r\t", 5}, "\"\\b\\f\\n\\r\\t\""},
        {{"\0\x01\x0B\x1F\x7F", 5}, "\"\\u0000\\u0001\\u000b\\u001f\x7F\""},
        {{"caf\xC3\xA9", 5}, "\"caf\xC3\xA9\""},
        {{"\xE2\x80\xA8", 3}, "\"\xE2\x80\xA8\""}, // U+2028 stays
        {{"\xF0\x9F\x98\x80!", 5}, "\"\xF0\x9F\x98\x80!\""},
        {{"twelve bytes\nand more than eight", 32}, "\"twelve bytes\\nand more than eight\""},
        {{"\n", 1}, "\"\\n\""},
        {{"x\xFFy", 3}, "\"x\xEF\xBF\xBDy\""},
        {{"caf\xE9", 4}, "\"caf\xEF\xBF\xBD\""},
        {{"\xE2\x82", 2}, "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {{"\xED\xA0\x80", 3}, "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {{"\xC0\x80 \"", 4}, "\"\xEF\xBF\xBD\xEF\xBF\xBD \\\"\""},
    };
    struct buf out;
    buf_init(&out, 4096);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct json_writer w;
        json_writer_init(&w, &out);
        json_string(&w, CASES[i].text);
        assert_written(&out, CASES[i].written);

        json_writer_init(&w, &out); // the same as a name
        json_object_begin(&w);
        json_key(&w, CASES[i].text);
        json_null(&w);
        json_key(&w, CASES[i].text);
        json_null(&w);
        json_object_end(&w);
        char expected[256];
        snprintf(expected, sizeof expected, "{%s:null,%s:null}", CASES[i].written,
                 CASES[i].written);
        assert_written(&out, expected);
    }
    buf_fini(&out);
}

static void test_members(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    struct json_writer w;
    json_writer_init(&w, &out);
    json_object_begin(&w);
    json_member_string(&w, "s", STR("a\"b"));
    json_member_string(&w, "none", (struct str){NULL, 0});
    json_member_string(&w, "empty", STR(""));
    json_member_string_or_null(&w, "some", STR("y"));
    json_member_string_or_null(&w, "nothing", STR(""));
    json_member_text(&w, "t", "x");
    json_member_text(&w, "no_text", NULL);
    json_member_integer(&w, "i", -7);
    json_member_bool(&w, "b", true);
    json_member_null(&w, "n");
    json_member_time(&w, "at", 1795425300120);
    json_object_end(&w);
    assert_written(&out, "{\"s\":\"a\\\"b\",\"none\":null,\"empty\":\"\",\"some\":\"y\","
                         "\"nothing\":null,\"t\":\"x\",\"no_text\":null,\"i\":-7,\"b\":true,\"n\":"
                         "null,\"at\":\"2026-11-23T09:15:00.120Z\"}");
    buf_fini(&out);
}

// A full buffer fails for good, whatever is written when it is met, and is never overrun.
static void test_full_buffer(void **state)
{
    (void)state;
    for (size_t max = 0; max < 40; max++) {
        struct buf out;
        buf_init(&out, max);
        struct json_writer w;
        json_writer_init(&w, &out);
        json_object_begin(&w);
        json_key(&w, STR("name"));
        json_string(&w, STR("a\"b\xFF"));
        json_key(&w, STR("n\n"));
        json_integer(&w, 12345);
        json_key(&w, STR("d"));
        json_double(&w, 1.25);
        json_object_end(&w);
        assert_int_equal(w.depth, 0);
        assert_true(out.len <= max);
        assert_int_equal(out.failed, max < 39 ? ERR_TOO_LARGE : 0);
        buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_structure), cmocka_unit_test(test_scalars_alone),
        cmocka_unit_test(test_no_number), cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_members),   cmocka_unit_test(test_full_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
