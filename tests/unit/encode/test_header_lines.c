#include "unit.h"

#include "encode/header_lines.h"

static void headers_become_one_object(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        const char *json;
    } cases[] = {
        {"", "{}"},
        {"A: 1\n", "{\"A\":\"1\"}"},
        {"A: 1", "{\"A\":\"1\"}"},
        {"A:1\nB:\t x y \nC:\n", "{\"A\":\"1\",\"B\":\"x y\",\"C\":\"\"}"},
        {"A: 1\nno colon\nB: 2:3\n", "{\"A\":\"1\",\"B\":\"2:3\"}"},
        {"Set-Cookie: a\nX: y\nset-cookie: b\nSET-COOKIE:\n",
         "{\"Set-Cookie\":\"a, b, \",\"X\":\"y\"}"},
        {"A: \xff\"\n", "{\"A\":\"\xEF\xBF\xBD\\\"\"}"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf out;
        struct json_writer w;

        buf_init(&out, 4096);
        json_writer_init(&w, &out);
        header_lines_write_json(&w, str_from(cases[i].lines));
        if (!str_eq(buf_str(&out), str_from(cases[i].json)))
            fail_case(i, STR_FMT, STR_ARG(buf_str(&out)));
        buf_fini(&out);
    }
}

static void more_than_the_most_are_left_out(void **state)
{
    (void)state;
    struct buf lines, out;
    struct json_writer w;

    buf_init(&lines, 64 * 1024);
    buf_init(&out, 64 * 1024);
    for (int i = 0; i < HEADER_LINES_MAX + 5; i++)
        buf_printf(&lines, "H%d: v\n", i);
    json_writer_init(&w, &out);
    header_lines_write_json(&w, buf_str(&lines));
    buf_append_char(&out, '\0');
    assert_non_null(strstr(out.data, "\"H127\""));
    assert_null(strstr(out.data, "\"H128\""));
    buf_fini(&out);
    buf_fini(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_become_one_object),
        cmocka_unit_test(more_than_the_most_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
