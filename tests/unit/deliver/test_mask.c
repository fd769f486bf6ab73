// A secret that a receiver echoes is stored in no form.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/err.h"
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
    check("", "");
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
    assert_int_equal(out.len, strlen("[**** **** ****]"));
    assert_memory_equal(out.data, "[**** **** ****]", out.len);
    buf_fini(&out);
    mask_fini(&m);
}

// --- base64 --------------------------------------------------------------------------------------

enum { SECRET_LONGEST = 24, WRITING_COUNT = 4 };

// Bytes that are in no base64, so that what is masked there is masked as base64.
static const char BYTES[SECRET_LONGEST + 1] = "\xfb\xef\xbe\xff\xe1\xf0\x9d\x84\x9e\xd0\x91\xc3"
                                              "\xbc\xf7\xa4\x8b\xfe\x82\xac\xe2\xb5\xc6\x99\xda";

static struct str encoded(struct buf *out, struct str text)
{
    buf_init(out, 4096);
    base64_encode(out, text);
    return buf_str(out);
}

// As receivers may write it: as it is; base64url without padding; in JSON; in a URL.
static void write_as(struct buf *out, struct str coded, int writing)
{
    for (size_t i = 0; i < coded.len; i++) {
        char c = coded.data[i];
        bool is_other = c == '+' || c == '/' || c == '=';
        if (writing == 1 && is_other) {
            buf_append_text(out, c == '+' ? "-" : c == '/' ? "_" : "");
        } else if (writing == 2 && is_other) {
            buf_append_text(out, c == '+' ? "\\u002B" : c == '/' ? "\\/" : "\\u003d");
        } else if (writing == 3 && is_other) {
            buf_append_text(out, c == '+' ? "%2B" : c == '/' ? "%2f" : "%3D");
        } else {
            buf_append_char(out, c);
        }
    }
}

// Whole: what is left of the text is what the secret has no part in.
static void check_base64(const struct mask *m, struct str plain, size_t from, size_t len)
{
    struct buf buf, text, wanted, out;
    struct str coded = encoded(&buf, plain);
    size_t first = from * 8 / 6;
    size_t end = ((from + len) * 8 + 5) / 6;
    size_t behind = end;
    while (behind < coded.len && coded.data[behind] == '=') {
        behind++;
    }
    for (int writing = 0; writing < WRITING_COUNT; writing++) {
        buf_init(&text, 4096);
        buf_init(&wanted, 4096);
        buf_init(&out, 4096);
        write_as(&text, coded, writing);
        write_as(&wanted, (struct str){coded.data, first}, writing);
        buf_append_text(&wanted, "****");
        write_as(&wanted, (struct str){coded.data + behind, coded.len - behind}, writing);
        assert_int_equal(mask_apply(m, &out, buf_str(&text), false), 0);
        if (!str_eq(buf_str(&out), buf_str(&wanted))) {
            fail_msg(STR_FMT " became " STR_FMT ", not " STR_FMT, STR_ARG(buf_str(&text)),
                     STR_ARG(buf_str(&out)), STR_ARG(buf_str(&wanted)));
        }
        buf_fini(&text);
        buf_fini(&wanted);
        buf_fini(&out);
    }
    buf_fini(&buf);
}

static void base64_is_masked_whole_at_every_alignment(void **state)
{
    (void)state;
    for (size_t len = 1; len <= SECRET_LONGEST; len++) {
        struct mask m;
        mask_init(&m);
        assert_int_equal(mask_add(&m, (struct str){BYTES, len}), 0);
        for (size_t before = 0; before < 7; before++) {
            for (size_t after = 0; after < 5; after++) {
                struct buf plain;
                buf_init(&plain, 4096);
                buf_append(&plain, "aqua:by", before);
                buf_append(&plain, BYTES, len);
                buf_append(&plain, "vwxyz", after);
                check_base64(&m, buf_str(&plain), before, len);
                buf_fini(&plain);
            }
        }
        mask_fini(&m);
    }
}

static void a_basic_credential_is_masked_whole(void **state)
{
    (void)state;
    for (size_t user = 0; user < 7; user++) {
        for (size_t len = 1; len <= SECRET_LONGEST; len++) {
            struct mask m;
            struct buf pair, once, text;
            mask_init(&m);
            buf_init(&pair, 4096);
            buf_append(&pair, "aquaby", user);
            buf_append_char(&pair, ':');
            buf_append(&pair, BYTES, len);
            assert_int_equal(mask_add(&m, (struct str){BYTES, len}), 0);
            assert_int_equal(mask_add_credential(&m, buf_str(&pair)), 0);
            check_base64(&m, buf_str(&pair), 0, pair.len);
            // A receiver may give back all that it got in base64: then it is in it twice.
            struct str coded = encoded(&once, buf_str(&pair));
            for (size_t before = 0; before < 3; before++) {
                buf_init(&text, 4096);
                buf_append(&text, "ic ", before);
                buf_append_str(&text, coded);
                buf_append_text(&text, "\r\n");
                check_base64(&m, buf_str(&text), before, coded.len);
                buf_fini(&text);
            }
            buf_fini(&once);
            buf_fini(&pair);
            mask_fini(&m);
        }
    }
}

