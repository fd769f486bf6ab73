// Targets that an operator has paused, and what that does to what they are owed.
#include "store/grow.h"
#include "store/sqlite/internal.h"

enum { STEP_ROWS = 1000 }; // looked at in one request: some milliseconds

static int look_for_paused(struct writer *w)
{
    sqlite3_stmt *s = w->stmts[WRITE_ANY_PAUSED];
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        w->paused = sqlite3_column_int(s, 0) ? STOPPED_SOME : STOPPED_NONE;
    }
    return statement_end(s, rc);
}

static int pause_of(struct writer *w, int64_t target, enum store_pause *pause, int64_t *since_ms)
{
    sqlite3_stmt *s = w->stmts[WRITE_PAUSE_OF];
    bind_int(s, 1, target);
    int rc = sqlite3_step(s);
    *pause = rc == SQLITE_ROW ? (enum store_pause)sqlite3_column_int(s, 0) : STORE_PAUSE_NONE;
    *since_ms = rc == SQLITE_ROW ? sqlite3_column_int64(s, 1) : 0;
    return statement_end(s, rc);
}

int pause_has(struct writer *w, struct str target, bool *is_paused)
{
    *is_paused = false;
    int rc = w->paused == STOPPED_UNKNOWN ? look_for_paused(w) : SQLITE_OK;
    int64_t id = 0;
    if (rc != SQLITE_OK || w->paused == STOPPED_NONE) {
        return rc;
    }
    rc = target_find(w, target, &id);
    if (rc == SQLITE_OK && id != 0) {
        enum store_pause pause;
        int64_t since_ms;
        rc = pause_of(w, id, &pause, &since_ms);
        *is_paused = pause == STORE_PAUSE_ON;
    }
    return rc;
}

static int pause_set(struct writer *w, int64_t target, enum store_pause pause, int64_t at_ms)
{
    sqlite3_stmt *s = w->stmts[WRITE_PAUSE];
    bind_int(s, 1, target);
    bind_int(s, 2, pause);
    bind_int(s, 3, at_ms);
    w->paused = STOPPED_UNKNOWN;
    return statement_run(s);
}

static int all_since(struct writer *w, int64_t *since_ms)
{
    sqlite3_stmt *s = w->stmts[WRITE_PAUSE_OF_ALL];
    int rc = sqlite3_step(s);
    *since_ms = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    return statement_end(s, rc);
}

int pause_is_of_all(struct writer *w, bool *is_paused)
{
    int64_t since_ms;
    int rc = all_since(w, &since_ms);
    *is_paused = since_ms != 0;
    return rc;
}

static int all_put(struct writer *w, struct store_pause_put *p)
{
    int64_t since_ms;
    int rc = all_since(w, &since_ms);
    p->code = 0;
    p->before = since_ms ? STR("paused") : STR("not paused");
    if (rc != SQLITE_OK || p->is_paused == (since_ms != 0)) {
        return rc; // it is so already: since when, too
    }
    sqlite3_stmt *s = w->stmts[WRITE_PAUSE_ALL];
    bind_int(s, 1, p->is_paused ? p->now_ms : 0);
    bind_text_or_null(s, 2, p->is_paused ? p->who : (struct str){0});
    return statement_run(s);
}

int pause_put_run(struct writer *w, struct store_pause_put *p)
{
    if (p->target.len == 0) {
        return all_put(w, p);
    }
    int64_t target;
    int rc = target_find(w, p->target, &target);
    p->code = rc == SQLITE_OK && target == 0 ? ERR_NOT_FOUND : 0;
    if (rc != SQLITE_OK || p->code) {
        return rc;
    }
    enum store_pause pause;
    int64_t since_ms;
    rc = pause_of(w, target, &pause, &since_ms);
    p->before = pause == STORE_PAUSE_ON ? STR("paused") : STR("not paused");
    if (rc != SQLITE_OK || p->is_paused == (pause == STORE_PAUSE_ON)) {
        return rc; // it is so already: since when, too
    }
    // Where an earlier pause is still ending, what it held is held on, from then.
    bool goes_on = p->is_paused && pause == STORE_PAUSE_ENDING;
    return pause_set(w, target, p->is_paused ? STORE_PAUSE_ON : STORE_PAUSE_ENDING,
                     p->is_paused && !goes_on ? p->now_ms : 0);
}

