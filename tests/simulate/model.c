// The model: written from what is promised (docs/reliability.md, the reference), not from the host.
// It knows what clients were answered and what receivers got, and nothing else.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

enum {
    OFFSETS_MAX = 16,
    SPREAD_MAX_MS = 15 * 60 * 1000,
    // Behind an open breaker each waits for its turn as the probe: a minute and a time limit apart.
    LATE_MS = MODEL_RECORDS * MODEL_TURNS * 90 * 1000
};

struct owed {
    char id[32]; // of its requests; empty: none was sent
    unsigned sent_count;
    unsigned success_life; // in which a receiver's 200 reached the host; 0: none did
    bool is_kept;          // and its outcome must be stored by now
    unsigned success_faults;
    bool is_cancelled;
    char state[16];
    // Of its failures:
    int64_t base_ms;   // the first one that the host heard of
    int64_t failed_ms; // the last one
    unsigned base_life, base_faults;
    int64_t moved_ms;  // since base: the host was down, or the clock was set
    int64_t jumped_ms; // of that, the clock
};

static struct {
    struct owed owed[PATHS][MODEL_RECORDS][MODEL_TURNS];
    bool is_acked[MODEL_RECORDS][MODEL_TURNS];
    int64_t asked_ms[MODEL_RECORDS][MODEL_TURNS];         // when it was first posted
    int64_t jumped_before_ms[MODEL_RECORDS][MODEL_TURNS]; // by then
    int64_t jumped_ms;                                    // the wall clock, in all
} model;

#define S INT64_C(1000)
#define M (60 * S)
#define H (60 * M)
static const int64_t DEFAULT_MS[OFFSETS_MAX] = {15 * S, M,      4 * M,  10 * M, 20 * M, 35 * M,
                                                H,      2 * H,  4 * H,  8 * H,  12 * H, 18 * H,
                                                24 * H, 32 * H, 40 * H, 49 * H};
static const int64_t SHORT_MS[] = {10 * S, 10 * M, H};

static const char *const PATH_NAMES[PATHS] = {"plain", "once", "order", "short"};

static const int64_t *offsets(enum model_path path, int *count)
{
    bool is_short = path == PATH_SHORT || path == PATH_ORDER;
    *count = is_short ? (int)(sizeof SHORT_MS / sizeof SHORT_MS[0]) : OFFSETS_MAX;
    return is_short ? SHORT_MS : DEFAULT_MS;
}

static int64_t end_of(enum model_path path)
{
    int count;
    const int64_t *at = offsets(path, &count);
    return at[count - 1];
}

void model_asked(unsigned record, unsigned turn)
{
    if (!model.asked_ms[record][turn]) {
        model.asked_ms[record][turn] = sim_mono_ms();
        model.jumped_before_ms[record][turn] = model.jumped_ms;
    }
}

void model_acked(unsigned record, unsigned turn)
{
    model.is_acked[record][turn] = true;
}

void model_cancelled(enum model_path path, unsigned record, unsigned turn)
{
    model.owed[path][record][turn].is_cancelled = true;
}

const char *model_id(enum model_path path, unsigned record, unsigned turn)
{
    return model.owed[path][record][turn].id;
}

static void each(void (*visit)(struct owed *o, enum model_path path, int64_t ms), int64_t ms)
{
    for (unsigned p = 0; p < PATHS; p++) {
        for (unsigned r = 0; r < MODEL_RECORDS; r++) {
            for (unsigned t = 0; t < MODEL_TURNS; t++) {
                visit(&model.owed[p][r][t], p, ms);
            }
        }
    }
}

static void visit_quiet(struct owed *o, enum model_path path, int64_t ms)
{
    (void)path, (void)ms;
    if (o->success_life == sim_life() && o->success_faults == sim_disk_fault_count()) {
        o->is_kept = true;
    }
}

void model_quiet(void)
{
    each(visit_quiet, 0);
}

static void visit_down(struct owed *o, enum model_path path, int64_t ms)
{
    (void)path;
    if (o->base_ms) {
        o->moved_ms += ms;
    }
}

void model_was_down(int64_t ms)
{
    each(visit_down, ms);
}

static void visit_jump(struct owed *o, enum model_path path, int64_t ms)
{
    visit_down(o, path, ms);
    if (o->base_ms) {
        o->jumped_ms += ms;
    }
}

void model_jumped(int64_t ms)
{
    model.jumped_ms += llabs(ms);
    each(visit_jump, llabs(ms));
}

// A retry that nothing disturbed is due at one of the times of its policy.
static void check_time(const struct owed *o, enum model_path path, const char *what)
{
    int count;
    const int64_t *at = offsets(path, &count);
    int64_t since_ms = sim_mono_ms() - o->base_ms;
    if (since_ms > at[count - 1] + o->moved_ms + LATE_MS) {
        sim_fail("%s is sent %lld ms after its first failure, beyond its end", what,
                 (long long)since_ms);
    }
    if (path == PATH_ORDER || o->base_life != sim_life() ||
        o->base_faults != sim_disk_fault_count() || o->jumped_ms) {
        return;
    }
    int k = 0;
    while (k < count && at[k] <= o->failed_ms - o->base_ms) {
        k++;
    }
    if (k == count) {
        sim_fail("%s is sent again, though its last time was over", what);
    }
    if (since_ms < at[k]) {
        sim_fail("%s is sent %lld ms after its first failure, before %lld ms", what,
                 (long long)since_ms, (long long)at[k]);
    }
    int64_t spread_ms = at[k] / 10 < SPREAD_MAX_MS ? at[k] / 10 : SPREAD_MAX_MS;
    if (since_ms > at[k] + spread_ms + LATE_MS) {
        sim_fail("%s is sent %lld ms after its first failure, long after %lld ms", what,
                 (long long)since_ms, (long long)at[k]);
    }
}

