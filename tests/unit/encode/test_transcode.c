// JSON as XML, XML (extended) and a form: whole documents against the files of
// tests/data/encodings, byte for byte; small values in a table; bounds. Run from the top of the
// repository.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "encode/json_reader.h"
#include "encode/transcode.h"
#include "encode/xml_check.h"

#define FOLDER "tests/data/encodings/"

static const struct transcode_extended EVENT = {.has_event = true,
                                                .id = STR("crm-\"1\"&<2>"),
                                                .type = STR("deal.updated"),
                                                .time = STR("2026-11-23T09:15:00Z"),
                                                .workflow = STR("invoice")};

enum way { TO_XML, TO_EXTENDED, TO_FORM };

struct result {
    struct buf out;
    struct buf scratch;
    struct err e;
    size_t dropped;
    int rc;
};

static void run(struct result *r, enum way way, struct str json, const char *root, size_t max)
{
    *r = (struct result){0};
    buf_init(&r->out, max);
    buf_init(&r->scratch, 16 * 1024 * 1024);
    if (way == TO_FORM) {
        r->rc = transcode_to_form(json, &r->out, &r->scratch, &r->e);
    } else {
        r->rc = transcode_to_xml(json, str_from(root), way == TO_EXTENDED ? &EVENT : NULL, &r->out,
                                 &r->scratch, &r->dropped, &r->e);
    }
    if (r->rc == 0 && way != TO_FORM && xml_check(buf_str(&r->out), &r->e)) {
        fail_msg("%s: " STR_FMT, r->e.text, STR_ARG(buf_str(&r->out)));
    }
}

static void done(struct result *r)
{
    buf_fini(&r->out);
    buf_fini(&r->scratch);
}

// --- whole documents -----------------------------------------------------------------------------

static void read_file(struct buf *b, const char *name, const char *end)
{
    char path[256];
    snprintf(path, sizeof path, FOLDER "%s%s", name, end);
    FILE *f = fopen(path, "rb");
    if (!f) {
        fail_msg("%s cannot be read", path);
    }
    buf_init(b, 1 << 20);
    char *to = buf_reserve(b, 1 << 16);
    b->len = fread(to, 1, 1 << 16, f);
    fclose(f);
    assert_true(b->len > 0 && b->data[b->len - 1] == '\n');
    b->len--;
}

static void test_documents(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t dropped;
    } documents[] = {{"deal", 0}, {"empty", 0}, {"hostile", 8}};
    static const struct {
        enum way way;
        const char *end;
    } ways[] = {{TO_XML, ".xml"}, {TO_EXTENDED, ".extended.xml"}, {TO_FORM, ".form"}};
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        struct buf json;
        read_file(&json, documents[i].name, ".json");
        for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
            struct buf wanted;
            struct result r;
            read_file(&wanted, documents[i].name, ways[k].end);
            run(&r, ways[k].way, buf_str(&json), "deal", 1 << 20);
            if (r.rc || !str_eq(buf_str(&r.out), buf_str(&wanted))) {
                fail_msg("%s%s: %s\n" STR_FMT, documents[i].name, ways[k].end, r.e.text,
                         STR_ARG(buf_str(&r.out)));
            }
            assert_int_equal(r.dropped, ways[k].way == TO_FORM ? 0 : documents[i].dropped);
            done(&r);
            buf_fini(&wanted);
        }
        buf_fini(&json);
    }
}

// --- small values --------------------------------------------------------------------------------

#define EVENT_ELEMENT                                                                              \
    "<event id=\"crm-&quot;1&quot;&amp;&lt;2&gt;\" type=\"deal.updated\" "                         \
    "time=\"2026-11-23T09:15:00Z\" workflow=\"invoice\"/>"

