// A step of retention: from the oldest event on, what is old enough goes. All deliveries of an
// event stand in its runs, so an event is looked at with everything that belongs to it, once.
#include "store/sqlite/internal.h"

#include "encode/json_digest.h"
#include "store/runs.h"

#include <time.h>

// A step ends at either. A row that is only looked at costs some microseconds.
enum { STEP_EVENTS = 32, STEP_NS = 500000 };

// Free pages are used before the file grows, so a tenth may stay; vacuuming moves pages.
enum { FREE_PAGES_LEAST = 256, FREE_PAGES_SHARE = 10 };

enum { STORE_PAGE_BYTES = 4096 }; // as open.c has it made

static const uint64_t PLACE_VACUUM = (uint64_t)INT64_MAX; // behind every id

struct old_delivery {
    uint64_t id;
    bool has_texts;
    bool has_attempts;
};

struct old_event { // an event with all its deliveries
    uint64_t id;
    uint64_t digest;
    int64_t last_ms; // the last thing that happened to them
    bool has_payload;
    bool is_state; // its record's latest
    bool is_owed;
    struct store_run_row *runs;
    size_t run_count;
    struct old_delivery *deliveries;
    size_t delivery_count; // that are there
};

static int64_t monotonic_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t greatest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int read_pragma(sqlite3_stmt *s, int64_t *out)
{
    int rc = sqlite3_step(s);
    *out = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    return statement_end(s, rc);
}

static int read_pages(struct writer *w, int64_t *pages, int64_t *free_pages)
{
    *free_pages = 0;
    int rc = read_pragma(w->stmts[WRITE_PAGE_COUNT], pages);
    return rc == SQLITE_OK ? read_pragma(w->stmts[WRITE_FREE_PAGES], free_pages) : rc;
}

static int look_at_size(struct writer *w, struct store_retain *q)
{
    int64_t pages, free_pages;
    int rc = read_pages(w, &pages, &free_pages);
    q->is_over = q->max_bytes > 0 && (pages - free_pages) * STORE_PAGE_BYTES > q->max_bytes;
    return rc;
}

// --- what is there
// -------------------------------------------------------------------------------------------------

static int look_at_delivery(struct writer *w, struct old_event *ev, uint64_t id)
{
    sqlite3_stmt *s = w->stmts[WRITE_OLD_DELIVERY];
    bind_id(s, 1, id);
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        ev->is_owed |= sqlite3_column_int(s, 0) <= DELIVERY_HELD;
        ev->deliveries[ev->delivery_count++] =
            (struct old_delivery){.id = id,
                                  .has_texts = sqlite3_column_int(s, 1) != 0,
                                  .has_attempts = sqlite3_column_type(s, 2) != SQLITE_NULL};
        ev->last_ms = greatest(ev->last_ms, sqlite3_column_int64(s, 2));
        ev->last_ms = greatest(ev->last_ms, id_time_ms(id)); // of a replay
    }
    return statement_end(s, rc);
}

static int look_at_deliveries(struct writer *w, struct old_event *ev, struct arena *arena)
{
    size_t count = 0;
    for (size_t i = 0; i < ev->run_count; i++) {
        count += ev->runs[i].delivery_count;
    }
    ev->deliveries = arena_alloc(arena, count * sizeof *ev->deliveries);
    int rc = ev->deliveries || count == 0 ? SQLITE_OK : SQLITE_NOMEM;
    for (size_t i = 0; i < ev->run_count; i++) {
        const struct store_run_row *run = &ev->runs[i];
        for (size_t k = 0; k < run->delivery_count && rc == SQLITE_OK; k++) {
            rc = look_at_delivery(w, ev, run->delivery_ids[k]);
        }
    }
    return rc;
}

