// A step of erasing a record: from the oldest event on, those that are of the record, or tell of a
// delivery that it caused, go with all that belongs to them.
#include "store/sqlite/internal.h"

#include "base/id.h"
#include "store/grow.h"
#include "store/runs.h"

#include <time.h>

// A step ends at any of them.
enum { STEP_FOUND = 16, STEP_NS = 500000, STEP_LOOK_ROWS = 64 };

struct erasing {
    struct writer *w;
    struct store_erase *q;
    size_t ended_cap, freed_cap;
};

static int64_t monotonic_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// --- one delivery --------------------------------------------------------------------------------

static int add_ended(struct erasing *e, uint64_t id)
{
    struct store_erase *q = e->q;
    uint64_t *ids = grow_on_arena(q->arena, q->ended, q->ended_count, &e->ended_cap, sizeof *ids);
    if (ids == NULL) {
        return SQLITE_NOMEM;
    }
    q->ended = ids;
    ids[q->ended_count++] = id;
    return SQLITE_OK;
}

// What waited for it is next.
static int release(struct erasing *e, struct str order_key)
{
    struct store_erase *q = e->q;
    struct store_freed *freed =
        grow_on_arena(q->arena, q->freed, q->freed_count, &e->freed_cap, sizeof *freed);
    if (freed == NULL) {
        return SQLITE_NOMEM;
    }
    q->freed = freed;
    int rc = order_release(e->w, order_key, q->now_ms, q->arena, &freed[q->freed_count]);
    q->freed_count += rc == SQLITE_OK && freed[q->freed_count].target.len;
    return rc;
}

static int erase_delivery(struct erasing *e, uint64_t id)
{
    struct store_erase *q = e->q;
    if (q->is_dry_run && id_set_has(q->deliveries, id)) {
        return SQLITE_OK; // of the state, which is come to twice
    }
    sqlite3_stmt *s = e->w->stmts[WRITE_ERASE_LOOK];
    bind_id(s, 1, id);
    int rc = sqlite3_step(s);
    if (rc != SQLITE_ROW) {
        return statement_end(s, rc); // retention has taken it
    }
    const enum delivery_state state = (enum delivery_state)sqlite3_column_int(s, 0);
    const bool is_owed = state_is_owed(state);
    const bool is_first = is_owed && sqlite3_column_int(s, 2) == 0;
    const struct str order_key = column_dup(s, 1, q->arena);
    q->erased.deliveries++;
    q->erased.owed += is_owed;
    q->erased.attempts += sqlite3_column_int64(s, 3);
    rc = statement_end(s, rc);
    if (rc == SQLITE_OK && (order_key.data == NULL || id_set_add(q->deliveries, id))) {
        return SQLITE_NOMEM;
    }
    if (rc != SQLITE_OK || q->is_dry_run) {
        return rc;
    }
    e->w->owed.all -= is_owed;
    e->w->owed.retrying -= state == DELIVERY_RETRYING;
    e->w->owed.held -= state == DELIVERY_HELD;
    rc = retain_drop_delivery(e->w, id);
    rc = rc == SQLITE_OK && is_owed ? add_ended(e, id) : rc;
    return rc == SQLITE_OK && is_first && order_key.len ? release(e, order_key) : rc;
}

// --- one event -----------------------------------------------------------------------------------

static int look_at_runs(struct erasing *e, uint64_t id, struct store_run_row **runs, size_t *count,
                        bool *is_there)
{
    sqlite3_stmt *s = e->w->stmts[WRITE_RUNS_OF_EVENT];
    bind_id(s, 1, id);
    int rc = sqlite3_step(s);
    int code = 0;
    *count = 0;
    *is_there = rc == SQLITE_ROW;
    if (rc == SQLITE_ROW) {
        code = runs_read(column_str(s, 0), (struct str){NULL, 0}, e->q->arena, &e->w->scratch, runs,
                         count);
    }
    rc = statement_end(s, rc);
    return rc != SQLITE_OK       ? rc
           : code == 0           ? SQLITE_OK
           : code == ERR_CORRUPT ? SQLITE_CORRUPT
                                 : SQLITE_NOMEM;
}

// An event that holds the record's state loses its runs now, and its row with the pointer to it.
static int drop_event(struct erasing *e, uint64_t id, const struct store_run_row *runs,
                      size_t count, bool keeps_row)
{
    int rc = retain_drop_odd_runs(e->w, id, runs, count);
    sqlite3_stmt *s = e->w->stmts[keeps_row ? WRITE_REPLAY : WRITE_NO_EVENT];
    bind_id(s, 1, id);
    if (keeps_row) {
        sqlite3_bind_null(s, 2);
    }
    return rc == SQLITE_OK ? statement_run(s) : rc;
}

static int erase_event(struct erasing *e, uint64_t id, bool keeps_row)
{
    struct store_run_row *runs;
    size_t count;
    bool is_there;
    int rc = look_at_runs(e, id, &runs, &count, &is_there);
    for (size_t i = 0; i < count && rc == SQLITE_OK; i++) {
        for (size_t k = 0; k < runs[i].delivery_count && rc == SQLITE_OK; k++) {
            rc = erase_delivery(e, runs[i].delivery_ids[k]);
        }
    }
    e->q->erased.events += is_there && !keeps_row;
    return rc == SQLITE_OK && is_there && !e->q->is_dry_run
               ? drop_event(e, id, runs, count, keeps_row)
               : rc;
}

