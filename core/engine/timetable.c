#include "engine/timetable.h"

#include "base/date.h"
#include "base/rfc3339.h"
#include "encode/json_reader.h"

enum { DAY_S = 86400, LOOK_DAYS = 70, DATE_TEXT_MAX = 64 };

static int64_t local_day(const struct timetable *t, int64_t wall_ms)
{
    int64_t unix_s = date_floor_div(wall_ms, 1000);
    return date_floor_div(unix_s + zone_offset_s(t->zone, unix_s), DAY_S);
}

static int64_t due_on_ms(const struct timetable *t, int64_t day)
{
    return zone_to_unix_s(t->zone, day * DAY_S + t->schedule->at_minutes * INT64_C(60)) * 1000;
}

static bool is_day(const struct rules_schedule *s, int64_t day)
{
    if (s->kind == RULES_WEEKLY) {
        return s->weekdays >> date_weekday(day) & 1;
    }
    if (s->kind == RULES_MONTHLY) {
        struct date d = date_from_days(day);
        int last = date_month_days(d.year, d.month);
        return d.day == (s->month_day < last ? s->month_day : last);
    }
    return true;
}

// A day to each side more: where clocks skip a day, two days have one time.
int64_t timetable_next_ms(const struct timetable *t, int64_t after_ms)
{
    int64_t first = local_day(t, after_ms) - 1;
    for (int64_t day = first; day < first + LOOK_DAYS; day++) {
        int64_t due_ms = is_day(t->schedule, day) ? due_on_ms(t, day) : INT64_MIN;
        if (due_ms > after_ms) {
            return due_ms;
        }
    }
    return INT64_MAX;
}

int64_t timetable_last_ms(const struct timetable *t, int64_t until_ms)
{
    int64_t last = local_day(t, until_ms) + 1;
    for (int64_t day = last; day > last - LOOK_DAYS; day--) {
        int64_t due_ms = is_day(t->schedule, day) ? due_on_ms(t, day) : INT64_MAX;
        if (due_ms <= until_ms) {
            return due_ms;
        }
    }
    return INT64_MIN;
}

// Reads on to the value of the member `name` of the object that was begun. JSON_ERROR where there
// is none.
static enum json_token find_member(struct json_reader *r, struct str name)
{
    enum json_token t;
    while ((t = json_read(r)) == JSON_KEY) {
        bool is_it = str_eq(r->text, name);
        t = json_read(r);
        if (is_it) {
            return t;
        }
        if (json_skip(r, t)) {
            break;
        }
    }
    return JSON_ERROR;
}

// A day of its own ("2026-11-23"), or the local day of a time.
static bool read_day(const struct timetable *t, struct str text, int64_t *day)
{
    int64_t ms;
    if (rfc3339_parse_date(text, &ms) == 0) {
        *day = ms / 1000 / DAY_S;
        return true;
    }
    if (rfc3339_parse(text, &ms) == 0) {
        *day = local_day(t, ms);
        return true;
    }
    return false;
}

bool timetable_of_record(const struct timetable *t, struct str record, int64_t *due_ms)
{
    struct buf scratch;
    struct json_reader r;
    int64_t day;
    buf_init(&scratch, record.len);
    json_reader_init(&r, record, JSON_DEPTH_MAX, &scratch);
    enum json_token token = json_read(&r);
    for (size_t i = 0; i < t->schedule->field_count; i++) {
        token = token == JSON_OBJECT_BEGIN ? find_member(&r, str_from(t->schedule->field[i]))
                                           : JSON_ERROR;
    }
    bool is_there =
        token == JSON_STRING && r.text.len <= DATE_TEXT_MAX && read_day(t, r.text, &day);
    if (is_there) {
        *due_ms = due_on_ms(t, day + t->schedule->offset_days);
    }
    buf_fini(&scratch);
    return is_there;
}
