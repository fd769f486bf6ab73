// Workflows: what an operator and the host have said of them, and what that does to the webhooks
// they owe.
#include "store/sqlite/internal.h"

#include "store/grow.h"
#include "store/targets.h"

enum { ORDER_ARENA_MAX = 1 << 20, REASON_MAX = 64 * 1024 };
enum { STEP_ROWS = 1000 }; // looked at in one request: some milliseconds

int workflow_put_run(struct writer *w, struct store_workflow_put *p)
{
    const struct store_workflow *row = &p->row;
    sqlite3_stmt *s = w->stmts[WRITE_WORKFLOW];
    bind_text(s, 1, row->id);
    bind_int(s, 2, row->started);
    bind_int(s, 3, row->when_stopped);
    bind_int(s, 4, row->suspended_at_ms);
    bind_id(s, 5, row->suspended_text);
    bind_text_or_null(s, 6, row->suspended_reason);
    bind_int(s, 7, row->owed);
    bind_int(s, 8, row->owed_since_ms);
    bind_text_or_null(s, 9, row->owed_reason);
    bind_int(s, 10, row->is_owed_done);
    p->code = 0;
    w->stopped = STOPPED_UNKNOWN;
    return statement_run(s);
}

static int row_workflow(sqlite3_stmt *s, struct arena *arena, struct store_workflow *out)
{
    *out = (struct store_workflow){
        .id = column_dup(s, 0, arena),
        .started = (enum store_started)sqlite3_column_int(s, 1),
        .when_stopped = (enum when_stopped)sqlite3_column_int(s, 2),
        .suspended_at_ms = sqlite3_column_int64(s, 3),
        .suspended_text = column_id(s, 4),
        .suspended_reason = column_dup(s, 5, arena),
        .owed = (enum when_stopped)sqlite3_column_int(s, 6),
        .owed_since_ms = sqlite3_column_int64(s, 7),
        .owed_reason = column_dup(s, 8, arena),
        .is_owed_done = sqlite3_column_int(s, 9) != 0,
    };
    return out->id.data && out->suspended_reason.data && out->owed_reason.data ? 0 : ERR_TOO_LARGE;
}

int workflows_run(struct writer *w, struct store_workflows *q)
{
    q->code = 0;
    q->rows = NULL;
    q->count = 0;
    size_t cap = 0;
    sqlite3_stmt *s = w->stmts[WRITE_WORKFLOWS];
    int rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW && q->code == 0) {
        struct store_workflow *rows =
            grow_on_arena(q->arena, q->rows, q->count, &cap, sizeof *rows);
        if (rows) {
            q->rows = rows;
            q->code = row_workflow(s, q->arena, &rows[q->count++]);
        } else {
            q->code = ERR_TOO_LARGE;
        }
    }
    return statement_end(s, rc);
}

// What is to be done to the webhooks that a workflow owes: how they are held or cancelled, or
// since when they have been held.
struct owed_rule {
    enum when_stopped owed;
    int64_t since_ms;
    struct str reason; // borrowed until the statement that found it moves
};

// A statement with the rule of one workflow, bound and stepped; the caller ends it.
static int find_rule(struct writer *w, struct str workflow, struct owed_rule *out, sqlite3_stmt **s)
{
    *s = w->stmts[WRITE_WORKFLOW_OWED];
    *out = (struct owed_rule){.owed = WHEN_STOPPED_FINISH};
    bind_text(*s, 1, workflow);
    int rc = sqlite3_step(*s);
    if (rc == SQLITE_ROW) {
        out->owed = (enum when_stopped)sqlite3_column_int(*s, 0);
        out->since_ms = sqlite3_column_int64(*s, 1);
        out->reason = column_str(*s, 2);
    }
    return rc;
}

static int look_for_stopped(struct writer *w)
{
    sqlite3_stmt *s = w->stmts[WRITE_ANY_STOPPED];
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        w->stopped = sqlite3_column_int(s, 0) ? STOPPED_SOME : STOPPED_NONE;
    }
    return statement_end(s, rc);
}

