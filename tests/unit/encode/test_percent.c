// Percent-encoding both ways.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "encode/percent.h"

static void test_encode(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        const char *encoded;
    } CASES[] = {
        {{"", 0}, ""},
        {{NULL, 0}, ""},
        {{"AZaz09-._~", 10}, "AZaz09-._~"},
        {{"a b+c&d=e/f?g#h%i", 17}, "a%20b%2Bc%26d%3De%2Ff%3Fg%23h%25i"},
        {{"!$'()*,:;@[]", 12}, "%21%24%27%28%29%2A%2C%3A%3B%40%5B%5D"},
        {{"\0\n\x7F\xFF", 4}, "%00%0A%7F%FF"},
        {{"K\xC3\xB6ln", 5}, "K%C3%B6ln"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct buf out;
        buf_init(&out, 256);
        percent_encode(&out, CASES[i].text);
        assert_true(str_eq(buf_str(&out), str_from(CASES[i].encoded)));
        struct buf back;
        buf_init(&back, 256);
        assert_int_equal(percent_decode(&back, buf_str(&out)), 0);
        assert_true(str_eq(buf_str(&back), CASES[i].text));
        buf_fini(&out);
        buf_fini(&back);
    }
}

static void test_decode(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 256);
    buf_append_text(&out, "x=");
    assert_int_equal(percent_decode(&out, STR("a+b%20%c3%B6&\xFF")), 0);
    assert_true(str_eq(buf_str(&out), STR("x=a+b \xC3\xB6&\xFF")));
    static const char *const STRAY[] = {"%",   "a%",  "%2",   "a%2", "%zz",
                                        "%2z", "%z2", "%%20", "% 20"};
    for (size_t i = 0; i < sizeof STRAY / sizeof *STRAY; i++) {
        size_t len = out.len;
        assert_int_equal(percent_decode(&out, str_from(STRAY[i])), ERR_INVALID);
        assert_int_equal(out.len, len);
        assert_int_equal(out.failed, 0);
    }
    // what lies behind the text is no part of it
    assert_int_equal(percent_decode(&out, (struct str){"%20", 2}), ERR_INVALID);
    assert_int_equal(percent_decode(&out, (struct str){"%20", 1}), ERR_INVALID);
    buf_fini(&out);
}

static void test_full_buffer(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 4);
    percent_encode(&out, STR("a b"));
    assert_int_equal(out.failed, ERR_TOO_LARGE);
    buf_reset(&out);
    assert_int_equal(percent_decode(&out, STR("abcde")), ERR_TOO_LARGE);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encode),
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_full_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