// Whether the next one of its order may go. The end of one that waited counts from when it first
// fell due: when its event came.
static bool is_over(unsigned record, unsigned turn)
{
    const struct owed *o = &model.owed[PATH_ORDER][record][turn];
    int64_t for_ms = o->failed_ms - model.asked_ms[record][turn] + model.jumped_ms -
                     model.jumped_before_ms[record][turn];
    return o->success_life || o->is_cancelled || (o->base_ms && for_ms >= end_of(PATH_ORDER));
}

static void check_order(unsigned record, unsigned turn)
{
    for (unsigned t = 0; t < MODEL_TURNS; t++) {
        const struct owed *o = &model.owed[PATH_ORDER][record][t];
        if (t < turn && model.is_acked[record][t] && !is_over(record, t)) {
            sim_fail("order/%u.%u overtakes %u.%u, which is not over", record, turn, record, t);
        }
        if (t > turn && o->sent_count) {
            sim_fail("order/%u.%u is sent after %u.%u", record, turn, record, t);
        }
    }
}

void model_received(enum model_path path, unsigned record, unsigned turn, struct str webhook_id)
{
    char what[64];
    snprintf(what, sizeof what, "%s/%u.%u", PATH_NAMES[path], record, turn);
    if (record >= MODEL_RECORDS || turn >= MODEL_TURNS) {
        sim_fail("%s was never asked for", what);
    }
    struct owed *o = &model.owed[path][record][turn];
    char id[32];
    snprintf(id, sizeof id, "%.*s", (int)webhook_id.len, webhook_id.data);
    if (o->id[0] && strcmp(o->id, id) != 0) {
        sim_fail("%s is sent as %s and as %s", what, o->id, id);
    }
    for (unsigned t = 0; path == PATH_ONCE && t < MODEL_TURNS; t++) {
        if (t != turn && model.owed[path][record][t].id[0]) {
            sim_fail("%s is the second one of its record (after %u)", what, t);
        }
    }
    if (o->success_life == sim_life()) {
        sim_fail("%s is sent again in the life in which it succeeded", what);
    }
    if (o->is_kept) {
        sim_fail("%s is sent again after its outcome was stored", what);
    }
    if (o->base_ms && !o->success_life) {
        check_time(o, path, what);
    }
    if (path == PATH_ORDER) {
        check_order(record, turn);
    }
    strcpy(o->id, id);
    o->sent_count++;
}

void model_answered(enum model_path path, unsigned record, unsigned turn, bool is_success)
{
    struct owed *o = &model.owed[path][record][turn];
    if (is_success) {
        o->success_life = sim_life();
        o->success_faults = sim_disk_fault_count();
        return;
    }
    o->failed_ms = sim_mono_ms();
    if (!o->base_ms) {
        o->base_ms = o->failed_ms;
        o->base_life = sim_life();
        o->base_faults = sim_disk_fault_count();
    }
}

void model_state(struct str delivery, struct str state)
{
    for (unsigned p = 0; p < PATHS; p++) {
        for (unsigned i = 0; i < MODEL_RECORDS * MODEL_TURNS; i++) {
            struct owed *o = &model.owed[p][i / MODEL_TURNS][i % MODEL_TURNS];
            if (o->id[0] && str_eq(str_from(o->id), delivery)) {
                snprintf(o->state, sizeof o->state, "%.*s", (int)state.len, state.data);
                return;
            }
        }
    }
    // One that was never sent; where it must have been, model_check_end says so.
}

static void check_owed(const struct owed *o, enum model_path path, const char *what)
{
    if (!o->id[0]) {
        sim_fail("%s was answered with 202 and never sent", what);
    }
    if (strcmp(o->state, "delivered") == 0) {
        if (!o->success_life) {
            sim_fail("%s is said to be delivered, and no receiver took it", what);
        }
    } else if (strcmp(o->state, "terminated") == 0) {
        int64_t for_ms = o->failed_ms - o->base_ms + o->jumped_ms;
        bool is_early = path != PATH_ORDER && for_ms < end_of(path);
        if (is_early || !o->base_ms) {
            sim_fail("%s was given up %lld ms after its first failure, before its end", what,
                     (long long)for_ms);
        }
    } else if (strcmp(o->state, "cancelled") != 0 || !o->is_cancelled) {
        sim_fail("%s is %s at the end", what, o->state[0] ? o->state : "not there");
    }
}

void model_check_end(void)
{
    for (unsigned r = 0; r < MODEL_RECORDS; r++) {
        unsigned fired = 0, acked = 0;
        for (unsigned t = 0; t < MODEL_TURNS; t++) {
            for (unsigned p = 0; model.is_acked[r][t] && p < PATHS; p++) {
                char what[64];
                snprintf(what, sizeof what, "%s/%u.%u", PATH_NAMES[p], r, t);
                const struct owed *o = &model.owed[p][r][t];
                if (p != PATH_ONCE || o->id[0]) {
                    check_owed(o, p, what);
                }
            }
            acked += model.is_acked[r][t];
            fired += model.owed[PATH_ONCE][r][t].id[0] != 0;
        }
        if (acked && fired != 1) {
            sim_fail("once of record %u fired %u times", r, fired);
        }
    }
}
