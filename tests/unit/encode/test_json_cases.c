// What is JSON and what is not, in the manner of JSONTestSuite: each text is accepted whole, or
// refused at an exact byte. Each lies at the end of a block of its own size, so that a read behind
// it is seen.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "encode/json_reader.h"

enum { ACCEPTED = -1, MAX_DEPTH = 8 };

struct json_case {
    const char *text;
    size_t len;
    long fault_at; // ACCEPTED, or the offset
};

#define OK(literal)                                                                                \
    {                                                                                              \
        literal, sizeof(literal) - 1, ACCEPTED                                                     \
    }
#define NO(literal, offset)                                                                        \
    {                                                                                              \
        literal, sizeof(literal) - 1, offset                                                       \
    }

// Returns ACCEPTED or the offset of the fault.
static long judge(const char *text, size_t len)
{
    char *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    struct buf scratch;
    buf_init(&scratch, 4096);
    struct json_reader r;
    json_reader_init(&r, (struct str){copy, len}, MAX_DEPTH, &scratch);
    enum json_token token;
    do {
        token = json_read(&r);
    } while (token != JSON_END && token != JSON_ERROR);
    long result = token == JSON_END ? ACCEPTED : (long)r.fault_at;
    assert_int_equal(json_read(&r), token); // the last answer is given again
    if (token == JSON_ERROR) {
        assert_non_null(r.fault);
        assert_true(r.fault_at <= len);
        assert_int_equal(r.fault_code, strstr(r.fault, "deep") ? ERR_TOO_LARGE : ERR_INVALID);
    }
    buf_fini(&scratch);
    free(copy);
    return result;
}

static void check_all(const struct json_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        long found = judge(cases[i].text, cases[i].len);
        if (found != cases[i].fault_at) {
            fail_msg("case %zu <%.*s>: %ld, expected %ld", i, (int)cases[i].len, cases[i].text,
                     found, cases[i].fault_at);
        }
    }
}

static void test_structure(void **state)
{
    (void)state;
    static const struct json_case CASES[] = {
        OK("[]"),
        OK("{}"),
        OK("[ ]"),
        OK("{ }"),
        OK(" [] "),
        OK("\t\r\n []\n\r\t "),
        OK("[[]]"),
        OK("[{}]"),
        OK("{\"a\":[]}"),
        OK("[1,2]"),
        OK("[1 , 2]"),
        OK("[1\n,1]"),
        OK("{\"a\":1,\"b\":2}"),
        OK("{ \"a\" : 1 , \"b\" : 2 }"),
        OK("{\"a\":1,\"a\":2}"),
        OK("{\"a\":1,\"a\":1}"),
        OK("{\"\":0}"),
        OK("{\"a\\u0000b\":0}"),
        OK("[null,true,false]"),
        OK("null"),
        OK("true"),
        OK("false"),
        OK("0"),
        OK("\"\""),
        OK("\"a\""),
        OK("[[[[[[[[]]]]]]]]"),
        OK("[[[[[[[{}]]]]]]]"),
        OK("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":0}}}}}}}}"),
        OK("[[],[],{},{}]"),
        OK("{\"min\":-1.0e+28,\"max\":1.0e+28}"),
        NO("", 0),
        NO(" ", 1),
        NO("\n\n", 2),
        NO("[", 1),
        NO("]", 0),
        NO("{", 1),
        NO("}", 0),
        NO("[1", 2),
        NO("[1,", 3),
        NO("[1,]", 3),
        NO("[,1]", 1),
        NO("[,]", 1),
        NO("[1,,2]", 3),
        NO("[1 2]", 3),
        NO("[1;2]", 2),
        NO("[1:2]", 2),
        NO("[\"a\" \"b\"]", 5),
        NO("[1}", 2),
        NO("{\"a\":1]", 6),
        NO("[{]", 2),
        NO("{[", 1),
        NO("[]]", 2),
        NO("[][]", 2),
        NO("{}}", 2),
        NO("{},", 2),
        NO("[] x", 3),
        NO("1 1", 2),
        NO("1,", 1),
        NO("null,", 4),
        NO("{\"a\"", 4),
        NO("{\"a\":", 5),
        NO("{\"a\":1", 6),
        NO("{\"a\":1,", 7),
        NO("{\"a\":1,}", 7),
        NO("{\"a\":1,,\"b\":2}", 7),
        NO("{\"a\" 1}", 5),
        NO("{\"a\"}", 4),
        NO("{\"a\":}", 5),
        NO("{\"a\"::1}", 5),
        NO("{\"a\":1 \"b\":2}", 7),
        NO("{:1}", 1),
        NO("{,}", 1),
        NO("{a:1}", 1),
        NO("{'a':1}", 1),
        NO("{1:1}", 1),
        NO("{null:1}", 1),
        NO("{\"a\":1 /* c */}", 7),
        NO("// c\n[]", 0),
        NO("[1] // c", 4),
        NO("[[[[[[[[[]]]]]]]]]", 8),
        NO("{\"a\":[[[[[[[[0", 12),
        NO("[\0]", 1),
        NO("\0", 0),
        NO("[]\0", 2),
        NO("[1]\f", 3),
        NO("\v[]", 0),
        NO("\xC2\xA0[]", 0),
        NO("[\xE2\x80\x8B]", 1),
        NO("\xEF\xBB\xBF[]", 0),
        NO("[]\xEF\xBB\xBF", 2),
        NO("\xFF\xFE[\0]\0", 0),
        NO("{\"a\":1}{\"a\":2}", 7),
        NO("{\"a\":1}\n{\"a\":2}", 8),
        NO("<html>", 0),
        NO("a=1", 0),
        NO("*", 0),
        NO("[\xE9]", 1),
    };
    check_all(CASES, sizeof CASES / sizeof *CASES);
}

