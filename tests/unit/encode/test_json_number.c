// Numbers both ways: what is read, what is printed, and when the printed form is the written one.
#include <float.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "encode/json_number.h"
#include "encode/json_print.h"

enum { ROUNDS = 20000 };

static uint64_t next_random(uint64_t *seed) // splitmix64
{
    uint64_t x = *seed += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static double double_of(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

static uint64_t bits_of(double d)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    return bits;
}

static struct json_number parse(const char *text)
{
    struct json_number n;
    if (json_number_parse(str_from(text), &n) != 0) {
        fail_msg("%s is not read", text);
    }
    return n;
}

static void print(char out[JSON_PRINT_MAX + 1], const struct json_number *n)
{
    size_t len =
        n->is_integer ? json_print_integer(out, n->integer) : json_print_double(out, n->value);
    assert_true(len <= JSON_PRINT_MAX);
    out[len] = '\0';
}

static void test_integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } CASES[] = {
        {"0", 0},
        {"1", 1},
        {"-1", -1},
        {"4021", 4021},
        {"9007199254740993", INT64_C(9007199254740993)},
        {"999999999999999999", INT64_C(999999999999999999)},
        {"1000000000000000000", INT64_C(1000000000000000000)},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775807", -INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct json_number n = parse(CASES[i].text);
        assert_true(n.is_integer);
        assert_false(n.prints_otherwise);
        assert_true(n.integer == CASES[i].value);
        assert_true(n.value == (double)CASES[i].value);
        char printed[JSON_PRINT_MAX + 1];
        print(printed, &n);
        assert_string_equal(printed, CASES[i].text);
    }
}

static void test_integers_beyond_int64(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } CASES[] = {
        {"-0", -0.0},
        {"9223372036854775808", 9223372036854775808.0},
        {"-9223372036854775809", -9223372036854775808.0},
        {"9999999999999999999", 1e19},
        {"18446744073709551615", 18446744073709551616.0},
        {"18446744073709551617", 18446744073709551616.0}, // 2^64 + 1 must not wrap to 1
        {"123456789012345678901234567890", 123456789012345678901234567890.0},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct json_number n = parse(CASES[i].text);
        assert_false(n.is_integer);
        assert_true(n.prints_otherwise);
        assert_true(bits_of(n.value) == bits_of(CASES[i].value));
    }
}

static void test_not_numbers(void **state)
{
    (void)state;
    static const char *const CASES[] = {
        "",    " 1",  "1 ",  "+1",  "01", "1.",           ".1",  "1e",   "-",    "0x1",
        "1e+", "NaN", "inf", "1,5", "1a", "\xEF\xBC\x91", "--1", "1.5.", "1e1e", "\"1\"",
    };
    struct json_number n;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        assert_int_equal(json_number_parse(str_from(CASES[i]), &n), ERR_INVALID);
    }
    assert_int_equal(json_number_parse((struct str){"1\0", 2}, &n), ERR_INVALID);
    assert_int_equal(json_number_parse((struct str){NULL, 0}, &n), ERR_INVALID);
}

// The values are hexadecimal, so that no other decimal reader is trusted.
static void test_rounding(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } CASES[] = {
        {"0.1", 0x1.999999999999ap-4},
        {"0.3", 0x1.3333333333333p-2},
        {"12500.50", 12500.5},
        {"1e22", 0x1.0f0cf064dd592p+73},
        {"1e23", 0x1.52d02c7e14af6p+76},
        {"9007199254740992.0", 0x1p53},
        {"9007199254740993.0", 0x1p53}, // halfway: to even
        {"9007199254740993.00000000000000000000000000000000000001", 0x1.0000000000001p53},
        {"9007199254740994.0", 0x1.0000000000001p53},
        {"9007199254740995.0", 0x1.0000000000002p53}, // halfway: to even
        {"9007199254740995.0e0", 0x1.0000000000002p53},
        {"9007199254740994999999999999999999e-18", 0x1.0000000000001p53},
        {"1.00000000000000011102230246251565", 0x1p0},
        {"1.000000000000000111022302462515654042363166809082031250", 0x1p0},
        {"1.0000000000000001110223024625156540423631668090820312500001", 0x1.0000000000001p0},
        {"2.2250738585072014e-308", 0x1p-1022},
        {"2.2250738585072011e-308", 0x0.fffffffffffffp-1022},
        {"2.2250738585072012e-308", 0x1p-1022},
        {"5e-324", 0x1p-1074},
        {"4.9e-324", 0x1p-1074},
        {"2.5e-324", 0x1p-1074},
        {"2.4703282292062327e-324", 0.0},
        {"2.4703282292062328e-324", 0x1p-1074},
        {"1e-400", 0.0},
        {"1.7976931348623157e308", DBL_MAX},
        {"1.7976931348623158e308", DBL_MAX},
        {"179769313486231580793e288", DBL_MAX},
        {"1.7976931348623159e308", HUGE_VAL},
        {"1e309", HUGE_VAL},
        {"1e99999999999999999999", HUGE_VAL},
        {"-1e99999999999999999999", -HUGE_VAL},
        {"1e-99999999999999999999", 0.0},
        {"0e99999999999999999999", 0.0},
        {"0.00000000000000000000000000000000000001e39", 10.0},
        {"100000000000000000000000000000000000000e-38", 1.0},
        {"123456789012345678e-17", 0x1.3c0ca428c59fbp0},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct json_number n = parse(CASES[i].text);
        if (bits_of(n.value) != bits_of(CASES[i].value)) {
            fail_msg("%s: %a, expected %a", CASES[i].text, n.value, CASES[i].value);
        }
        assert_false(n.is_integer);
        if (isinf(n.value)) {
            assert_true(n.prints_otherwise);
        }
    }
}

