// What an operator does with one delivery: it is sent again, or taken back.
#include "store/sqlite/internal.h"

// As the delivery is; its texts are on the arena of the request.
struct act_look {
    enum delivery_state state;
    struct str reason;
    struct str workflow;
    bool has_request; // retention has not taken it
    struct str order_key;
    bool is_waiting;
};

static int look(struct writer *w, struct store_act *a, struct act_look *out)
{
    sqlite3_stmt *s = w->stmts[WRITE_ACT_LOOK];
    bind_id(s, 1, a->delivery);
    a->code = ERR_NOT_FOUND;
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        out->state = (enum delivery_state)sqlite3_column_int(s, 0);
        out->reason = column_dup(s, 1, a->arena);
        out->workflow = column_dup(s, 2, a->arena);
        a->target = column_dup(s, 3, a->arena);
        out->order_key = column_dup(s, 4, a->arena);
        out->is_waiting = sqlite3_column_type(s, 5) != SQLITE_NULL;
        out->has_request = sqlite3_column_int(s, 6) != 0;
        bool is_whole =
            out->reason.data && out->workflow.data && out->order_key.data && a->target.data;
        a->code = is_whole ? 0 : err_set(&a->err, ERR_NOMEM, "out of memory");
    }
    return statement_end(s, rc);
}

static int refuse(struct store_act *a, const struct act_look *now, const char *words)
{
    a->code = err_set(&a->err, ERR_CONFLICT, "the delivery is %s%s",
                      delivery_state_word(now->state), words);
    return SQLITE_OK;
}

static int resend(struct writer *w, struct store_act *a, const struct act_look *now)
{
    if (now->state == DELIVERY_INVALID) {
        return refuse(a, now, ": it could not be made, and is never sent; replay its event");
    }
    if (now->state == DELIVERY_HELD) {
        return refuse(a, now, ": what holds it must end first");
    }
    if (str_eq(now->reason, STR(STORE_DRY_REASON))) {
        return refuse(a, now, ": it is of a dry run, and is never sent");
    }
    if (!now->has_request) {
        return refuse(a, now, ": its request is kept no longer, since retention has removed it");
    }
    bool is_stopped = false;
    int rc = workflow_is_held_back(w, now->workflow, &is_stopped);
    bool is_paused = false, is_all_paused = false;
    rc = rc == SQLITE_OK ? pause_has(w, a->target, &is_paused) : rc;
    rc = rc == SQLITE_OK ? pause_is_of_all(w, &is_all_paused) : rc;
    if (rc == SQLITE_OK && (is_stopped || is_paused || is_all_paused)) {
        a->code = err_set(&a->err, ERR_CONFLICT, "%s",
                          is_stopped  ? "its workflow is stopped: activate it first"
                          : is_paused ? "its target is paused: resume it first"
                                      : "everything is paused: resume first");
        return SQLITE_OK;
    }
    sqlite3_stmt *s = w->stmts[WRITE_RESEND];
    bind_id(s, 1, a->delivery);
    bind_int(s, 2, a->now_ms);
    uint64_t active = 0;
    if (rc == SQLITE_OK && now->order_key.len) {
        rc = order_active(w, now->order_key, a->delivery, &active);
    }
    a->after = str_from(delivery_state_word(active ? DELIVERY_HELD : DELIVERY_PENDING));
    rc = rc == SQLITE_OK ? statement_run(s) : rc;
    return rc == SQLITE_OK && active ? order_wait(w, a->delivery, active, false) : rc;
}

static int cancel(struct writer *w, struct store_act *a, const struct act_look *now)
{
    if (!state_is_owed(now->state)) {
        return refuse(a, now, ": nothing of it is owed any more");
    }
    sqlite3_stmt *s = w->stmts[WRITE_CANCEL];
    bind_id(s, 1, a->delivery);
    bind_text(s, 2, STR("cancelled by an operator"));
    a->after = str_from(delivery_state_word(DELIVERY_CANCELLED));
    int rc = statement_run(s);
    if (rc == SQLITE_OK && now->order_key.len && !now->is_waiting) {
        rc = order_release(w, now->order_key, a->now_ms, a->arena, &a->freed);
    }
    return rc;
}

int act_run(struct writer *w, struct store_act *a)
{
    a->freed = (struct store_freed){0};
    struct act_look now = {.state = DELIVERY_PENDING};
    int rc = look(w, a, &now);
    if (rc != SQLITE_OK || a->code) {
        return rc;
    }
    a->before = str_from(delivery_state_word(now.state));
    return a->kind == STORE_RESEND ? resend(w, a, &now) : cancel(w, a, &now);
}
