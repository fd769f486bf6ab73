#include "unit.h"

#include "cli/span.h"

static void is_short_and_close(void **state)
{
    static const struct {
        int64_t ms;
        const char *wanted;
    } rows[] = {
        {-5, "0 ms"},        {0, "0 ms"},        {999, "999 ms"},       {1000, "1s"},
        {1500, "1.5s"},      {9940, "9.9s"},     {9951, "10s"},         {15000, "15s"},
        {59499, "59s"},      {59500, "1m"},      {90000, "1m30s"},      {3599499, "59m59s"},
        {3600000, "1h"},     {11100000, "3h5m"}, {172799000, "47h59m"}, {172800000, "2d"},
        {187200000, "2d4h"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char out[SPAN_LEN_MAX];
        if (strcmp(span_format(out, rows[i].ms), rows[i].wanted) != 0)
            fail_case(i, "got %s, wanted %s", out, rows[i].wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_short_and_close)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
