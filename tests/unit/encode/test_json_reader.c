// The tokens that the reader gives: their kinds, texts and places; skipping; depth; the scratch
// buffer.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "encode/json_reader.h"

struct token_case {
    enum json_token token;
    const char *text; // NULL: not looked at
    size_t from, to;  // in the input
};

static void check_tokens(const char *input, const struct token_case *cases, size_t count)
{
    struct buf scratch;
    buf_init(&scratch, 1024);
    struct json_reader r;
    json_reader_init(&r, str_from(input), JSON_DEPTH_MAX, &scratch);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(json_read(&r), cases[i].token);
        assert_int_equal(json_token_offset(&r), cases[i].from);
        assert_int_equal(json_offset(&r), cases[i].to);
        if (cases[i].text) {
            assert_true(str_eq(r.text, str_from(cases[i].text)));
        }
    }
    buf_fini(&scratch);
}

static void test_tokens(void **state)
{
    (void)state;
    static const struct token_case CASES[] = {
        {JSON_OBJECT_BEGIN, NULL, 1, 2},  {JSON_KEY, "id", 3, 7},
        {JSON_NUMBER, "4021", 10, 14},    {JSON_KEY, "a\tb", 16, 22},
        {JSON_ARRAY_BEGIN, NULL, 23, 24}, {JSON_STRING, "x", 24, 27},
        {JSON_STRING, "\"", 28, 32},      {JSON_TRUE, NULL, 33, 37},
        {JSON_FALSE, NULL, 38, 43},       {JSON_NULL, NULL, 44, 48},
        {JSON_NUMBER, "-0.50", 49, 54},   {JSON_ARRAY_END, NULL, 54, 55},
        {JSON_KEY, "", 56, 58},           {JSON_OBJECT_BEGIN, NULL, 59, 60},
        {JSON_OBJECT_END, NULL, 60, 61},  {JSON_OBJECT_END, NULL, 61, 62},
        {JSON_END, NULL, 63, 63},         {JSON_END, NULL, 63, 63},
    };
    check_tokens(" { \"id\" : 4021, \"a\\tb\":[\"x\",\"\\\"\",true,false,null,-0.50],\"\":{}} ",
                 CASES, sizeof CASES / sizeof *CASES);
}

static void check_text(const char *input, struct str expected)
{
    struct buf scratch;
    buf_init(&scratch, 1024);
    struct json_reader r;
    json_reader_init(&r, str_from(input), 1, &scratch);
    assert_int_equal(json_read(&r), JSON_STRING);
    assert_int_equal(r.text.len, expected.len);
    assert_memory_equal(r.text.data, expected.data, expected.len);
    assert_int_equal(json_read(&r), JSON_END);
    buf_fini(&scratch);
}

static void test_unescaping(void **state)
{
    (void)state;
    check_text("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", STR("\"\\/\b\f\n\r\t"));
    check_text("\"\\u0041\\u00e9\\u20AC\\uffff\"", STR("A\xC3\xA9\xE2\x82\xAC\xEF\xBF\xBF"));
    check_text("\"\\u007f\\u0080\\u07ff\\u0800\"", STR("\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80"));
    check_text("\"a\\uD834\\uDD1Eb\"", STR("a\xF0\x9D\x84\x9E"
                                           "b"));
    check_text("\"\\uD800\\uDC00\\uDBFF\\uDFFF\"", STR("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"));
    check_text("\"a\\u0000b\"", STR("a\0b"));
    check_text("\"a long plain run before \\n and after it \xC3\xA9\"",
               STR("a long plain run before \n and after it \xC3\xA9"));
    check_text("\"\\\\u0041\"", STR("\\u0041"));
}

static void test_text_without_escapes_is_not_copied(void **state)
{
    (void)state;
    static const char INPUT[] = "\"caf\xC3\xA9 au lait\"";
    struct buf scratch;
    buf_init(&scratch, 1024);
    struct json_reader r;
    json_reader_init(&r, str_from(INPUT), 1, &scratch);
    assert_int_equal(json_read(&r), JSON_STRING);
    assert_ptr_equal(r.text.data, INPUT + 1);
    assert_null(scratch.data);
}

