// The rule at the end of a TZif file, in the form of POSIX's TZ ("CET-1CEST,M3.5.0,M10.5.0/3"):
// what holds behind the file's table. Any thread; pure.
#ifndef BASE_ZONE_RULE_H
#define BASE_ZONE_RULE_H

#include <stdbool.h>

#include "base/str.h"

enum zone_day_form {
    ZONE_DAY_WEEK,   // M3.5.0: a weekday of a month, the 5th being the last
    ZONE_DAY_JULIAN, // J60: 1 to 365, February 29 never counted
    ZONE_DAY_YEAR    // 59: 0 to 365
};

struct zone_change { // when in a year
    enum zone_day_form form;
    int month, week, weekday; // ZONE_DAY_WEEK; weekday 0 is Sunday
    int day;                  // the others
    int at_s;                 // of the local time before the change, from midnight; may be negative
};

struct zone_rule {
    int standard_s; // ahead of UTC
    bool has_summer;
    int summer_s;
    struct zone_change begin; // of summer time
    struct zone_change end;
};

// ERR_INVALID for a text that is no such rule.
int zone_rule_parse(struct zone_rule *out, struct str text);
int zone_rule_offset_s(const struct zone_rule *r, int64_t unix_s);

#endif
