#include "store/sqlite/internal.h"

#include "store/grow.h"

struct due_list {
    struct store_due *request;
    size_t cap;
};

static int add_owed(struct due_list *l, sqlite3_stmt *s, struct str target)
{
    struct store_due *d = l->request;
    struct store_owed *owed =
        grow_on_arena(d->arena, d->owed, d->owed_count, &l->cap, sizeof *owed);
    if (!owed) {
        return ERR_TOO_LARGE;
    }
    d->owed = owed;
    int code = row_owed(s, target, d->arena, &owed[d->owed_count]);
    owed[d->owed_count].is_outdated = sqlite3_column_int(s, OWED_COLUMN_COUNT) != 0;
    d->owed_count += code == 0;
    return code;
}

static int take_over(struct due_list *l, sqlite3_stmt *s, struct store_due_target *t)
{
    struct store_due *d = l->request;
    size_t before = d->owed_count;
    int rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW && d->code == 0) {
        d->code = add_owed(l, s, t->target);
    }
    t->has_more = d->code != 0 || d->owed_count - before >= t->quota;
    return statement_end(s, rc);
}

static int due_of_target(struct writer *w, struct due_list *l, struct store_due_target *t)
{
    struct store_due *d = l->request;
    t->next_due_at_ms = INT64_MAX;
    t->has_more = false;
    int64_t target;
    int rc = target_find(w, t->target, &target);
    if (rc != SQLITE_OK || target == 0) {
        return rc;
    }
    sqlite3_stmt *s = w->stmts[t->is_over ? WRITE_OVER : WRITE_DUE];
    bind_int(s, 1, target);
    bind_int(s, 2, t->shards);
    if (t->is_over) {
        bind_int(s, 3, d->until_ms);
        bind_int(s, 4, d->window_ms);
        bind_int(s, 5, t->quota);
        return take_over(l, s, t);
    }
    unsigned taken = 0;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        int64_t due_at_ms = sqlite3_column_int64(s, 8);
        if (due_at_ms > d->until_ms || taken == t->quota || d->code != 0 ||
            (d->code = add_owed(l, s, t->target)) != 0) {
            t->next_due_at_ms = due_at_ms;
            break;
        }
        taken++;
    }
    return statement_end(s, rc);
}

int due_run(struct writer *w, struct store_due *d)
{
    d->code = 0;
    d->owed = NULL;
    d->owed_count = 0;
    struct due_list list = {.request = d};
    int rc = SQLITE_OK;
    for (size_t i = 0; i < d->target_count && rc == SQLITE_OK; i++) {
        rc = due_of_target(w, &list, &d->targets[i]);
    }
    if (d->owed_count > 0) {
        d->code = 0; // a full arena ends the list early, no more
    }
    return rc;
}

static int target_text(struct writer *w, int64_t id, struct arena *arena, struct str *out)
{
    sqlite3_stmt *s = w->stmts[WRITE_TARGET_BY_ID];
    bind_int(s, 1, id);
    int rc = sqlite3_step(s);
    *out = rc == SQLITE_ROW ? column_dup(s, 0, arena) : arena_dup(arena, STR(""));
    return statement_end(s, rc);
}

// A seek in the index of what is due for each target: the number of rows that wait does not matter.
int targets_run(struct writer *w, struct store_targets *t)
{
    t->code = 0;
    t->targets = NULL;
    t->target_count = 0;
    size_t cap = 0;
    int64_t last = 0;
    int rc = SQLITE_OK;
    for (;;) {
        sqlite3_stmt *s = w->stmts[WRITE_NEXT_TARGET];
        bind_int(s, 1, last);
        rc = sqlite3_step(s);
        bool is_there = rc == SQLITE_ROW;
        last = is_there ? sqlite3_column_int64(s, 0) : last;
        int64_t due_at_ms = is_there ? sqlite3_column_int64(s, 1) : 0;
        rc = statement_end(s, rc);
        if (rc != SQLITE_OK || !is_there) {
            return rc;
        }
        struct store_due_target *all =
            grow_on_arena(t->arena, t->targets, t->target_count, &cap, sizeof *all);
        struct str text = {NULL, 0};
        if (all && (rc = target_text(w, last, t->arena, &text)) != SQLITE_OK) {
            return rc;
        }
        if (!all || !text.data) {
            t->code = ERR_TOO_LARGE;
            return SQLITE_OK;
        }
        all[t->target_count++] =
            (struct store_due_target){.target = text, .next_due_at_ms = due_at_ms};
        t->targets = all;
    }
}
