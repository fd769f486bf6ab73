// Clock, RFC 3339 timestamps and durations.
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/rfc3339.h"
#include "unit.h"

static void test_clock_moves_only_when_told(void **state)
{
    (void)state;
    struct clock real, test;
    clock_init(&real);
    clock_init_test(&test);
    int64_t off_ms = clock_wall_ms(&real) - clock_wall_ms(&test);
    assert_true(off_ms >= 0 && off_ms < 10000);
    int64_t wall_ms = clock_wall_ms(&test), mono_ms = clock_mono_ms(&test);
    for (int64_t start_ms = clock_mono_ms(&real); clock_mono_ms(&real) < start_ms + 3;) {
    }
    assert_int_equal(clock_wall_ms(&test), wall_ms);
    clock_advance(&test, 15000);
    assert_int_equal(clock_wall_ms(&test), wall_ms + 15000);
    assert_int_equal(clock_mono_ms(&test), mono_ms + 15000);
}

static void test_running_time_is_not_set_with_the_wall_clock(void **state)
{
    (void)state;
    struct clock c;
    clock_init_test(&c);
    int64_t began_ms = clock_wall_ms(&c);
    assert_int_equal(clock_running_ms(&c), began_ms);
    clock_advance(&c, 1000);
    clock_set_wall(&c, 86400000);
    assert_int_equal(clock_running_ms(&c), began_ms + 1000);
    assert_int_equal(clock_wall_at_ms(&c, began_ms + 3000), clock_wall_ms(&c) + 2000);
    clock_set_wall(&c, -2 * 86400000);
    assert_int_equal(clock_wall_at_ms(&c, began_ms + 3000), clock_wall_ms(&c) + 2000);
    clock_set_wall(&c, 3); // no more than two clocks tremble: what is shown stays
    assert_int_equal(clock_wall_at_ms(&c, began_ms + 3000), clock_wall_ms(&c) + 1997);
    clock_set_running(&c, 5);
    clock_advance(&c, 2);
    assert_int_equal(clock_running_ms(&c), 7);
    clock_hold_running(&c, true);
    clock_advance(&c, 100);
    clock_hold_running(&c, true);
    assert_int_equal(clock_running_ms(&c), 7);
    clock_hold_running(&c, false);
    clock_hold_running(&c, false);
    assert_int_equal(clock_running_ms(&c), 7);
    clock_advance(&c, 3);
    assert_int_equal(clock_running_ms(&c), 10);
}