static void test_words(void **state)
{
    (void)state;
    static const struct json_case CASES[] = {
        OK("[true]"),  OK("[ false ]"), NO("t", 1),         NO("tru", 3),
        NO("trux", 3), NO("truee", 4),  NO("[true", 5),     NO("[nul]", 4),
        NO("nulL", 3), NO("fals", 4),   NO("falsy", 4),     NO("True", 0),
        NO("TRUE", 0), NO("None", 0),   NO("undefined", 0), NO("[nulltrue]", 5),
        NO("NaN", 0),  NO("[NaN]", 1),  NO("Infinity", 0),  NO("[-Infinity]", 2),
        NO("nan", 1),
    };
    check_all(CASES, sizeof CASES / sizeof *CASES);
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct json_case CASES[] = {
        OK("-0"),
        OK("0.0"),
        OK("-0.0"),
        OK("123"),
        OK("-1"),
        OK("0e1"),
        OK("0e+1"),
        OK("0E-1"),
        OK("1e2"),
        OK("1E2"),
        OK("1E+2"),
        OK("1e-2"),
        OK("1.5e+3"),
        OK("123.456e78"),
        OK("1e00001"),
        OK("0.000000000000000000000000000000000000000000001"),
        OK("100000000000000000000000000000000000"),
        OK("9223372036854775807"),
        OK("-9223372036854775808"),
        OK("9223372036854775808"),
        OK("1e400"),
        OK("-1e400"),
        OK("1e-400"),
        OK("1e99999999999999999999999999"),
        OK("0e99999999999999999999999999"),
        OK("[1,-1,0,1.5]"),
        NO("-", 1),
        NO("[-]", 2),
        NO("--1", 1),
        NO("- 1", 1),
        NO("-a", 1),
        NO("+1", 0),
        NO(".5", 0),
        NO("-.5", 1),
        NO("1.", 2),
        NO("[1.]", 3),
        NO("1.e1", 2),
        NO("1.-1", 2),
        NO("1..2", 2),
        NO("1.2.3", 3),
        NO("0x1", 1),
        NO("0x", 1),
        NO("1a", 1),
        NO("00", 1),
        NO("01", 1),
        NO("-01", 2),
        NO("-00", 2),
        NO("[012]", 2),
        NO("1e", 2),
        NO("[1e]", 3),
        NO("1e+", 3),
        NO("1e-", 3),
        NO("1E+]", 3),
        NO("1e1.5", 3),
        NO("1e1e1", 3),
        NO("1ea", 2),
        NO("1eE2", 2),
        NO("1+2", 1),
        NO("1 000", 2),
        NO("1_000", 1),
        NO("1,000", 1),
        NO("0.1.2", 3),
        NO("1\xEF\xBC\x91", 1),
        NO("0\0", 1),
    };
    check_all(CASES, sizeof CASES / sizeof *CASES);
}

