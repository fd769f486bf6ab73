// The model: written from what is promised (docs/reliability.md, the reference), not from the host.
// It knows what clients were answered and what receivers got, when the host ran, and nothing else.
// Its times are the host's running time, without that in which the target is paused: a clock that
// is set, an outage and a pause move none of them.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

enum {
    OFFSETS_MAX = 16,
    SPREAD_MAX_MS = 15 * 60 * 1000,
    IDS_MAX = MODEL_RECORDS_MAX * MODEL_TURNS_MAX * PATHS,
    OPENS_AT = 10,            // failures in a row
    KILL_LOSES_MS = 61 * 1000 // of a pause in which nothing was stored
};

struct owed {
    char id[32];    // of its requests, or as it is listed; empty: neither
    char state[16]; // at the end
    unsigned sent_count;
    unsigned sent_life;    // in which it is under way; 0: it is not
    int64_t sent_ms;       // the first time
    unsigned success_life; // in which a receiver's 200 reached the host; 0: none did
    bool is_kept;          // and its outcome must be stored by now
    unsigned success_faults;
    // An answer after which it is not sent again (410, or by its policy): ever, last, and stored.
    bool is_cancelled, is_gone, is_gone_last, is_gone_kept;
    unsigned gone_life;
    int64_t due_from_ms, due_to_ms; // between which it fell due; 0: when it was sent at last
    int64_t due_lost_ms;            // as lost_ms() was then
    // Of its failures:
    int64_t base_ms;   // the first one that the host heard of; 0: none
    int64_t failed_ms; // the last one
    int64_t asked_ms;  // its Retry-After: not before; 0: none
    int64_t tail_ms;   // for how long its target was paused then
    unsigned failed_life, failed_faults;
    bool is_failure_kept; // it must be stored by now
    bool is_vague;        // the host died with a failure that it may have stored or not
    int64_t lost_ms;      // as lost_ms() was at the base
    unsigned faults;      // of the disk, at the base
};

struct told { // an outcome
    char cause[32], id[32], state[16];
};

static struct {
    unsigned records, turns;
    struct owed owed[PATHS][MODEL_RECORDS_MAX][MODEL_TURNS_MAX];
    bool is_acked[MODEL_RECORDS_MAX][MODEL_TURNS_MAX];
    int64_t asked_ms[MODEL_RECORDS_MAX][MODEL_TURNS_MAX]; // when it was first posted
    int64_t wall_ms[MODEL_RECORDS_MAX][MODEL_TURNS_MAX];  // as model.outside_ms was then
    unsigned acked_ids[MODEL_RECORDS_MAX][MODEL_TURNS_MAX];
    char told[MODEL_RECORDS_MAX][MODEL_TURNS_MAX][16];         // how it ended, by its outcome
    struct told outcomes[MODEL_RECORDS_MAX * MODEL_TURNS_MAX]; // as they are listed
    unsigned outcome_count;
    char ids[IDS_MAX][32]; // given in answers
    unsigned id_count;
    unsigned failures[PATHS]; // in a row
    bool was_open[PATHS];     // its breaker may have been open at some time
    int64_t lost_ms;          // what crashes may have made later, in all
    int64_t stored_ms;        // the last time that must be on disk
    int64_t begun_ms;         // when this life began
    int64_t outside_ms;       // by which the wall clock may have gone ahead of the host, in all
} model;

#define S INT64_C(1000)
#define M (60 * S)
#define H (60 * M)
static const int64_t DEFAULT_MS[OFFSETS_MAX] = {15 * S, M,      4 * M,  10 * M, 20 * M, 35 * M,
                                                H,      2 * H,  4 * H,  8 * H,  12 * H, 18 * H,
                                                24 * H, 32 * H, 40 * H, 49 * H};
static const int64_t ORDER_MS[] = {10 * S, 10 * M, H};
static const int64_t SHORT_MS[] = {10 * S, 10 * M, H};
static const int64_t DELAY_MS = 30 * M;

static const char *const PATH_NAMES[PATHS] = MODEL_PATH_NAMES;

static const int64_t *offsets(enum model_path path, int *count)
{
    bool is_default = path == PATH_PLAIN || path == PATH_ONCE || path == PATH_DELAY ||
                      path == PATH_COOLDOWN || path == PATH_OUTCOME;
    *count = is_default ? OFFSETS_MAX : (int)(sizeof SHORT_MS / sizeof SHORT_MS[0]);
    return is_default ? DEFAULT_MS : path == PATH_SHORT ? SHORT_MS : ORDER_MS;
}

