// Notices: rows that are kept until people have been told.
#include "store/sqlite/internal.h"

#include "store/grow.h"

int notice_put_run(struct writer *w, struct store_notice_put *p)
{
    const struct store_notice *row = &p->row;
    sqlite3_stmt *s = w->stmts[p->is_gone ? WRITE_NOTICE_GONE : WRITE_NOTICE];
    bind_text(s, 1, row->topic);
    bind_int(s, 2, row->kind);
    if (!p->is_gone) {
        bind_int(s, 3, row->is_open);
        bind_int(s, 4, row->is_urgent);
        bind_int(s, 5, row->count);
        bind_int(s, 6, row->first_at_ms);
        bind_int(s, 7, row->last_at_ms);
        bind_int(s, 8, row->told_at_ms);
        bind_text_or_null(s, 9, row->text);
        bind_text_or_null(s, 10, row->workflows);
    }
    p->code = 0;
    return statement_run(s);
}

static int row_notice(sqlite3_stmt *s, struct arena *arena, struct store_notice *out)
{
    *out = (struct store_notice){
        .topic = column_dup(s, 0, arena),
        .kind = sqlite3_column_int(s, 1),
        .is_open = sqlite3_column_int(s, 2) != 0,
        .is_urgent = sqlite3_column_int(s, 3) != 0,
        .count = sqlite3_column_int64(s, 4),
        .first_at_ms = sqlite3_column_int64(s, 5),
        .last_at_ms = sqlite3_column_int64(s, 6),
        .told_at_ms = sqlite3_column_int64(s, 7),
        .text = column_dup(s, 8, arena),
        .workflows = column_dup(s, 9, arena),
    };
    return out->topic.data && out->text.data && out->workflows.data ? 0 : ERR_TOO_LARGE;
}

int notices_run(struct writer *w, struct store_notices *q)
{
    q->code = 0;
    q->rows = NULL;
    q->count = 0;
    size_t cap = 0;
    sqlite3_stmt *s = w->stmts[WRITE_NOTICES];
    int rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW && q->code == 0) {
        struct store_notice *rows = grow_on_arena(q->arena, q->rows, q->count, &cap, sizeof *rows);
        if (rows) {
            q->rows = rows;
            q->code = row_notice(s, q->arena, &rows[q->count++]);
        } else {
            q->code = ERR_TOO_LARGE;
        }
    }
    return statement_end(s, rc);
}
