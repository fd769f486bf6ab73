// How far the workflows with a schedule have come.
#include "store/grow.h"
#include "store/sqlite/internal.h"

int slot_write(struct writer *w, const struct store_slot *slot)
{
    sqlite3_stmt *s = w->stmts[WRITE_SLOT];
    bind_text(s, 1, slot->workflow);
    bind_text(s, 2, slot->schedule);
    bind_int(s, 3, slot->done_ms);
    bind_int(s, 4, slot->under_way_ms);
    bind_text(s, 5, slot->last_record);
    return statement_run(s);
}

int slots_put_run(struct writer *w, struct store_slots *q)
{
    q->code = 0;
    int rc = statement_run(w->stmts[WRITE_SLOTS_CLEAR]);
    for (size_t i = 0; i < q->count && rc == SQLITE_OK; i++) {
        rc = slot_write(w, &q->slots[i]);
    }
    return rc;
}

int slots_get_run(struct writer *w, struct store_slots *q)
{
    sqlite3_stmt *s = w->stmts[WRITE_SLOTS];
    size_t cap = 0;
    int rc;
    *q = (struct store_slots){
        .item = q->item, .arena = q->arena, .on_done = q->on_done, .ctx = q->ctx};
    while ((rc = sqlite3_step(s)) == SQLITE_ROW && q->code == 0) {
        struct store_slot *all = grow_on_arena(q->arena, q->slots, q->count, &cap, sizeof *all);
        if (!all) {
            q->code = ERR_TOO_LARGE;
            break;
        }
        q->slots = all;
        struct store_slot *slot = &all[q->count++];
        *slot = (struct store_slot){.workflow = column_dup(s, 0, q->arena),
                                    .schedule = column_dup(s, 1, q->arena),
                                    .done_ms = sqlite3_column_int64(s, 2),
                                    .under_way_ms = sqlite3_column_int64(s, 3),
                                    .last_record = column_dup(s, 4, q->arena)};
        if (!slot->workflow.data || !slot->schedule.data || !slot->last_record.data) {
            q->code = ERR_TOO_LARGE;
        }
    }
    return statement_end(s, rc);
}
