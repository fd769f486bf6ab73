#include "base/err.h"

#include <stdio.h>

#include "unit.h"

static void sets_code_and_text(void **state)
{
    (void)state;
    struct err e;
    assert_int_equal(err_set(&e, ERR_INVALID, "line %d", 3), ERR_INVALID);
    assert_int_equal(e.code, ERR_INVALID);
    assert_string_equal(e.text, "line 3");
    assert_int_equal(err_context(&e, "rules/%s", "a.lua"), ERR_INVALID);
    assert_string_equal(e.text, "rules/a.lua: line 3");
}

static void takes_no_err(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, ERR_IO, "x"), ERR_IO);
    assert_int_equal(err_context(NULL, "x"), ERR_OK);
}

static void may_use_its_own_text(void **state)
{
    (void)state;
    struct err e;
    err_set(&e, ERR_IO, "disk");
    err_set(&e, ERR_FULL, "%s is full", e.text);
    assert_string_equal(e.text, "disk is full");
    err_context(&e, "[%s]", e.text);
    assert_string_equal(e.text, "[disk is full]: disk is full");
}

static void cuts_between_characters(void **state)
{
    (void)state;
    char text[2 * ERR_TEXT_MAX];
    for (int shift = 0; shift < 4; shift++) {
        // The euro sign has three bytes; the cut falls into it or beside it.
        size_t len = (size_t)shift;
        memset(text, 'a', len);
        while (len + 3 < sizeof text) {
            memcpy(text + len, "\xE2\x82\xAC", 3);
            len += 3;
        }
        text[len] = '\0';
        struct err e;
        err_set(&e, ERR_INVALID, "%s", text);
        assert_true(strlen(e.text) >= ERR_TEXT_MAX - 3);
        assert_true(str_is_utf8(str_from(e.text), NULL));
        err_context(&e, "context");
        assert_true(str_starts_with(str_from(e.text), STR("context: ")));
        assert_true(strlen(e.text) < ERR_TEXT_MAX);
        assert_true(str_is_utf8(str_from(e.text), NULL));
        err_context(&e, "%s", text);
        assert_true(str_is_utf8(str_from(e.text), NULL));
        assert_true(strlen(e.text) < ERR_TEXT_MAX);
    }
}

static void has_a_word_for_each_code(void **state)
{
    (void)state;
    for (int code = 0; code >= ERR_UNSUPPORTED; code--) {
        const char *word = err_word((enum err_code)code);
        assert_string_not_equal(word, "unknown");
        for (int other = 0; other > code; other--) {
            assert_string_not_equal(word, err_word((enum err_code)other));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_code_and_text),       cmocka_unit_test(takes_no_err),
        cmocka_unit_test(may_use_its_own_text),     cmocka_unit_test(cuts_between_characters),
        cmocka_unit_test(has_a_word_for_each_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
