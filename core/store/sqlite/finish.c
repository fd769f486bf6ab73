#include "store/sqlite/internal.h"

// The greatest state that is still owed, and the greatest of all, for the condition `state <= ?6`.
static const enum delivery_state OWED_STATE = DELIVERY_HELD;
static const enum delivery_state ANY_STATE = DELIVERY_SUPERSEDED;

// `first` is the place of at_ms; the rest follows in the order that both tables have.
static void bind_attempt(sqlite3_stmt *s, int first, const struct store_attempt *t)
{
    bind_int(s, first, t->at_ms);
    bind_int(s, first + 1, t->elapsed_ms);
    bind_int(s, first + 2, t->status);
    bind_int(s, first + 3, t->body_is_truncated);
    bind_text_or_null(s, first + 4, t->error);
    bind_text_or_null(s, first + 5, t->detail);
    bind_blob(s, first + 6, t->headers);
    bind_blob(s, first + 7, t->body);
}

static int write_attempt(struct writer *w, const struct store_finish *f)
{
    sqlite3_stmt *s = w->stmts[WRITE_ATTEMPT];
    bind_id(s, 1, f->delivery);
    bind_int(s, 2, f->attempt.number);
    bind_attempt(s, 3, &f->attempt);
    return statement_run(s);
}

int finish_run(struct writer *w, struct store_finish *f)
{
    bool is_first = f->attempt.number == 1;
    bool is_owed_after = f->state <= OWED_STATE;
    sqlite3_stmt *s = w->stmts[is_first ? WRITE_FIRST_ATTEMPT : WRITE_STATE];
    bind_id(s, 1, f->delivery);
    bind_int(s, 2, f->state);
    if (is_owed_after) {
        bind_int(s, 3, f->due_at_ms);
    } else {
        sqlite3_bind_null(s, 3);
    }
    bind_int(s, 4, f->base_ms);
    bind_text_or_null(s, 5, f->reason);
    if (is_first) {
        bind_attempt(s, 7, &f->attempt);
    } else {
        bind_int(s, 7, f->attempt.number);
        bind_int(s, 8, f->is_rechecked);
    }
    // The count of what is owed needs the state before; asking with the update saves a read. A
    // delivery that was owed no more takes the second try.
    bind_int(s, 6, OWED_STATE);
    int rc = statement_run(s);
    bool was_owed = rc == SQLITE_OK && sqlite3_changes(w->db) > 0;
    if (rc == SQLITE_OK && !was_owed) {
        bind_int(s, 6, ANY_STATE);
        rc = statement_run(s);
        if (rc == SQLITE_OK && sqlite3_changes(w->db) == 0) {
            f->code = ERR_NOT_FOUND;
            return SQLITE_OK;
        }
    }
    if (rc == SQLITE_OK && f->attempt.number > 1) {
        rc = write_attempt(w, f);
    }
    w->owed += is_owed_after - was_owed;
    for (size_t i = 0; i < f->event_count && rc == SQLITE_OK; i++) {
        rc = accept_write(w, &f->events[i]);
    }
    f->code = 0;
    return rc;
}