static void formats_times(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {1795425300120, "2026-11-23T09:15:00.120Z"},
        {951782399999, "2000-02-28T23:59:59.999Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {4107542400000, "2100-03-01T00:00:00.000Z"},
        {-62167219200000, "0000-01-01T00:00:00.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
        {INT64_MIN, "0000-01-01T00:00:00.000Z"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char out[RFC3339_LEN + 1];
        rfc3339_format(out, cases[i].ms);
        assert_string_equal(out, cases[i].text);
    }
}

static void agrees_with_libc(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int i = 0; i < 20000; i++) {
        // 1900 to 2300
        int64_t ms = (int64_t)(next_random(&seed) % 12622780800000) - 2208988800000;
        char out[RFC3339_LEN + 1], wanted[64];
        rfc3339_format(out, ms);
        int64_t rest_ms = (ms % 1000 + 1000) % 1000;
        time_t seconds = (time_t)((ms - rest_ms) / 1000);
        struct tm tm;
        gmtime_r(&seconds, &tm);
        size_t len = strftime(wanted, sizeof wanted, "%Y-%m-%dT%H:%M:%S", &tm);
        snprintf(wanted + len, sizeof wanted - len, ".%03dZ", (int)rest_ms);
        assert_string_equal(out, wanted);
        int64_t back;
        assert_int_equal(rfc3339_parse(str_from(out), &back), 0);
        assert_int_equal(back, ms);
    }
}

static void parses_times(void **state)
{
    (void)state;
    static const struct {
        const char *text, *utc; // utc NULL: refused
    } cases[] = {
        {"2026-11-23T09:15:00Z", "2026-11-23T09:15:00.000Z"},
        {"2026-11-23t09:15:00z", "2026-11-23T09:15:00.000Z"},
        {"2026-11-23T09:15:00.5Z", "2026-11-23T09:15:00.500Z"},
        {"2026-11-23T09:15:00.05Z", "2026-11-23T09:15:00.050Z"},
        {"2026-11-23T09:15:00.123456789123Z", "2026-11-23T09:15:00.123Z"},
        {"2026-11-23T09:15:00+01:00", "2026-11-23T08:15:00.000Z"},
        {"2026-11-23T09:15:00-05:30", "2026-11-23T14:45:00.000Z"},
        {"2026-11-23T09:15:00-00:00", "2026-11-23T09:15:00.000Z"},
        {"2026-01-01T00:30:00.25+01:00", "2025-12-31T23:30:00.250Z"},
        {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"},
        {"2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000Z"},
        {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"},
        {"2016-12-31T23:59:60.5Z", "2017-01-01T00:00:00.500Z"},
        {"2016-12-31T15:59:60-08:00", "2017-01-01T00:00:00.000Z"},
        {"0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z"},
        {"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"},
        {"9999-12-31T23:59:60Z", NULL}, // in UTC it is the year 10000
        {"9999-12-31T23:30:00-01:00", NULL},
        {"0000-01-01T00:30:00+01:00", NULL},
        {"2016-12-31T23:58:60Z", NULL},
        {"2016-12-31T23:59:60+01:00", NULL},
        {"2016-12-31T23:59:61Z", NULL},
        {"2023-02-29T00:00:00Z", NULL},
        {"2100-02-29T00:00:00Z", NULL},
        {"2026-04-31T00:00:00Z", NULL},
        {"2026-00-10T00:00:00Z", NULL},
        {"2026-13-10T00:00:00Z", NULL},
        {"2026-01-00T00:00:00Z", NULL},
        {"2026-01-01T24:00:00Z", NULL},
        {"2026-01-01T23:60:00Z", NULL},
        {"2026-01-01T00:00:00", NULL},
        {"2026-01-01T00:00:00.Z", NULL},
        {"2026-01-01T00:00:00,5Z", NULL},
        {"2026-01-01 00:00:00Z", NULL},
        {"2026-01-01T00:00:00+0100", NULL},
        {"2026-01-01T00:00:00+24:00", NULL},
        {"2026-01-01T00:00:00+01:60", NULL},
        {"2026-01-01T00:00:00Zx", NULL},
        {"2026-01-01T00:00Z", NULL},
        {"2026-1-01T00:00:00Z", NULL},
        {"26-01-01T00:00:00Z", NULL},
        {"2026-01-01", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t ms = 0;
        int code = rfc3339_parse(str_from(cases[i].text), &ms);
        char out[RFC3339_LEN + 1] = "refused";
        if (code == 0) {
            rfc3339_format(out, ms);
        }
        const char *wanted = cases[i].utc ? cases[i].utc : "refused";
        if (strcmp(out, wanted) != 0 || (code != 0 && code != ERR_INVALID)) {
            fail_case(i, "%s: got %s, wanted %s", cases[i].text, out, wanted);
        }
    }
    int64_t ms;
    assert_int_equal(rfc3339_parse(STR("2026-11-23T09:15:00\0Z"), &ms), ERR_INVALID);
}

static void parses_dates(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t midnight_ms; // -1: refused
    } cases[] = {
        {"1970-01-01", 0},
        {"2026-11-23", 1795392000000},
        {"2024-02-29", 1709164800000},
        {"9999-12-31", 253402214400000},
        {"2023-02-29", -1},
        {"2026-04-31", -1},
        {"2026-00-10", -1},
        {"2026-11-00", -1},
        {"2026-11-2", -1},
        {"2026-11-231", -1},
        {"2026-11-23 ", -1},
        {" 2026-11-23", -1},
        {"2026-11-23Z", -1},
        {"2026-11-23T00:00:00Z", -1},
        {"2026/11/23", -1},
        {"20261123", -1},
        {"-026-11-23", -1},
        {"", -1},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t ms = -1;
        int code = rfc3339_parse_date(str_from(cases[i].text), &ms);
        if (ms != cases[i].midnight_ms || code != (ms == -1 ? ERR_INVALID : 0)) {
            fail_case(i, "%s: got %lld", cases[i].text, (long long)ms);
        }
    }
    int64_t ms;
    assert_int_equal(rfc3339_parse_date((struct str){0}, &ms), ERR_INVALID);
}

static void handles_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
        int64_t ms;
        const char *shortest;
    } cases[] = {
        {"500ms", 0, 500, "500ms"},
        {"15s", 0, 15000, "15s"},
        {"90s", 0, 90000, "90s"},
        {"60s", 0, 60000, "1m"},
        {"10m", 0, 600000, "10m"},
        {"120m", 0, 7200000, "2h"},
        {"2h", 0, 7200000, "2h"},
        {"30d", 0, 2592000000, "30d"},
        {"1001ms", 0, 1001, "1001ms"},
        {"0s", 0, 0, "0s"},
        {"0ms", 0, 0, "0s"},
        {"36525d", 0, 3155760000000, "36525d"},
        {"36526d", ERR_TOO_LARGE, 0, NULL},
        {"99999999999999999999d", ERR_TOO_LARGE, 0, NULL},
        {"", ERR_INVALID, 0, NULL},
        {"15", ERR_INVALID, 0, NULL},
        {"s", ERR_INVALID, 0, NULL},
        {"-15s", ERR_INVALID, 0, NULL},
        {"1.5h", ERR_INVALID, 0, NULL},
        {"15 s", ERR_INVALID, 0, NULL},
        {"15S", ERR_INVALID, 0, NULL},
        {"15sec", ERR_INVALID, 0, NULL},
        {"1h30m", ERR_INVALID, 0, NULL},
        {"1w", ERR_INVALID, 0, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t ms = -1;
        int code = duration_parse(str_from(cases[i].text), &ms);
        if (code != cases[i].code || (code == 0 && ms != cases[i].ms)) {
            fail_case(i, "%s gave %d, %lld", cases[i].text, code, (long long)ms);
        }
        if (code == 0) {
            char out[24];
            duration_format(out, ms);
            assert_string_equal(out, cases[i].shortest);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock_moves_only_when_told),
        cmocka_unit_test(test_running_time_is_not_set_with_the_wall_clock),
        cmocka_unit_test(formats_times),
        cmocka_unit_test(agrees_with_libc),
        cmocka_unit_test(parses_times),
        cmocka_unit_test(parses_dates),
        cmocka_unit_test(handles_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
