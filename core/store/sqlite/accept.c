#include "store/sqlite/internal.h"

#include "encode/json_digest.h"
#include "store/runs.h"

// Above it a body has a row of its own, so that an update of its delivery need not write it again.
enum { INLINE_BODY_MAX_BYTES = 2048 };

static int refuse(struct store_accept *a, size_t index, int code, const char *words)
{
    a->code = code;
    a->fault_index = index;
    if (code == ERR_CONFLICT) {
        err_set(&a->err, ERR_CONFLICT, "%s: " STR_FMT, words, STR_ARG(a->events[index].key));
    } else {
        err_set(&a->err, (enum err_code)code, "%s", words);
    }
    return SQLITE_OK;
}

// An event without a key is stored without a digest too: hardly one comes again under the id that
// the host made for it.
static uint64_t first_digest(sqlite3_stmt *s)
{
    uint64_t digest = column_id(s, 1);
    if (digest == 0) {
        json_digest(column_str(s, 3), NULL, &digest);
    }
    return digest;
}

// Looks at the row of an earlier event with this event's key that `s` may find.
static int compare_with_first(struct writer *w, struct store_accept *a, size_t index,
                              sqlite3_stmt *s)
{
    struct store_event *ev = &a->events[index];
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        ev->first_id = column_id(s, 0);
        if (first_digest(s) != ev->digest) {
            refuse(a, index, ERR_CONFLICT, "an event with this id and another value is there");
        } else {
            ev->is_duplicate = true;
            int code = runs_read_ids(column_str(s, 2), a->arena, &w->scratch, &ev->delivery_ids,
                                     &ev->delivery_count);
            if (code != 0) {
                refuse(a, index, code, "the deliveries of the first event with this id");
            }
        }
    }
    return statement_end(s, rc);
}

static int find_first(struct writer *w, struct store_accept *a, size_t index)
{
    struct store_event *ev = &a->events[index];
    if (ev->key.len == 0) {
        return SQLITE_OK;
    }
    sqlite3_stmt *s = w->stmts[WRITE_EVENT_BY_KEY];
    bind_text(s, 1, ev->key);
    int rc = compare_with_first(w, a, index, s);
    uint64_t id;
    if (rc == SQLITE_OK && a->code == 0 && !ev->is_duplicate &&
        id_read_shown(ev->key, ID_EVENT, &id) == 0) {
        s = w->stmts[WRITE_EVENT_BY_ID];
        bind_id(s, 1, id);
        rc = compare_with_first(w, a, index, s);
    }
    return rc;
}

static int refuse_stale(struct store_accept *a, size_t index)
{
    return refuse(a, index, ERR_BUSY, "the record has another state by now: judge again");
}

static int check_version(struct writer *w, struct store_accept *a, size_t index)
{
    const struct store_event *ev = &a->events[index];
    sqlite3_stmt *s = w->stmts[WRITE_RECORD_VERSION];
    bind_text(s, 1, ev->record_type);
    bind_text(s, 2, ev->record_id);
    int rc = sqlite3_step(s);
    uint64_t version = rc == SQLITE_ROW ? column_id(s, 0) : 0;
    rc = statement_end(s, rc);
    if (rc == SQLITE_OK && version != ev->judged_version) {
        refuse_stale(a, index);
    }
    return rc;
}

// One statement takes a mark that is free or has run out; no row changed: it is held.
static int take_mark(struct writer *w, const struct store_event *ev, struct store_run *run)
{
    sqlite3_stmt *s = w->stmts[WRITE_MARK];
    bind_text(s, 1, run->workflow);
    bind_text(s, 2, ev->record_type);
    bind_text(s, 3, ev->record_id);
    bind_int(s, 4, run->mark.until_ms);
    bind_int(s, 5, run->mark.is_forced ? INT64_MAX : ev->received_at_ms);
    int rc = statement_run(s);
    run->was_marked = rc == SQLITE_OK && sqlite3_changes(w->db) == 0;
    return rc;
}

