// What the writers of XML and of forms write, and which names XML gets.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "encode/form_writer.h"
#include "encode/xml_check.h"
#include "encode/xml_name.h"
#include "encode/xml_writer.h"

static void test_elements(void **state)
{
    (void)state;
    struct buf out;
    struct xml_writer w;
    buf_init(&out, 4096);
    buf_append_text(&out, "before");
    xml_writer_init(&w, &out);
    xml_element_begin(&w, STR("a"));
    xml_attribute(&w, "x",
                  STR("\"'<>&\t\r\n\x02"
                      "e\xff"));
    xml_attribute(&w, "y", STR(""));
    xml_element_begin(&w, STR("a/b"));
    xml_text(&w, STR("1"));
    xml_text(&w, STR("\"'<>&\t\r\n\x02"
                     "e\xff\xef\xbf\xbf"));
    xml_element_begin(&w, STR("c"));
    xml_element_end(&w);
    xml_element_end(&w);
    xml_element_end(&w);
    assert_int_equal(w.depth, 0);
    assert_int_equal(w.dropped, 3);
    buf_append_char(&out, '\0');
    assert_string_equal(out.data, "before<a x=\"&quot;'&lt;&gt;&amp;&#9;&#13;&#10;e\xef\xbf\xbd\" "
                                  "y=\"\"><a_b>1\"'&lt;&gt;&amp;\t&#13;\ne\xef\xbf\xbd<c/></a_b>"
                                  "</a>");
    buf_fini(&out);
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        struct str name;
        const char *wanted;
    } rows[] = {
        {STR(""), "_"},
        {STR("amount"), "amount"},
        {STR("_a-b.c9"), "_a-b.c9"},
        {STR("9a"), "_a"},
        {STR("-"), "_"},
        {STR("a b\tc\nd"), "a_b_c_d"},
        {STR("a:b"), "a_b"},
        {STR("<>&\"'/="), "_______"},
        {STR("\0a"), "_a"},
        {STR("\x7f@[`{"), "_____"},
        {STR("größe"), "größe"},
        {STR("\u00d7\u00f7x"), "__x"},
        {STR("\u0301a\u0301"), "_a\u0301"},
        {STR("имя"), "имя"},
        {STR("名前"), "名前"},
        {STR("\U0001F600"), "_"},
        {STR("\ufffe\u2028"), "__"},
        {STR("\xff\xc3"), "__"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out;
        buf_init(&out, 64);
        xml_name_append(&out, rows[i].name);
        if (!str_eq(buf_str(&out), str_from(rows[i].wanted))) {
            fail_msg("%s: " STR_FMT, rows[i].wanted, STR_ARG(buf_str(&out)));
        }
        buf_fini(&out);
    }
}

static size_t put_character(char out[3], unsigned code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    out[0] = (char)(0xE0 | code >> 12);
    out[1] = (char)(0x80 | (code >> 6 & 0x3F));
    out[2] = (char)(0x80 | (code & 0x3F));
    return 3;
}

// Every character of the basic plane, at the begin of a name and inside, as libxml2 reads it.
static void test_every_name_is_legal(void **state)
{
    (void)state;
    struct buf out;
    struct xml_writer w;
    struct err e;
    buf_init(&out, 8 << 20);
    xml_writer_init(&w, &out);
    xml_element_begin(&w, STR("all"));
    for (unsigned code = 0; code < 0x10000; code++) {
        char name[7] = "";
        size_t len = put_character(name, code);
        name[len] = 'x';
        memcpy(name + len + 1, name, len);
        xml_element_begin(&w, (struct str){name, 2 * len + 1});
        xml_text(&w, (struct str){name, len});
        xml_element_end(&w);
    }
    xml_element_end(&w);
    assert_int_equal(out.failed, 0);
    assert_int_equal(w.dropped, 29 + 2); // below 0x20 but three, U+FFFE, U+FFFF; surrogates: U+FFFD
    if (xml_check(buf_str(&out), &e)) {
        fail_msg("%s", e.text);
    }
    buf_fini(&out);
}

static void test_form(void **state)
{
    (void)state;
    struct buf out, path;
    struct form_writer w;
    buf_init(&out, 4096);
    buf_init(&path, 64);
    form_writer_init(&w, &out, &path);
    form_field_begin(&w, STR("a b"));
    form_value(&w, STR("c d&e=f\n\xc3\xa4"));
    form_field_end(&w);
    form_field_begin(&w, STR("list"));
    form_item_begin(&w, 0);
    form_field_begin(&w, STR("[x]"));
    form_value(&w, STR("1"));
    form_field_end(&w);
    form_field_end(&w);
    form_item_begin(&w, 10);
    form_value(&w, STR(""));
    form_field_end(&w);
    form_field_end(&w);
    assert_int_equal(w.depth, 0);
    assert_true(str_eq(buf_str(&out), STR("a+b=c+d%26e%3Df%0A%C3%A4&list%5B0%5D%5B%5Bx%5D%5D=1&"
                                          "list%5B10%5D=")));
    form_field_begin(&w,
                     STR("a name that is longer than the 64 bytes that this path may ever have"));
    form_value(&w, STR("1"));
    assert_int_equal(out.failed, ERR_TOO_LARGE);
    form_field_end(&w);
    buf_fini(&out);
    buf_fini(&path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elements),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_every_name_is_legal),
        cmocka_unit_test(test_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
