// Where a text stops being legal JSON.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "encode/json_check.h"

static void test_texts(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        int rc;
        const char *fault;
    } rows[] = {
        {STR("{}"), 0, ""},
        {STR(" [1, {\"a\": null}]\n"), 0, ""},
        {STR("\"x\""), 0, ""},
        {STR(""), ERR_INVALID, "line 1, column 1: "},
        {STR("{\"a\":1,}"), ERR_INVALID, "line 1, column 8: "},
        {STR("{\n  \"a\": 1\n  \"b\": 2\n}"), ERR_INVALID, "line 3, column 3: "},
        {STR("[\"\xc3\xa4\xf0\x9f\x98\x80\", x]"), ERR_INVALID, "line 1, column 8: "},
        {STR("[1,\n"), ERR_INVALID, "line 2, column 1: "},
        {STR("{} {}"), ERR_INVALID, "line 1, column 4: something follows the value"},
        {STR("\n[\"a\nb\"]"), ERR_INVALID, "line 2, column 4: a control character"},
        {STR("[\"\xff\"]"), ERR_INVALID, "line 1, column 3: invalid UTF-8"},
        {STR("[[[[1]]]]"), ERR_TOO_LARGE, "line 1, column 4: "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = {0};
        struct buf scratch;
        buf_init(&scratch, 256);
        int rc = json_check(rows[i].text, 3, &scratch, &e);
        if (rc != rows[i].rc || strncmp(e.text, rows[i].fault, strlen(rows[i].fault)) != 0) {
            fail_msg(STR_FMT ": %d %s", STR_ARG(rows[i].text), rc, e.text);
        }
        buf_fini(&scratch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_texts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
