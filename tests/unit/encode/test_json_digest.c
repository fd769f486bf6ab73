// Which texts are the same value, and which are not.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "encode/json_digest.h"
#include "encode/json_reader.h"

static uint64_t digest_of(struct str text, const char *const *skip_keys)
{
    uint64_t digest = 0;
    assert_int_equal(json_digest(text, skip_keys, &digest), 0);
    return digest;
}

static uint64_t digest(const char *text)
{
    return digest_of(str_from(text), NULL);
}

static void test_equal_values(void **state)
{
    (void)state;
    static const char *const CASES[][2] = {
        {"{}", " { } "},
        {"[]", "[\n]"},
        {"[1,2,3]", " [ 1 , 2\t,\r\n3 ]"},
        {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}"},
        {"{\"a\":{\"x\":1,\"y\":[1,2]},\"b\":null}", "{\"b\":null,\"a\":{\"y\":[1,2],\"x\":1}}"},
        {"{\"a\":1}", "{\"\\u0061\":1}"},
        {"\"\\u00e9/\"", "\"\xC3\xA9\\/\""},
        {"\"\\uD834\\uDD1E\"", "\"\xF0\x9D\x84\x9E\""},
        {"1", "1.0"},
        {"1", "1e0"},
        {"1", "1E+0"},
        {"1", "10e-1"},
        {"1", "0.1e1"},
        {"1", "1.000000000000000000000000000000"},
        {"1000", "1e3"},
        {"1000", "1.0e+03"},
        {"12500.10", "12500.1"},
        {"12500.10", "1250010e-2"},
        {"0.05", "5e-2"},
        {"0", "-0"},
        {"0", "0.000"},
        {"0", "0e99999999999999999999999"},
        {"-1.50", "-15e-1"},
        {"123456789012345678901234567890", "1.2345678901234567890123456789e29"},
        {"123456789012345678901234567890", "123456789012345678901234567890.000"},
        {"100000000000000000000", "1e20"},
        {"1e400", "10e399"},
        {"1e400", "1e0400"},
        {"1e-400", "0.1e-399"},
        // of a name that comes twice the last counts
        {"{\"a\":1,\"a\":2}", "{\"a\":2}"},
        {"{\"a\":1,\"b\":3,\"\\u0061\":2}", "{\"b\":3,\"a\":2}"},
        {"{\"a\":1,\"a\":1}", "{\"a\":1}"},
        {"{\"a\":3,\"a\":1,\"a\":2}", "{\"a\":1,\"a\":3,\"a\":2}"},
        {"{\"x\":{\"a\":[],\"a\":{}}}", "{\"x\":{\"a\":{}}}"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        if (digest(CASES[i][0]) != digest(CASES[i][1])) {
            fail_msg("%s and %s are the same value", CASES[i][0], CASES[i][1]);
        }
    }
}

// Each of these is another value than every other.
static void test_different_values(void **state)
{
    (void)state;
    static const char *const CASES[] = {
        "null",
        "true",
        "false",
        "0",
        "1",
        "-1",
        "2",
        "10",
        "100",
        "0.1",
        "1.5",
        "15",
        "\"\"",
        "\"1\"",
        "\"null\"",
        "\"a\"",
        "\"A\"",
        "\"a \"",
        "\"\\u0000\"",
        "\"\\u0000\\u0000\"",
        "[]",
        "{}",
        "[[]]",
        "[{}]",
        "[null]",
        "[1]",
        "[1,1]",
        "[1,2]",
        "[2,1]",
        "[[1],2]",
        "[1,[2]]",
        "[[1,2]]",
        "[\"a\",1]",
        "{\"a\":1}",
        "{\"a\":\"1\"}",
        "{\"a\":2}",
        "{\"b\":1}",
        "{\"a\":null}",
        "{\"a\":[]}",
        "{\"a\":{}}",
        "{\"a\":1,\"b\":2}",
        "{\"a\":2,\"b\":1}",
        "{\"a\":1,\"b\":1}",
        "{\"a\":{\"b\":1}}",
        "{\"a\":{\"a\":1}}",
        "{\"a\":{\"b\":1},\"c\":2}",
        "{\"a\":{\"b\":1,\"c\":2}}",
        "{\"a\":{\"c\":2},\"b\":1}",
        "{\"a\":1,\"a\":3}",
        "9007199254740992",
        "9007199254740993",
        "9223372036854775807",
        "9223372036854775808",
        "123456789012345678901234567890",
        "123456789012345678901234567891",
        "123456789012345678901234567880",
        "223456789012345678901234567890",
        "123456789012345670901234567890",
        "123456789012345678",
        "1234567890123456780000000000001",
        "123456789012345678000000000001",
        "12345678901234567801",
        "1234567890123456781",
        "0.1234567890123456789012345678901",
        "0.1234567890123456789012345678902",
        "1e400",
        "1e401",
        "-1e400",
        "1e-400",
        "1e99999999999999999999998",
        "1e99999999999999999999999",
        "2e99999999999999999999999",
    };
    enum { COUNT = sizeof CASES / sizeof *CASES };
    uint64_t digests[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        digests[i] = digest(CASES[i]);
        for (size_t k = 0; k < i; k++) {
            if (digests[k] == digests[i]) {
                fail_msg("%s and %s are not the same value", CASES[k], CASES[i]);
            }
        }
    }
}

static void test_skipped_keys(void **state)
{
    (void)state;
    static const char *const SKIP[] = {"id", "time", NULL};
    static const char *const NOTHING[] = {NULL};
    uint64_t plain = digest("{\"type\":\"deal\",\"record\":{\"id\":1}}");
    assert_true(
        digest_of(STR("{\"id\":7,\"type\":\"deal\",\"time\":{\"id\":2},\"record\":{\"id\":1}}"),
                  SKIP) == plain);
    assert_true(digest_of(STR("{\"\\u0069d\":7,\"type\":\"deal\",\"record\":{\"id\":1}}"), SKIP) ==
                plain);
    assert_true(digest_of(STR("{\"type\":\"deal\",\"record\":{\"id\":1},\"id\":1,\"id\":[2]}"),
                          SKIP) == plain);
    // below the top they count
    assert_true(digest_of(STR("{\"type\":\"deal\",\"record\":{\"id\":2}}"), SKIP) != plain);
    assert_true(digest_of(STR("[{\"id\":1}]"), SKIP) != digest_of(STR("[{\"id\":2}]"), SKIP));
    assert_true(digest_of(STR("{\"id\":1}"), NOTHING) != digest("{}"));
    assert_true(digest_of(STR("{\"id\":1}"), SKIP) == digest("{}"));
    assert_true(digest_of(STR("{\"ID\":1}"), SKIP) != digest("{}"));
}

// Stored digests are compared with new ones, on this host and on others: these never change.
static void test_stored_digests(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t digest;
    } CASES[] = {
        {"null", UINT64_C(0x840317db67ea98c6)},
        {"{\"id\":\"crm-88121\",\"type\":\"deal.updated\",\"record\":{\"id\":4021,\"amount\":12500."
         "50}}",
         UINT64_C(0x56e9ab9ba26d7973)},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        if (digest(CASES[i].text) != CASES[i].digest) {
            fail_msg("%s: 0x%llx", CASES[i].text, (unsigned long long)digest(CASES[i].text));
        }
    }
}

