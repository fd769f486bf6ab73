// Which texts are legal XML, and where they are not. Nothing is fetched and nothing is expanded.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "encode/xml_check.h"

static void test_texts(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        const char *fault; // NULL: legal
    } rows[] = {
        {STR("<a/>"), NULL},
        {STR("\n<a/>\n<!-- x -->"), NULL},
        {STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a b='1'>&amp;&#10;<![CDATA[<]]></a>"),
         NULL},
        {STR("<a xmlns:x='urn:x'><x:b/></a>"), NULL},
        {STR("<größe>\xf0\x9f\x98\x80</größe>"), NULL},
        {STR(""), "line 1, column 1: "},
        {STR("  "), "line 1, column "},
        {STR("text"), "line 1, column 1: "},
        {STR("{\"a\":1}"), "line 1, column 1: "},
        {STR("<a>\n<b></a>"), "line 2, column "},
        {STR("<a>\n\n  <b x=1/></a>"), "line 3, column "},
        {STR("<a/><b/>"), "line 1, column 5: "},
        {STR("<a>&nbsp;</a>"), "'nbsp' not defined"},
        {STR("<a>& b</a>"), "line 1, column 5: "},
        {STR("<a>]]></a>"), "line 1"},
        {STR("<a>\x01</a>"), "line 1, column 4: "},
        {STR("<a>\0</a>"), "line 1"},
        {STR("<a>\xff</a>"), "line 1"},
        {STR("<a b='1' b='2'/>"), "line 1"},
        {STR("<x:a/>"), "line 1"},
        {STR("<a"), "line 1"},
        {STR("\n<!DOCTYPE a><a/>"), "line 2, column "},
        {STR("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"), "a DOCTYPE may not be sent"},
        {STR("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>"), "a DOCTYPE may not be sent"},
        {STR("<!DOCTYPE a [<!ENTITY % x SYSTEM 'http://127.0.0.1:1/'>%x;]><a/>"),
         "a DOCTYPE may not be sent"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = {0};
        int rc = xml_check(rows[i].text, &e);
        bool is_right =
            rows[i].fault ? rc == ERR_INVALID && strstr(e.text, rows[i].fault) != NULL : rc == 0;
        if (!is_right || strchr(e.text, '\n')) {
            fail_msg(STR_FMT ": %d %s", STR_ARG(rows[i].text), rc, e.text);
        }
    }
}

// libxml2's own bound of 256 levels holds; far deeper ones end there.
static void test_depth(void **state)
{
    (void)state;
    static const struct {
        int depth;
        int rc;
    } rows[] = {{200, 0}, {100000, ERR_INVALID}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf text;
        struct err e;
        buf_init(&text, 1 << 20);
        for (int k = 0; k < rows[i].depth; k++) {
            buf_append_text(&text, "<a>");
        }
        for (int k = 0; k < rows[i].depth; k++) {
            buf_append_text(&text, "</a>");
        }
        assert_int_equal(text.failed, 0);
        assert_int_equal(xml_check(buf_str(&text), &e), rows[i].rc);
        buf_fini(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_texts), cmocka_unit_test(test_depth)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
