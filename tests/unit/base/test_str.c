#include "base/str.h"

#include <stdlib.h>

#include "unit.h"

static void compares(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool is_equal, is_equal_nocase;
    } cases[] = {
        {"", "", true, true},          {"a", "a", true, true},
        {"a", "A", false, true},       {"a", "b", false, false},
        {"a", "ab", false, false},     {"ab", "a", false, false},
        {"@", "`", false, false},      {"[", "{", false, false},
        {"Host", "hOST", false, true}, {"\xC3\x84", "\xC3\xA4", false, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str a = str_from(cases[i].a), b = str_from(cases[i].b);
        if (str_eq(a, b) != cases[i].is_equal || str_eq_constant_time(a, b) != cases[i].is_equal ||
            str_eq_nocase(a, b) != cases[i].is_equal_nocase) {
            fail_case(i, "\"%s\" \"%s\"", cases[i].a, cases[i].b);
        }
    }
    assert_true(str_eq((struct str){NULL, 0}, STR("")));
    assert_true(str_eq_constant_time((struct str){NULL, 0}, STR("")));
    assert_false(str_eq_constant_time(STR("secret-1"), STR("secret-2")));
    assert_false(str_eq_constant_time(STR("1-secret"), STR("2-secret")));
    assert_true(str_eq(STR("a\0b"), STR("a\0b")));
    assert_false(str_eq(STR("a\0b"), STR("a\0c")));
}

static void finds_ends(void **state)
{
    (void)state;
    assert_true(str_starts_with(STR("advance 1s"), STR("advance ")));
    assert_true(str_starts_with(STR("a"), STR("")));
    assert_true(str_starts_with((struct str){NULL, 0}, (struct str){NULL, 0}));
    assert_false(str_starts_with(STR("ad"), STR("adv")));
    assert_true(str_ends_with(STR("a.lua"), STR(".lua")));
    assert_true(str_ends_with(STR("a"), STR("")));
    assert_false(str_ends_with(STR("lua"), STR(".lua")));
    assert_false(str_ends_with(STR("a.luc"), STR(".lua")));
    assert_str_text(str_trim(STR(" \t a b\t ")), "a b");
    assert_str_text(str_trim(STR(" \t ")), "");
    assert_str_text(str_trim(STR("\na\n")), "\na\n");
}

static void reads_integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
        int64_t value;
    } cases[] = {
        {"0", 0, 0},
        {"-0", 0, 0},
        {"42", 0, 42},
        {"-42", 0, -42},
        {"007", 0, 7},
        {"9223372036854775807", 0, INT64_MAX},
        {"-9223372036854775808", 0, INT64_MIN},
        {"9223372036854775808", ERR_TOO_LARGE, 0},
        {"-9223372036854775809", ERR_TOO_LARGE, 0},
        {"99999999999999999999999", ERR_TOO_LARGE, 0},
        {"99999999999999999999999x", ERR_INVALID, 0},
        {"", ERR_INVALID, 0},
        {"-", ERR_INVALID, 0},
        {"+1", ERR_INVALID, 0},
        {" 1", ERR_INVALID, 0},
        {"1 ", ERR_INVALID, 0},
        {"1.0", ERR_INVALID, 0},
        {"0x1", ERR_INVALID, 0},
        {"--1", ERR_INVALID, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t value = 77;
        int code = str_to_int64(str_from(cases[i].text), &value);
        if (code != cases[i].code || value != (code == 0 ? cases[i].value : 77)) {
            fail_case(i, "\"%s\" gave %d, %lld", cases[i].text, code, (long long)value);
        }
    }
}

static void copies(void **state)
{
    (void)state;
    char *copy = str_dup(STR("a\0b"));
    assert_memory_equal(copy, "a\0b", 4);
    free(copy);
    copy = str_dup((struct str){NULL, 0});
    assert_string_equal(copy, "");
    free(copy);
}