static void put_member(struct buf *b, size_t i, size_t value)
{
    buf_printf(b, "%s\"k%zu\":%zu", b->len > 1 ? "," : "", i, value);
}

// Objects of every size around where the way of finding names that come twice changes, and large
// ones.
static void test_many_members(void **state)
{
    (void)state;
    static const size_t SIZES[] = {1,   2,   63,  64,  65,  127,  128,
                                   129, 200, 255, 256, 257, 1000, 50000};
    for (size_t s = 0; s < sizeof SIZES / sizeof *SIZES; s++) {
        size_t count = SIZES[s];
        struct buf up;
        struct buf down;
        struct buf twice;
        struct buf other;
        buf_init(&up, SIZE_MAX);
        buf_init(&down, SIZE_MAX);
        buf_init(&twice, SIZE_MAX);
        buf_init(&other, SIZE_MAX);
        struct buf *all[] = {&up, &down, &twice, &other};
        for (size_t i = 0; i < 4; i++) {
            buf_append_char(all[i], '{');
        }
        for (size_t i = 0; i < count; i++) {
            put_member(&up, i, i * 3);
            put_member(&down, count - 1 - i, (count - 1 - i) * 3);
            put_member(&twice, i, i * 7 + 1);
            put_member(&other, i, i == count / 2 ? i * 3 + 1 : i * 3);
        }
        for (size_t i = 0; i < count; i++) {
            put_member(&twice, i, i * 3);
        }
        for (size_t i = 0; i < 4; i++) {
            buf_append_char(all[i], '}');
            assert_int_equal(all[i]->failed, 0);
        }
        uint64_t expected = digest_of(buf_str(&up), NULL);
        assert_true(digest_of(buf_str(&down), NULL) == expected);
        assert_true(digest_of(buf_str(&twice), NULL) == expected);
        assert_true(digest_of(buf_str(&other), NULL) != expected);
        for (size_t i = 0; i < 4; i++) {
            buf_fini(all[i]);
        }
    }
}

// Open objects share one list of members: what an inner one drops must not touch an outer one.
static void test_nested_members(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, SIZE_MAX);
    enum { LEVELS = 100 };
    for (int i = 0; i < LEVELS; i++) {
        buf_printf(&b, "{\"x\":1,\"y\":2,\"x\":3,\"in\":");
    }
    buf_append_text(&b, "null");
    for (int i = 0; i < LEVELS; i++) {
        buf_append_text(&b, ",\"z\":4,\"y\":5}");
    }
    struct buf plain;
    buf_init(&plain, SIZE_MAX);
    for (int i = 0; i < LEVELS; i++) {
        buf_printf(&plain, "{\"z\":4,\"y\":5,\"x\":3,\"in\":");
    }
    buf_append_text(&plain, "null");
    for (int i = 0; i < LEVELS; i++) {
        buf_append_char(&plain, '}');
    }
    assert_true(digest_of(buf_str(&b), NULL) == digest_of(buf_str(&plain), NULL));
    buf_fini(&b);
    buf_fini(&plain);
}

static void test_not_json(void **state)
{
    (void)state;
    uint64_t d;
    assert_int_equal(json_digest(STR("{\"a\":1"), NULL, &d), ERR_INVALID);
    assert_int_equal(json_digest(STR(""), NULL, &d), ERR_INVALID);
    assert_int_equal(json_digest(STR("[1] 2"), NULL, &d), ERR_INVALID);
    char deep[JSON_DEPTH_MAX + 1];
    memset(deep, '[', sizeof deep);
    assert_int_equal(json_digest((struct str){deep, sizeof deep}, NULL, &d), ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_values), cmocka_unit_test(test_different_values),
        cmocka_unit_test(test_skipped_keys), cmocka_unit_test(test_stored_digests),
        cmocka_unit_test(test_many_members), cmocka_unit_test(test_nested_members),
        cmocka_unit_test(test_not_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