static int64_t end_of(enum model_path path)
{
    int count;
    const int64_t *at = offsets(path, &count);
    return at[count - 1];
}

// No spread on the last of a window.
static int64_t spread_of(enum model_path path, int k)
{
    int count;
    const int64_t *at = offsets(path, &count);
    if (k == count - 1 || at[k] == H || (path == PATH_SHORT && k == 1)) {
        return 0;
    }
    return at[k] / 10 < SPREAD_MAX_MS ? at[k] / 10 : SPREAD_MAX_MS;
}

// How long one waits for its turn at most. Two are in flight to a target that fails, for half a
// minute each; behind an open breaker each is the probe, a minute and a time limit apart.
static int64_t wait_of(enum model_path path)
{
    int64_t all = (int64_t)model.records * model.turns;
    return model.was_open[path] ? all * 90 * S : all * 15 * S + M;
}

// By which its time may be ahead of the host's: what crashes, and pauses, may have made later.
static int64_t lost_ms(enum model_path path)
{
    return model.lost_ms + model_pause_slack_ms(path);
}

void model_init(unsigned records, unsigned turns)
{
    model.records = records;
    model.turns = turns;
}

static void each(void (*visit)(struct owed *o))
{
    for (unsigned p = 0; p < PATHS; p++) {
        for (unsigned i = 0; i < model.records * model.turns; i++) {
            visit(&model.owed[p][i / model.turns][i % model.turns]);
        }
    }
}

// --- what clients are told -----------------------------------------------------------------------

void model_asked(unsigned record, unsigned turn)
{
    cooldown_asked(record, turn);
    if (!model.asked_ms[record][turn]) {
        model.asked_ms[record][turn] = sim_running_ms();
        model.wall_ms[record][turn] = model.outside_ms;
        for (unsigned p = 0; p < PATHS; p++) {
            struct owed *o = &model.owed[p][record][turn];
            o->due_from_ms = model_path_ms(p);
            o->due_lost_ms = lost_ms(p);
        }
    }
}

void model_acked(unsigned record, unsigned turn, struct str answer)
{
    model.is_acked[record][turn] = true;
    model.stored_ms = sim_running_ms();
    cooldown_answered(record, turn);
    for (unsigned p = 0; p < PATH_OUTCOME; p++) {
        model.owed[p][record][turn].due_to_ms = model_path_ms(p);
    }
    bool is_duplicate = memmem(answer.data, answer.len, "\"duplicate\":true", 16) != NULL;
    const char *at = answer.data, *end = answer.data + answer.len;
    while ((at = memmem(at, (size_t)(end - at), "\"dlv_", 5)) != NULL) {
        char id[32];
        snprintf(id, sizeof id, "%.17s", at + 1);
        bool is_known = false;
        for (unsigned i = 0; i < model.id_count; i++) {
            is_known = is_known || strcmp(model.ids[i], id) == 0;
        }
        if (is_known && !is_duplicate) {
            sim_fail("e-%u-%u is answered with %s, which was given before", record, turn, id);
        }
        if (!is_known && model.id_count < IDS_MAX) {
            snprintf(model.ids[model.id_count++], sizeof id, "%s", id);
        }
        model.acked_ids[record][turn]++;
        at++;
    }
}

void model_cancelled(enum model_path path, unsigned record, unsigned turn)
{
    model.owed[path][record][turn].is_cancelled = true;
}

const char *model_id(enum model_path path, unsigned record, unsigned turn)
{
    return model.owed[path][record][turn].id;
}

// --- what befalls the host -----------------------------------------------------------------------

static void visit_quiet(struct owed *o)
{
    unsigned faults = sim_disk_fault_count();
    if (o->success_life == sim_life() && o->success_faults == faults) {
        o->is_kept = true;
    }
    if (o->failed_life == sim_life() && o->failed_faults == faults) {
        o->is_failure_kept = true;
        o->is_gone_kept = o->is_gone_last;
    }
}

void model_quiet(void)
{
    if (sim_http_is_open() && model.stored_ms < model.begun_ms) {
        model.stored_ms = model.begun_ms; // a start stores it
    }
    each(visit_quiet);
}

static void visit_death(struct owed *o)
{
    if (o->base_ms && !o->is_failure_kept) {
        o->is_vague = true;
    }
}