// SQLITE_DONE: there is no further event that could be old enough.
static int next_event(struct writer *w, struct store_retain *q, uint64_t end, struct old_event *ev)
{
    sqlite3_stmt *s = w->stmts[WRITE_OLD_EVENT];
    bind_id(s, 1, q->place);
    bind_id(s, 2, end);
    int rc = sqlite3_step(s);
    if (rc != SQLITE_ROW) {
        int end_rc = statement_end(s, rc);
        return end_rc == SQLITE_OK ? SQLITE_DONE : end_rc;
    }
    *ev = (struct old_event){.id = column_id(s, 0),
                             .last_ms = sqlite3_column_int64(s, 1),
                             .digest = column_id(s, 2),
                             .has_payload = sqlite3_column_int(s, 3) != 0,
                             .is_state = sqlite3_column_int(s, 5) != 0};
    int code = runs_read(column_str(s, 4), (struct str){NULL, 0}, q->arena, &w->scratch, &ev->runs,
                         &ev->run_count);
    rc = statement_end(s, rc);
    return rc != SQLITE_OK       ? rc
           : code == 0           ? SQLITE_OK
           : code == ERR_CORRUPT ? SQLITE_CORRUPT
                                 : SQLITE_NOMEM;
}

// --- what goes
// -----------------------------------------------------------------------------------------------------

static int run_for(struct writer *w, enum write_statement which, uint64_t id)
{
    bind_id(w->stmts[which], 1, id);
    return statement_run(w->stmts[which]);
}

int retain_drop_delivery(struct writer *w, uint64_t id)
{
    int rc;
    (void)((rc = run_for(w, WRITE_NO_ATTEMPTS, id)) || (rc = run_for(w, WRITE_NO_LARGE_BODY, id)) ||
           (rc = run_for(w, WRITE_NO_DELIVERY, id)));
    return rc;
}

int retain_drop_odd_runs(struct writer *w, uint64_t id, const struct store_run_row *runs,
                         size_t count)
{
    int rc = SQLITE_OK;
    for (size_t i = 0; i < count && rc == SQLITE_OK; i++) {
        sqlite3_stmt *s = w->stmts[WRITE_NO_ODD_RUN];
        bind_int(s, 1, runs[i].outcome);
        bind_id(s, 2, id);
        rc = runs[i].outcome == RUN_SENT ? SQLITE_OK : statement_run(s);
    }
    return rc;
}

static int remove_event(struct writer *w, struct store_retain *q, const struct old_event *ev)
{
    int rc = SQLITE_OK;
    for (size_t i = 0; i < ev->delivery_count && rc == SQLITE_OK; i++) {
        rc = retain_drop_delivery(w, ev->deliveries[i].id);
    }
    q->removed.events++;
    q->removed.deliveries += (int64_t)ev->delivery_count;
    if (rc == SQLITE_OK) {
        rc = retain_drop_odd_runs(w, ev->id, ev->runs, ev->run_count);
    }
    return rc == SQLITE_OK ? run_for(w, WRITE_NO_EVENT, ev->id) : rc;
}

// An event that comes again is known by its value still.
static int digest_of(struct writer *w, uint64_t id, uint64_t *digest)
{
    sqlite3_stmt *s = w->stmts[WRITE_OLD_PAYLOAD];
    bind_id(s, 1, id);
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        json_digest(column_str(s, 0), NULL, digest);
    }
    return statement_end(s, rc);
}

static int empty_event(struct writer *w, struct store_retain *q, struct old_event *ev)
{
    int rc = ev->digest == 0 ? digest_of(w, ev->id, &ev->digest) : SQLITE_OK;
    if (rc == SQLITE_OK) {
        bind_id(w->stmts[WRITE_EMPTY_EVENT], 2, ev->digest);
        rc = run_for(w, WRITE_EMPTY_EVENT, ev->id);
    }
    q->removed.payloads++;
    return rc;
}

static int empty_delivery(struct writer *w, struct store_retain *q, uint64_t id)
{
    int rc;
    (void)((rc = run_for(w, WRITE_EMPTY_DELIVERY, id)) ||
           (rc = run_for(w, WRITE_NO_LARGE_BODY, id)) ||
           (rc = run_for(w, WRITE_EMPTY_ATTEMPTS, id)));
    q->removed.payloads++;
    return rc;
}

static int drop_attempts(struct writer *w, struct store_retain *q, uint64_t id)
{
    int rc = run_for(w, WRITE_NO_FIRST_ATTEMPT, id);
    q->removed.attempts++;
    return rc == SQLITE_OK ? run_for(w, WRITE_NO_ATTEMPTS, id) : rc;
}