static void test_values(void **state)
{
    (void)state;
    static const struct {
        enum way way;
        const char *json;
        const char *root;
        const char *wanted;
    } rows[] = {
        {TO_XML, "{}", "deal", "<deal/>"},
        {TO_XML, "null", "deal", "<deal/>"},
        {TO_XML, "\"\"", "deal", "<deal></deal>"},
        {TO_XML, "5", "a b", "<a_b>5</a_b>"},
        {TO_XML, "[1,[2]]", "", "<_><item>1</item><item><item>2</item></item></_>"},
        {TO_XML, "[{\"a\":[]},null]", "r", "<r><item><a/></item><item/></r>"},
        {TO_XML, "{\"a\":1,\"a\":2}", "r", "<r><a>1</a><a>2</a></r>"},
        {TO_EXTENDED, "{}", "deal", "<deal>" EVENT_ELEMENT "</deal>"},
        {TO_EXTENDED, "[1]", "d",
         "<d type=\"array\">" EVENT_ELEMENT "<item type=\"integer\">1</item></d>"},
        {TO_EXTENDED, "-0", "d", "<d type=\"integer\">" EVENT_ELEMENT "-0</d>"},
        {TO_EXTENDED, "1E3", "d", "<d type=\"decimal\">" EVENT_ELEMENT "1E3</d>"},
        {TO_EXTENDED, "\"2024-02-29\"", "d", "<d type=\"date\">" EVENT_ELEMENT "2024-02-29</d>"},
        {TO_EXTENDED, "\"2023-02-29\"", "d", "<d>" EVENT_ELEMENT "2023-02-29</d>"},
        {TO_EXTENDED, "\"2024-02-29T10:00:00\"", "d",
         "<d>" EVENT_ELEMENT "2024-02-29T10:00:00</d>"},
        {TO_EXTENDED, "\"2024-02-29T10:00:00z\"", "d",
         "<d type=\"datetime\">" EVENT_ELEMENT "2024-02-29T10:00:00z</d>"},
        {TO_EXTENDED, "\"true\"", "d", "<d>" EVENT_ELEMENT "true</d>"},
        {TO_EXTENDED, "null", "d", "<d nil=\"true\">" EVENT_ELEMENT "</d>"},
        {TO_FORM, "{}", NULL, ""},
        {TO_FORM, "{\"a\":{\"b\":{\"c\":[[1],{\"d\":2}]}}}", NULL,
         "a%5Bb%5D%5Bc%5D%5B0%5D%5B0%5D=1&a%5Bb%5D%5Bc%5D%5B1%5D%5Bd%5D=2"},
        {TO_FORM, "{\"deal\":[]}", NULL, "deal="},
        {TO_FORM, "{\"a\":\"~*-._ +%\"}", NULL, "a=%7E*-._+%2B%25"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct result r;
        run(&r, rows[i].way, str_from(rows[i].json), rows[i].root, 4096);
        if (r.rc || !str_eq(buf_str(&r.out), str_from(rows[i].wanted))) {
            fail_msg("%s: %s " STR_FMT, rows[i].json, r.e.text, STR_ARG(buf_str(&r.out)));
        }
        done(&r);
    }
}

static void test_without_an_event(void **state)
{
    (void)state;
    struct buf out, scratch;
    size_t dropped;
    const struct transcode_extended none = {0};
    const struct transcode_extended partly = {.has_event = true, .id = STR("1")};
    buf_init(&out, 4096);
    buf_init(&scratch, 4096);
    assert_int_equal(
        transcode_to_xml(STR("{\"a\":1}"), STR("r"), &none, &out, &scratch, &dropped, NULL), 0);
    assert_int_equal(transcode_to_xml(STR("{}"), STR("r"), &partly, &out, &scratch, &dropped, NULL),
                     0);
    assert_true(
        str_eq(buf_str(&out), STR("<r><a type=\"integer\">1</a></r><r><event id=\"1\"/></r>")));
    buf_fini(&out);
    buf_fini(&scratch);
}

// --- faults and bounds ---------------------------------------------------------------------------

static void test_refuses(void **state)
{
    (void)state;
    static const struct {
        enum way way;
        const char *json;
        int rc;
        const char *words;
    } rows[] = {
        {TO_XML, "", ERR_INVALID, "byte 0"},
        {TO_XML, "{\"a\":", ERR_INVALID, "byte 5"},
        {TO_XML, "[1,]", ERR_INVALID, ""},
        {TO_XML, "\"\\ud800\"", ERR_INVALID, "lone surrogate"},
        {TO_FORM, "", ERR_INVALID, "byte 0"},
        {TO_FORM, "{\"a\":1", ERR_INVALID, "byte 6"},
        {TO_FORM, "[1]", ERR_INVALID, "an object is wanted"},
        {TO_FORM, "null", ERR_INVALID, "an object is wanted"},
        {TO_FORM, "\"a\"", ERR_INVALID, "an object is wanted"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct result r;
        run(&r, rows[i].way, str_from(rows[i].json), "r", 4096);
        assert_int_equal(r.rc, rows[i].rc);
        if (!strstr(r.e.text, rows[i].words)) {
            fail_msg("%s: %s", rows[i].json, r.e.text);
        }
        done(&r);
    }
}

// The deepest value that JSON may have, in lists and in objects, and one level more.
static void test_depth(void **state)
{
    (void)state;
    for (size_t depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
        for (int is_list = 0; is_list <= 1; is_list++) {
            struct buf json;
            buf_init(&json, 4096);
            buf_append_text(&json, "{\"a\":");
            for (size_t i = 1; i < depth; i++) {
                buf_append_text(&json, is_list ? "[" : "{\"a\":");
            }
            buf_append_text(&json, "1");
            for (size_t i = 1; i < depth; i++) {
                buf_append_char(&json, is_list ? ']' : '}');
            }
            buf_append_char(&json, '}');
            for (enum way way = TO_XML; way <= TO_FORM; way++) {
                struct result r;
                run(&r, way, buf_str(&json), "r", 1 << 16);
                assert_int_equal(r.rc, depth > JSON_DEPTH_MAX ? ERR_TOO_LARGE : 0);
                done(&r);
            }
            buf_fini(&json);
        }
    }
}

// At every bound of the output: either all of it, or ERR_TOO_LARGE.
static void test_every_bound(void **state)
{
    (void)state;
    static const char JSON[] = "{\"a b\":[1,{\"c\":\"<&>\\u0001\"},null,[]],\"d\":\"2026-11-23\"}";
    for (enum way way = TO_XML; way <= TO_FORM; way++) {
        struct result whole;
        run(&whole, way, str_from(JSON), "r", 4096);
        assert_int_equal(whole.rc, 0);
        for (size_t max = 1; max <= whole.out.len; max++) {
            struct result r;
            run(&r, way, str_from(JSON), "r", max);
            assert_int_equal(r.rc, max < whole.out.len ? ERR_TOO_LARGE : 0);
            done(&r);
        }
        done(&whole);
    }
}

static void test_a_megabyte(void **state)
{
    (void)state;
    const size_t size = 1 << 20;
    struct buf json;
    buf_init(&json, 2 * size);
    buf_append_text(&json, "{\"a\":\"");
    for (size_t i = 0; i < size; i++) {
        buf_append_char(&json, "x< z"[i % 4]);
    }
    buf_append_text(&json, "\"}");
    struct result r;
    run(&r, TO_XML, buf_str(&json), "r", 8 * size);
    assert_int_equal(r.rc, 0);
    assert_int_equal(r.out.len, strlen("<r><a></a></r>") + size + size / 4 * 3);
    done(&r);
    run(&r, TO_FORM, buf_str(&json), NULL, 8 * size);
    assert_int_equal(r.rc, 0);
    assert_int_equal(r.out.len, strlen("a=") + size + size / 4 * 2);
    done(&r);
    buf_fini(&json);
}

// A long name in front of many values grows with each: the bound of the output ends it.
static void test_names_that_multiply(void **state)
{
    (void)state;
    struct buf json;
    buf_init(&json, 1 << 20);
    buf_append_text(&json, "{\"");
    for (int i = 0; i < 100000; i++) {
        buf_append_char(&json, 'n');
    }
    buf_append_text(&json, "\":[0");
    for (int i = 0; i < 100000; i++) {
        buf_append_text(&json, ",0");
    }
    buf_append_text(&json, "]}");
    struct result r;
    run(&r, TO_FORM, buf_str(&json), NULL, 4 << 20);
    assert_int_equal(r.rc, ERR_TOO_LARGE);
    done(&r);
    buf_fini(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_without_an_event),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_every_bound),
        cmocka_unit_test(test_a_megabyte),
        cmocka_unit_test(test_names_that_multiply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
