#include "base/casefold.h"

#include "base/casefold_table.h"
#include "unit.h"

static void folds(void **state)
{
    (void)state;
    static const struct {
        const char *text, *folded;
    } cases[] = {
        {"", ""},
        {"already folded, 123 @[`{", "already folded, 123 @[`{"},
        {"ABC xyz ABC", "abc xyz abc"},
        {"\u00C4\u00D6\u00DC", "\u00E4\u00F6\u00FC"}, // Latin-1
        {"\u00D7", "\u00D7"},                         // the times sign between them
        {"\u0100\u0101\u0102", "\u0101\u0101\u0103"}, // pairs
        {"\u0130", "\u0130"},                         // only F and T map it
        {"\u00DF", "\u00DF"},                         // sharp s: only F maps it
        {"\u1E9E", "\u00DF"},                         // its capital: S
        {"\u03A3\u03C2", "\u03C3\u03C3"},             // both sigmas
        {"\u0410\u042F", "\u0430\u044F"},             // Cyrillic
        {"\u00B5", "\u03BC"},                         // micro sign
        {"\u017F", "s"},                              // long s: becomes shorter
        {"\u212A", "k"},                              // Kelvin sign
        {"\u212B", "\u00E5"},                         // Angstrom sign
        {"\u023A", "\u2C65"},                         // becomes longer
        {"\u13A0", "\u13A0"},                         // Cherokee folds to capitals
        {"\uAB70", "\u13A0"},
        {"\uFF21", "\uFF41"},                                   // full width
        {"\U00010400\U0001E900", "\U00010428\U0001E922"},       // four bytes
        {"\u6F22\u5B57 \U0001F600", "\u6F22\u5B57 \U0001F600"}, // no case
        {"A\xFF\xC3"
         "B\xE2\x82",
         "a\xFF\xC3"
         "b\xE2\x82"}, // no UTF-8
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf out;
        buf_init(&out, 1000);
        assert_int_equal(casefold_simple(&out, str_from(cases[i].text)), 0);
        assert_str_text(buf_str(&out), cases[i].folded);
        buf_fini(&out);
    }
}

static void table_is_sorted_and_final(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASEFOLD_RANGES); i++) {
        const struct casefold_range *r = &CASEFOLD_RANGES[i];
        assert_true(r->first <= r->last && r->step >= 1 && r->delta != 0);
        assert_int_equal((r->last - r->first) % r->step, 0);
        assert_true(i == 0 || CASEFOLD_RANGES[i - 1].last < r->first);
        // What something folds to does not fold on.
        for (uint32_t c = r->first; c <= r->last; c += r->step) {
            uint32_t to = (uint32_t)((int32_t)c + r->delta);
            for (size_t j = 0; j < COUNT_OF(CASEFOLD_RANGES); j++) {
                const struct casefold_range *q = &CASEFOLD_RANGES[j];
                assert_false(to >= q->first && to <= q->last && (to - q->first) % q->step == 0);
            }
        }
    }
}

static void stops_at_the_maximum(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 5);
    assert_int_equal(casefold_simple(&out, STR("ABCDEF")), ERR_TOO_LARGE);
    buf_reset(&out);
    assert_int_equal(casefold_simple(&out, STR("ABC\u023A")), ERR_TOO_LARGE);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds),
        cmocka_unit_test(table_is_sorted_and_final),
        cmocka_unit_test(stops_at_the_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
