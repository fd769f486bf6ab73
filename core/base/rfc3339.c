#include "base/rfc3339.h"

#include "base/date.h"
#include "base/err.h"

static const int64_t DAY_MS = 86400000;

// The form has four digits for the year.
static const int64_t FIRST_MS = -62167219200000;
static const int64_t LAST_MS = 253402300799999;

static void put_digits(char *out, int count, int64_t value)
{
    for (int i = count - 1; i >= 0; i--) {
        out[i] = (char)('0' + value % 10);
        value /= 10;
    }
}

void rfc3339_format(char out[RFC3339_LEN + 1], int64_t wall_ms)
{
    wall_ms = wall_ms < FIRST_MS ? FIRST_MS : wall_ms > LAST_MS ? LAST_MS : wall_ms;
    int64_t days = date_floor_div(wall_ms, DAY_MS);
    int64_t rest = wall_ms - days * DAY_MS;
    struct date d = date_from_days(days);
    memcpy(out, "0000-00-00T00:00:00.000Z", RFC3339_LEN + 1);
    put_digits(out, 4, d.year);
    put_digits(out + 5, 2, d.month);
    put_digits(out + 8, 2, d.day);
    put_digits(out + 11, 2, rest / 3600000);
    put_digits(out + 14, 2, rest / 60000 % 60);
    put_digits(out + 17, 2, rest / 1000 % 60);
    put_digits(out + 20, 3, rest % 1000);
}

struct reader {
    const char *at;
    const char *end;
    bool is_bad;
};

static int read_digits(struct reader *r, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        if (r->at == r->end || *r->at < '0' || *r->at > '9') {
            r->is_bad = true;
            return 0;
        }
        value = value * 10 + (*r->at++ - '0');
    }
    return value;
}

static char read_one_of(struct reader *r, const char *set)
{
    if (r->at < r->end && *r->at != '\0' && strchr(set, *r->at)) {
        return *r->at++;
    }
    r->is_bad = true;
    return '\0';
}

static int read_fraction_ms(struct reader *r)
{
    if (r->at == r->end || *r->at != '.') {
        return 0;
    }
    r->at++;
    int ms = read_digits(r, 1) * 100;
    for (int weight = 10; r->at < r->end && *r->at >= '0' && *r->at <= '9'; weight /= 10) {
        ms += (*r->at++ - '0') * weight;
    }
    return ms;
}

static int read_offset_minutes(struct reader *r)
{
    char sign = read_one_of(r, "Zz+-");
    if (r->is_bad || sign == 'Z' || sign == 'z') {
        return 0;
    }
    int hours = read_digits(r, 2);
    read_one_of(r, ":");
    int minutes = read_digits(r, 2);
    if (hours > 23 || minutes > 59) {
        r->is_bad = true;
    }
    return (hours * 60 + minutes) * (sign == '-' ? -1 : 1);
}

static struct date read_date(struct reader *r)
{
    struct date d;
    d.year = read_digits(r, 4);
    read_one_of(r, "-");
    d.month = read_digits(r, 2);
    read_one_of(r, "-");
    d.day = read_digits(r, 2);
    if (r->is_bad || d.month < 1 || d.month > 12 || d.day < 1 ||
        d.day > date_month_days(d.year, d.month)) {
        r->is_bad = true;
    }
    return d;
}

int rfc3339_parse_date(struct str s, int64_t *midnight_ms)
{
    struct reader r = {s.data, s.data ? s.data + s.len : NULL, false};
    struct date d = read_date(&r);
    if (r.is_bad || r.at != r.end) {
        return ERR_INVALID;
    }
    *midnight_ms = date_to_days(d) * DAY_MS;
    return 0;
}

int rfc3339_parse(struct str s, int64_t *wall_ms)
{
    struct reader r = {s.data, s.data ? s.data + s.len : NULL, false};
    struct date d = read_date(&r);
    read_one_of(&r, "Tt");
    int hour = read_digits(&r, 2);
    read_one_of(&r, ":");
    int minute = read_digits(&r, 2);
    read_one_of(&r, ":");
    int second = read_digits(&r, 2);
    int fraction_ms = read_fraction_ms(&r);
    int offset_minutes = read_offset_minutes(&r);
    if (r.is_bad || r.at != r.end || hour > 23 || minute > 59 || second > 60) {
        return ERR_INVALID;
    }
    int64_t seconds = date_to_days(d) * 86400 + hour * INT64_C(3600) + minute * INT64_C(60) +
                      second - offset_minutes * INT64_C(60);
    if (second == 60 && seconds % 86400 != 0) {
        return ERR_INVALID; // leap seconds end a UTC day
    }
    *wall_ms = seconds * 1000 + fraction_ms;
    // An offset or a leap second can leave the years that can be written in UTC.
    return *wall_ms < FIRST_MS || *wall_ms > LAST_MS ? ERR_INVALID : 0;
}
