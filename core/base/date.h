// The calendar: days since 1970-01-01 and the dates they are (proleptic Gregorian). Any thread;
// pure.
#ifndef BASE_DATE_H
#define BASE_DATE_H

#include <stdint.h>

struct date {
    int64_t year;
    int month; // 1..12
    int day;   // 1..31
};

int64_t date_to_days(struct date d);
struct date date_from_days(int64_t days);
int date_month_days(int64_t year, int month);
// 0 for Monday to 6 for Sunday.
int date_weekday(int64_t days);

// Whole parts of an amount that may be negative: rounds towards the past.
int64_t date_floor_div(int64_t value, int64_t part);

#endif