static void test_scratch_is_bounded(void **state)
{
    (void)state;
    struct buf scratch;
    buf_init(&scratch, 8);
    struct json_reader r;
    json_reader_init(&r, STR("[\"1234567\\n\",\"12345678\\n\"]"), 1, &scratch);
    assert_int_equal(json_read(&r), JSON_ARRAY_BEGIN);
    assert_int_equal(json_read(&r), JSON_STRING);
    assert_int_equal(r.text.len, 8);
    assert_int_equal(json_read(&r), JSON_ERROR);
    assert_int_equal(r.fault_code, ERR_TOO_LARGE);
    assert_int_equal(json_read(&r), JSON_ERROR);
    buf_fini(&scratch);
}

static enum json_token first_fault(const char *brackets, size_t levels, unsigned max_depth,
                                   struct json_reader *r)
{
    static char text[1024];
    size_t unit = strlen(brackets);
    for (size_t i = 0; i < levels; i++) {
        memcpy(text + i * unit, brackets, unit);
    }
    json_reader_init(r, (struct str){text, levels * unit}, max_depth, NULL);
    enum json_token token;
    do {
        token = json_read(r);
    } while (token != JSON_ERROR && token != JSON_END);
    return token;
}

static void test_depth(void **state)
{
    (void)state;
    struct json_reader r;
    first_fault("[", 64, 64, &r);
    assert_int_equal(r.fault_code, ERR_INVALID); // deep enough, but it ends too early
    assert_int_equal(r.fault_at, 64);
    first_fault("[", 65, 64, &r);
    assert_int_equal(r.fault_code, ERR_TOO_LARGE);
    assert_int_equal(r.fault_at, 64);
    first_fault("{\"\":", 65, 64, &r);
    assert_int_equal(r.fault_code, ERR_TOO_LARGE);
    assert_int_equal(r.fault_at, 64 * 4);
    first_fault("[", JSON_DEPTH_MAX, 100000, &r);
    assert_int_equal(r.fault_code, ERR_INVALID);
    first_fault("[", JSON_DEPTH_MAX + 1, 100000, &r);
    assert_int_equal(r.fault_code, ERR_TOO_LARGE);
    assert_int_equal(r.fault_at, JSON_DEPTH_MAX);
    first_fault("[", 1, 0, &r);
    assert_int_equal(r.fault_code, ERR_TOO_LARGE);
    assert_int_equal(r.fault_at, 0);
}

// Objects and arrays at each level in turn: the kind of each is remembered.
static void test_mixed_nesting(void **state)
{
    (void)state;
    char text[1024];
    size_t len = 0;
    for (unsigned pattern = 0; pattern < 3; pattern++) {
        len = 0;
        for (unsigned i = 0; i < JSON_DEPTH_MAX; i++) {
            bool is_object = (i * (pattern + 1) / 2) % 2 == 0;
            memcpy(text + len, is_object ? "{\"\":" : "[", is_object ? 4 : 1);
            len += is_object ? 4 : 1;
        }
        text[len++] = '1';
        for (unsigned i = JSON_DEPTH_MAX; i-- > 0;) {
            text[len++] = (i * (pattern + 1) / 2) % 2 == 0 ? '}' : ']';
        }
        struct json_reader r;
        json_reader_init(&r, (struct str){text, len}, JSON_DEPTH_MAX, NULL);
        assert_int_equal(json_skip(&r, json_read(&r)), 0);
        assert_int_equal(json_read(&r), JSON_END);
        text[len - JSON_DEPTH_MAX / 2] ^= '}' ^ ']'; // the wrong bracket
        json_reader_init(&r, (struct str){text, len}, JSON_DEPTH_MAX, NULL);
        assert_int_equal(json_skip(&r, json_read(&r)), ERR_INVALID);
        assert_int_equal(r.fault_at, len - JSON_DEPTH_MAX / 2);
    }
}

