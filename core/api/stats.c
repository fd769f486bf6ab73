#include "api/stats.h"

#include <stdlib.h>

#include "base/id.h"

enum { MINUTE_MS = 60 * 1000, STATS_FASTER = 2 };

// Those of a rule, of a look into a local network, and of a retry that comes after days.
static const int64_t DECIDE_US[] = {10,   25,   50,    100,   250,    500,    1000,
                                    2500, 5000, 10000, 25000, 100000, 500000, 1000000};
static const int64_t ATTEMPT_US[] = {1000,   2500,   5000,    10000,   25000,   50000,    100000,
                                     250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000};
static const int64_t ARRIVAL_US[] = {5000,
                                     10000,
                                     25000,
                                     50000,
                                     100000,
                                     250000,
                                     500000,
                                     1000000,
                                     2500000,
                                     5000000,
                                     10000000,
                                     30000000,
                                     60000000,
                                     INT64_C(300000000),
                                     INT64_C(900000000),
                                     INT64_C(3600000000),
                                     INT64_C(14400000000),
                                     INT64_C(86400000000),
                                     INT64_C(172800000000)};
#define BOUNDS(a) (a), sizeof(a) / sizeof(a)[0]

static const char *const RESULT_WORDS[STATS_RESULTS] = {
    "other", "2xx", "3xx", "4xx", "5xx",
    // In the order of frequency, as the delivery names them.
    "connect", "timeout", "dns", "tls", "reset", "protocol", "address_refused", "secret_missing",
    "oauth", "response_too_large", "unknown"};

const char *stats_result_word(size_t result)
{
    return RESULT_WORDS[result];
}

// --- families ------------------------------------------------------------------------------------

static void family_free(struct stats_family *f)
{
    size_t at = 0;
    void *value;
    while (map_next(&f->entries, &at, NULL, &value)) {
        struct stats_entry *e = value;
        free(e->attempts);
        free(e);
    }
    map_fini(&f->entries);
}

static void family_show(struct stats_family *f, struct stats_entry *e)
{
    e->is_shown = true;
    memcpy(e->hidden, e->count, sizeof e->hidden);
    f->shown[f->shown_count++] = e;
}

static struct stats_entry *family_make(struct stats_family *f, struct str name)
{
    struct stats_entry *e = calloc(1, sizeof *e + name.len);
    if (e == NULL) {
        return NULL;
    }
    e->owed = -1;
    memcpy(e->name, name.data, name.len);
    e->name_len = name.len;
    e->attempts = f->has_histograms ? malloc(sizeof *e->attempts) : NULL;
    if ((f->has_histograms && e->attempts == NULL) ||
        map_put(&f->entries, (struct str){e->name, e->name_len}, e)) {
        free(e->attempts);
        free(e);
        return NULL;
    }
    if (e->attempts) {
        histogram_init(e->attempts, BOUNDS(ATTEMPT_US));
    }
    if (f->shown_count < STATS_SHOWN_MAX) {
        family_show(f, e);
    }
    return e;
}

// Found or made; NULL: it is counted as the rest's.
static struct stats_entry *family_get(struct stats_family *f, struct str name)
{
    if (name.len == 0 || str_eq(name, STR(STATS_OTHER))) { // which is what the rest goes by
        return NULL;
    }
    struct stats_entry *e = map_get(&f->entries, name);
    return e || f->entries.count >= STATS_NAMES_MAX ? e : family_make(f, name);
}

static void family_count(struct stats_family *f, struct stats_entry *e, enum stats_count c,
                         uint64_t by)
{
    f->total[c] += by;
    if (e) {
        e->count[c] += by;
    }
}

// How much happens to it: runs of a workflow, attempts to a target.
static uint64_t entry_activity(const struct stats_entry *e)
{
    return e->count[STATS_EVENTS] + e->count[STATS_TRIED] + e->count[STATS_FAILED];
}

static int compare_activity(const void *a, const void *b)
{
    uint64_t one = entry_activity(*(struct stats_entry *const *)a);
    uint64_t other = entry_activity(*(struct stats_entry *const *)b);
    return one < other ? 1 : one > other ? -1 : 0;
}

static size_t entry_least(struct stats_entry *const *entries, size_t count)
{
    size_t least = 0;
    for (size_t i = 1; i < count; i++) {
        least = entry_activity(entries[i]) < entry_activity(entries[least]) ? i : least;
    }
    return least;
}

