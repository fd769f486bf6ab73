// Templates rendered alone: data, partials, faults, budgets.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "script/template.h"

enum { OUT_MAX = TEMPLATE_TEXT_MAX };

static int give_partial(void *ctx, struct str name, struct buf *out, struct err *e)
{
    int *calls = ctx;
    (*calls)++;
    if (!str_eq(name, STR("p")))
        return err_set(e, ERR_NOT_FOUND, "no " STR_FMT, STR_ARG(name));
    return buf_append_text(out, "<{{ x }}>");
}

struct template_case {
    const char *text;
    const char *data;
    int rc;
    const char *wanted; // the output, or words that the error begins with
};

static const struct template_case template_cases[] = {
    {"", "{}", 0, ""},
    {"a{{ a }}\n", "{\"a\":[1,2.50,null,true,\"x\"]}", 0, "a12.5truex\n"},
    {"{{ o }}", "{\"o\":{\"z\":1,\"a\":{},\"z\":[]}}", 0, "{\"z\"=>[], \"a\"=>{}}"},
    {"{% render 'p', x: 1 %}{% render 'p', x: 2 %}", "{}", 0, "<1><2>"},
    {"{% render 'q' %}", "{}", ERR_INVALID, "t.liquid:1:11: error: no q"},
    {"\n {{ a | }}", "{}", ERR_INVALID, "t.liquid:2:9: error: expected a filter's name"},
    {"{{ 'now' | date: '%s' }}", "{}", 0, "1700000000"},
    {"x", "[]", ERR_INVALID, "t.liquid: the data is not a JSON object"},
    {"x", "{\"a\":}", ERR_INVALID, "t.liquid: the data is not JSON: "},
    {"x", "{} {}", ERR_INVALID, "t.liquid: the data is not JSON: "},
    {"x", "", ERR_INVALID, "t.liquid: the data is not JSON: "},
    {"{% for i in (1..90000) %}{% for j in (1..90000) %}{% endfor %}{% endfor %}", "{}",
     ERR_TOO_LARGE, "t.liquid: "},
    {"{{ (1..900000000) | join }}", "{}", ERR_TOO_LARGE, "t.liquid: "},
    {"{% assign a = '0123456789abcdef' %}{% for i in (1..20) %}{% assign a = a | append: a %}"
     "{% endfor %}{{ a }}",
     "{}", ERR_TOO_LARGE, "t.liquid: "},
};

static void test_renders(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof template_cases / sizeof *template_cases; i++) {
        const struct template_case *c = &template_cases[i];
        int calls = 0;
        struct template_request t = {.name = "t.liquid",
                                     .text = str_from(c->text),
                                     .data = str_from(c->data),
                                     .now_ms = 1700000000999,
                                     .partial = give_partial,
                                     .ctx = &calls};
        struct err e = {0};
        struct buf out;
        buf_init(&out, OUT_MAX);
        int rc = template_render(&t, &out, &e);
        bool is_right = rc == 0 ? str_eq(buf_str(&out), str_from(c->wanted))
                                : !out.len && strncmp(e.text, c->wanted, strlen(c->wanted)) == 0;
        if (rc != c->rc || !is_right)
            fail_msg("%s: %d '" STR_FMT "' %s", c->text, rc, STR_ARG(buf_str(&out)), e.text);
        if (rc == 0)
            assert_int_equal(calls, strstr(c->text, "'p'") ? 1 : 0); // compiled once
        buf_fini(&out);
    }
}

static void test_output_without_room(void **state)
{
    (void)state;
    struct template_request t = {
        .name = "t", .text = STR("0123456789"), .data = STR("{}"), .partial = NULL};
    struct err e = {0};
    struct buf out;
    buf_init(&out, 5);
    assert_int_equal(template_render(&t, &out, &e), ERR_TOO_LARGE);
    buf_fini(&out);
}

static void test_no_partials(void **state)
{
    (void)state;
    struct template_request t = {
        .name = "t", .text = STR("{% include 'p' %}"), .data = STR("{}"), .partial = NULL};
    struct err e = {0};
    struct buf out;
    buf_init(&out, OUT_MAX);
    assert_int_equal(template_render(&t, &out, &e), ERR_INVALID);
    assert_string_equal(e.text, "t:1:12: error: there is no partial 'p'");
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_renders),
        cmocka_unit_test(test_output_without_room),
        cmocka_unit_test(test_no_partials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
