// Time zones, their local times over changes of the clock, and files that are none. The table was
// made with Python's zoneinfo.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/date.h"
#include "base/rfc3339.h"
#include "base/zone.h"
#include "base/zone_rule.h"
#include "unit.h"

static struct zone *load(const char *name)
{
    struct zone *z;
    struct err e = {0};
    if (zone_load(&z, str_from(name), &e)) {
        fail_msg("%s", e.text);
    }
    return z;
}

static int64_t seconds(const char *text)
{
    int64_t ms = 0;
    assert_int_equal(rfc3339_parse(str_from(text), &ms), 0);
    return ms / 1000;
}

// A skipped time is the next that there is, a doubled one the first.
static void finds_local_times(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *local, *utc;
    } cases[] = {
        {"UTC", "2026-03-29T02:30:00Z", "2026-03-29T02:30:00Z"},
        {"Europe/Berlin", "2026-03-28T02:30:00Z", "2026-03-28T01:30:00Z"},
        {"Europe/Berlin", "2026-03-29T01:59:00Z", "2026-03-29T00:59:00Z"},
        {"Europe/Berlin", "2026-03-29T02:00:00Z", "2026-03-29T01:00:00Z"}, // skipped
        {"Europe/Berlin", "2026-03-29T02:30:00Z", "2026-03-29T01:00:00Z"}, // skipped
        {"Europe/Berlin", "2026-03-29T03:00:00Z", "2026-03-29T01:00:00Z"},
        {"Europe/Berlin", "2026-03-29T09:00:00Z", "2026-03-29T07:00:00Z"},
        {"Europe/Berlin", "2026-10-25T01:59:00Z", "2026-10-24T23:59:00Z"},
        {"Europe/Berlin", "2026-10-25T02:00:00Z", "2026-10-25T00:00:00Z"}, // twice
        {"Europe/Berlin", "2026-10-25T02:59:00Z", "2026-10-25T00:59:00Z"}, // twice
        {"Europe/Berlin", "2026-10-25T03:00:00Z", "2026-10-25T02:00:00Z"},
        {"Europe/Berlin", "2050-03-27T02:30:00Z", "2050-03-27T01:00:00Z"}, // skipped
        {"Europe/Berlin", "2050-10-30T02:30:00Z", "2050-10-30T00:30:00Z"}, // twice
        {"Europe/Berlin", "2499-07-01T09:00:00Z", "2499-07-01T07:00:00Z"},
        {"Europe/Berlin", "1980-04-06T02:30:00Z", "1980-04-06T01:00:00Z"}, // skipped
        {"America/New_York", "2026-03-08T01:59:00Z", "2026-03-08T06:59:00Z"},
        {"America/New_York", "2026-03-08T02:30:00Z", "2026-03-08T07:00:00Z"}, // skipped
        {"America/New_York", "2026-03-08T03:00:00Z", "2026-03-08T07:00:00Z"},
        {"America/New_York", "2026-11-01T00:59:00Z", "2026-11-01T04:59:00Z"},
        {"America/New_York", "2026-11-01T01:30:00Z", "2026-11-01T05:30:00Z"}, // twice
        {"America/New_York", "2026-11-01T02:00:00Z", "2026-11-01T07:00:00Z"},
        {"America/New_York", "2060-03-14T02:00:00Z", "2060-03-14T07:00:00Z"}, // skipped
        {"Asia/Kolkata", "2026-03-29T02:30:00Z", "2026-03-28T21:00:00Z"},
        {"Asia/Kolkata", "2026-11-01T09:00:00Z", "2026-11-01T03:30:00Z"},
        {"Asia/Kolkata", "1941-10-01T00:10:00Z", "1941-09-30T18:30:00Z"}, // skipped
        {"Australia/Lord_Howe", "2026-04-05T01:29:00Z", "2026-04-04T14:29:00Z"},
        {"Australia/Lord_Howe", "2026-04-05T01:30:00Z", "2026-04-04T14:30:00Z"}, // twice
        {"Australia/Lord_Howe", "2026-04-05T01:59:00Z", "2026-04-04T14:59:00Z"}, // twice
        {"Australia/Lord_Howe", "2026-04-05T02:00:00Z", "2026-04-04T15:30:00Z"},
        {"Australia/Lord_Howe", "2026-10-04T01:59:00Z", "2026-10-03T15:29:00Z"},
        {"Australia/Lord_Howe", "2026-10-04T02:00:00Z", "2026-10-03T15:30:00Z"}, // skipped
        {"Australia/Lord_Howe", "2026-10-04T02:29:00Z", "2026-10-03T15:30:00Z"}, // skipped
        {"Australia/Lord_Howe", "2026-10-04T02:30:00Z", "2026-10-03T15:30:00Z"},
        {"Australia/Lord_Howe", "2060-10-03T02:10:00Z", "2060-10-02T15:30:00Z"}, // skipped
        {"Pacific/Apia", "2011-12-29T09:00:00Z", "2011-12-29T19:00:00Z"},
        {"Pacific/Apia", "2011-12-30T09:00:00Z", "2011-12-30T10:00:00Z"}, // skipped
        {"Pacific/Apia", "2011-12-31T09:00:00Z", "2011-12-30T19:00:00Z"},
        {"America/St_Johns", "2026-03-08T02:30:00Z", "2026-03-08T05:30:00Z"}, // skipped
        {"Europe/Dublin", "2026-03-29T01:30:00Z", "2026-03-29T01:00:00Z"},    // skipped
        {"Europe/Dublin", "2026-10-25T01:30:00Z", "2026-10-25T00:30:00Z"},    // twice
        {"Europe/Dublin", "2060-12-31T23:30:00Z", "2060-12-31T23:30:00Z"},
        {"Europe/Dublin", "2061-01-01T00:30:00Z", "2061-01-01T00:30:00Z"},
        {"Africa/Casablanca", "2026-02-15T02:30:00Z", "2026-02-15T01:30:00Z"}, // twice
        {"Africa/Casablanca", "2026-03-22T02:30:00Z", "2026-03-22T02:00:00Z"}, // skipped
        {"America/Sao_Paulo", "2018-11-04T00:00:00Z", "2018-11-04T03:00:00Z"}, // skipped
        {"America/Sao_Paulo", "2018-11-04T00:30:00Z", "2018-11-04T03:00:00Z"}, // skipped
        {"Asia/Kathmandu", "1986-01-01T00:10:00Z", "1985-12-31T18:30:00Z"},    // skipped
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct zone *z = load(cases[i].zone);
        int64_t got = zone_to_unix_s(z, seconds(cases[i].local));
        if (got != seconds(cases[i].utc)) {
            char text[RFC3339_LEN + 1];
            rfc3339_format(text, got * 1000);
            fail_case(i, "%s %s: got %s, wanted %s", cases[i].zone, cases[i].local, text,
                      cases[i].utc);
        }
        zone_free(z);
    }
}