static void base64_over_several_lines_is_masked(void **state)
{
    (void)state;
    static const char *const breaks[] = {"\n",    "\r\n",       "\\n",       "\\r\\n",
                                         "%0A",   "%0D%0a",     "\\u000a",   "\\u000D\\u000A",
                                         "\\\\n", "\\\\r\\\\n", "\\\\u000a", "\r\n \t",
                                         "\n ",   "%0d%0A%20",  "\\r\\n\\t"};
    struct buf buf;
    struct str coded = encoded(&buf, STR(SECRET));
    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
        for (size_t width = 1; width <= coded.len; width++) {
            struct buf text, out;
            buf_init(&text, 4096);
            buf_append_text(&text, "(");
            for (size_t k = 0; k < coded.len; k++) {
                buf_append_text(&text, k && k % width == 0 ? breaks[i] : "");
                buf_append_char(&text, coded.data[k]);
            }
            buf_append_text(&text, "\n)");
            masked(text.data, text.len, false, &out);
            assert_true(str_eq(buf_str(&out), STR("(****\n)")));
            buf_fini(&text);
            buf_fini(&out);
        }
    }
    buf_fini(&buf);
}

static void base64_at_a_cut_is_masked(void **state)
{
    (void)state;
    struct buf buf, text, out;
    for (size_t before = 0; before < 3; before++) {
        struct buf plain;
        buf_init(&plain, 4096);
        buf_append(&plain, "ab", before);
        buf_append_text(&plain, SECRET);
        struct str coded = encoded(&buf, buf_str(&plain));
        size_t first = before * 8 / 6;
        for (size_t len = first + 1; len < coded.len; len++) {
            for (int writing = 0; writing < WRITING_COUNT; writing++) {
                buf_init(&text, 4096);
                write_as(&text, (struct str){coded.data, len}, writing);
                masked(text.data, text.len, true, &out);
                assert_int_equal(out.len, first + 4);
                assert_memory_equal(out.data + first, "****", 4);
                buf_fini(&text);
                buf_fini(&out);
            }
        }
        buf_fini(&buf);
        buf_fini(&plain);
    }
    masked("x \\u00", 6, true, &out); // an escape that was cut may have been one of it
    assert_true(str_eq(buf_str(&out), STR("x ****")));
    buf_fini(&out);
}

static void many_secrets_are_all_masked(void **state)
{
    (void)state;
    struct mask m;
    struct buf text, wanted, out, coded;
    mask_init(&m);
    buf_init(&text, 4096);
    buf_init(&wanted, 4096);
    buf_init(&out, 4096);
    for (int i = 0; i < 40; i++) {
        char secret[24];
        snprintf(secret, sizeof secret, "secret%d!", i);
        assert_int_equal(mask_add(&m, str_from(secret)), 0);
        encoded(&coded, str_from(secret));
        buf_printf(&text, "%s " STR_FMT " ", secret, STR_ARG(buf_str(&coded)));
        buf_append_text(&wanted, "**** **** ");
        buf_fini(&coded);
    }
    mask_apply(&m, &out, buf_str(&text), false);
    assert_true(str_eq(buf_str(&out), buf_str(&wanted)));
    buf_fini(&text);
    buf_fini(&wanted);
    buf_fini(&out);
    mask_fini(&m);
}