static int all_read(struct writer *w, struct store_pauses *q)
{
    sqlite3_stmt *s = w->stmts[WRITE_PAUSE_OF_ALL];
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        q->all_since_ms = sqlite3_column_int64(s, 0);
        q->all_by = column_dup(s, 1, q->arena);
        q->code = q->all_by.data ? 0 : ERR_TOO_LARGE;
    }
    return statement_end(s, rc);
}

int pauses_run(struct writer *w, struct store_pauses *q)
{
    q->code = 0;
    q->rows = NULL;
    q->count = 0;
    size_t cap = 0;
    sqlite3_stmt *s = w->stmts[WRITE_PAUSES];
    int rc = all_read(w, q);
    if (rc != SQLITE_OK) {
        return rc;
    }
    while ((rc = sqlite3_step(s)) == SQLITE_ROW && q->code == 0) {
        struct store_target_row *rows =
            grow_on_arena(q->arena, q->rows, q->count, &cap, sizeof *rows);
        struct str target = column_dup(s, 1, q->arena);
        if (rows && target.data) {
            q->rows = rows;
            rows[q->count++] =
                (struct store_target_row){.id = column_id(s, 0),
                                          .target = target,
                                          .pause = (enum store_pause)sqlite3_column_int(s, 2)};
        } else {
            q->code = ERR_TOO_LARGE;
        }
    }
    return statement_end(s, rc);
}

static int hold(struct writer *w, struct store_pause_step *q, int64_t target)
{
    uint64_t ids[STEP_ROWS];
    size_t count = 0;
    sqlite3_stmt *s = w->stmts[WRITE_OWED_OF_TARGET];
    bind_int(s, 1, target);
    bind_int(s, 2, STEP_ROWS);
    int rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        ids[count++] = column_id(s, 0);
    }
    rc = statement_end(s, rc);
    s = w->stmts[WRITE_HOLD];
    for (size_t i = 0; i < count && rc == SQLITE_OK; i++) {
        bind_id(s, 1, ids[i]);
        bind_text(s, 2, STR(STORE_PAUSED_REASON));
        rc = statement_run(s);
    }
    q->changed = count;
    q->is_done = count < STEP_ROWS;
    return rc;
}

struct paused_row {
    uint64_t id;
    enum when_stopped owed; // of its workflow
    int64_t owed_since_ms;
    struct str owed_reason; // on the scratch buffer of the step
    bool is_waiting;        // in an order
};

static int release_row(struct writer *w, const struct paused_row *row, int64_t now_ms,
                       int64_t since_ms)
{
    if (row->owed == WHEN_STOPPED_CANCEL && !row->is_waiting) {
        sqlite3_stmt *s = w->stmts[WRITE_CANCEL];
        bind_id(s, 1, row->id);
        bind_text_or_null(s, 2, row->owed_reason);
        int rc = statement_run(s);
        return rc == SQLITE_OK ? workflow_cancel_followers(w, row->id, now_ms) : rc;
    }
    // From when its workflow was stopped, the time is that stop's.
    bool is_held = row->owed == WHEN_STOPPED_HOLD;
    sqlite3_stmt *s = w->stmts[row->is_waiting ? WRITE_ORDER_MOVE
                               : is_held       ? WRITE_RELABEL
                                               : WRITE_RELEASE];
    bind_id(s, 1, row->id);
    bind_int(s, 2, is_held && row->owed_since_ms < now_ms ? row->owed_since_ms : now_ms);
    bind_int(s, 3, since_ms);
    if (is_held && !row->is_waiting) {
        bind_text_or_null(s, 4, row->owed_reason);
    }
    return statement_run(s);
}