static void test_escapes(void **state)
{
    (void)state;
    static const struct json_case CASES[] = {
        OK("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
        OK("\"\\u0041\\u00e9\\u20AC\""),
        OK("\"\\u0000\""),
        OK("\"\\uD834\\uDD1E\""),
        OK("\"\\ud834\\udd1e\""),
        OK("\"\\uDBFF\\uDFFF\""),
        OK("\"\\uD800\\uDC00\""),
        OK("\"\\uFFFF\\uFFFE\\uFDD0\""),
        OK("\"\\uE000\\uD7FF\""),
        OK("\"\\\\u\""),
        OK("\"\\\\a\""),
        OK("\"x\\\\\""),
        OK("\"\\u0022\""),
        NO("\"\\x41\"", 1),
        NO("\"\\a\"", 1),
        NO("\"\\v\"", 1),
        NO("\"\\0\"", 1),
        NO("\"\\'\"", 1),
        NO("\"\\U0041\"", 1),
        NO("\"\\\0\"", 1),
        NO("\"\\\n\"", 1),
        NO("\"abcdefgh\\q\"", 9),
        NO("\"\\n\\q\"", 3),
        NO("\"\\\xC3\xA9\"", 1),
        NO("\"\\", 2),
        NO("\"\\\"", 3),
        NO("\"\\u\"", 3),
        NO("\"\\u0\"", 4),
        NO("\"\\u00\"", 5),
        NO("\"\\u004\"", 6),
        NO("\"\\u", 3),
        NO("\"\\u00", 5),
        NO("\"\\u0041", 7),
        NO("\"\\u00g1\"", 5),
        NO("\"\\u-041\"", 3),
        NO("\"\\u 041\"", 3),
        NO("\"\\uD800\"", 1),
        NO("\"\\uDC00\"", 1),
        NO("\"\\uDFFF\"", 1),
        NO("\"ab\\uD800\"", 3),
        NO("\"\\n\\uDC00\"", 3),
        NO("\"\\uD800x\"", 1),
        NO("\"\\uD800\\n\"", 1),
        NO("\"\\uD800\\u0041\"", 1),
        NO("\"\\uD800\\uD800\"", 1),
        NO("\"\\uD800\\uE000\"", 1),
        NO("\"\\uDD1E\\uD834\"", 1),
        NO("\"\\uDC00\\uDC00\"", 1),
        NO("\"\\uD800\\uD800\\uDC00\"", 1),
        NO("\"\\uD834\\u", 9),
        NO("\"\\uD834\\uDD", 11),
        NO("\"\\uD834\\uDDxx\"", 11),
        NO("\"\\uD834\\", 8),
        NO("\"\\uD834", 7),
        NO("{\"\\uD800\":1}", 2),
    };
    check_all(CASES, sizeof CASES / sizeof *CASES);
}

static void test_text_bytes(void **state)
{
    (void)state;
    static const struct json_case CASES[] = {
        OK("\"\x7F\""),
        OK("\" \""),
        OK("\"/\""),
        OK("\"\xC2\x80\""),
        OK("\"\xC3\xA9\""),
        OK("\"\xE2\x82\xAC\""),
        OK("\"\xE2\x80\xA8\xE2\x80\xA9\""), // U+2028, U+2029
        OK("\"\xED\x9F\xBF\xEE\x80\x80\""),
        OK("\"\xEF\xBB\xBF\""),
        OK("\"\xEF\xBF\xBF\""),
        OK("\"\xF0\x90\x80\x80\""),
        OK("\"\xF0\x9F\x98\x80\""),
        OK("\"\xF4\x8F\xBF\xBF\""),
        OK("\"abcdefg\xC3\xA9hijklmnopqrst\""),
        NO("\"", 1),
        NO("\"a", 2),
        NO("\"abcdefghijklmnop", 17),
        NO("[\"a]", 4),
        NO("{\"a", 3),
        NO("'a'", 0),
        NO("\"a\"b\"", 3),
        NO("\"\0\"", 1),
        NO("\"a\0b\"", 2),
        NO("\"\n\"", 1),
        NO("\"\t\"", 1),
        NO("\"\x1F\"", 1),
        NO("\"abcdefghi\x01\"", 10),
        NO("\"abc\\n\ndef\"", 6),
        NO("\"\xC3\xA9\n\"", 3),
        NO("\"\x80\"", 1),
        NO("\"\xBF\"", 1),
        NO("\"\xC0\x80\"", 1),
        NO("\"\xC0\xAF\"", 1),
        NO("\"\xC1\xBF\"", 1),
        NO("\"\xC3\"", 1),
        NO("\"\xC3", 1),
        NO("\"\xC3\xA9\xC3\"", 3),
        NO("\"\xE0\x80\xAF\"", 1),
        NO("\"\xE0\x9F\xBF\"", 1),
        NO("\"\xE2\x82\"", 1),
        NO("\"\xE2\x82", 1),
        NO("\"\xE2\"", 1),
        NO("\"\xED\xA0\x80\"", 1), // a surrogate
        NO("\"\xED\xBF\xBF\"", 1),
        NO("\"\xF0\x80\x80\x80\"", 1),
        NO("\"\xF0\x8F\xBF\xBF\"", 1),
        NO("\"\xF0\x9F\x98\"", 1),
        NO("\"\xF0\x9F\x98", 1),
        NO("\"\xF4\x90\x80\x80\"", 1),
        NO("\"\xF5\x80\x80\x80\"", 1),
        NO("\"\xFE\"", 1),
        NO("\"\xFF\"", 1),
        NO("\"caf\xE9\"", 4),
        NO("\"0123456789abcdef\xE9\"", 17),
        NO("\"\\n\xFF\"", 3),
        NO("[\"ok\",\"\xFF\"]", 7),
        NO("{\"\xFF\":1}", 2),
        NO("\"\xFC\x83\xBF\xBF\xBF\xBF\"", 1),
    };
    check_all(CASES, sizeof CASES / sizeof *CASES);
}

// A fault at any place of a word of eight bytes, and behind it, is found where it is.
static void test_faults_at_every_place(void **state)
{
    (void)state;
    static const char FAULTS[] = {'\0', '\n', '\x1F', '\x80', '\xFF'};
    for (size_t place = 1; place < 40; place++) {
        for (size_t k = 0; k < sizeof FAULTS; k++) {
            char text[42];
            memset(text, 'x', sizeof text);
            text[0] = text[sizeof text - 1] = '"';
            assert_int_equal(judge(text, sizeof text), ACCEPTED);
            text[place] = FAULTS[k];
            assert_int_equal(judge(text, sizeof text), (long)place);
        }
    }
}

// No beginning of a text is a text, and it is refused no earlier than where it ends.
static void test_every_cut(void **state)
{
    (void)state;
    static const char TEXT[] =
        "{\"a\":[1,-2.5e+3,true,null],\"b\\u00e9\\uD834\\uDD1E\":\"\xC3\xA9 \\n\",\"c\":{}}";
    size_t len = sizeof TEXT - 1;
    assert_int_equal(judge(TEXT, len), ACCEPTED);
    for (size_t cut = 0; cut < len; cut++) {
        long found = judge(TEXT, cut);
        bool is_in_character = cut > 0 && (TEXT[cut] & 0xC0) == 0x80;
        assert_int_equal(found, is_in_character ? (long)cut - 1 : (long)cut);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_structure),  cmocka_unit_test(test_words),
        cmocka_unit_test(test_numbers),    cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_text_bytes), cmocka_unit_test(test_faults_at_every_place),
        cmocka_unit_test(test_every_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
