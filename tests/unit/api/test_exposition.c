// Prometheus' text format.
#include "api/exposition.h"
#include "unit.h"

static void assert_text(struct buf *b, const char *expected)
{
    buf_append_char(b, 0);
    assert_int_equal(b->failed, 0);
    assert_string_equal(b->data, expected);
    buf_reset(b);
}

static void label_values_are_escaped(void **state)
{
    (void)state;
    struct buf b;
    struct exposition x = {.out = &b, .name = "m"};
    buf_init(&b, 4096);
    struct exposition_label labels[] = {{"a", STR("q\"b\\n\nu\xC3\xA9")}, {"b", STR("\xFF.")}};
    exposition_integer(&x, labels, 2, -3);
    assert_text(&b, "m{a=\"q\\\"b\\\\n\\nu\xC3\xA9\",b=\"\xEF\xBF\xBD.\"} -3\n");
    buf_fini(&b);
}

static void seconds_have_no_more_digits_than_they_need(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        const char *text;
    } cases[] = {
        {0, "m 0\n"},           {1, "m 0.000001\n"}, {2500, "m 0.0025\n"},     {1000000, "m 1\n"},
        {10500000, "m 10.5\n"}, {-5, "m 0\n"},       {1000001, "m 1.000001\n"}};
    struct buf b;
    struct exposition x = {.out = &b, .name = "m"};
    buf_init(&b, 4096);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        exposition_seconds(&x, cases[i].us);
        assert_text(&b, cases[i].text);
    }
    buf_fini(&b);
}

static void buckets_are_cumulative(void **state)
{
    (void)state;
    static const int64_t bounds_us[] = {1000, 500000};
    struct histogram h;
    struct buf b;
    struct exposition x = {.out = &b};
    buf_init(&b, 4096);
    histogram_init(&h, bounds_us, 2);
    histogram_add(&h, 900, 2);
    histogram_add(&h, 2000, 1);
    histogram_add(&h, 3000000, 1);
    exposition_family(&x, "t_seconds", "histogram", "Help.");
    exposition_histogram(&x, &h);
    assert_text(&b, "# HELP t_seconds Help.\n# TYPE t_seconds histogram\n"
                    "t_seconds_bucket{le=\"0.001\"} 2\nt_seconds_bucket{le=\"0.5\"} 3\n"
                    "t_seconds_bucket{le=\"+Inf\"} 4\nt_seconds_sum 3.0038\nt_seconds_count 4\n");
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(label_values_are_escaped),
                                       cmocka_unit_test(seconds_have_no_more_digits_than_they_need),
                                       cmocka_unit_test(buckets_are_cumulative)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