// The host has ended; in good order it has stored the time.
void model_died(bool is_in_order, bool is_power_lost)
{
    int64_t idle_ms = sim_running_ms() - model.stored_ms;
    bool is_sure = !is_power_lost && sim_disk_fault_count() == 0;
    int64_t lost_ms = is_sure && idle_ms > KILL_LOSES_MS ? KILL_LOSES_MS : idle_ms;
    model.lost_ms += is_in_order && is_sure ? 1 : lost_ms;
    each(visit_death);
    if (lost_ms > 0) {
        model.outside_ms += lost_ms;
    }
}

void model_was_down(int64_t ms)
{
    model.begun_ms = sim_running_ms();
    model.outside_ms += ms;
    memset(model.failures, 0, sizeof model.failures);
}

void model_jumped(int64_t ms)
{
    model.outside_ms += ms > 0 ? ms : 0;
    cooldown_jumped(ms);
}

// --- what receivers get --------------------------------------------------------------------------

// Whether an attempt now is the one of offset k, or of none before the end (k: how many there are).
static bool is_attempt(const struct owed *o, enum model_path path, int k, int64_t base_ms,
                       int64_t early_ms, int64_t late_ms)
{
    int count;
    const int64_t *at = offsets(path, &count);
    int64_t since_ms = model_path_ms(path) - base_ms;
    int64_t asked_ms = o->asked_ms ? o->asked_ms - base_ms : 0;
    while (k + 1 < count && at[k + 1] <= asked_ms) {
        k++;
    }
    if (k == count) {
        return false;
    }
    int64_t from_ms = at[k] > asked_ms ? at[k] : asked_ms;
    from_ms = from_ms < at[count - 1] ? from_ms : at[count - 1];
    int64_t until_ms = at[k] + spread_of(path, k);
    until_ms = until_ms > asked_ms ? until_ms : asked_ms;
    bool may_be_late = o->faults != sim_disk_fault_count();
    return since_ms >= from_ms - early_ms && (may_be_late || since_ms <= until_ms + late_ms);
}

// Whether an attempt now is right where the windows count from that time. What a crash has lost may
// be passed by now for the host, or not, and so may be what passed in a pause before it failed.
static bool is_in_place(const struct owed *o, enum model_path path, int64_t base_ms,
                        int64_t early_ms, int64_t lost_ms)
{
    int count;
    const int64_t *at = offsets(path, &count);
    int64_t failed_ms = o->failed_ms - base_ms;
    int64_t late_ms = lost_ms + early_ms + wait_of(path);
    for (int k = 0; k <= count; k++) {
        bool is_next = (k == count || at[k] > failed_ms - lost_ms - early_ms) &&
                       (k == 0 || at[k - 1] <= failed_ms + o->tail_ms + early_ms);
        if (is_next && is_attempt(o, path, k, base_ms, early_ms, late_ms)) {
            return true;
        }
    }
    return false;
}

// Where a breaker or an order let no attempt through, the windows count from when it fell due.
static bool may_count_from_due(const struct owed *o, enum model_path path)
{
    bool is_held_up = model.was_open[path] || path == PATH_ORDER || path == PATH_LATEST;
    return is_held_up && o->sent_ms > o->due_from_ms;
}

static void check_time(const struct owed *o, enum model_path path, const char *what)
{
    int count;
    const int64_t *at = offsets(path, &count);
    if (o->is_gone_kept) {
        sim_fail("%s is sent again, though its receiver has said that it is over", what);
    }
    if (model_path_ms(path) >
            o->base_ms + at[count - 1] + wait_of(path) + o->tail_ms + lost_ms(path) - o->lost_ms &&
        o->faults == sim_disk_fault_count()) {
        sim_fail("%s is sent, long beyond its end", what);
    }
    if (o->sent_count > (unsigned)count + sim_life()) {
        sim_fail("%s is sent for the %uth time", what, o->sent_count + 1);
    }
    if (o->is_vague) {
        return;
    }
    if (is_in_place(o, path, o->base_ms, 0, o->tail_ms + lost_ms(path) - o->lost_ms)) {
        return;
    }
    if (may_count_from_due(o, path)) {
        // It fell due between the question and the answer, or in a life in which nobody was told.
        int64_t to_ms = o->due_to_ms ? o->due_to_ms : o->sent_ms;
        int64_t late_ms = o->tail_ms + lost_ms(path) - o->due_lost_ms;
        if (path == PATH_DELAY ||
            is_in_place(o, path, o->due_from_ms, to_ms - o->due_from_ms, late_ms)) {
            return;
        }
    }
    sim_fail("%s is sent %lld ms after its first failure and %lld ms after its last: out of place",
             what, (long long)(model_path_ms(path) - o->base_ms),
             (long long)(model_path_ms(path) - o->failed_ms));
}

