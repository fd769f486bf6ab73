// The texts beside the rules: found by path, and what modules do to the files that need them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "script/files.h"
#include "script/rules.h"
#include "unit.h"

static void texts_are_found_whatever_their_order(void **state)
{
    (void)state;
    static const char *const paths[] = {"lib/m.lua", "lib/a.lua", "types/d.lua", "lib/z/y.lua",
                                        "lib/a.lu",  "a",         "lib/m.lua"};
    struct files f = {0};
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        assert_int_equal(files_add(&f, str_from(paths[i]), str_from(i == 6 ? "new" : paths[i])), 0);
    }
    assert_int_equal(f.count, COUNT_OF(paths) - 1);
    for (size_t i = 1; i < 6; i++) {
        assert_str(files_find(&f, str_from(paths[i]))->text, str_from(paths[i]));
    }
    assert_str(files_find(&f, STR("lib/m.lua"))->text, STR("new"));
    assert_null(files_find(&f, STR("lib")));
    assert_str(f.texts[files_first(&f, STR("lib/"))].path, STR("lib/a.lu"));
    files_fini(&f);
}

static void names_of_chunks_are_what_lua_shows(void **state)
{
    (void)state;
    char out[FILES_CHUNK_MAX];
    files_name_chunk("rules", "lib/money.lua", out);
    assert_string_equal(out, "rules/lib/money.lua");
    files_name_chunk(NULL, "x.lua", out);
    assert_string_equal(out, "x.lua");
    files_name_chunk("/a/folder/with/a/name/that/is/longer/than/lua/keeps/rules", "x.lua", out);
    assert_string_equal(out, "rules/x.lua");
}

static struct rules *open_rules(void)
{
    struct rules_config config = {.rules_dir = "rules"};
    struct rules *r;
    struct err e;
    if (rules_new(&r, &config, &e)) {
        fail_msg("%s", e.text);
    }
    return r;
}

static int load(struct rules *r, const char *file, const char *before)
{
    char text[2048];
    snprintf(text, sizeof text,
             "local hook = require 'hookline' %s return hook.workflow { record = 'deal', trigger = "
             "hook.every { 'updated' }, actions = { hook.webhook { method = 'GET', url = "
             "'https://a.example/' } } }",
             before);
    return rules_load(r, file, str_from(text));
}

static void modules_of_the_folder(void **state)
{
    (void)state;
    struct rules *r = open_rules();
    rules_add_text(r, STR("lib/money.lua"), STR("return { cents = 100 }"));
    rules_add_text(r, STR("lib/bad.lua"), STR("\nreturn return"));
    rules_add_text(r, STR("lib/alone.lua"), STR("\n\nreturn return"));
    rules_add_text(r, STR("lib/fine.lua"), STR("return 1"));
    assert_int_equal(load(r, "a.lua", "assert(require 'lib.money'.cents == 100)"), 0);
    assert_int_equal(rules_fault_count(r), 0);
    assert_int_equal(load(r, "b.lua", "local x = require 'lib.bad'"), ERR_INVALID);
    assert_int_equal(load(r, "c.lua", "local x = require 'lib.bad'"), ERR_INVALID);
    rules_check_modules(r);
    static const struct {
        const char *file;
        int line;
        bool is_of_module;
    } wanted[] = {{"rules/b.lua", 1, false},
                  {"rules/lib/bad.lua", 2, true},
                  {"rules/c.lua", 1, false},
                  {"rules/lib/alone.lua", 3, true}};
    assert_int_equal(rules_fault_count(r), COUNT_OF(wanted));
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        assert_string_equal(rules_fault(r, i)->file, wanted[i].file);
        assert_int_equal(rules_fault(r, i)->line, wanted[i].line);
        assert_int_equal(rules_fault(r, i)->is_of_module, wanted[i].is_of_module);
    }
    rules_free(r);
}

// What a module takes is of the budget of the file that needs it; and it is not tried for ever.
static void a_module_that_does_not_end(void **state)
{
    (void)state;
    struct rules *r = open_rules();
    rules_add_text(r, STR("lib/loop.lua"), STR("while true do end"));
    for (int i = 0; i < 5; i++) {
        assert_int_equal(load(r, "a.lua", "local x = require 'lib.loop'"), ERR_INVALID);
        const struct rules_fault *f = rules_fault(r, rules_fault_count(r) - 1);
        assert_string_equal(f->file, "rules/a.lua");
        assert_non_null(strstr(f->message, "rules/lib/loop.lua:"));
        assert_non_null(strstr(f->message, i < 3 ? "over its budget of steps" : "budget of each"));
    }
    assert_int_equal(load(r, "b.lua", ""), 0);
    rules_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_found_whatever_their_order),
        cmocka_unit_test(names_of_chunks_are_what_lua_shows),
        cmocka_unit_test(modules_of_the_folder),
        cmocka_unit_test(a_module_that_does_not_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