// A number of any length is read, and its last digit can decide.
static void test_long_numbers(void **state)
{
    (void)state;
    enum { LEN = 20000 };
    char *text = malloc(LEN + 32);
    assert_non_null(text);
    struct json_number n;

    memset(text, '0', LEN);
    memcpy(text, "9007199254740993.", 17); // halfway, but for the very last digit
    assert_int_equal(json_number_parse((struct str){text, LEN}, &n), 0);
    assert_true(n.value == 0x1p53);
    text[LEN - 1] = '1';
    assert_int_equal(json_number_parse((struct str){text, LEN}, &n), 0);
    assert_true(n.value == 0x1.0000000000001p53);

    memset(text, '0', LEN);
    memcpy(text, "0.", 2); // twenty thousand zeros and an exponent that takes them back
    int tail = snprintf(text + LEN, 32, "15e%d", LEN - 2 + 1);
    assert_int_equal(json_number_parse((struct str){text, LEN + (size_t)tail}, &n), 0);
    assert_true(n.value == 1.5);

    memset(text, '0', LEN);
    text[0] = '2';
    tail = snprintf(text + LEN, 32, "e-%d", LEN);
    assert_int_equal(json_number_parse((struct str){text, LEN + (size_t)tail}, &n), 0);
    assert_true(n.value == 0.2);

    memset(text, '7', LEN);
    assert_int_equal(json_number_parse((struct str){text, LEN}, &n), 0);
    assert_true(isinf(n.value) && n.prints_otherwise && !n.is_integer);
    free(text);
}