static void check_delay(const struct owed *o, unsigned r, unsigned t, const char *what)
{
    int64_t ran_ms = sim_running_ms() - model.asked_ms[r][t];
    int64_t outside_ms = model.outside_ms - model.wall_ms[r][t];
    if (!o->sent_count && ran_ms + outside_ms < DELAY_MS) {
        sim_fail("%s is sent %lld ms after its event, before its delay", what, (long long)ran_ms);
    }
}

// Whether the next one of its order may go. The end of one that waited counts from when it first
// fell due: when its event came.
static bool is_over(unsigned record, unsigned turn)
{
    const struct owed *o = &model.owed[PATH_ORDER][record][turn];
    int64_t for_ms = model_path_ms(PATH_ORDER) - o->due_from_ms;
    return o->success_life || o->is_cancelled || o->is_gone || for_ms >= end_of(PATH_ORDER);
}

static void check_order(unsigned record, unsigned turn)
{
    for (unsigned t = 0; t < model.turns; t++) {
        const struct owed *o = &model.owed[PATH_ORDER][record][t];
        if (t < turn && model.is_acked[record][t] && !is_over(record, t)) {
            sim_fail("order/%u.%u overtakes %u.%u, which is not over", record, turn, record, t);
        }
        if (t > turn && o->sent_count) {
            sim_fail("order/%u.%u is sent after %u.%u", record, turn, record, t);
        }
    }
}

// What is under way when a newer one comes ends first, and what was passed by is never sent.
static void check_latest(unsigned record, unsigned turn)
{
    for (unsigned t = 0; t < model.turns; t++) {
        const struct owed *o = &model.owed[PATH_LATEST][record][t];
        if (t < turn && o->sent_life == sim_life() && !o->is_cancelled) {
            sim_fail("latest/%u.%u is sent while %u.%u is under way", record, turn, record, t);
        }
        if (t > turn && o->sent_count) {
            sim_fail("latest/%u.%u is sent after %u.%u", record, turn, record, t);
        }
    }
}

static void check_terminated(const struct owed *o, enum model_path path, const char *what)
{
    if (o->is_gone) {
        return;
    }
    bool is_held_up = model.was_open[path] || path == PATH_ORDER || path == PATH_LATEST;
    int64_t for_ms = o->base_ms ? o->failed_ms + o->tail_ms - o->base_ms : 0;
    if (is_held_up) { // it may end without another attempt
        for_ms = model_path_ms(path) - o->due_from_ms;
    }
    if (for_ms < end_of(path) || (!o->base_ms && !is_held_up)) {
        sim_fail("%s was given up %lld ms after its first failure, before its end", what,
                 (long long)for_ms);
    }
}

void model_told(unsigned record, unsigned turn, const char *cause, const char *state)
{
    char what[64];
    snprintf(what, sizeof what, "policy/%u.%u", record, turn);
    if (record >= model.records || turn >= model.turns || !model.asked_ms[record][turn]) {
        sim_fail("an outcome of %s is told, which was never asked for", what);
    }
    const struct owed *o = &model.owed[PATH_POLICY][record][turn];
    char *told = model.told[record][turn];
    if ((o->id[0] && strcmp(o->id, cause) != 0) || (told[0] && strcmp(told, state) != 0)) {
        sim_fail("%s is %s, and told of as %s, %s", what, o->id, cause, state);
    }
    if (strcmp(state, "delivered") == 0 && !o->success_life) {
        sim_fail("%s is told to be delivered, and no receiver took it", what);
    }
    if (strcmp(state, "terminated") == 0) {
        check_terminated(o, PATH_POLICY, what);
    }
    snprintf(told, sizeof model.told[record][turn], "%s", state);
}