static void measures_distance(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        unsigned limit, distance;
    } cases[] = {
        {"", "", 3, 0},
        {"url", "url", 3, 0},
        {"ulr", "url", 3, 2},
        {"header", "headers", 3, 1},
        {"kitten", "sitting", 3, 3},
        {"kitten", "sitting", 2, 3},
        {"abc", "xyz", 1, 2},
        {"", "abc", 3, 3},
        {"", "abcd", 3, 4},
        {"a", "a", 0, 0},
        {"a", "b", 0, 1},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str a = str_from(cases[i].a), b = str_from(cases[i].b);
        if (str_distance(a, b, cases[i].limit) != cases[i].distance ||
            str_distance(b, a, cases[i].limit) != cases[i].distance) {
            fail_case(i, "\"%s\" \"%s\"", cases[i].a, cases[i].b);
        }
    }
    char text[300];
    memset(text, 'a', sizeof text);
    struct str is_long = {text, sizeof text};
    assert_int_equal(str_distance(is_long, is_long, 2), 0);
    assert_int_equal(str_distance(is_long, (struct str){text, 299}, 2), 3);
}

static void checks_utf8(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        long bad_at; // -1: good
    } cases[] = {
        {{"", 0}, -1},
        {{NULL, 0}, -1},
        {{"plain ascii of more than eight bytes", 36}, -1},
        {{"\0", 1}, -1},
        {{"\x7F", 1}, -1},
        {{"\xC2\x80", 2}, -1},
        {{"\xDF\xBF", 2}, -1},
        {{"\xE0\xA0\x80", 3}, -1},
        {{"\xED\x9F\xBF", 3}, -1},
        {{"\xEE\x80\x80", 3}, -1},
        {{"\xEF\xBF\xBF", 3}, -1},
        {{"\xF0\x90\x80\x80", 4}, -1},
        {{"\xF4\x8F\xBF\xBF", 4}, -1},
        {{"12345678\xE2\x82\xAC"
          "12345678",
          19},
         -1},
        {{"\x80", 1}, 0},
        {{"\xBF", 1}, 0},
        {{"\xC0\x80", 2}, 0},         // overlong
        {{"\xC1\xBF", 2}, 0},         // overlong
        {{"\xE0\x9F\xBF", 3}, 0},     // overlong
        {{"\xF0\x8F\xBF\xBF", 4}, 0}, // overlong
        {{"\xED\xA0\x80", 3}, 0},     // surrogate
        {{"\xED\xBF\xBF", 3}, 0},     // surrogate
        {{"\xF4\x90\x80\x80", 4}, 0}, // beyond U+10FFFF
        {{"\xF5\x80\x80\x80", 4}, 0},
        {{"\xFF", 1}, 0},
        {{"ab\xE2\x82", 4}, 2}, // cut off
        {{"ab\xE2\x82z", 5}, 2},
        {{"12345678a\xC3", 10}, 9},
        {{"12345678\xC3\xA4\xF0\x9F\x98", 13}, 10},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t bad_at = 99;
        bool is_good = str_is_utf8(cases[i].text, &bad_at);
        if (is_good != (cases[i].bad_at < 0) || (!is_good && bad_at != (size_t)cases[i].bad_at)) {
            fail_case(i, "%d at %zu", is_good, bad_at);
        }
    }
}

static void walks_a_list(void **state)
{
    (void)state;
    struct str text = STR(" a, b c ,,\t,d"), item;
    assert_true(str_next_item(&text, &item));
    assert_str_text(item, "a");
    assert_true(str_next_item(&text, &item));
    assert_str_text(item, "b c");
    assert_true(str_next_item(&text, &item));
    assert_str_text(item, "d");
    assert_false(str_next_item(&text, &item));
    text = STR(" , ");
    assert_false(str_next_item(&text, &item));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares),          cmocka_unit_test(finds_ends),
        cmocka_unit_test(reads_integers),    cmocka_unit_test(copies),
        cmocka_unit_test(measures_distance), cmocka_unit_test(checks_utf8),
        cmocka_unit_test(walks_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
