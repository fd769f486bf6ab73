// A secret that a receiver echoes is stored in no form.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "deliver/mask.h"
#include "encode/base64.h"
#include "encode/percent.h"

#define SECRET "p&ss w/rd+ü~1"

static void masked(const char *text, size_t len, bool is_cut, struct buf *out)
{
    struct mask m;
    mask_init(&m);
    assert_int_equal(mask_add(&m, STR(SECRET)), 0);
    buf_init(out, 1 << 20);
    assert_int_equal(mask_apply(&m, out, (struct str){text, len}, is_cut), 0);
    mask_fini(&m);
}

static void check(const char *text, const char *wanted)
{
    struct buf out;
    masked(text, strlen(text), false, &out);
    assert_int_equal(out.len, strlen(wanted));
    assert_memory_equal(out.data, wanted, out.len);
    buf_fini(&out);
}

static void plain_forms_are_masked(void **state)
{
    (void)state;
    check("you sent " SECRET "!", "you sent ****!");
    check(SECRET SECRET, "********");
    check("p&ss w/rd", "p&ss w/rd");
    check("q=p%26ss%20w%2Frd%2B%C3%BC~1&x", "q=****&x");
    check("q=p%26ss%20w%2frd%2b%c3%bc~1&x", "q=****&x");
}

static void a_secret_in_json_is_masked(void **state)
{
    (void)state;
    check("{\"got\":\"p&ss w\\/rd+ü~1\"}", "{\"got\":\"****\"}");
    struct mask m;
    struct buf out;
    mask_init(&m);
    buf_init(&out, 4096);
    assert_int_equal(mask_add(&m, STR("q\"u\\o/te")), 0);
    assert_int_equal(mask_add(&m, STR("????")), 0); // Pz8/Pw==
    mask_apply(&m, &out, STR("[q\\\"u\\\\o/te q\\\"u\\\\o\\/te Pz8\\/Pw==]"), false);
    assert_int_equal(out.len, strlen("[**** **** ****w==]"));
    assert_memory_equal(out.data, "[**** **** ****w==]", out.len);
    buf_fini(&out);
    mask_fini(&m);
}

static void base64_is_masked_at_every_alignment(void **state)
{
    (void)state;
    for (size_t before = 0; before < 7; before++) {
        for (size_t after = 0; after < 5; after++) {
            struct buf plain, coded, out;
            buf_init(&plain, 4096);
            buf_init(&coded, 4096);
            buf_append(&plain, "abcdefg", before);
            buf_append_text(&plain, SECRET);
            buf_append(&plain, "vwxyz", after);
            base64_encode(&coded, buf_str(&plain));
            masked(coded.data, coded.len, false, &out);
            assert_non_null(memmem(out.data, out.len, "****", 4));
            // What is left at the edges has less than the secret's first or last three bytes in it.
            assert_true(out.len <= coded.len - STR(SECRET).len * 4 / 3 + 4 + 4);
            buf_fini(&plain);
            buf_fini(&coded);
            buf_fini(&out);
        }
    }
}

static void the_beginning_of_a_secret_at_a_cut_is_masked(void **state)
{
    (void)state;
    struct buf out;
    masked("abc p&ss w/", 11, true, &out);
    assert_int_equal(out.len, 8);
    assert_memory_equal(out.data, "abc ****", 8);
    buf_fini(&out);
}

static void an_empty_secret_masks_nothing(void **state)
{
    (void)state;
    struct mask m;
    struct buf out;
    mask_init(&m);
    buf_init(&out, 100);
    assert_int_equal(mask_add(&m, STR("")), 0);
    assert_int_equal(mask_apply(&m, &out, STR("text"), true), 0);
    assert_int_equal(out.len, 4);
    buf_fini(&out);
    mask_fini(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_forms_are_masked),
        cmocka_unit_test(a_secret_in_json_is_masked),
        cmocka_unit_test(base64_is_masked_at_every_alignment),
        cmocka_unit_test(the_beginning_of_a_secret_at_a_cut_is_masked),
        cmocka_unit_test(an_empty_secret_masks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