void model_received(enum model_path path, unsigned record, unsigned turn, struct str webhook_id)
{
    char what[64];
    snprintf(what, sizeof what, "%s/%u.%u", PATH_NAMES[path], record, turn);
    if (record >= model.records || turn >= model.turns || !model.asked_ms[record][turn]) {
        sim_fail("%s was never asked for", what);
    }
    struct owed *o = &model.owed[path][record][turn];
    char id[32];
    snprintf(id, sizeof id, "%.*s", (int)webhook_id.len, webhook_id.data);
    if (o->id[0] && strcmp(o->id, id) != 0) {
        sim_fail("%s is sent as %s and as %s", what, o->id, id);
    }
    for (unsigned i = 0; i < model.records * model.turns * PATHS; i++) {
        const struct owed *other =
            &model.owed[i % PATHS][i / PATHS / model.turns][i / PATHS % model.turns];
        if (other != o && strcmp(other->id, id) == 0) {
            sim_fail("%s is sent as %s, which another one is", what, id);
        }
    }
    for (unsigned t = 0; path == PATH_ONCE && t < model.turns; t++) {
        if (t != turn && model.owed[path][record][t].id[0]) {
            sim_fail("%s is the second one of its record (after %u)", what, t);
        }
    }
    if (model_is_paused(path)) {
        sim_fail("%s is sent, though its target is paused", what);
    }
    if (o->gone_life == sim_life()) {
        sim_fail("%s is sent again in the life in which its receiver ended it", what);
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
    if (path == PATH_POLICY && model.told[record][turn][0]) {
        sim_fail("%s is sent again after its outcome was", what);
    }
    if (path == PATH_ORDER) {
        check_order(record, turn);
    } else if (path == PATH_LATEST) {
        check_latest(record, turn);
    } else if (path == PATH_DELAY) {
        check_delay(o, record, turn, what);
    }
    strcpy(o->id, id);
    o->sent_ms = o->sent_count ? o->sent_ms : model_path_ms(path);
    o->sent_count++;
    o->sent_life = sim_life();
}

// Whether the status ends it.
static bool is_final(enum model_path path, int status)
{
    bool is_again = status == 0 || status == 429 || (status >= 500 && status != 501);
    return status == 410 || (path == PATH_POLICY && !is_again);
}

// It may have ended now: its outcome fell due no earlier.
static void may_have_ended(enum model_path path, unsigned record, unsigned turn)
{
    struct owed *told = &model.owed[PATH_OUTCOME][record][turn];
    if (path == PATH_POLICY && !told->sent_count) {
        told->due_from_ms = model_path_ms(PATH_OUTCOME);
        told->due_lost_ms = lost_ms(PATH_OUTCOME);
    }
}

void model_answered(enum model_path path, unsigned record, unsigned turn, int status,
                    int64_t retry_after_ms)
{
    struct owed *o = &model.owed[path][record][turn];
    o->sent_life = 0;
    may_have_ended(path, record, turn);
    if (status == 200) {
        o->success_life = sim_life();
        o->success_faults = sim_disk_fault_count();
        model.failures[path] = 0;
        return;
    }
    if (++model.failures[path] >= OPENS_AT) {
        model.was_open[path] = true;
    }
    o->failed_ms = model_path_ms(path);
    o->tail_ms = model_pause_tail_ms(path);
    o->asked_ms = retry_after_ms >= 0 ? o->failed_ms + retry_after_ms : 0;
    o->failed_life = sim_life();
    o->failed_faults = sim_disk_fault_count();
    o->is_failure_kept = false;
    o->is_gone_last = is_final(path, status);
    o->is_gone = o->is_gone || o->is_gone_last;
    o->gone_life = o->is_gone_last ? sim_life() : 0;
    if (!o->base_ms) {
        o->base_ms = o->failed_ms;
        o->lost_ms = lost_ms(path);
        o->faults = o->failed_faults;
    }
}

// --- the end -------------------------------------------------------------------------------------

void model_state(unsigned record, unsigned turn, struct str workflow, struct str id,
                 struct str state)
{
    for (unsigned p = 0; p < PATHS; p++) {
        struct owed *o = &model.owed[p][record][turn];
        if (!str_eq(workflow, str_from(PATH_NAMES[p]))) {
            continue;
        }
        if (o->state[0] || (o->id[0] && !str_eq(id, str_from(o->id)))) {
            sim_fail("%s/%u.%u is listed twice, or as %.*s", PATH_NAMES[p], record, turn,
                     (int)id.len, id.data);
        }
        snprintf(o->id, sizeof o->id, "%.*s", (int)id.len, id.data);
        snprintf(o->state, sizeof o->state, "%.*s", (int)state.len, state.data);
    }
}

void model_outcome(struct str cause, struct str id, struct str state)
{
    if (model.outcome_count == model.records * model.turns) {
        sim_fail("there are more outcomes than webhooks");
    }
    struct told *told = &model.outcomes[model.outcome_count++];
    snprintf(told->cause, sizeof told->cause, "%.*s", (int)cause.len, cause.data);
    snprintf(told->id, sizeof told->id, "%.*s", (int)id.len, id.data);
    snprintf(told->state, sizeof told->state, "%.*s", (int)state.len, state.data);
}

static void check_owed(const struct owed *o, enum model_path path, unsigned r, unsigned t,
                       const char *what)
{
    if (strcmp(o->state, "delivered") == 0) {
        if (!o->success_life) {
            sim_fail("%s is said to be delivered, and no receiver took it", what);
        }
    } else if (o->is_gone_kept && strcmp(o->state, "terminated") != 0) {
        sim_fail("%s was ended by its receiver, and is said to be %s", what, o->state);
    } else if (o->is_kept) {
        sim_fail("%s was taken by its receiver, and is said to be %s", what, o->state);
    } else if (strcmp(o->state, "terminated") == 0) {
        check_terminated(o, path, what);
    } else if (strcmp(o->state, "superseded") == 0) {
        bool has_newer = false;
        for (unsigned later = t + 1; later < model.turns; later++) {
            has_newer = has_newer || model.is_acked[r][later];
        }
        if (path != PATH_LATEST || (o->sent_count && !o->base_ms) || !has_newer) {
            sim_fail("%s is superseded", what);
        }
    } else if (strcmp(o->state, "cancelled") != 0 || !o->is_cancelled) {
        sim_fail("%s is %s at the end", what, o->state[0] ? o->state : "not there");
    }
}

// As many as its client was told of.
static void check_ids(unsigned r, unsigned t)
{
    unsigned count = 0;
    for (unsigned p = 0; p < PATH_OUTCOME; p++) {
        count += model.owed[p][r][t].id[0] != 0;
    }
    if (count != model.acked_ids[r][t]) {
        sim_fail("e-%u-%u was answered with %u deliveries, and has %u", r, t, model.acked_ids[r][t],
                 count);
    }
}

// There is one where the webhook was delivered or given up, and what it told is so.
static void check_outcome(unsigned r, unsigned t)
{
    const struct owed *o = &model.owed[PATH_POLICY][r][t];
    bool has_ended = strcmp(o->state, "delivered") == 0 || strcmp(o->state, "terminated") == 0;
    bool has_outcome = model.owed[PATH_OUTCOME][r][t].id[0] != 0;
    if (has_ended != has_outcome) {
        sim_fail("policy/%u.%u is %s, and there is %s outcome of it", r, t, o->state,
                 has_outcome ? "an" : "no");
    }
    if (model.told[r][t][0] && strcmp(model.told[r][t], o->state) != 0) {
        sim_fail("policy/%u.%u is %s, and its outcome told that it is %s", r, t, o->state,
                 model.told[r][t]);
    }
}

// Which of the webhooks the listed outcomes are of.
static void place_outcome(const struct told *told)
{
    for (unsigned i = 0; i < model.records * model.turns; i++) {
        unsigned r = i / model.turns, t = i % model.turns;
        if (strcmp(model.owed[PATH_POLICY][r][t].id, told->cause) == 0) {
            model_state(r, t, STR("outcome"), str_from(told->id), str_from(told->state));
            return;
        }
    }
    sim_fail("%s is an outcome of %s, which is not there", told->id, told->cause);
}

void model_check_end(void)
{
    for (unsigned i = 0; i < model.outcome_count; i++) {
        place_outcome(&model.outcomes[i]);
    }
    for (unsigned r = 0; r < model.records; r++) {
        unsigned fired = 0, acked = 0;
        int cooled = -1;
        for (unsigned t = 0; t < model.turns; t++) {
            for (unsigned p = 0; model.is_acked[r][t] && p < PATHS; p++) {
                char what[64];
                snprintf(what, sizeof what, "%s/%u.%u", PATH_NAMES[p], r, t);
                const struct owed *o = &model.owed[p][r][t];
                bool is_always = p != PATH_ONCE && p != PATH_COOLDOWN && p != PATH_OUTCOME;
                if (is_always || o->id[0]) {
                    check_owed(o, p, r, t, what);
                }
            }
            if (model.is_acked[r][t]) {
                bool has_fired = model.owed[PATH_COOLDOWN][r][t].id[0] != 0;
                cooldown_check(r, t, has_fired, cooled);
                cooled = has_fired ? (int)t : cooled;
                check_ids(r, t);
                check_outcome(r, t);
            }
            acked += model.is_acked[r][t];
            fired += model.owed[PATH_ONCE][r][t].id[0] != 0;
        }
        if (acked && fired != 1) {
            sim_fail("once of record %u fired %u times", r, fired);
        }
    }
}