size_t stats_top(const struct stats_family *f, struct stats_entry **out, size_t max)
{
    size_t count = 0, at = 0, least = 0;
    void *value;
    while (map_next(&f->entries, &at, NULL, &value)) {
        struct stats_entry *e = value;
        if (count < max) {
            out[count++] = e;
            least = count == max ? entry_least(out, count) : 0;
        } else if (entry_activity(e) > entry_activity(out[least])) {
            out[least] = e;
            least = entry_least(out, count);
        }
    }
    qsort(out, count, sizeof *out, compare_activity);
    return count;
}

// One that is shown stays, unless another has become much more active: a name that comes and goes
// makes no good graph.
void stats_choose(struct stats_family *f)
{
    struct stats_entry *top[STATS_SHOWN_MAX];
    size_t count = f->entries.count > STATS_SHOWN_MAX ? stats_top(f, top, STATS_SHOWN_MAX) : 0;
    for (size_t i = 0; i < count; i++) {
        size_t least = entry_least(f->shown, f->shown_count);
        struct stats_entry *gone = f->shown[least];
        if (!top[i]->is_shown && entry_activity(top[i]) > STATS_FASTER * entry_activity(gone)) {
            gone->is_shown = false;
            f->shown[least] = f->shown[--f->shown_count];
            family_show(f, top[i]);
        }
    }
}

uint64_t stats_shown_count(const struct stats_family *f, const struct stats_entry *e,
                           enum stats_count c)
{
    if (e) {
        return e->count[c] - e->hidden[c];
    }
    uint64_t rest = f->total[c];
    for (size_t i = 0; i < f->shown_count; i++) {
        rest -= f->shown[i]->count[c] - f->shown[i]->hidden[c];
    }
    return rest;
}

// --- minutes -------------------------------------------------------------------------------------

static void minutes_add(struct stats_minutes *m, int64_t wall_ms, uint32_t by)
{
    int64_t minute = wall_ms / MINUTE_MS;
    if (minute - m->last >= STATS_MINUTES) {
        memset(m->count, 0, sizeof m->count);
        m->last = minute;
    }
    while (m->last < minute) {
        m->count[++m->last % STATS_MINUTES] = 0;
    }
    if (m->last - minute < STATS_MINUTES) { // the clock may have been set back
        m->count[minute % STATS_MINUTES] += by;
    }
}

void stats_minutes_read(const struct stats_minutes *m, int64_t wall_ms, uint32_t out[STATS_MINUTES])
{
    int64_t now = wall_ms / MINUTE_MS;
    for (int64_t i = 0; i < STATS_MINUTES; i++) {
        int64_t minute = now - STATS_MINUTES + 1 + i;
        bool is_kept = minute <= m->last && m->last - minute < STATS_MINUTES;
        out[i] = is_kept ? m->count[minute % STATS_MINUTES] : 0;
    }
}

// --- what is seen --------------------------------------------------------------------------------

static void stats_saw_run(struct stats *s, const struct store_event *ev,
                          const struct store_run *run)
{
    struct stats_entry *w = family_get(&s->workflows, run->workflow);
    family_count(&s->workflows, w, STATS_EVENTS, !ev->is_replay);
    family_count(&s->workflows, w, (enum stats_count)(STATS_RUNS + run->outcome), 1);
    family_count(&s->workflows, w, STATS_BUDGET_STOPS, run->is_over_budget);
    family_count(&s->workflows, w, STATS_OWED, run->delivery_count);
    s->made += run->delivery_count;
    for (size_t i = 0; i < run->delivery_count; i++) {
        const struct store_delivery *d = &run->deliveries[i];
        family_count(&s->targets, family_get(&s->targets, d->target), STATS_OWED, 1);
        s->ended[DELIVERY_INVALID] += d->state == DELIVERY_INVALID;
    }
}

void stats_saw_event(struct stats *s, const struct store_event *ev)
{
    if (ev->is_duplicate) {
        return;
    }
    if (!ev->is_replay) {
        s->events++;
        minutes_add(&s->events_by_minute, ev->received_at_ms, 1);
    }
    for (size_t i = 0; i < ev->run_count; i++) {
        if (!ev->runs[i].was_marked) {
            stats_saw_run(s, ev, &ev->runs[i]);
        }
    }
}

