#include "store/sqlite/internal.h"

// The greatest state that is still owed, the greatest that is to be sent by itself, and the
// greatest of all, for the condition `state <= ?6`.
static const enum delivery_state OWED_STATE = DELIVERY_HELD;
static const enum delivery_state DUE_STATE = DELIVERY_RETRYING;
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

// An attempt that failed, and a second look that lets it go on, say nothing of a delivery that was
// held or has ended meanwhile: that stays as it is, and *f says so.
static int keep_state(struct writer *w, struct store_finish *f)
{
    sqlite3_stmt *s = w->stmts[WRITE_STATE_NOW];
    bind_id(s, 1, f->delivery);
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        f->state = (enum delivery_state)sqlite3_column_int(s, 0);
    }
    return statement_end(s, rc);
}

static void bind_finish(sqlite3_stmt *s, const struct store_finish *f, bool keeps_reason)
{
    bind_id(s, 1, f->delivery);
    bind_int(s, 2, f->state);
    if (f->state <= OWED_STATE) {
        bind_int(s, 3, f->due_at_ms);
    } else {
        sqlite3_bind_null(s, 3);
    }
    bind_int(s, 4, f->base_ms);
    bind_text_or_null(s, 5, f->reason);
    if (f->attempt.number == 1) {
        bind_attempt(s, 7, &f->attempt);
    } else {
        bind_int(s, 7, f->attempt.number);
        bind_int(s, 9, f->is_rechecked);
    }
    bind_int(s, f->attempt.number == 1 ? 15 : 8, keeps_reason);
    bind_int_or_null(s, f->attempt.number == 1 ? 16 : 10, f->window_ms);
}

void finish_restore(struct store_finish *f)
{
    f->state = f->wanted.state;
    f->reason = f->wanted.reason;
}

int finish_run(struct writer *w, struct store_finish *f)
{
    finish_restore(f); // of a run in a batch that failed
    bool is_first = f->attempt.number == 1;
    bool has_order = f->order_key.len > 0;
    bool yields = (f->state == DELIVERY_RETRYING && (f->attempt.number > 0 || has_order)) ||
                  (f->is_rechecked && f->state == DELIVERY_PENDING);
    enum delivery_state first_try = yields ? DUE_STATE : OWED_STATE;
    if (f->state == DELIVERY_RETRYING && has_order) {
        int look_rc = order_look_newer(w, f);
        if (look_rc != SQLITE_OK) {
            return look_rc;
        }
    }
    sqlite3_stmt *s = w->stmts[is_first ? WRITE_FIRST_ATTEMPT : WRITE_STATE];
    // What comes after needs to know whether it was owed; asking with the update saves a read. A
    // delivery that was owed no more, or is held, takes the second try.
    bind_finish(s, f, false);
    bind_int(s, 6, first_try);
    int rc = statement_run(s);
    bool was_owed = rc == SQLITE_OK && sqlite3_changes(w->db) > 0;
    if (rc == SQLITE_OK && !was_owed) {
        rc = yields ? keep_state(w, f) : SQLITE_OK;
        was_owed = yields && f->state == DELIVERY_HELD;
        bind_finish(s, f, yields);
        bind_int(s, 6, ANY_STATE);
        rc = rc == SQLITE_OK ? statement_run(s) : rc;
        if (rc == SQLITE_OK && sqlite3_changes(w->db) == 0) {
            f->code = ERR_NOT_FOUND;
            return SQLITE_OK;
        }
    }
    if (rc == SQLITE_OK && f->attempt.number > 1) {
        rc = write_attempt(w, f);
    }
    if (rc == SQLITE_OK && (f->held_up_ms || f->target_error.data)) {
        s = w->stmts[WRITE_TARGET_SAYS];
        bind_id(s, 1, f->delivery);
        bind_int_or_null(s, 2, f->held_up_ms);
        if (f->target_error.data) {
            bind_text(s, 3, f->target_error);
        } else {
            sqlite3_bind_null(s, 3);
        }
        bind_int(s, 4, f->attempt.at_ms);
        rc = statement_run(s);
    }
    f->freed = (struct store_freed){0};
    if (rc == SQLITE_OK && has_order && was_owed && f->state > OWED_STATE) {
        rc = order_release(w, f->order_key, f->now_ms, f->arena, &f->freed);
    }
    for (size_t i = 0; i < f->event_count && rc == SQLITE_OK; i++) {
        rc = accept_write(w, &f->events[i], f->arena);
    }
    f->code = 0;
    return rc;
}