static int write_delivery(struct writer *w, const struct store_event *ev,
                          const struct store_run *run, const struct store_delivery *d)
{
    int64_t target;
    int rc = target_id(w, d->target, &target);
    if (rc != SQLITE_OK) {
        return rc;
    }
    bool is_large = d->body.len > INLINE_BODY_MAX_BYTES;
    bool is_owed = state_is_owed(d->state);
    sqlite3_stmt *s = w->stmts[WRITE_DELIVERY];
    bind_id(s, 1, d->id);
    bind_id(s, 2, ev->id);
    bind_int(s, 3, d->state);
    bind_int(s, 4, target);
    bind_int(s, 5, store_shard(d->order_key, d->id));
    if (is_owed) {
        bind_int(s, 6, d->due_at_ms);
    } else {
        sqlite3_bind_null(s, 6);
    }
    bind_int(s, 7, d->action);
    bind_int(s, 8, d->timeout_ms);
    bind_text(s, 9, run->workflow);
    bind_text_or_null(s, 10, d->order_key);
    bind_text_or_null(s, 11, d->retry);
    bind_text_or_null(s, 12, d->reason);
    bind_blob(s, 13, d->head);
    if (is_large) {
        sqlite3_bind_null(s, 14);
    } else {
        bind_blob(s, 14, d->body);
    }
    if (d->wants_recheck) {
        bind_text(s, 15, d->recheck_previous);
    } else {
        sqlite3_bind_null(s, 15);
    }
    if (d->is_delayed && is_owed) {
        bind_int(s, 16, w->down_ms);
    } else {
        sqlite3_bind_null(s, 16);
    }
    bind_int_or_null(s, 17, d->window_ms);
    rc = statement_run(s);
    if (rc == SQLITE_OK && is_large) {
        bind_id(w->stmts[WRITE_LARGE_BODY], 1, d->id);
        bind_blob(w->stmts[WRITE_LARGE_BODY], 2, d->body);
        rc = statement_run(w->stmts[WRITE_LARGE_BODY]);
    }
    w->owed.all += is_owed;
    w->owed.held += d->state == DELIVERY_HELD;
    w->owed.cancelled += d->state == DELIVERY_CANCELLED;
    return rc;
}

// As it is to be stored: where the workflow is stopped, not as it was asked for.
static struct store_delivery held_back(const struct store_delivery *d, const struct held_back *as)
{
    struct store_delivery stored = *d;
    if (d->state == DELIVERY_PENDING) {
        stored.state = as->state;
        stored.reason = as->reason;
    }
    return stored;
}

static int write_run(struct writer *w, const struct store_event *ev, struct store_run *run,
                     struct arena *arena)
{
    int rc = run->mark.is_set ? take_mark(w, ev, run) : SQLITE_OK;
    if (rc != SQLITE_OK || run->was_marked) {
        return rc;
    }
    struct held_back as = {.state = DELIVERY_PENDING};
    if (run->delivery_count) {
        rc = workflow_hold_back(w, run, &as);
    }
    for (size_t i = 0; i < run->delivery_count && rc == SQLITE_OK; i++) {
        struct store_delivery stored = held_back(&run->deliveries[i], &as);
        bool is_paused = false;
        if (stored.state == DELIVERY_PENDING) {
            rc = pause_has(w, stored.target, &is_paused);
        }
        if (is_paused) {
            stored.state = DELIVERY_HELD;
            stored.reason = STR(STORE_PAUSED_REASON);
        }
        rc = rc == SQLITE_OK ? write_delivery(w, ev, run, &stored) : rc;
        run->deliveries[i].is_waiting = false;
        run->deliveries[i].outdated = (struct store_outdated){0};
        if (rc == SQLITE_OK && stored.order_key.len && state_is_owed(stored.state)) {
            rc = order_enter(w, &stored, arena, &run->deliveries[i]);
        }
    }
    if (rc == SQLITE_OK && run->outcome != RUN_SENT) {
        bind_int(w->stmts[WRITE_ODD_RUN], 1, run->outcome);
        bind_id(w->stmts[WRITE_ODD_RUN], 2, ev->id);
        rc = statement_run(w->stmts[WRITE_ODD_RUN]);
    }
    return rc;
}

static int write_event(struct writer *w, const struct store_event *ev)
{
    buf_reset(&w->runs);
    runs_write(&w->runs, ev->runs, ev->run_count, false);
    if (w->runs.failed) {
        return w->runs.failed == ERR_NOMEM ? SQLITE_NOMEM : SQLITE_TOOBIG;
    }
    sqlite3_stmt *s = w->stmts[WRITE_EVENT];
    bind_id(s, 1, ev->id);
    bind_text_or_null(s, 2, ev->key);
    bind_id(s, 3, ev->digest);
    bind_text(s, 4, ev->type);
    bind_text(s, 5, ev->record_type);
    bind_text(s, 6, ev->record_id);
    bind_int(s, 7, ev->time_ms);
    bind_int(s, 8, ev->received_at_ms);
    bind_text_or_null(s, 9, buf_str(&w->runs));
    if (ev->needs_version && ev->judged_version) {
        bind_id(s, 10, ev->judged_version);
    } else {
        sqlite3_bind_null(s, 10);
    }
    bind_text(s, 11, ev->payload);
    return statement_run(s);
}

static int point_record(struct writer *w, const struct store_event *ev)
{
    sqlite3_stmt *s = w->stmts[WRITE_RECORD];
    bind_text(s, 1, ev->record_type);
    bind_text(s, 2, ev->record_id);
    bind_id(s, 3, ev->id);
    bind_int(s, 4, ev->time_ms);
    return statement_run(s);
}

static int write_runs(struct writer *w, struct store_event *ev, struct arena *arena)
{
    int rc = SQLITE_OK;
    for (size_t i = 0; i < ev->run_count && rc == SQLITE_OK; i++) {
        ev->runs[i].was_marked = false;
        rc = write_run(w, ev, &ev->runs[i], arena);
    }
    return rc;
}

