// Reads of one thing: an event, a delivery with its attempts; and the latest states of records.
#include "store/sqlite/internal.h"

#include "store/grow.h"
#include "store/runs.h"

// The columns of READ_DELIVERY behind those of row_owed, and where an attempt's begin in either
// table.
enum {
    DELIVERY_REASON = OWED_COLUMN_COUNT,
    DELIVERY_TARGET,
    DELIVERY_TYPE,
    DELIVERY_FIRST_ATTEMPT,
    ATTEMPT_FIRST = 1
};

static int fault_code(struct reader *r, int rc)
{
    return rc == SQLITE_OK ? 0 : fault_set(NULL, r->db, "", rc);
}

static int event_fill(struct reader *r, struct store_read *q, sqlite3_stmt *s)
{
    struct store_event_row *ev = arena_alloc(q->arena, sizeof *ev);
    if (!ev) {
        return ERR_TOO_LARGE;
    }
    int code = row_event(s, q->arena, ev);
    if (code == 0) {
        code = row_event_payload(s, q->arena, ev);
    }
    if (code == 0) {
        code = runs_read(column_str(s, EVENT_COLUMN_RUNS), ev->key, q->arena, &r->scratch,
                         &ev->runs, &ev->run_count);
    }
    q->events = ev;
    q->count = code == 0;
    return code;
}

// A bound statement that gives one event or none.
static int event_step(struct reader *r, struct store_read *q, sqlite3_stmt *s)
{
    int code = ERR_NOT_FOUND;
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        code = event_fill(r, q, s);
    }
    rc = statement_end(s, rc);
    return rc == SQLITE_OK ? code : fault_code(r, rc);
}

int read_event(struct reader *r, struct store_read *q)
{
    sqlite3_stmt *s = r->stmts[READ_EVENT_BY_KEY];
    bind_text(s, 1, q->key);
    int code = event_step(r, q, s);
    uint64_t id;
    if (code == ERR_NOT_FOUND && id_read_shown(q->key, ID_EVENT, &id) == 0) {
        s = r->stmts[READ_EVENT_BY_ID];
        bind_id(s, 1, id);
        code = event_step(r, q, s);
    }
    return code;
}

static int add_attempt(struct store_delivery_row *d, size_t *cap, sqlite3_stmt *s, int first,
                       int number, struct arena *arena)
{
    struct store_attempt *all =
        grow_on_arena(arena, d->attempts, d->attempt_count, cap, sizeof *all);
    if (!all) {
        return ERR_TOO_LARGE;
    }
    d->attempts = all;
    return row_attempt(s, first, number, arena, &all[d->attempt_count++]);
}

static int later_attempts(struct reader *r, struct store_delivery_row *d, size_t *cap,
                          struct arena *arena)
{
    sqlite3_stmt *s = r->stmts[READ_ATTEMPTS];
    bind_id(s, 1, d->owed.id);
    int code = 0, rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW && code == 0) {
        code = add_attempt(d, cap, s, ATTEMPT_FIRST, sqlite3_column_int(s, 0), arena);
    }
    rc = statement_end(s, rc);
    return rc == SQLITE_OK ? code : fault_code(r, rc);
}

static int delivery_fill(sqlite3_stmt *s, struct store_delivery_row *d, size_t *cap,
                         struct arena *arena)
{
    struct str target = column_dup(s, DELIVERY_TARGET, arena);
    int code = target.data ? row_owed(s, target, arena, &d->owed) : ERR_TOO_LARGE;
    if (code != 0) {
        return code;
    }
    d->created_at_ms = id_time_ms(d->owed.id);
    d->event_type = column_dup(s, DELIVERY_TYPE, arena);
    d->reason = column_dup(s, DELIVERY_REASON, arena);
    if (!d->event_type.data || !d->reason.data) {
        return ERR_TOO_LARGE;
    }
    bool has_attempt = sqlite3_column_type(s, DELIVERY_FIRST_ATTEMPT) != SQLITE_NULL;
    return has_attempt ? add_attempt(d, cap, s, DELIVERY_FIRST_ATTEMPT, 1, arena) : 0;
}