static void agrees_with_libc(void **state)
{
    (void)state;
    static const char *const zones[] = {
        "Europe/Berlin", "America/New_York",  "Asia/Kolkata",      "Australia/Lord_Howe",
        "Europe/Dublin", "Africa/Casablanca", "America/Sao_Paulo", "Pacific/Chatham",
        "Asia/Tehran",   "Antarctica/Troll",  "America/Godthab",   "Asia/Gaza"};
    uint64_t seed = 7;
    for (size_t i = 0; i < COUNT_OF(zones); i++) {
        struct zone *z = load(zones[i]);
        setenv("TZ", zones[i], 1);
        tzset();
        for (int n = 0; n < 20000; n++) {
            time_t t = (time_t)(next_random(&seed) % 4733510400) - 631152000; // 1950 to 2100
            struct tm local;
            localtime_r(&t, &local);
            if (zone_offset_s(z, t) != local.tm_gmtoff) {
                fail_case(i, "%s at %lld: got %d, libc says %ld", zones[i], (long long)t,
                          zone_offset_s(z, t), local.tm_gmtoff);
            }
            // A time that the zone's clocks showed is found again, or the first of the two.
            int64_t shown = t + local.tm_gmtoff;
            int64_t found = zone_to_unix_s(z, shown);
            assert_int_equal(found + zone_offset_s(z, found), shown);
            assert_true(found <= t);
        }
        zone_free(z);
    }
    unsetenv("TZ");
    tzset();
}

static void reads_rules(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
        int winter_s, summer_s; // 2050-01-15 and 2050-07-15, noon in UTC
    } cases[] = {
        {"UTC0", 0, 0, 0},
        {"IST-5:30", 0, 19800, 19800},
        {"<+0545>-5:45", 0, 20700, 20700},
        {"CET-1CEST,M3.5.0,M10.5.0/3", 0, 3600, 7200},
        {"EST5EDT,M3.2.0,M11.1.0", 0, -18000, -14400},
        {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 0, 39600, 37800},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", 0, 0, 3600},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 0, -7200, -3600},
        {"XXX3EDT4,0/0,J365/23", 0, -14400, -14400},
        {"AAA1BBB,J60,J300", 0, -3600, 0},
        {"", ERR_INVALID, 0, 0},
        {"CE-1", ERR_INVALID, 0, 0},
        {"CET", ERR_INVALID, 0, 0},
        {"CET-25", ERR_INVALID, 0, 0},
        {"CET-1CEST", ERR_INVALID, 0, 0},
        {"CET-1CEST,M13.5.0,M10.5.0", ERR_INVALID, 0, 0},
        {"CET-1CEST,M3.5.0", ERR_INVALID, 0, 0},
        {"CET-1CEST,M3.5.0,M10.5.0/168", ERR_INVALID, 0, 0},
        {"CET-1CEST,M3.5.0,M10.5.0x", ERR_INVALID, 0, 0},
        {"<+05-5", ERR_INVALID, 0, 0},
        {"CET-99999999999", ERR_INVALID, 0, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct zone_rule r;
        int code = zone_rule_parse(&r, str_from(cases[i].text));
        if (code != cases[i].code) {
            fail_case(i, "%s: code %d", cases[i].text, code);
        }
        if (code == 0 &&
            (zone_rule_offset_s(&r, seconds("2050-01-15T12:00:00Z")) != cases[i].winter_s ||
             zone_rule_offset_s(&r, seconds("2050-07-15T12:00:00Z")) != cases[i].summer_s)) {
            fail_case(i, "%s: %d and %d", cases[i].text,
                      zone_rule_offset_s(&r, seconds("2050-01-15T12:00:00Z")),
                      zone_rule_offset_s(&r, seconds("2050-07-15T12:00:00Z")));
        }
    }
}