static int clean_event(struct writer *w, struct store_retain *q, struct old_event *ev)
{
    bool is_payload_old = q->is_over || ev->last_ms < q->payloads_until_ms;
    bool are_attempts_old = q->is_over || ev->last_ms < q->attempts_until_ms;
    if (ev->is_owed || !(is_payload_old || are_attempts_old)) {
        return SQLITE_OK;
    }
    if (is_payload_old && are_attempts_old && ev->last_ms < q->ids_until_ms && !ev->is_state) {
        return remove_event(w, q, ev);
    }
    int rc = SQLITE_OK;
    for (size_t i = 0; i < ev->delivery_count && rc == SQLITE_OK; i++) {
        const struct old_delivery *d = &ev->deliveries[i];
        if (is_payload_old && d->has_texts) {
            rc = empty_delivery(w, q, d->id);
        }
        if (are_attempts_old && d->has_attempts && rc == SQLITE_OK) {
            rc = drop_attempts(w, q, d->id);
        }
    }
    if (is_payload_old && ev->has_payload && !ev->is_state && rc == SQLITE_OK) {
        rc = empty_event(w, q, ev);
    }
    return rc;
}

// --- a step
// --------------------------------------------------------------------------------------------------------

// What is younger than all limits need not be looked at. An id is given when an event is received.
static uint64_t end_of(const struct store_retain *q)
{
    int64_t until_ms = greatest(q->payloads_until_ms, q->attempts_until_ms);
    return q->is_over ? PLACE_VACUUM : id_first_at(greatest(until_ms, 0));
}

static int step_events(struct writer *w, struct store_retain *q)
{
    int64_t until_ns = monotonic_ns() + STEP_NS;
    uint64_t end = end_of(q);
    int rc = SQLITE_OK;
    for (int i = 0; i < STEP_EVENTS && rc == SQLITE_OK && monotonic_ns() < until_ns; i++) {
        struct old_event ev;
        rc = next_event(w, q, end, &ev);
        if (rc == SQLITE_DONE) {
            q->place = PLACE_VACUUM;
            return SQLITE_OK;
        }
        if (rc == SQLITE_OK) {
            rc = look_at_deliveries(w, &ev, q->arena);
        }
        if (rc == SQLITE_OK) {
            rc = clean_event(w, q, &ev);
            q->place = ev.id;
        }
    }
    return rc;
}

// The pragma takes a step of the statement for each page.
static int step_vacuum(struct writer *w, struct store_retain *q)
{
    int64_t pages, free_pages;
    int rc = read_pages(w, &pages, &free_pages);
    q->is_done = free_pages <= greatest(FREE_PAGES_LEAST, pages / FREE_PAGES_SHARE);
    if (rc == SQLITE_OK && !q->is_done) {
        sqlite3_stmt *s = w->stmts[WRITE_VACUUM];
        while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        }
        rc = statement_end(s, rc);
    }
    return rc;
}

// Acts are few, and revoked tokens fewer: some at each step, and a round that has more of them than
// steps leaves the rest to the next.
static int step_audit(struct writer *w, const struct store_retain *q)
{
    sqlite3_stmt *s = w->stmts[WRITE_NO_AUDIT];
    bind_id(s, 1, id_first_at(greatest(q->audit_until_ms, 0)));
    int rc = statement_run(s);
    s = w->stmts[WRITE_NO_TOKEN];
    bind_int(s, 1, q->audit_until_ms);
    return rc == SQLITE_OK ? statement_run(s) : rc;
}

int retain_run(struct writer *w, struct store_retain *q)
{
    uint64_t place = q->place;
    q->removed = (struct store_removed){0};
    q->code = 0;
    q->is_done = false;
    int rc = look_at_size(w, q);
    if (rc == SQLITE_OK) {
        rc = step_audit(w, q);
    }
    if (rc == SQLITE_OK) {
        rc = q->place == PLACE_VACUUM ? step_vacuum(w, q) : step_events(w, q);
    }
    if (rc != SQLITE_OK) {
        q->place = place;
    }
    return rc;
}