int read_delivery(struct reader *r, struct store_read *q)
{
    struct store_delivery_row *d = arena_alloc(q->arena, sizeof *d);
    if (!d) {
        return ERR_TOO_LARGE;
    }
    sqlite3_stmt *s = r->stmts[READ_DELIVERY];
    bind_id(s, 1, q->id);
    size_t cap = 0;
    int code = ERR_NOT_FOUND;
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        code = delivery_fill(s, d, &cap, q->arena);
    }
    rc = statement_end(s, rc);
    if (rc != SQLITE_OK) {
        return fault_code(r, rc);
    }
    if (code == 0) {
        code = later_attempts(r, d, &cap, q->arena);
    }
    q->deliveries = d;
    q->count = code == 0;
    return code;
}

int read_records(struct reader *r, struct store_read *q)
{
    for (size_t i = 0; i < q->record_count; i++) {
        struct store_record_row *record = &q->records[i];
        sqlite3_stmt *s = r->stmts[READ_RECORD];
        bind_text(s, 1, record->record_type);
        bind_text(s, 2, record->record_id);
        int rc = sqlite3_step(s);
        bool is_there = rc == SQLITE_ROW;
        record->version = is_there ? column_id(s, 0) : 0;
        record->time_ms = is_there ? sqlite3_column_int64(s, 1) : 0;
        record->payload = is_there ? column_dup(s, 2, q->arena) : (struct str){NULL, 0};
        rc = statement_end(s, rc);
        if (rc != SQLITE_OK) {
            return fault_code(r, rc);
        }
        if (is_there && !record->payload.data) {
            return ERR_TOO_LARGE;
        }
    }
    q->count = q->record_count;
    return 0;
}

int read_marks(struct reader *r, struct store_read *q)
{
    for (size_t i = 0; i < q->mark_count; i++) {
        struct store_mark_row *mark = &q->marks[i];
        sqlite3_stmt *s = r->stmts[READ_MARK];
        bind_text(s, 1, mark->workflow);
        bind_text(s, 2, mark->record_type);
        bind_text(s, 3, mark->record_id);
        int rc = sqlite3_step(s);
        mark->until_ms = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
        rc = statement_end(s, rc);
        if (rc != SQLITE_OK) {
            return fault_code(r, rc);
        }
    }
    q->count = q->mark_count;
    return 0;
}

static int record_fill(sqlite3_stmt *s, struct str type, struct arena *arena,
                       struct store_record_row *row)
{
    *row = (struct store_record_row){.record_type = type,
                                     .record_id = column_dup(s, 0, arena),
                                     .version = column_id(s, 1),
                                     .time_ms = sqlite3_column_int64(s, 2),
                                     .is_deleted = str_ends_with(column_str(s, 3), STR(".deleted")),
                                     .payload = column_dup(s, 4, arena)};
    return row->record_id.data && row->payload.data ? 0 : ERR_TOO_LARGE;
}

int read_record_page(struct reader *r, struct store_read *q)
{
    sqlite3_stmt *s = r->stmts[READ_RECORD_PAGE];
    bind_text(s, 1, q->filter.type);
    bind_text(s, 2, q->filter.record);
    q->records = arena_alloc(q->arena, (q->limit + 1) * sizeof *q->records);
    q->record_count = 0;
    int code = q->records ? 0 : ERR_TOO_LARGE;
    int rc = SQLITE_OK;
    while (code == 0 && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        if (q->record_count == q->limit) {
            break;
        }
        code = record_fill(s, q->filter.type, q->arena, &q->records[q->record_count]);
        q->record_count += code == 0;
    }
    q->next = rc == SQLITE_ROW;
    q->count = q->record_count;
    rc = statement_end(s, rc);
    if (rc != SQLITE_OK) {
        return fault_code(r, rc);
    }
    return q->count > 0 ? 0 : code; // a full arena ends the page early
}
