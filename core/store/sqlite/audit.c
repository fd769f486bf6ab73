// Acts of operators: written with what they did, in its transaction.
#include "store/sqlite/internal.h"

int audit_put_run(struct writer *w, struct store_audit_put *p)
{
    const struct store_audit *row = &p->row;
    p->code = 0;
    if (p->code_of_act && *p->code_of_act) {
        return SQLITE_OK;
    }
    sqlite3_stmt *s = w->stmts[WRITE_AUDIT];
    bind_id(s, 1, row->id);
    bind_int(s, 2, row->at_ms);
    bind_text(s, 3, row->who);
    bind_text_or_null(s, 4, row->from);
    bind_text(s, 5, row->act);
    bind_text_or_null(s, 6, row->subject);
    bind_text_or_null(s, 7, p->before ? *p->before : row->before);
    bind_text_or_null(s, 8, p->after ? *p->after : row->after);
    return statement_run(s);
}