static void what_is_nearly_base64_of_it_is_left(void **state)
{
    (void)state;
    struct buf buf;
    struct str coded = encoded(&buf, STR(SECRET));
    for (size_t i = 0; i < coded.len - 1; i++) {
        struct buf out;
        char kept = buf.data[i];
        buf.data[i] = kept == 'A' ? 'B' : 'A';
        masked(coded.data, coded.len, false, &out);
        assert_true(str_eq(buf_str(&out), coded));
        buf.data[i] = kept;
        buf_fini(&out);
    }
    struct buf half;
    masked(coded.data, coded.len / 2, false, &half);
    assert_null(memmem(half.data, half.len, "****", 4));
    buf_fini(&half);
    buf_fini(&buf);
    check("\\", "\\");
    check("100% \\u00zz \\u00", "100% \\u00zz \\u00");
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

// Escapes may be those of any writer of JSON, and stand in another's.
static void escaped_characters_of_a_secret_are_masked(void **state)
{
    (void)state;
    check("p&ss w/rd+\\u00fc~1!", "****!");
    check("\\u0070\\u0026ss w\\/rd+\\u00FC~1", "****");
    check("{\"body\":\"{\\\"got\\\":\\\"p&ss w\\\\/rd+\\\\u00fc~1\\\"}\"}",
          "{\"body\":\"{\\\"got\\\":\\\"****\\\"}\"}");
    check("q=p%2526ss%2520w%252Frd%252B%25C3%25BC~1", "q=****");
    struct mask m;
    struct buf out;
    mask_init(&m);
    buf_init(&out, 100);
    assert_int_equal(mask_add(&m, STR("k\xf0\x9f\x94\x91y")), 0);
    mask_apply(&m, &out, STR("[k\\ud83d\\udd11y] k\\ud83dy k\\ud83d\\u"), true);
    assert_true(str_eq(buf_str(&out), STR("[****] k\\ud83dy ****")));
    buf_fini(&out);
    mask_fini(&m);
}

// All are found, each at all its places; what they share is no end of one.
static void secrets_that_overlap_are_masked_whole(void **state)
{
    (void)state;
    struct mask m;
    struct buf out;
    mask_init(&m);
    buf_init(&out, 1000);
    assert_int_equal(mask_add(&m, STR("user-a")), 0);
    assert_int_equal(mask_add(&m, STR("a9f8e7")), 0);
    assert_int_equal(mask_add(&m, STR("f8e")), 0);
    assert_int_equal(mask_add(&m, STR("xyx")), 0);
    mask_apply(&m, &out, STR("user-a9f8e7. xyxyxy user-auser-a user-a9"), true);
    assert_true(str_eq(buf_str(&out), STR("****. ****y ******** ****")));
    buf_fini(&out);
    mask_fini(&m);
}

static void a_mask_that_lacks_a_secret_hides_all(void **state)
{
    (void)state;
    static char secret[16 * 1024];
    struct mask m;
    struct buf out;
    int code = 0;
    memset(secret, '"', sizeof secret);
    for (size_t count = 0; count < 3; count++) {
        mask_init(&m);
        buf_init(&out, 1000);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(mask_add(&m, STR("secret")), 0);
        }
        for (code = 0; code == 0;) {
            code = count == 2 ? mask_add_credential(&m, (struct str){secret, sizeof secret})
                              : mask_add(&m, (struct str){secret, sizeof secret});
        }
        assert_int_equal(code, ERR_TOO_LARGE);
        assert_int_equal(mask_add(&m, STR("one more")), ERR_TOO_LARGE);
        assert_int_equal(mask_apply(&m, &out, STR("plain secret text"), false), 0);
        assert_true(str_eq(buf_str(&out), STR("****")));
        buf_fini(&out);
        mask_fini(&m);
    }
    mask_init(&m); // where none was had
    buf_init(&out, 1000);
    m.needles.max = 10;
    assert_int_equal(mask_add(&m, STR("secret")), ERR_TOO_LARGE);
    mask_apply(&m, &out, STR("plain secret text"), false);
    assert_true(str_eq(buf_str(&out), STR("****")));
    buf_fini(&out);
    mask_fini(&m);
}

static void a_secret_of_one_byte_is_masked(void **state)
{
    (void)state;
    struct mask m;
    struct buf out;
    mask_init(&m);
    buf_init(&out, 100);
    assert_int_equal(mask_add(&m, STR("!")), 0);
    mask_apply(&m, &out, STR("a!b !! IQ== c"), false);
    assert_true(str_eq(buf_str(&out), STR("a****b ******** **** c")));
    buf_fini(&out);
    mask_fini(&m);
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
        cmocka_unit_test(base64_is_masked_whole_at_every_alignment),
        cmocka_unit_test(a_basic_credential_is_masked_whole),
        cmocka_unit_test(base64_over_several_lines_is_masked),
        cmocka_unit_test(base64_at_a_cut_is_masked),
        cmocka_unit_test(many_secrets_are_all_masked),
        cmocka_unit_test(what_is_nearly_base64_of_it_is_left),
        cmocka_unit_test(the_beginning_of_a_secret_at_a_cut_is_masked),
        cmocka_unit_test(escaped_characters_of_a_secret_are_masked),
        cmocka_unit_test(secrets_that_overlap_are_masked_whole),
        cmocka_unit_test(a_mask_that_lacks_a_secret_hides_all),
        cmocka_unit_test(a_secret_of_one_byte_is_masked),
        cmocka_unit_test(an_empty_secret_masks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