int workflow_hold_back(struct writer *w, struct store_run *run, struct held_back *out)
{
    int rc = w->stopped == STOPPED_UNKNOWN ? look_for_stopped(w) : SQLITE_OK;
    if (rc != SQLITE_OK || w->stopped == STOPPED_NONE) {
        return rc;
    }
    struct owed_rule rule;
    sqlite3_stmt *s;
    rc = find_rule(w, run->workflow, &rule, &s);
    if (rule.owed != WHEN_STOPPED_FINISH) {
        out->state = rule.owed == WHEN_STOPPED_HOLD ? DELIVERY_HELD : DELIVERY_CANCELLED;
        buf_reset(&w->held_reason);
        buf_append_str(&w->held_reason, rule.reason);
        out->reason = buf_str(&w->held_reason);
        run->is_held_back = true;
    }
    return statement_end(s, rc);
}

int workflow_is_held_back(struct writer *w, struct str workflow, bool *is_held_back)
{
    struct owed_rule rule;
    sqlite3_stmt *s;
    int rc = find_rule(w, workflow, &rule, &s);
    *is_held_back = rule.owed != WHEN_STOPPED_FINISH;
    return statement_end(s, rc);
}

// --- a step ----------------------------------------------------------------------------------

struct owed_ids {
    uint64_t ids[STEP_ROWS];
    bool has_order[STEP_ROWS]; // stop: others may wait for it; release: it waits itself
    int64_t
        paused_at_ms[STEP_ROWS]; // release: since when the target of each is paused; 0: it is not
    size_t count;
    size_t seen;
};

// The rows of a bound statement: id, whether it is the workflow's, and then the place in the scan.
static int collect_ids(sqlite3_stmt *s, struct store_workflow_step *q, struct owed_ids *out)
{
    int rc;
    out->count = 0;
    out->seen = 0;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        q->came_to = (struct store_step_place){.target = sqlite3_column_int64(s, 2),
                                               .due_at_ms = sqlite3_column_int64(s, 3),
                                               .id = column_id(s, 0)};
        if (sqlite3_column_int(s, 1)) {
            out->has_order[out->count] = sqlite3_column_type(s, 4) != SQLITE_NULL;
            out->paused_at_ms[out->count] = sqlite3_column_int64(s, 5);
            out->ids[out->count++] = q->came_to.id;
        }
        out->seen++;
    }
    return statement_end(s, rc);
}

int workflow_cancel_followers(struct writer *w, uint64_t id, int64_t now_ms)
{
    struct arena arena;
    struct store_freed freed;
    arena_init(&arena, ORDER_ARENA_MAX);
    sqlite3_stmt *s = w->stmts[WRITE_ORDER_KEY];
    bind_id(s, 1, id);
    int rc = sqlite3_step(s);
    struct str key = rc == SQLITE_ROW ? column_dup(s, 0, &arena) : (struct str){NULL, 0};
    rc = statement_end(s, rc);
    if (rc == SQLITE_OK && key.len) {
        rc = order_release(w, key, now_ms, &arena, &freed);
    }
    arena_fini(&arena);
    return rc;
}

static int stop_owed(struct writer *w, struct store_workflow_step *q, const struct owed_rule *rule,
                     struct owed_ids *found)
{
    bool is_hold = rule->owed == WHEN_STOPPED_HOLD;
    sqlite3_stmt *s = w->stmts[WRITE_OWED_OF_ALL];
    bind_int(s, 1, q->place.target);
    bind_int(s, 2, q->place.due_at_ms);
    bind_id(s, 3, q->place.id);
    bind_text(s, 4, q->workflow);
    bind_int(s, 5, STEP_ROWS);
    int rc = collect_ids(s, q, found);
    s = w->stmts[is_hold ? WRITE_HOLD : WRITE_CANCEL];
    for (size_t i = 0; i < found->count && rc == SQLITE_OK; i++) {
        bind_id(s, 1, found->ids[i]);
        bind_text_or_null(s, 2, rule->reason);
        rc = statement_run(s);
        if (rc == SQLITE_OK && !is_hold && found->has_order[i]) {
            rc = workflow_cancel_followers(w, found->ids[i], q->now_ms);
        }
    }
    return rc;
}

