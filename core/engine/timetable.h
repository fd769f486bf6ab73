// When a workflow's schedule falls due: the local days and the time of day that it names, on the
// clocks of its zone. Any thread; pure.
#ifndef ENGINE_TIMETABLE_H
#define ENGINE_TIMETABLE_H

#include "base/zone.h"
#include "script/rules.h"

struct timetable { // borrowed
    const struct rules_schedule *schedule;
    const struct zone *zone;
};

// The first time behind `after_ms`.
int64_t timetable_next_ms(const struct timetable *t, int64_t after_ms);
// The last one at or before `until_ms`; INT64_MIN where there is none.
int64_t timetable_last_ms(const struct timetable *t, int64_t until_ms);

// For hook.date: the time at which a record (its JSON text) is due. false where its field has no
// date.
bool timetable_of_record(const struct timetable *t, struct str record, int64_t *due_ms);

#endif