static void test_printed_forms(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } CASES[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1.0, "1.0"},
        {3.0, "3.0"},
        {-3.0, "-3.0"},
        {10.0, "10.0"},
        {12500.5, "12500.5"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3.0, "0.3333333333333333"},
        {2.0 / 3.0, "0.6666666666666666"},
        {100000.0, "100000.0"},
        {123456789.125, "123456789.125"},
        {1e15, "1000000000000000.0"},
        {999999999999999.0, "999999999999999.0"},
        {9007199254740993.0, "9007199254740992.0"},
        {1e20, "100000000000000000000.0"},
        {1e21, "1e+21"},
        {1.5e21, "1.5e+21"},
        {1e22, "1e+22"},
        {1e23, "1e+23"},
        {1e300, "1e+300"},
        {1e-5, "0.00001"},
        {1e-6, "0.000001"},
        {0.00000123, "0.00000123"},
        {1e-7, "1e-7"},
        {1.25e-7, "1.25e-7"},
        {-1.5e-300, "-1.5e-300"},
        {5e-324, "5e-324"},
        {1.5e-323, "1.5e-323"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {0x0.fffffffffffffp-1022, "2.225073858507201e-308"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {0x1p-44,
         "5.684341886080802e-14"}, // a power of two whose nearest 16 digits read back as another
        {0x1p53, "9007199254740992.0"},
        {0x1p63, "9223372036854776000.0"},
        {13.404953999999975, "13.404953999999975"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char printed[JSON_PRINT_MAX + 1];
        struct json_number n = {.value = CASES[i].value};
        print(printed, &n);
        assert_string_equal(printed, CASES[i].text);
    }
}

// "Prints otherwise" decides whether the host may forget how a number was written.
static void test_prints_otherwise(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool prints_otherwise;
    } CASES[] = {
        {"0.0", false},
        {"-0.0", false},
        {"-0", true},
        {"0.00", true},
        {"1.0", false},
        {"1.00", true},
        {"12500.5", false},
        {"12500.50", true},
        {"12500.10", true},
        {"100.0", false},
        {"0.1", false},
        {"0.10", true},
        {"0.000001", false},
        {"0.00000123456789012345", false},
        {"0.0000001", true},
        {"1e3", true},
        {"1E3", true},
        {"1e+3", true},
        {"1e+20", true},
        {"1e+21", false},
        {"1e-6", true},
        {"1e-7", false},
        {"1E+21", true},
        {"1e21", true},
        {"1e+021", true},
        {"1.0e+21", true},
        {"1.5e-7", false},
        {"1.50e-7", true},
        {"15e-8", true},
        {"0.30000000000000004", false},
        {"0.300000000000000040", true},
        {"0.30000000000000005", true}, // the same double as ...04
        {"13.404953999999975", false},
        {"123456789012345.0", false},
        {"1234567890123456.0", true},
        {"123456789012345678.0", true},
        {"999999999999999.9", false},
        {"0.0012345678901234567", false},
        {"1.23456789012345e+100", false},
        {"1.5e+308", false},
        {"1.5e-310", true},
        {"100000000000000000000.0", true},
        {"1000000000000000000000.0", true},
        {"3.141592653589793238462643383279", true},
        {"5e-324", true},
        {"4e-324", true},
        {"1e-400", true},
        {"1.7976931348623157e+308", true},
        {"1e+400", true},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        if (parse(CASES[i].text).prints_otherwise != CASES[i].prints_otherwise) {
            fail_msg("%s", CASES[i].text);
        }
    }
}

// Of numbers of an everyday size it is known exactly how they are printed; of others it may be
// assumed that they are not printed as they were written.
static bool is_decided_exactly(const char *text, double value)
{
    return !strchr(text, 'e') && fabs(value) >= 1e-3 && fabs(value) < 1e15;
}

static void check_both_ways(double value)
{
    char printed[JSON_PRINT_MAX + 1];
    struct json_number n = {.value = value};
    print(printed, &n);
    assert_true(strpbrk(printed, ".e") != NULL); // always seen to be a float
    struct json_number back = parse(printed);
    bool keeps_form = is_decided_exactly(printed, value) && back.prints_otherwise;
    if (bits_of(back.value) != bits_of(value) || keeps_form || back.is_integer) {
        fail_msg("%a is printed as %s and comes back as %a", value, printed, back.value);
    }
    // No shorter: the C library finds no decimal of fewer digits either.
    int digits = 0;
    for (const char *p = printed; *p && *p != 'e'; p++) {
        bool is_zero_in_front = *p == '0' && digits == 0;
        digits += *p >= '0' && *p <= '9' && !is_zero_in_front;
    }
    if (!strchr(printed, 'e') && strlen(printed) > 2 && strcmp(strrchr(printed, '.'), ".0") == 0) {
        const char *last = strrchr(printed, '.') - 1;
        for (digits--; last > printed && *last == '0'; last--) {
            digits--;
        }
    }
    if (digits > 1) {
        char shorter[40];
        snprintf(shorter, sizeof shorter, "%.*e", digits - 2, value);
        if (strtod(shorter, NULL) == value) {
            fail_msg("%s is longer than %s", printed, shorter);
        }
    }
}

static void test_random_doubles(void **state)
{
    (void)state;
    uint64_t seed = 20261123;
    for (int i = 0; i < ROUNDS; i++) {
        double any = double_of(next_random(&seed));
        if (isfinite(any) && any != 0) {
            check_both_ways(any);
        }
        // Sizes that people write: up to 15 digits, up to 8 of them behind the point.
        double amount = (double)(int64_t)(next_random(&seed) % 1000000000000000);
        check_both_ways((amount + 1) / pow(10, (double)(next_random(&seed) % 9)));
        check_both_ways(double_of(next_random(&seed) >> 12 | 1)); // below the normal numbers
    }
}