static int release_owed(struct writer *w, struct store_workflow_step *q,
                        const struct owed_rule *rule, struct owed_ids *found)
{
    sqlite3_stmt *s = w->stmts[WRITE_HELD_OF_ALL];
    bind_id(s, 1, q->place.id);
    bind_text(s, 2, q->workflow);
    bind_int(s, 3, STEP_ROWS);
    int rc = collect_ids(s, q, found);
    for (size_t i = 0; i < found->count && rc == SQLITE_OK; i++) {
        // From when its target was paused, the time is that pause's.
        int64_t paused_at_ms = found->paused_at_ms[i];
        bool is_paused = paused_at_ms != 0;
        bool is_waiting = found->has_order[i];
        s = w->stmts[is_waiting ? WRITE_ORDER_MOVE : is_paused ? WRITE_RELABEL : WRITE_RELEASE];
        bind_id(s, 1, found->ids[i]);
        bind_int(s, 2, is_paused && paused_at_ms < q->now_ms ? paused_at_ms : q->now_ms);
        bind_int(s, 3, rule->since_ms);
        if (is_paused && !is_waiting) {
            bind_text(s, 4, STR(STORE_PAUSED_REASON));
        }
        rc = statement_run(s);
    }
    return rc;
}

// The rule of the workflow whose turn it is, its reason copied: the steps look rules up themselves.
static int step_rule(struct writer *w, struct str workflow, struct owed_rule *out,
                     struct buf *reason, bool *is_there)
{
    sqlite3_stmt *s;
    int rc = find_rule(w, workflow, out, &s);
    *is_there = rc == SQLITE_ROW;
    buf_append_str(reason, out->reason);
    out->reason = buf_str(reason);
    rc = statement_end(s, rc);
    return rc == SQLITE_OK && reason->failed ? SQLITE_NOMEM : rc;
}

int workflow_step_run(struct writer *w, struct store_workflow_step *q)
{
    struct owed_ids found;
    found.count = found.seen = 0; // not zeroed whole: it is large
    struct owed_rule rule;
    struct buf reason;
    bool is_there;
    q->code = 0;
    q->came_to = q->place; // a step that fails is made again from there
    buf_init(&reason, REASON_MAX);
    int rc = step_rule(w, q->workflow, &rule, &reason, &is_there);
    if (rc == SQLITE_OK && is_there) {
        rc = rule.owed == WHEN_STOPPED_FINISH ? release_owed(w, q, &rule, &found)
                                              : stop_owed(w, q, &rule, &found);
    }
    buf_fini(&reason);
    q->changed = found.count;
    q->is_done = rc == SQLITE_OK && (!is_there || found.seen < STEP_ROWS);
    if (q->is_done) {
        bind_text(w->stmts[WRITE_OWED_DONE], 1, q->workflow);
        rc = statement_run(w->stmts[WRITE_OWED_DONE]);
    }
    return rc;
}

int mark_forget_run(struct writer *w, struct store_mark_forget *q)
{
    sqlite3_stmt *s = w->stmts[WRITE_MARK_FORGET];
    bind_text(s, 1, q->workflow);
    bind_text(s, 2, q->record_type);
    bind_text(s, 3, q->record_id);
    int rc = statement_run(s);
    q->code = 0;
    q->was_marked = rc == SQLITE_OK && sqlite3_changes(w->db) > 0;
    q->before = q->was_marked ? STR("has fired") : STR("had not fired");
    return rc;
}
