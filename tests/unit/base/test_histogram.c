// Durations in buckets.
#include "base/histogram.h"
#include "unit.h"

static const int64_t BOUNDS_US[] = {10, 100, 1000};

static void values_fall_into_their_buckets(void **state)
{
    (void)state;
    struct histogram h;
    histogram_init(&h, BOUNDS_US, 3);
    histogram_add(&h, -5, 1);
    histogram_add(&h, 10, 1);
    histogram_add(&h, 11, 2);
    histogram_add(&h, 5000, 1);
    assert_int_equal(h.count[0], 2);
    assert_int_equal(h.count[1], 2);
    assert_int_equal(h.count[2], 0);
    assert_int_equal(h.count[3], 1);
    assert_int_equal(h.total, 5);
    assert_int_equal(h.sum_us, 10 + 22 + 5000);
}

static void a_quantile_lies_within_its_bucket(void **state)
{
    (void)state;
    struct histogram h;
    histogram_init(&h, BOUNDS_US, 3);
    assert_int_equal(histogram_quantile_us(&h, 0.5), -1);
    histogram_add(&h, 50, 10);
    assert_int_equal(histogram_quantile_us(&h, 0.5), 55);
    assert_int_equal(histogram_quantile_us(&h, 1), 100);
    histogram_add(&h, 99999, 90);
    assert_int_equal(histogram_quantile_us(&h, 0.99), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(values_fall_into_their_buckets),
                                       cmocka_unit_test(a_quantile_lies_within_its_bucket)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