static void test_powers(void **state)
{
    (void)state;
    for (int i = -1074; i < 1024; i++) {
        double power = ldexp(1, i);
        check_both_ways(power);
        check_both_ways(nextafter(power, HUGE_VAL));
        if (i > -1074) {
            check_both_ways(nextafter(power, 0));
        }
    }
    for (int i = -323; i < 309; i++) {
        char text[16];
        snprintf(text, sizeof text, "1e%d", i);
        double power = parse(text).value;
        assert_true(power == strtod(text, NULL));
        check_both_ways(power);
        check_both_ways(nextafter(power, HUGE_VAL));
        check_both_ways(nextafter(power, 0));
    }
}

// Where it does not print otherwise, printing gives the text back byte for byte.
static void check_written_form(const char *text)
{
    struct json_number n = parse(text);
    char printed[JSON_PRINT_MAX + 1];
    bool is_same = false;
    if (n.is_integer || isfinite(n.value)) {
        print(printed, &n);
        is_same = strcmp(printed, text) == 0;
    }
    if (is_same ? n.prints_otherwise && is_decided_exactly(text, n.value) : !n.prints_otherwise) {
        fail_msg("%s is printed as %s", text, printed);
    }
    double expected = strtod(text, NULL);
    if (bits_of(n.value) != bits_of(expected)) {
        fail_msg("%s is read as %a, expected %a", text, n.value, expected);
    }
}

static void test_random_texts(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int i = 0; i < ROUNDS; i++) {
        char text[80];
        size_t len = 0;
        uint64_t r = next_random(&seed);
        if (r & 1) {
            text[len++] = '-';
        }
        size_t whole = (r >> 1) % 20;
        if (whole == 0) {
            text[len++] = '0';
        }
        for (size_t k = 0; k < whole; k++) {
            text[len++] =
                (char)('0' + (k == 0 ? 1 + next_random(&seed) % 9 : next_random(&seed) % 10));
        }
        size_t fraction = (r >> 8) % 4 == 0 ? 0 : (r >> 10) % 20;
        if (fraction > 0) {
            text[len++] = '.';
        }
        for (size_t k = 0; k < fraction; k++) {
            bool is_zero = (r >> 40) % 8 > k;
            text[len++] = (char)('0' + (is_zero ? 0 : next_random(&seed) % 10));
        }
        if ((r >> 16) % 4 == 0) {
            const char *mark = (r >> 18) % 4 == 0 ? "E" : (r >> 20) % 2 ? "e+" : "e-";
            len += (size_t)snprintf(text + len, 16, "%s%d", mark, (int)((r >> 24) % 330));
        }
        text[len] = '\0';
        check_written_form(text);
    }
}

// Exactly between two doubles, and a hair to either side.
static void test_halfway(void **state)
{
    (void)state;
    uint64_t seed = 99;
    for (int i = 0; i < ROUNDS / 4; i++) {
        double low = double_of((next_random(&seed) >> 2) % UINT64_C(0x7FE0000000000000));
        double high = nextafter(low, HUGE_VAL);
        long double middle = ((long double)low + (long double)high) / 2;
        char text[1200];
        snprintf(text, sizeof text, "%.780Le", middle);
        double even = bits_of(low) % 2 == 0 ? low : high;
        assert_true(parse(text).value == even);
        char *mark = strchr(text, 'e');
        mark[-1] = '1'; // the digits are all there, so this is above the middle
        assert_true(parse(text).value == high);
    }
}

// A decimal comma in the process's locale changes nothing.
static void test_locale(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "fr_FR"};
    bool is_set = false;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES && !is_set; i++) {
        is_set = setlocale(LC_ALL, NAMES[i]) != NULL;
    }
    if (!is_set) {
        skip(); // no such locale on this machine
    }
    struct json_number n = parse("0.30000000000000004");
    char printed[JSON_PRINT_MAX + 1];
    print(printed, &n);
    setlocale(LC_ALL, "C");
    assert_true(n.value == 0.1 + 0.2);
    assert_string_equal(printed, "0.30000000000000004");
    assert_false(n.prints_otherwise);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),         cmocka_unit_test(test_integers_beyond_int64),
        cmocka_unit_test(test_not_numbers),      cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_long_numbers),     cmocka_unit_test(test_printed_forms),
        cmocka_unit_test(test_prints_otherwise), cmocka_unit_test(test_random_doubles),
        cmocka_unit_test(test_powers),           cmocka_unit_test(test_random_texts),
        cmocka_unit_test(test_halfway),          cmocka_unit_test(test_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
