// Rates: how they are written, and that a meter keeps to one with a burst of as many as it names.
#include "unit.h"

#include "base/err.h"
#include "base/rate.h"

static void rates_are_read_and_written(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t count, per_ms;
    } good[] = {{"1/s", 1, 1000}, {"300/m", 300, 60000}, {"1000000/h", 1000000, 3600000}};
    static const char *const bad[] = {"",          "/s",  "5",    "0/s", "-1/s",
                                      "1000001/s", "5/d", "5 /s", "5/s "};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct rate r;
        char text[RATE_TEXT_MAX];
        assert_int_equal(rate_parse(str_from(good[i].text), &r), 0);
        assert_true(r.count == good[i].count && r.per_ms == good[i].per_ms);
        rate_format(text, r);
        assert_string_equal(text, good[i].text);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct rate r;
        assert_int_equal(rate_parse(str_from(bad[i]), &r), ERR_INVALID);
    }
}

static void a_meter_lets_a_burst_through_and_then_an_even_pace(void **state)
{
    (void)state;
    struct rate_meter m = {0};
    const struct rate r = {5, 1000};
    int64_t now_ms = 7000000;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(rate_take(&m, r, now_ms), 0);
    }
    assert_int_equal(rate_take(&m, r, now_ms), 200);
    assert_int_equal(rate_take(&m, r, now_ms + 199), 1); // what was refused is not counted
    assert_int_equal(rate_take(&m, r, now_ms + 200), 0);
    assert_int_equal(rate_take(&m, r, now_ms + 200), 200);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(rate_take(&m, r, now_ms + 60000), 0);
    }
    assert_int_equal(rate_take(&m, r, now_ms + 60000), 200); // no more is saved up than one burst
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(rate_take(&m, (struct rate){0}, now_ms), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_are_read_and_written),
        cmocka_unit_test(a_meter_lets_a_burst_through_and_then_an_even_pace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