static void test_skip(void **state)
{
    (void)state;
    static const char INPUT[] = "{\"a\":[1,{\"b\":[]},\"x\\n\"],\"c\":7,\"d\":{\"e\":{}}}";
    struct buf scratch;
    buf_init(&scratch, 1024);
    struct json_reader r;
    json_reader_init(&r, str_from(INPUT), 8, &scratch);
    assert_int_equal(json_read(&r), JSON_OBJECT_BEGIN);
    assert_int_equal(json_read(&r), JSON_KEY);
    enum json_token first = json_read(&r);
    size_t from = json_token_offset(&r);
    assert_int_equal(json_skip(&r, first), 0);
    assert_int_equal(from, 5);
    assert_int_equal(json_offset(&r), 23);
    assert_int_equal(json_read(&r), JSON_KEY);
    assert_true(str_eq(r.text, STR("c")));
    assert_int_equal(json_skip(&r, json_read(&r)), 0);
    assert_int_equal(json_read(&r), JSON_KEY);
    assert_true(str_eq(r.text, STR("d")));
    assert_int_equal(json_skip(&r, json_read(&r)), 0);
    assert_int_equal(json_read(&r), JSON_OBJECT_END);
    assert_int_equal(json_read(&r), JSON_END);

    json_reader_init(&r, STR("[[1,[2,x]]]"), 8, &scratch);
    assert_int_equal(json_skip(&r, json_read(&r)), ERR_INVALID);
    assert_int_equal(r.fault_at, 7);
    json_reader_init(&r, STR("[[[1]]]"), 2, &scratch);
    assert_int_equal(json_skip(&r, json_read(&r)), ERR_TOO_LARGE);
    json_reader_init(&r, STR("x"), 2, &scratch);
    assert_int_equal(json_skip(&r, json_read(&r)), ERR_INVALID);
    buf_fini(&scratch);
}

static void test_error_words(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *words;
    } CASES[] = {
        {"", "the text ends too early at byte 0"},
        {"[1,", "the text ends too early at byte 3"},
        {"[1,]", "a value is missing at byte 3"},
        {"[1 2]", "expected ',' or ']' at byte 3"},
        {"{\"a\" 1}", "expected ':' behind a member's name at byte 5"},
        {"{a:1}", "expected a member's name in double quotes at byte 1"},
        {"['a']", "a string needs double quotes at byte 1"},
        {"[01]", "a number may not begin with 0 at byte 2"},
        {"\xEF\xBB\xBF{}", "a byte order mark is not allowed at byte 0"},
        {"\"\xFF\"", "invalid UTF-8 in a string at byte 1"},
        {"\"\\uD800\"", "a lone surrogate at byte 1"},
        {"\"\n\"", "a control character in a string at byte 1"},
        {"[[[", "nested too deep at byte 2"},
        {"{} x", "something follows the value at byte 3"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct json_reader r;
        struct buf scratch;
        buf_init(&scratch, 1024);
        struct err e = {.code = ERR_OK};
        json_reader_init(&r, str_from(CASES[i].text), 2, &scratch);
        assert_int_equal(json_skip(&r, json_read(&r)) || json_read(&r) == JSON_ERROR, 1);
        assert_int_equal(json_reader_error(&r, &e), r.fault_code);
        assert_string_equal(e.text, CASES[i].words);
        assert_int_equal(json_reader_error(&r, NULL), r.fault_code);
        buf_fini(&scratch);
    }
}

static void test_no_data(void **state)
{
    (void)state;
    struct json_reader r;
    json_reader_init(&r, (struct str){NULL, 0}, 2, NULL);
    assert_int_equal(json_read(&r), JSON_ERROR);
    assert_int_equal(r.fault_at, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_unescaping),
        cmocka_unit_test(test_text_without_escapes_is_not_copied),
        cmocka_unit_test(test_scratch_is_bounded),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_mixed_nesting),
        cmocka_unit_test(test_skip),
        cmocka_unit_test(test_error_words),
        cmocka_unit_test(test_no_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
