// Configuration files: what they become, and what is said about faulty ones.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "script/conf.h"
#include "temp.h"

struct conf_case {
    const char *text;
    int rc;
    const char *wanted; // the JSON, or words that the error holds
};

static const struct conf_case conf_cases[] = {
    {"return {}", 0, "{}"},
    {"return { listen = '127.0.0.1:8080', data = './data', limits = { body = 8, depth = 64 } }", 0,
     "{\"data\":\"./data\",\"limits\":{\"body\":8,\"depth\":64},\"listen\":\"127.0.0.1:8080\"}"},
    {"return { mail = { password = hook.secret 'MAIL' } }", 0,
     "{\"mail\":{\"password\":{\"$secret\":\"MAIL\"}}}"},
    {"local hook = require 'hookline' return { a = hook.secret \"X\" }", 0,
     "{\"a\":{\"$secret\":\"X\"}}"},
    {"local admins = {} for i = 1, 2 do admins[i] = ('a%d@b'):format(i) end return { admins = "
     "admins }",
     0, "{\"admins\":[\"a1@b\",\"a2@b\"]}"},
    {"return { ['https://h'] = { rate = '20/s' } }", 0, "{\"https://h\":{\"rate\":\"20/s\"}}"},
    {"return 7", ERR_INVALID, "must return a table"},
    {"", ERR_INVALID, "must return a table"},
    {"\nreturn {", ERR_INVALID, ":2: unexpected symbol"},
    {"\n\nlocal x = nil + 1", ERR_INVALID, ":3: attempt to perform arithmetic on a nil value"},
    {"\nwhile true do end", ERR_INVALID, ":2: stopped: over its budget of steps"},
    {"return { a = { b = print } }", ERR_INVALID, "a.b: a function is no JSON value"},
    {"return { os.getenv 'HOME' }", ERR_INVALID, ":1: attempt to index a nil value (global 'os')"},
    {"require 'lib'", ERR_INVALID, ":1: a configuration can require 'hookline' alone"},
    {"x = 1 return {}", 0, "{}"},
    {"return { a = 'hush\n}", ERR_INVALID, ":1: unfinished string near a text"},
    {"return { a = 1 \"hush\" }", ERR_INVALID, ":1: '}' expected near a text"},
    {"return { a = 1 [[hush]] }", ERR_INVALID, ":1: '}' expected near a text"},
    {"return { a = 1 [==[hush]==] }", ERR_INVALID, ":1: '}' expected near a text"},
    {"return { a = 1 [5] }", ERR_INVALID, ":1: '}' expected near '['"},
    {"string.x = 1 return {}", ERR_INVALID, ":1: cannot set 'x': string is read-only"},
    {"hook.secret(5)", ERR_INVALID, ":1: bad argument #1 to 'secret'"},
};

static void test_loads(void **ctx)
{
    (void)ctx;
    for (size_t i = 0; i < sizeof conf_cases / sizeof *conf_cases; i++) {
        const struct conf_case *c = &conf_cases[i];
        char path[64];
        struct err e = {0};
        struct buf out;
        temp_template(path, sizeof path);
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, c->text, strlen(c->text)), (ssize_t)strlen(c->text));
        close(fd);
        buf_init(&out, 65536);
        int rc = conf_load(path, &out, &e);
        bool is_right =
            rc == 0 ? str_eq(buf_str(&out), str_from(c->wanted))
                    : strstr(e.text, c->wanted) && strstr(e.text, path) && !strstr(e.text, "hush");
        if (rc != c->rc || !is_right)
            fail_msg("%s: %d " STR_FMT " %s", c->text, rc, STR_ARG(buf_str(&out)), e.text);
        buf_fini(&out);
        unlink(path);
    }
}

static void test_missing_file(void **ctx)
{
    (void)ctx;
    struct err e;
    struct buf out;
    buf_init(&out, 65536);
    assert_int_equal(conf_load("/nowhere/hookline.conf.lua", &out, &e), ERR_NOT_FOUND);
    assert_non_null(strstr(e.text, "/nowhere/hookline.conf.lua: No such file"));
    assert_int_equal(conf_load("/", &out, &e), ERR_IO);
    buf_fini(&out);
}

static void test_output_has_its_bound(void **ctx)
{
    (void)ctx;
    char path[64];
    struct err e;
    struct buf out;
    temp_template(path, sizeof path);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(dprintf(fd, "return { ('x'):rep(1000) }"), 26);
    close(fd);
    buf_init(&out, 100);
    assert_int_equal(conf_load(path, &out, &e), ERR_INVALID);
    assert_non_null(strstr(e.text, "too large"));
    buf_fini(&out);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_loads),
                                       cmocka_unit_test(test_missing_file),
                                       cmocka_unit_test(test_output_has_its_bound)};
    return cmocka_run_group_tests_name("script/conf", tests, NULL, NULL);
}
