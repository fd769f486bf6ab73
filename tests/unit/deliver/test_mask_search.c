// A search takes so many steps for each byte, whatever a secret and a text are made of.
#include "unit.h"

#include "deliver/mask_search.h"
#include "encode/base64.h"

enum { SECRET_BYTES = 16 * 1024, TEXT_BYTES = 256 * 1024, STEPS_A_BYTE = 3 };

static size_t steps_of(const struct mask_needle *needle, struct str text, bool is_cut)
{
    struct mask_spans spans;
    struct mask_reading plain, base64;
    mask_reading_init(&plain, text, is_cut);
    assert_int_equal(mask_base64_read(&base64, &plain), 0);
    assert_int_equal(mask_spans_init(&spans, text.len), 0);
    assert_int_equal(mask_search(&spans, needle, needle->is_base64 ? &base64 : &plain), 0);
    mask_reading_fini(&base64);
    mask_spans_fini(&spans);
    return spans.steps;
}

// As it is where before is 3.
static void make_needle(struct mask_needle *needle, struct buf *bytes, struct str secret,
                        size_t before)
{
    *needle = (struct mask_needle){.is_base64 = before < 3};
    buf_init(bytes, TEXT_BYTES);
    if (needle->is_base64) {
        mask_base64_write(bytes, &needle->edges, secret, before);
    } else {
        buf_append_str(bytes, secret);
    }
    needle->bytes = buf_str(bytes);
}

static void steps_grow_with_the_text_alone(void **state)
{
    (void)state;
    static const char *const units[] = {"A", "AB", "ABC", "AAAB", "\xff", "\x10"};
    static const char *const ends[] = {"", ".", "=", "=====", "B"};
    static char secret[SECRET_BYTES];
    for (size_t u = 0; u < COUNT_OF(units); u++) {
        for (size_t i = 0; i < sizeof secret; i++) {
            secret[i] = units[u][i % strlen(units[u])];
        }
        for (size_t before = 0; before < 4; before++) {
            for (size_t e = 0; e < COUNT_OF(ends); e++) {
                struct mask_needle needle;
                struct buf bytes, text, coded;
                make_needle(&needle, &bytes, (struct str){secret, sizeof secret}, before);
                buf_init(&coded, TEXT_BYTES);
                buf_init(&text, TEXT_BYTES);
                base64_encode(&coded, (struct str){secret, sizeof secret});
                struct str unit =
                    needle.is_base64 ? buf_str(&coded) : (struct str){secret, sizeof secret};
                // A little is missing of each; without an end each byte begins one.
                while (buf_append(&text, unit.data, unit.len - (ends[e][0] ? 4 : 0)) == 0 &&
                       buf_append_text(&text, ends[e]) == 0) {
                }
                for (size_t part = 1; part <= 2; part++) {
                    size_t len = text.len / 2 * part;
                    size_t steps = steps_of(&needle, (struct str){text.data, len}, part == 1);
                    if (steps > STEPS_A_BYTE * (len + bytes.len)) {
                        fail_case(u, "before %zu, end %zu: %zu steps for %zu bytes", before, e,
                                  steps, len);
                    }
                }
                buf_fini(&bytes);
                buf_fini(&text);
                buf_fini(&coded);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(steps_grow_with_the_text_alone)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