static int find_state(struct erasing *e, uint64_t *id)
{
    sqlite3_stmt *s = e->w->stmts[WRITE_RECORD_VERSION];
    bind_text(s, 1, e->q->record_type);
    bind_text(s, 2, e->q->record_id);
    int rc = sqlite3_step(s);
    *id = rc == SQLITE_ROW ? column_id(s, 0) : 0;
    return statement_end(s, rc);
}

// Of the row that `s` is at.
static bool is_meant(const struct store_erase *q, sqlite3_stmt *s)
{
    struct str type = column_str(s, 1), record = column_str(s, 2);
    uint64_t delivery;
    if (str_eq(record, q->record_id) && str_eq(type, q->record_type)) {
        return column_id(s, 0) < q->before;
    }
    return str_eq(type, STR("webhook")) && id_read_shown(record, ID_DELIVERY, &delivery) == 0 &&
           id_set_has(q->deliveries, delivery);
}

// The next one that is meant, 0 where it is not known yet; q->next says how far was looked.
static int find_event(struct erasing *e, int64_t until_ns, uint64_t *id)
{
    struct store_erase *q = e->q;
    sqlite3_stmt *s = e->w->stmts[WRITE_ERASE_NEXT];
    bind_id(s, 1, q->next.event);
    int rc = SQLITE_ROW;
    *id = 0;
    for (int row = 1; *id == 0 && (row % STEP_LOOK_ROWS || monotonic_ns() < until_ns); row++) {
        if ((rc = sqlite3_step(s)) != SQLITE_ROW) {
            break;
        }
        q->next.event = column_id(s, 0);
        *id = is_meant(q, s) ? q->next.event : 0;
    }
    q->next.is_through = rc == SQLITE_DONE;
    return statement_end(s, rc);
}

static int step_events(struct erasing *e)
{
    struct store_erase *q = e->q;
    const int64_t until_ns = monotonic_ns() + STEP_NS;
    uint64_t state, id;
    int rc = find_state(e, &state);
    for (int i = 0;
         i < STEP_FOUND && rc == SQLITE_OK && !q->next.is_through && monotonic_ns() < until_ns;
         i++) {
        rc = find_event(e, until_ns, &id);
        if (rc == SQLITE_OK && id) {
            q->next.state = id == state ? id : q->next.state;
            rc = erase_event(e, id, id == state);
        }
    }
    return rc;
}

// --- the end -------------------------------------------------------------------------------------

static int next_workflow(struct writer *w, struct str behind, struct arena *arena, struct str *out)
{
    sqlite3_stmt *s = w->stmts[WRITE_MARKS_NEXT];
    bind_text(s, 1, behind);
    int rc = sqlite3_step(s);
    *out = rc == SQLITE_ROW ? column_dup(s, 0, arena) : (struct str){0};
    rc = rc == SQLITE_ROW && out->data == NULL ? SQLITE_NOMEM : rc;
    return statement_end(s, rc);
}

static int erase_mark(struct erasing *e, struct str workflow)
{
    struct store_erase *q = e->q;
    sqlite3_stmt *s = e->w->stmts[q->is_dry_run ? WRITE_HAS_MARK : WRITE_MARK_FORGET];
    bind_text(s, 1, workflow);
    bind_text(s, 2, q->record_type);
    bind_text(s, 3, q->record_id);
    int rc = sqlite3_step(s);
    q->erased.marks += q->is_dry_run ? rc == SQLITE_ROW : sqlite3_changes(e->w->db);
    return statement_end(s, rc);
}

static int erase_marks(struct erasing *e)
{
    struct str workflow = {0};
    int rc;
    while ((rc = next_workflow(e->w, workflow, e->q->arena, &workflow)) == SQLITE_OK &&
           workflow.len) {
        if ((rc = erase_mark(e, workflow)) != SQLITE_OK) {
            break;
        }
    }
    return rc;
}

// The state with the pointer to it, and the marks, which are nothing without it: together, last.
static int step_end(struct erasing *e)
{
    struct store_erase *q = e->q;
    uint64_t state;
    int rc = find_state(e, &state);
    if (rc == SQLITE_OK) {
        rc = erase_marks(e);
    }
    if (rc == SQLITE_OK && q->next.state) {
        rc = erase_event(e, q->next.state, false);
    }
    if (rc == SQLITE_OK && state == q->next.state && state && !q->is_dry_run) {
        sqlite3_stmt *s = e->w->stmts[WRITE_NO_RECORD];
        bind_text(s, 1, q->record_type);
        bind_text(s, 2, q->record_id);
        rc = statement_run(s);
    }
    q->is_done = rc == SQLITE_OK;
    return rc;
}

int erase_run(struct writer *w, struct store_erase *q)
{
    struct erasing e = {.w = w, .q = q};
    q->code = 0;
    q->is_done = false;
    q->next = q->place;
    q->erased = (struct store_erased){0};
    q->ended = NULL;
    q->freed = NULL;
    q->ended_count = q->freed_count = 0;
    return q->place.is_through ? step_end(&e) : step_events(&e);
}