// The runs that the event has, into w->runs.
static int read_runs_text(struct writer *w, struct store_accept *a, size_t index)
{
    sqlite3_stmt *s = w->stmts[WRITE_RUNS_OF_EVENT];
    bind_id(s, 1, a->events[index].id);
    int rc = sqlite3_step(s);
    buf_reset(&w->runs);
    if (rc == SQLITE_ROW) {
        buf_append_str(&w->runs, column_str(s, 0));
    } else if (rc == SQLITE_DONE) {
        refuse(a, index, ERR_NOT_FOUND, "the event is not there any more");
    }
    return statement_end(s, rc);
}

static int accept_replay(struct writer *w, struct store_accept *a, size_t index)
{
    struct store_event *ev = &a->events[index];
    int rc = read_runs_text(w, a, index);
    if (rc != SQLITE_OK || a->code != 0) {
        return rc;
    }
    rc = write_runs(w, ev, a->arena);
    runs_write(&w->runs, ev->runs, ev->run_count, true);
    if (rc == SQLITE_OK && w->runs.failed) {
        rc = w->runs.failed == ERR_NOMEM ? SQLITE_NOMEM : SQLITE_TOOBIG;
    }
    if (rc == SQLITE_OK) {
        bind_id(w->stmts[WRITE_REPLAY], 1, ev->id);
        bind_text_or_null(w->stmts[WRITE_REPLAY], 2, buf_str(&w->runs));
        rc = statement_run(w->stmts[WRITE_REPLAY]);
    }
    return rc;
}

int accept_write(struct writer *w, struct store_event *ev, struct arena *arena)
{
    int rc = write_runs(w, ev, arena);
    if (rc == SQLITE_OK) {
        rc = write_event(w, ev);
    }
    if (rc == SQLITE_OK && ev->record_id.len > 0 && !ev->is_stateless) {
        rc = point_record(w, ev);
    }
    return rc;
}

// Everything that can refuse an event comes before its first write, so a body of one event needs no
// savepoint.
static int accept_event(struct writer *w, struct store_accept *a, size_t index)
{
    struct store_event *ev = &a->events[index];
    if (ev->is_replay) {
        return accept_replay(w, a, index);
    }
    int rc = find_first(w, a, index);
    if (rc != SQLITE_OK || a->code != 0 || ev->is_duplicate) {
        return rc;
    }
    rc = ev->needs_version ? check_version(w, a, index) : SQLITE_OK;
    if (rc != SQLITE_OK || a->code != 0) {
        return rc;
    }
    return accept_write(w, ev, a->arena);
}

// What is judged again is to be judged with all that is known: which of the events behind the stale
// one are duplicates. The stale one's verdict stays, unless there is a conflict.
static int find_known_behind(struct writer *w, struct store_accept *a)
{
    size_t stale = a->fault_index;
    int rc = SQLITE_OK;
    a->code = 0;
    for (size_t i = stale + 1; i < a->event_count && rc == SQLITE_OK && a->code == 0; i++) {
        rc = find_first(w, a, i);
    }
    return rc == SQLITE_OK && a->code == 0 ? refuse_stale(a, stale) : rc;
}

static void reset_verdicts(struct store_accept *a)
{
    a->code = 0;
    a->fault_index = 0;
    for (size_t i = 0; i < a->event_count; i++) {
        struct store_event *ev = &a->events[i];
        ev->is_duplicate = false;
        ev->first_id = 0;
        ev->delivery_ids = NULL;
        ev->delivery_count = 0;
        for (size_t k = 0; k < ev->run_count; k++) {
            ev->runs[k].was_marked = false;
            ev->runs[k].is_held_back = false;
        }
    }
}

int accept_run(struct writer *w, struct store_accept *a)
{
    reset_verdicts(a);
    bool is_saved = a->event_count > 1;
    struct owed_counts owed_before = w->owed;
    int rc = is_saved ? statement_run(w->stmts[WRITE_BODY_SAVE]) : SQLITE_OK;
    for (size_t i = 0; i < a->event_count && rc == SQLITE_OK && a->code == 0; i++) {
        rc = accept_event(w, a, i);
    }
    if (rc == SQLITE_OK && a->code == 0 && a->slot) {
        rc = slot_write(w, a->slot);
    }
    if (rc == SQLITE_OK && a->code == ERR_BUSY) {
        rc = find_known_behind(w, a);
    }
    if (rc == SQLITE_OK && is_saved && a->code != 0) {
        rc = statement_run(w->stmts[WRITE_BODY_BACK]);
        w->owed = owed_before;
        target_forget_all(w);
    }
    if (rc == SQLITE_OK && is_saved) {
        rc = statement_run(w->stmts[WRITE_BODY_RELEASE]);
    }
    return rc;
}