static void refuses_names(void **state)
{
    (void)state;
    static const struct {
        const char *name, *words;
    } cases[] = {
        {"Europe/Berlni", "did you mean \"Europe/Berlin\"?"},
        {"europe/berlin", "did you mean \"Europe/Berlin\"?"},
        {"Lord_Howe", "did you mean \"Australia/Lord_Howe\"?"},
        {"", "such as \"Europe/Berlin\""},
        {"../../../etc/passwd", "is no time zone"},
        {"/etc/passwd", "is no time zone"},
        {"Europe/", "is no time zone"},
        {"Europe", "is no time zone"},
        {"Europe//Berlin", "is no time zone"},
        {"tzdata.zi", "is no time zone"},
        {"Mars/Olympus_Mons_which_is_a_long_name_that_no_zone_has_and_more_than_64", "is no time"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct zone *z;
        struct err e = {0};
        if (zone_load(&z, str_from(cases[i].name), &e) != ERR_NOT_FOUND ||
            !strstr(e.text, cases[i].words)) {
            fail_case(i, "%s: %s", cases[i].name, e.text);
        }
    }
}

static void says_that_the_database_is_missing(void **state)
{
    (void)state;
    struct zone *z;
    struct err e = {0};
    setenv("TZDIR", "/nonexistent", 1);
    assert_int_equal(zone_load(&z, STR("Europe/Berlin"), &e), ERR_NOT_FOUND);
    assert_non_null(strstr(e.text, "install the package tzdata"));
    assert_int_equal(zone_load(&z, STR("UTC"), &e), 0);
    zone_free(z);
    unsetenv("TZDIR");
}

// Whatever a file holds, it is read within its bounds, or refused.
static void survives_damaged_files(void **state)
{
    (void)state;
    char *bytes = malloc(4096);
    FILE *f = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
    assert_non_null(f);
    size_t len = fread(bytes, 1, 4096, f);
    fclose(f);
    uint64_t seed = 11;
    for (size_t cut = 0; cut < len; cut++) {
        struct zone *z;
        char *copy = malloc(cut + 1);
        memcpy(copy, bytes, cut);
        assert_int_equal(zone_parse(&z, (struct str){copy, cut}, NULL), ERR_CORRUPT);
        free(copy);
    }
    for (int n = 0; n < 20000; n++) {
        struct zone *z;
        char *copy = malloc(len);
        memcpy(copy, bytes, len);
        for (int k = 0; k < 3; k++) {
            copy[next_random(&seed) % (n % 2 ? len : 48)] = (char)next_random(&seed);
        }
        if (zone_parse(&z, (struct str){copy, len}, NULL) == 0) {
            zone_to_unix_s(z, (int64_t)(next_random(&seed) % 4733510400));
            zone_free(z);
        }
        free(copy);
    }
    free(bytes);
}

static void knows_dates(void **state)
{
    (void)state;
    for (int64_t days = -800000; days < 800000; days++) {
        struct date d = date_from_days(days);
        assert_int_equal(date_to_days(d), days);
        assert_true(d.month >= 1 && d.month <= 12 && d.day >= 1 &&
                    d.day <= date_month_days(d.year, d.month));
    }
    assert_int_equal(date_weekday(date_to_days((struct date){2026, 11, 23})), 0);
    assert_int_equal(date_weekday(date_to_days((struct date){1969, 12, 28})), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_local_times),
        cmocka_unit_test(agrees_with_libc),
        cmocka_unit_test(reads_rules),
        cmocka_unit_test(refuses_names),
        cmocka_unit_test(says_that_the_database_is_missing),
        cmocka_unit_test(survives_damaged_files),
        cmocka_unit_test(knows_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
