// Base64: RFC 4648's vectors, every byte, and what is not canonical.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "encode/base64.h"

static void test_vectors(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        const char *encoded;
    } CASES[] = {
        {{NULL, 0}, ""},
        {{"", 0}, ""},
        {{"f", 1}, "Zg=="},
        {{"fo", 2}, "Zm8="},
        {{"foo", 3}, "Zm9v"},
        {{"foob", 4}, "Zm9vYg=="},
        {{"fooba", 5}, "Zm9vYmE="},
        {{"foobar", 6}, "Zm9vYmFy"},
        {{"\xFB\xFF\xBF", 3}, "+/+/"},
        {{"\0\0\0\0", 4}, "AAAAAA=="},
        {{"crm:s3cret", 10}, "Y3JtOnMzY3JldA=="},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct buf out;
        buf_init(&out, 256);
        base64_encode(&out, CASES[i].text);
        assert_true(str_eq(buf_str(&out), str_from(CASES[i].encoded)));
        struct buf back;
        buf_init(&back, 256);
        assert_int_equal(base64_decode(&back, buf_str(&out)), 0);
        assert_true(str_eq(buf_str(&back), CASES[i].text));
        buf_fini(&out);
        buf_fini(&back);
    }
}

static void test_every_byte_and_length(void **state)
{
    (void)state;
    char bytes[256];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)(i * 37);
    }
    for (size_t len = 0; len <= sizeof bytes; len++) {
        struct buf out;
        struct buf back;
        buf_init(&out, 1024);
        buf_init(&back, 1024);
        base64_encode(&out, (struct str){bytes, len});
        assert_int_equal(out.len, (len + 2) / 3 * 4);
        assert_int_equal(base64_decode(&back, buf_str(&out)), 0);
        assert_int_equal(back.len, len);
        assert_true(len == 0 || memcmp(back.data, bytes, len) == 0);
        buf_fini(&out);
        buf_fini(&back);
    }
}

static void test_not_canonical(void **state)
{
    (void)state;
    static const char *const CASES[] = {
        "A",    "AA",   "AAA",  "AAAAA",   "=",        "====",     "A===",   "AA=A",
        "=AAA", "A=AA", "Zh==", "Zm9=",    "Zg==Zg==", "Zm8=Zm9v", "Zm9v\n", "Zm 9",
        " Zm9", "Zm9-", "Zm9_", "Zm9\xC3", "Zm9vZg=",  "Zm9.",
    };
    struct buf out;
    buf_init(&out, 64);
    buf_append_char(&out, 'x');
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        if (base64_decode(&out, str_from(CASES[i])) != ERR_INVALID) {
            fail_msg("%s", CASES[i]);
        }
        assert_int_equal(out.len, 1);
        assert_int_equal(out.failed, 0);
    }
    buf_fini(&out);
}

static void test_full_buffer(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 4);
    base64_encode(&out, STR("four"));
    assert_int_equal(out.failed, ERR_TOO_LARGE);
    assert_int_equal(out.len, 0);
    buf_reset(&out);
    assert_int_equal(base64_decode(&out, STR("Zm9vYmFy")), ERR_TOO_LARGE);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_every_byte_and_length),
        cmocka_unit_test(test_not_canonical),
        cmocka_unit_test(test_full_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
