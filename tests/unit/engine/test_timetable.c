// When schedules fall due: days, months, zones, and the dates of records.
#include <stdio.h>

#include "base/rfc3339.h"
#include "engine/timetable.h"
#include "unit.h"

enum { DAILY_0900 = 9 * 60, DAILY_0230 = 2 * 60 + 30 };

static int64_t at(const char *text)
{
    int64_t ms = 0;
    assert_int_equal(rfc3339_parse(str_from(text), &ms), 0);
    return ms;
}

static const char *const ENDS[] = {"contract", "ends"};

#define AT_0900 .at_minutes = DAILY_0900
static const struct rules_schedule DAILY = {.kind = RULES_DAILY, AT_0900};
static const struct rules_schedule NIGHTLY = {.kind = RULES_DAILY, .at_minutes = DAILY_0230};
static const struct rules_schedule MONDAYS = {.kind = RULES_WEEKLY, .weekdays = 1, AT_0900};
static const struct rules_schedule ENDS_OF_WEEK = {
    .kind = RULES_WEEKLY, .weekdays = 1 << 4 | 1 << 6, AT_0900};
static const struct rules_schedule LAST = {.kind = RULES_MONTHLY, .month_day = 31, AT_0900};
static const struct rules_schedule THIRTIETH = {.kind = RULES_MONTHLY, .month_day = 30, AT_0900};
static const struct rules_schedule DATE = {
    .kind = RULES_DATE, .field = (const char **)ENDS, .field_count = 2, .offset_days = -3, AT_0900};

static void steps_from_time_to_time(void **state)
{
    (void)state;
    static const struct {
        const struct rules_schedule *schedule;
        const char *zone;
        const char *times[4]; // each is the next of the one before, and the last before the next
    } cases[] = {
        {&DAILY, "UTC", {"2026-11-22T09:00:00Z", "2026-11-23T09:00:00Z", "2026-11-24T09:00:00Z"}},
        {&DAILY,
         "Europe/Berlin",
         {"2026-10-24T07:00:00Z", "2026-10-25T08:00:00Z", "2026-10-26T08:00:00Z"}},
        {&NIGHTLY, // skipped: when the clocks change; twice: the first
         "Europe/Berlin",
         {"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"}},
        {&NIGHTLY,
         "Europe/Berlin",
         {"2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}},
        {&NIGHTLY,
         "America/New_York",
         {"2026-03-07T07:30:00Z", "2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"}},
        {&NIGHTLY, // a change by half an hour, at 02:00
         "Australia/Lord_Howe",
         {"2026-10-02T16:00:00Z", "2026-10-03T15:30:00Z", "2026-10-04T15:30:00Z"}},
        {&DAILY,
         "Asia/Kolkata",
         {"2026-11-22T03:30:00Z", "2026-11-23T03:30:00Z", "2026-11-24T03:30:00Z"}},
        {&DAILY, // December 30 was left out
         "Pacific/Apia",
         {"2011-12-29T19:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T19:00:00Z",
          "2011-12-31T19:00:00Z"}},
        {&MONDAYS, "UTC", {"2026-11-23T09:00:00Z", "2026-11-30T09:00:00Z", "2026-12-07T09:00:00Z"}},
        {&MONDAYS, // Monday there is Sunday in UTC
         "Pacific/Auckland",
         {"2026-11-22T20:00:00Z", "2026-11-29T20:00:00Z"}},
        {&ENDS_OF_WEEK,
         "UTC",
         {"2026-11-20T09:00:00Z", "2026-11-22T09:00:00Z", "2026-11-27T09:00:00Z"}},
        {&LAST, "UTC", {"2026-01-31T09:00:00Z", "2026-02-28T09:00:00Z", "2026-03-31T09:00:00Z"}},
        {&LAST, "UTC", {"2028-01-31T09:00:00Z", "2028-02-29T09:00:00Z", "2028-03-31T09:00:00Z"}},
        {&THIRTIETH,
         "UTC",
         {"2026-01-30T09:00:00Z", "2026-02-28T09:00:00Z", "2026-03-30T09:00:00Z"}},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct zone *zone;
        struct err e;
        assert_int_equal(zone_load(&zone, str_from(cases[i].zone), &e), 0);
        struct timetable t = {cases[i].schedule, zone};
        for (size_t k = 0; k + 1 < 4 && cases[i].times[k + 1]; k++) {
            int64_t before = at(cases[i].times[k]), next = at(cases[i].times[k + 1]);
            int64_t got = timetable_next_ms(&t, before);
            if (got != next || timetable_next_ms(&t, next - 1) != next ||
                timetable_last_ms(&t, next - 1) != before || timetable_last_ms(&t, next) != next) {
                char text[RFC3339_LEN + 1];
                rfc3339_format(text, got);
                fail_case(i, "behind %s: %s, wanted %s", cases[i].times[k], text,
                          cases[i].times[k + 1]);
            }
        }
        zone_free(zone);
    }
}

static void finds_the_date_of_a_record(void **state)
{
    (void)state;
    static const struct {
        const char *record;
        const char *due; // NULL: none
    } cases[] = {
        {"{\"id\":1,\"contract\":{\"ends\":\"2026-11-23\"}}", "2026-11-20T14:00:00Z"},
        {"{\"ends\":\"2026-01-01\",\"contract\":{\"a\":[{\"ends\":1}],\"ends\":\"2026-11-23\"}}",
         "2026-11-20T14:00:00Z"},
        {"{\"contract\":{\"ends\":\"2026-11-23T04:59:59Z\"}}", "2026-11-19T14:00:00Z"}, // its day
        {"{\"contract\":{\"ends\":\"2026-11-23T05:00:00Z\"}}", "2026-11-20T14:00:00Z"}, // there
        {"{\"contract\":{\"ends\":\"2026-11-04\"}}", "2026-11-01T14:00:00Z"},
        {"{\"contract\":{\"ends\":\"2026-11-03\"}}", "2026-10-31T13:00:00Z"}, // in summer time
        {"{\"contract\":{\"\\u0065nds\":\"2026-11-23\"}}", "2026-11-20T14:00:00Z"},
        {"{\"contract\":{\"ends\":\"soon\"}}", NULL},
        {"{\"contract\":{\"ends\":null}}", NULL},
        {"{\"contract\":{\"ends\":20261123}}", NULL},
        {"{\"contract\":{\"ends\":{}}}", NULL},
        {"{\"contract\":\"2026-11-23\"}", NULL},
        {"{\"contract\":{}}", NULL},
        {"{}", NULL},
        {"[]", NULL},
        {"", NULL},
    };
    struct zone *zone;
    struct err e;
    assert_int_equal(zone_load(&zone, STR("America/New_York"), &e), 0);
    struct timetable t = {&DATE, zone};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t due_ms = 0;
        bool is_there = timetable_of_record(&t, str_from(cases[i].record), &due_ms);
        if (is_there != (cases[i].due != NULL) || (is_there && due_ms != at(cases[i].due))) {
            char text[RFC3339_LEN + 1];
            rfc3339_format(text, due_ms);
            fail_case(i, "%s: %s", cases[i].record, is_there ? text : "none");
        }
    }
    zone_free(zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_from_time_to_time),
        cmocka_unit_test(finds_the_date_of_a_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
