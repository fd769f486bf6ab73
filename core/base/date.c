#include "base/date.h"

#include <stdbool.h>

int64_t date_floor_div(int64_t value, int64_t part)
{
    int64_t whole = value / part;
    return value % part < 0 ? whole - 1 : whole;
}

// Years begin in March, so that the leap day is the last.
int64_t date_to_days(struct date d)
{
    int64_t year = d.year - (d.month <= 2);
    int64_t era = date_floor_div(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (d.month + (d.month > 2 ? -3 : 9)) + 2) / 5 + d.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

struct date date_from_days(int64_t days)
{
    days += 719468;
    int64_t era = date_floor_div(days, 146097);
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    struct date d = {.day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1),
                     .month = (int)(march_month < 10 ? march_month + 3 : march_month - 9)};
    d.year = year_of_era + era * 400 + (d.month <= 2);
    return d;
}

int date_month_days(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && is_leap ? 29 : days[month - 1];
}

int date_weekday(int64_t days)
{
    return (int)(days + 3 - date_floor_div(days + 3, 7) * 7); // 1970-01-01 was a Thursday
}