static size_t result_of(const struct store_attempt *a)
{
    if (a->error.len == 0) {
        int hundreds = a->status / 100;
        return hundreds >= 2 && hundreds <= 5 ? (size_t)(STATS_RESULT_2XX + hundreds - 2)
                                              : STATS_RESULT_OTHER_STATUS;
    }
    size_t i = STATS_RESULT_ERRORS;
    while (i < STATS_RESULTS - 1 && !str_eq(a->error, str_from(RESULT_WORDS[i]))) {
        i++;
    }
    return i;
}

static void stats_saw_attempt(struct stats *s, const struct deliver_change *c,
                              struct stats_entry *workflow, struct stats_entry *target)
{
    const struct store_attempt *a = c->attempt;
    bool is_good = c->state == DELIVERY_DELIVERED;
    int64_t took_us = a->elapsed_ms * 1000;
    int64_t since_us = (a->at_ms - id_time_ms(c->delivery)) * 1000;
    family_count(&s->workflows, workflow, is_good ? STATS_TRIED : STATS_FAILED, 1);
    family_count(&s->targets, target, is_good ? STATS_TRIED : STATS_FAILED, 1);
    s->results[result_of(a)]++;
    histogram_add(&s->attempts, took_us, 1);
    if (target) {
        histogram_add(target->attempts, took_us, 1);
    }
    if (a->number == 1) {
        histogram_add(&s->first_attempt, since_us, 1);
    }
    if (is_good) {
        histogram_add(&s->end_to_end, since_us + took_us, 1);
        minutes_add(&s->delivered_by_minute, a->at_ms, 1);
    } else {
        minutes_add(&s->failed_by_minute, a->at_ms, 1);
    }
}

void stats_saw_state(struct stats *s, const struct deliver_change *c)
{
    struct stats_entry *w = family_get(&s->workflows, c->workflow);
    struct stats_entry *t = family_get(&s->targets, c->target);
    if (c->attempt) {
        stats_saw_attempt(s, c, w, t);
    }
    if (c->state == DELIVERY_DELIVERED || c->state == DELIVERY_TERMINATED) {
        enum stats_count end = c->state == DELIVERY_DELIVERED ? STATS_DELIVERED : STATS_TERMINATED;
        family_count(&s->workflows, w, end, 1);
        family_count(&s->targets, t, end, 1);
        s->ended[c->state]++;
    }
}

int64_t stats_in_state(const struct stats *s, const struct store_owed_states *owed,
                       enum delivery_state state)
{
    return state <= DELIVERY_HELD         ? owed->count[state]
           : state == DELIVERY_CANCELLED  ? owed->cancelled
           : state == DELIVERY_SUPERSEDED ? owed->superseded
                                          : (int64_t)s->ended[state];
}

void stats_saw_owed(struct stats *s, const struct store_target_row *rows, size_t count)
{
    size_t at = 0;
    void *value;
    while (map_next(&s->targets.entries, &at, NULL, &value)) {
        ((struct stats_entry *)value)->owed = -1;
    }
    for (size_t i = 0; i < count; i++) {
        struct stats_entry *e = family_get(&s->targets, rows[i].target);
        if (e) {
            e->owed = rows[i].owed;
        }
    }
}

void stats_saw_reload(struct stats *s, bool is_good, int64_t wall_ms)
{
    s->reloads += is_good;
    s->reloads_failed += !is_good;
    s->reloaded_ms = is_good ? wall_ms : s->reloaded_ms;
}

void stats_saw_decisions(struct stats *s, size_t events, int64_t us)
{
    if (events) {
        histogram_add(&s->decide, us / (int64_t)events, events);
    }
}

// --- life ----------------------------------------------------------------------------------------

int stats_new(struct stats **out, int64_t wall_ms)
{
    struct stats *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return ERR_NOMEM;
    }
    s->started_ms = wall_ms;
    histogram_init(&s->decide, BOUNDS(DECIDE_US));
    histogram_init(&s->first_attempt, BOUNDS(ARRIVAL_US));
    histogram_init(&s->end_to_end, BOUNDS(ARRIVAL_US));
    histogram_init(&s->attempts, BOUNDS(ATTEMPT_US));
    map_init(&s->workflows.entries);
    map_init(&s->targets.entries);
    s->targets.has_histograms = true;
    *out = s;
    return 0;
}

void stats_free(struct stats *s)
{
    if (s) {
        family_free(&s->workflows);
        family_free(&s->targets);
    }
    free(s);
}
