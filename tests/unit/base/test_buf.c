#include "base/buf.h"

#include <stdlib.h>

#include "unit.h"

static void grows_to_its_maximum(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(buf_append_char(&b, (char)('a' + i % 26)), 0);
    }
    assert_int_equal(b.len, 1000);
    assert_int_equal(buf_append_char(&b, 'x'), ERR_TOO_LARGE);
    assert_int_equal(b.failed, ERR_TOO_LARGE);
    assert_int_equal(b.len, 1000);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(b.data[i], 'a' + i % 26);
    }
    buf_fini(&b);
}

static void keeps_its_failure(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    assert_int_equal(buf_append_text(&b, "12345"), 0);
    assert_int_equal(buf_append_text(&b, "1234567"), ERR_TOO_LARGE);
    assert_str_text(buf_str(&b), "12345");
    // A later piece that would fit must not make a text with a hole.
    assert_int_equal(buf_append_char(&b, '6'), ERR_TOO_LARGE);
    assert_null(buf_reserve(&b, 1));
    assert_int_equal(buf_printf(&b, "x"), ERR_TOO_LARGE);
    assert_str_text(buf_str(&b), "12345");
    buf_reset(&b);
    assert_int_equal(buf_append_text(&b, "1234567890"), 0);
    assert_str_text(buf_str(&b), "1234567890");
    buf_fini(&b);
}

static void prints(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 200);
    assert_int_equal(buf_printf(&b, "%s=%d", "n", 7), 0);
    assert_str_text(buf_str(&b), "n=7");
    // Longer than what is allocated, exactly at the maximum, and one over it.
    assert_int_equal(buf_printf(&b, "%0*d", 197, 1), 0);
    assert_int_equal(b.len, 200);
    assert_int_equal(b.data[199], '1');
    assert_int_equal(buf_printf(&b, "%s", ""), 0);
    assert_int_equal(buf_printf(&b, "x"), ERR_TOO_LARGE);
    assert_int_equal(b.len, 200);
    buf_fini(&b);
}

static void reserves_and_takes(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    char *room = buf_reserve(&b, 3);
    memcpy(room, "abc", 3);
    b.len += 3;
    assert_int_equal(buf_append_str(&b, STR("def")), 0);
    size_t len = 0;
    char *text = buf_take(&b, &len);
    assert_string_equal(text, "abcdef");
    assert_int_equal(len, 6);
    free(text);
    assert_int_equal(b.len, 0);
    text = buf_take(&b, &len);
    assert_string_equal(text, "");
    assert_int_equal(len, 0);
    free(text);
    assert_int_equal(buf_append_text(&b, "again"), 0);
    buf_fini(&b);
}

static void takes_nothing(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 0);
    assert_int_equal(buf_append(&b, NULL, 0), 0);
    assert_int_equal(buf_append_str(&b, (struct str){NULL, 0}), 0);
    assert_int_equal(b.len, 0);
    assert_int_equal(buf_append_char(&b, 'a'), ERR_TOO_LARGE);
    buf_fini(&b);
    buf_init(&b, SIZE_MAX);
    assert_int_equal(buf_append_text(&b, "a"), 0);
    assert_int_equal(buf_append(&b, "a", SIZE_MAX - 1), ERR_TOO_LARGE);
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_to_its_maximum),
        cmocka_unit_test(keeps_its_failure),
        cmocka_unit_test(prints),
        cmocka_unit_test(reserves_and_takes),
        cmocka_unit_test(takes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
