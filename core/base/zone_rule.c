#include "base/zone_rule.h"

#include "base/date.h"
#include "base/err.h"

enum { HOUR_S = 3600, DAY_S = 86400, CHANGE_DEFAULT_S = 2 * HOUR_S };
enum { OFFSET_HOURS_MAX = 24, CHANGE_HOURS_MAX = 167 };

struct rule_reader {
    const char *at;
    const char *end;
    bool is_bad;
};

static bool read_char(struct rule_reader *r, char c)
{
    bool is_there = r->at < r->end && *r->at == c;
    r->at += is_there;
    return is_there;
}

static int read_number(struct rule_reader *r, int least, int most)
{
    int value = 0;
    const char *start = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9' && value <= most) {
        value = value * 10 + (*r->at++ - '0');
    }
    r->is_bad = r->is_bad || r->at == start || value < least || value > most;
    return r->is_bad ? 0 : value;
}

// "CET", "<+0530>": at least three characters.
static void read_name(struct rule_reader *r)
{
    bool is_quoted = read_char(r, '<');
    const char *start = r->at;
    while (r->at < r->end) {
        char c = *r->at;
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool is_more = is_quoted && ((c >= '0' && c <= '9') || c == '+' || c == '-');
        if (!is_letter && !is_more) {
            break;
        }
        r->at++;
    }
    r->is_bad = r->is_bad || r->at - start < 3 || (is_quoted && !read_char(r, '>'));
}

// "[+-]hh[:mm[:ss]]"
static int read_time_s(struct rule_reader *r, int hours_max)
{
    bool is_negative = read_char(r, '-');
    if (!is_negative) {
        read_char(r, '+');
    }
    int seconds = read_number(r, 0, hours_max) * HOUR_S;
    if (read_char(r, ':')) {
        seconds += read_number(r, 0, 59) * 60;
        if (read_char(r, ':')) {
            seconds += read_number(r, 0, 59);
        }
    }
    return is_negative ? -seconds : seconds;
}

static void read_separator(struct rule_reader *r, char c)
{
    r->is_bad = !read_char(r, c) || r->is_bad;
}

static void read_change(struct rule_reader *r, struct zone_change *c)
{
    read_separator(r, ',');
    if (read_char(r, 'M')) {
        c->form = ZONE_DAY_WEEK;
        c->month = read_number(r, 1, 12);
        read_separator(r, '.');
        c->week = read_number(r, 1, 5);
        read_separator(r, '.');
        c->weekday = read_number(r, 0, 6);
    } else if (read_char(r, 'J')) {
        c->form = ZONE_DAY_JULIAN;
        c->day = read_number(r, 1, 365);
    } else {
        c->form = ZONE_DAY_YEAR;
        c->day = read_number(r, 0, 365);
    }
    c->at_s = read_char(r, '/') ? read_time_s(r, CHANGE_HOURS_MAX) : CHANGE_DEFAULT_S;
}

int zone_rule_parse(struct zone_rule *out, struct str text)
{
    *out = (struct zone_rule){0};
    struct rule_reader r = {text.data, text.data ? text.data + text.len : NULL, false};
    read_name(&r);
    out->standard_s = -read_time_s(&r, OFFSET_HOURS_MAX); // POSIX counts west of Greenwich
    if (!r.is_bad && r.at < r.end) {
        out->has_summer = true;
        read_name(&r);
        bool has_offset = r.at < r.end && *r.at != ',';
        out->summer_s = has_offset ? -read_time_s(&r, OFFSET_HOURS_MAX) : out->standard_s + HOUR_S;
        read_change(&r, &out->begin);
        read_change(&r, &out->end);
    }
    return r.is_bad || r.at != r.end ? ERR_INVALID : 0;
}

static int64_t change_day(const struct zone_change *c, int64_t year)
{
    int64_t new_year = date_to_days((struct date){year, 1, 1});
    if (c->form == ZONE_DAY_YEAR) {
        return new_year + c->day;
    }
    if (c->form == ZONE_DAY_JULIAN) {
        bool is_behind_leap_day = c->day >= 60 && date_month_days(year, 2) == 29;
        return new_year + c->day - 1 + is_behind_leap_day;
    }
    int64_t first = date_to_days((struct date){year, c->month, 1});
    int wanted = (c->weekday + 6) % 7; // from Monday on
    int64_t day = first + (wanted - date_weekday(first) + 7) % 7 + (c->week - 1) * INT64_C(7);
    return day < first + date_month_days(year, c->month) ? day : day - 7;
}

static int64_t change_at_s(const struct zone_change *c, int64_t year, int offset_s)
{
    return change_day(c, year) * DAY_S + c->at_s - offset_s;
}

int zone_rule_offset_s(const struct zone_rule *r, int64_t unix_s)
{
    if (!r->has_summer) {
        return r->standard_s;
    }
    int64_t year = date_from_days(date_floor_div(unix_s + r->standard_s, DAY_S)).year;
    int64_t begin = change_at_s(&r->begin, year, r->standard_s);
    int64_t end = change_at_s(&r->end, year, r->summer_s);
    bool is_summer = begin < end ? unix_s >= begin && unix_s < end
                                 : !(unix_s >= end && unix_s < begin); // over the turn of the year
    return is_summer ? r->summer_s : r->standard_s;
}