static int release(struct writer *w, struct store_pause_step *q, int64_t target, int64_t since_ms,
                   struct arena *arena)
{
    struct paused_row *rows = arena_alloc(arena, STEP_ROWS * sizeof *rows);
    if (!rows) {
        return SQLITE_NOMEM;
    }
    size_t seen = 0;
    sqlite3_stmt *s = w->stmts[WRITE_PAUSED_OF_ALL];
    bind_id(s, 1, q->place);
    bind_int(s, 2, target);
    bind_int(s, 3, STEP_ROWS);
    int rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        q->came_to = column_id(s, 0);
        seen++;
        if (sqlite3_column_int(s, 1)) {
            rows[q->changed++] =
                (struct paused_row){.id = q->came_to,
                                    .owed = (enum when_stopped)sqlite3_column_int(s, 2),
                                    .owed_since_ms = sqlite3_column_int64(s, 3),
                                    .owed_reason = column_dup(s, 4, arena),
                                    .is_waiting = sqlite3_column_int(s, 5) != 0};
        }
    }
    rc = statement_end(s, rc);
    for (size_t i = 0; i < q->changed && rc == SQLITE_OK; i++) {
        rc = release_row(w, &rows[i], q->now_ms, since_ms);
    }
    q->is_done = rc == SQLITE_OK && seen < STEP_ROWS;
    return rc == SQLITE_OK && q->is_done ? pause_set(w, target, STORE_PAUSE_NONE, 0) : rc;
}

int pause_step_run(struct writer *w, struct store_pause_step *q)
{
    int64_t target, since_ms = 0;
    enum store_pause pause = STORE_PAUSE_NONE;
    q->code = 0;
    q->changed = 0;
    q->is_done = true;
    q->came_to = q->place; // a step that fails is made again from there
    int rc = target_find(w, q->target, &target);
    if (rc == SQLITE_OK && target != 0) {
        rc = pause_of(w, target, &pause, &since_ms);
    }
    if (rc != SQLITE_OK || pause == STORE_PAUSE_NONE) {
        return rc;
    }
    if (pause == STORE_PAUSE_ON) {
        return hold(w, q, target);
    }
    struct arena arena;
    arena_init(&arena, 16 << 20);
    rc = release(w, q, target, since_ms, &arena);
    arena_fini(&arena);
    return rc;
}

int read_targets(struct reader *r, struct store_read *q)
{
    size_t cap = 0;
    int code = 0, rc;
    sqlite3_stmt *s = r->stmts[READ_TARGETS];
    bind_int(s, 1, q->before ? (int64_t)q->before : INT64_MAX);
    bind_text(s, 2, q->filter.target);
    bind_int(s, 3, (int64_t)q->limit + 1);
    while ((rc = sqlite3_step(s)) == SQLITE_ROW && code == 0) {
        if (q->count == q->limit) {
            q->next = q->targets[q->count - 1].id;
            break;
        }
        struct store_target_row *rows =
            grow_on_arena(q->arena, q->targets, q->count, &cap, sizeof *rows);
        struct str target = column_dup(s, 1, q->arena);
        if (rows == NULL || target.data == NULL) {
            code = ERR_TOO_LARGE;
            break;
        }
        q->targets = rows;
        rows[q->count++] = (struct store_target_row){
            .id = column_id(s, 0),
            .target = target,
            .pause = (enum store_pause)sqlite3_column_int(s, 2),
            .paused_at_ms = sqlite3_column_int64(s, 3),
            .owed = sqlite3_column_int64(s, 4),
            .last_error = column_dup(s, 5, q->arena),
            .failing_since_ms = sqlite3_column_int64(s, 6),
        };
    }
    rc = statement_end(s, rc);
    return rc == SQLITE_OK ? code : fault_set(NULL, r->db, "", rc);
}

int read_oldest(struct reader *r, struct store_read *q)
{
    sqlite3_stmt *s = r->stmts[READ_OLDEST];
    int rc = SQLITE_OK;
    for (int state = DELIVERY_RETRYING; state <= DELIVERY_HELD && rc == SQLITE_OK; state++) {
        bind_int(s, 1, state);
        rc = sqlite3_step(s);
        uint64_t id = rc == SQLITE_ROW ? column_id(s, 0) : 0; // of no row it is NULL, read as 0
        q->oldest = id && (q->oldest == 0 || id < q->oldest) ? id : q->oldest;
        rc = statement_end(s, rc);
    }
    return rc == SQLITE_OK ? 0 : fault_set(NULL, r->db, "", rc);
}
