// Pages of deliveries, events and runs, newest first (events: or oldest first). Ids are ordered by
// time, so a span of time is a span of rows. The filters are looked at here and not in SQL: a read
// looks at a bounded number of rows, which a query cannot say.
#include "store/sqlite/internal.h"

#include "store/grow.h"
#include "store/runs.h"

enum { SCAN_MAX_ROWS = 50000, SCRATCH_MAX_BYTES = 16 << 20 };

// The columns of the statements on `delivery` for a page.
enum {
    LIST_ID,
    LIST_EVENT,
    LIST_WORKFLOW,
    LIST_ACTION,
    LIST_STATE,
    LIST_TARGET,
    LIST_DUE_AT_MS,
    LIST_BASE_MS,
    LIST_ATTEMPT_COUNT,
    LIST_TIMEOUT_MS,
    LIST_REASON,
    LIST_RETRY,
    LIST_TARGET_TEXT
};

struct page {
    struct reader *reader;
    struct store_read *read;
    size_t cap;
    size_t seen_rows;
    size_t bytes;   // of the payloads
    int64_t target; // of the filter; 0: any
};

static void bind_span(sqlite3_stmt *s, const struct store_read *q)
{
    const struct store_filter *f = &q->filter;
    uint64_t below = f->until_ms > 0 ? id_first_at(f->until_ms) : INT64_MAX;
    uint64_t from = f->since_ms > 0 ? id_first_at(f->since_ms) : 0;
    if (q->is_oldest_first) {
        from = q->before >= from ? q->before + 1 : from;
    } else if (q->before != 0 && q->before < below) {
        below = q->before;
    }
    bind_id(s, 1, below);
    bind_id(s, 2, from);
}

static bool is_full(const struct page *p)
{
    const struct store_read *q = p->read;
    return q->count >= q->limit || p->seen_rows >= SCAN_MAX_ROWS ||
           (q->max_bytes != 0 && p->bytes >= q->max_bytes);
}

// Steps a bound statement through its rows, `add` for each, until the page is full. The id is in
// column 0.
static int fill_page(struct page *p, sqlite3_stmt *s, int (*add)(struct page *p, sqlite3_stmt *s))
{
    uint64_t last = 0;
    int code = 0, rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        if (is_full(p)) {
            p->read->next = last;
            break;
        }
        p->seen_rows++;
        last = column_id(s, 0);
        if ((code = add(p, s)) != 0) {
            break;
        }
    }
    rc = statement_end(s, rc);
    return rc == SQLITE_OK ? code : fault_set(NULL, p->reader->db, "", rc);
}

static bool text_passes(struct str wanted, struct str value)
{
    return wanted.len == 0 || str_eq(wanted, value);
}

static bool event_passes(const struct store_filter *f, struct str type, struct str record_type,
                         struct str record_id)
{
    return (f->type.len == 0 || str_eq(f->type, type) || str_eq(f->type, record_type)) &&
           text_passes(f->record, record_id);
}

// The event's part of a delivery's row; *passes tells what the filter says of it.
static int delivery_event(struct page *p, struct store_delivery_row *row, bool *passes)
{
    struct store_owed *o = &row->owed;
    struct arena *arena = p->read->arena;
    sqlite3_stmt *s = p->reader->stmts[READ_DELIVERY_EVENT];
    bind_id(s, 1, o->event);
    int code = 0;
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        *passes =
            event_passes(&p->read->filter, column_str(s, 1), column_str(s, 2), column_str(s, 3));
        if (*passes) {
            o->event_key = row_event_key(s, 0, o->event, arena);
            row->event_type = column_dup(s, 1, arena);
            o->record_type = column_dup(s, 2, arena);
            o->record_id = column_dup(s, 3, arena);
            code = o->event_key.data && row->event_type.data && o->record_type.data &&
                           o->record_id.data
                       ? 0
                       : ERR_TOO_LARGE;
        }
    } else {
        *passes = p->read->filter.type.len == 0 && p->read->filter.record.len == 0;
    }
    rc = statement_end(s, rc);
    return rc == SQLITE_OK ? code : fault_set(NULL, p->reader->db, "", rc);
}

// The last attempt of one that was not delivered.
static int delivery_last_attempt(struct page *p, struct store_delivery_row *row)
{
    if (row->owed.attempt_count == 0 || row->owed.state == DELIVERY_DELIVERED) {
        return 0;
    }
    bool is_first = row->owed.attempt_count == 1;
    sqlite3_stmt *s = p->reader->stmts[is_first ? READ_FIRST_ATTEMPT : READ_LAST_ATTEMPT];
    bind_id(s, 1, row->owed.id);
    int code = 0;
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        row->attempts = arena_alloc(p->read->arena, sizeof *row->attempts);
        row->attempt_count = 1;
        code = row->attempts
                   ? row_attempt(s, 1, sqlite3_column_int(s, 0), p->read->arena, &row->attempts[0])
                   : ERR_TOO_LARGE;
    }
    rc = statement_end(s, rc);
    return rc == SQLITE_OK ? code : fault_set(NULL, p->reader->db, "", rc);
}

static int add_delivery(struct page *p, sqlite3_stmt *s)
{
    struct store_read *q = p->read;
    const struct store_filter *f = &q->filter;
    if ((f->has_state && !(f->states >> sqlite3_column_int(s, LIST_STATE) & 1)) ||
        (p->target != 0 && sqlite3_column_int64(s, LIST_TARGET) != p->target) ||
        !text_passes(f->workflow, column_str(s, LIST_WORKFLOW))) {
        return 0;
    }
    struct store_delivery_row row = {.owed = {.event = column_id(s, LIST_EVENT)}};
    bool passes;
    int code = delivery_event(p, &row, &passes);
    if (code != 0 || !passes) {
        return code;
    }
    row.owed.id = column_id(s, LIST_ID);
    row.owed.workflow = column_dup(s, LIST_WORKFLOW, q->arena);
    row.owed.action = sqlite3_column_int(s, LIST_ACTION);
    row.owed.state = (enum delivery_state)sqlite3_column_int(s, LIST_STATE);
    row.owed.target = column_dup(s, LIST_TARGET_TEXT, q->arena);
    row.owed.due_at_ms = sqlite3_column_int64(s, LIST_DUE_AT_MS);
    row.owed.base_ms = sqlite3_column_int64(s, LIST_BASE_MS);
    row.owed.attempt_count = sqlite3_column_int(s, LIST_ATTEMPT_COUNT);
    row.owed.timeout_ms = sqlite3_column_int64(s, LIST_TIMEOUT_MS);
    row.created_at_ms = id_time_ms(row.owed.id);
    row.reason = column_dup(s, LIST_REASON, q->arena);
    row.owed.retry = column_dup(s, LIST_RETRY, q->arena);
    code = delivery_last_attempt(p, &row);
    if (code != 0) {
        return code;
    }
    struct store_delivery_row *rows =
        grow_on_arena(q->arena, q->deliveries, q->count, &p->cap, sizeof *rows);
    if (!rows || !row.owed.workflow.data || !row.owed.target.data || !row.reason.data ||
        !row.owed.retry.data) {
        return ERR_TOO_LARGE;
    }
    q->deliveries = rows;
    rows[q->count++] = row;
    return 0;
}

static int find_target(struct reader *r, struct str text, int64_t *id)
{
    sqlite3_stmt *s = r->stmts[READ_TARGET_BY_TEXT];
    bind_text(s, 1, text);
    int rc = sqlite3_step(s);
    int code = rc == SQLITE_ROW ? 0 : ERR_NOT_FOUND;
    *id = code == 0 ? sqlite3_column_int64(s, 0) : 0;
    rc = statement_end(s, rc);
    return rc == SQLITE_OK ? code : fault_set(NULL, r->db, "", rc);
}

// The one state that is wanted, where the index of states has it; else -1.
static int indexed_state(const struct store_filter *f)
{
    unsigned outside = 1u << DELIVERY_PENDING | 1u << DELIVERY_DELIVERED;
    bool is_one = f->has_state && f->states && (f->states & (f->states - 1)) == 0;
    return is_one && !(f->states & outside) ? __builtin_ctz(f->states) : -1;
}

int read_deliveries(struct reader *r, struct store_read *q)
{
    struct page p = {.reader = r, .read = q};
    const struct store_filter *f = &q->filter;
    if (f->target.len > 0) {
        int code = find_target(r, f->target, &p.target);
        if (code != 0) {
            return code == ERR_NOT_FOUND ? 0 : code;
        }
    }
    int state = indexed_state(f);
    sqlite3_stmt *s = r->stmts[state >= 0 ? READ_DELIVERIES_BY_STATE : READ_DELIVERIES];
    bind_span(s, q);
    if (state >= 0) {
        bind_int(s, 3, state);
    }
    return fill_page(&p, s, add_delivery);
}

static bool row_event_passes(const struct store_filter *f, sqlite3_stmt *s)
{
    return event_passes(f, column_str(s, EVENT_COLUMN_TYPE),
                        column_str(s, EVENT_COLUMN_RECORD_TYPE),
                        column_str(s, EVENT_COLUMN_RECORD_ID));
}

static int add_event(struct page *p, sqlite3_stmt *s)
{
    struct store_read *q = p->read;
    if (!row_event_passes(&q->filter, s)) {
        return 0;
    }
    struct store_event_row *rows =
        grow_on_arena(q->arena, q->events, q->count, &p->cap, sizeof *rows);
    if (!rows) {
        return ERR_TOO_LARGE;
    }
    q->events = rows;
    struct store_event_row *row = &rows[q->count];
    int code = row_event(s, q->arena, row);
    if (code == 0 && q->has_payload) {
        code = row_event_payload(s, q->arena, row);
        p->bytes += row->payload.len + row->before.len;
    }
    q->count += code == 0;
    return code;
}

int read_events(struct reader *r, struct store_read *q)
{
    struct page p = {.reader = r, .read = q};
    int plain = q->is_oldest_first ? READ_EVENTS_OLDEST : READ_EVENTS;
    int sent = q->is_oldest_first ? READ_EVENTS_SENT_OLDEST : READ_EVENTS_SENT;
    sqlite3_stmt *s = r->stmts[q->has_payload ? sent : plain];
    bind_span(s, q);
    return fill_page(&p, s, add_event);
}

static bool run_passes(const struct store_filter *f, const struct store_run_row *run)
{
    return (!f->has_outcome || run->outcome == f->outcome) &&
           text_passes(f->workflow, run->workflow);
}

static int copy_run(struct page *p, const struct store_run_row *run,
                    const struct store_event_row *ev)
{
    struct store_read *q = p->read;
    struct store_run_row *rows = grow_on_arena(q->arena, q->runs, q->count, &p->cap, sizeof *rows);
    uint64_t *ids = arena_alloc(q->arena, run->delivery_count * sizeof *ids);
    struct str workflow = arena_dup(q->arena, run->workflow);
    struct str reason = arena_dup(q->arena, run->reason);
    if (!rows || !ids || !workflow.data || !reason.data) {
        return ERR_TOO_LARGE;
    }
    if (run->delivery_count > 0) {
        memcpy(ids, run->delivery_ids, run->delivery_count * sizeof *ids);
    }
    q->runs = rows;
    rows[q->count++] = (struct store_run_row){.event_key = ev->key,
                                              .workflow = workflow,
                                              .generation = run->generation,
                                              .outcome = run->outcome,
                                              .reason = reason,
                                              .is_replay = run->is_replay,
                                              .type = ev->type,
                                              .record_type = ev->record_type,
                                              .record_id = ev->record_id,
                                              .delivery_ids = ids,
                                              .delivery_count = run->delivery_count};
    return 0;
}

static int copy_runs(struct page *p, sqlite3_stmt *s, const struct store_run_row *runs,
                     size_t count)
{
    struct store_event_row ev = {0};
    for (size_t i = 0; i < count; i++) {
        if (!run_passes(&p->read->filter, &runs[i])) {
            continue;
        }
        int code = ev.key.data ? 0 : row_event(s, p->read->arena, &ev);
        code = code ? code : copy_run(p, &runs[i], &ev);
        if (code != 0) {
            return code;
        }
    }
    return 0;
}

// An event's runs are read into memory of their own, since most may not pass.
static int add_runs(struct page *p, sqlite3_stmt *s)
{
    struct str text = column_str(s, EVENT_COLUMN_RUNS);
    if (text.len == 0 || !row_event_passes(&p->read->filter, s)) {
        return 0;
    }
    struct arena arena;
    arena_init(&arena, SCRATCH_MAX_BYTES);
    struct store_run_row *runs;
    size_t count;
    int code = runs_read(text, (struct str){NULL, 0}, &arena, &p->reader->scratch, &runs, &count);
    if (code == 0) {
        code = copy_runs(p, s, runs, count);
    }
    arena_fini(&arena);
    return code;
}

// Whether the text is what is wanted, or begins with it as far as the separator.
static bool begin_passes(struct str wanted, struct str value, char separator)
{
    return text_passes(wanted, value) ||
           (str_starts_with(value, wanted) && value.data[wanted.len] == separator);
}

static int add_audit(struct page *p, sqlite3_stmt *s)
{
    struct store_read *q = p->read;
    const struct store_filter *f = &q->filter;
    if (!text_passes(f->who, column_str(s, 2)) || !begin_passes(f->act, column_str(s, 4), '.') ||
        !begin_passes(f->subject, column_str(s, 5), ' ')) {
        return 0;
    }
    struct store_audit *rows = grow_on_arena(q->arena, q->audits, q->count, &p->cap, sizeof *rows);
    struct store_audit row = {.id = column_id(s, 0),
                              .at_ms = sqlite3_column_int64(s, 1),
                              .who = column_dup(s, 2, q->arena),
                              .from = column_dup(s, 3, q->arena),
                              .act = column_dup(s, 4, q->arena),
                              .subject = column_dup(s, 5, q->arena),
                              .before = column_dup(s, 6, q->arena),
                              .after = column_dup(s, 7, q->arena)};
    if (!rows || !row.who.data || !row.from.data || !row.act.data || !row.subject.data ||
        !row.before.data || !row.after.data) {
        return ERR_TOO_LARGE;
    }
    q->audits = rows;
    rows[q->count++] = row;
    return 0;
}

int read_audits(struct reader *r, struct store_read *q)
{
    struct page p = {.reader = r, .read = q};
    bind_span(r->stmts[READ_AUDIT], q);
    return fill_page(&p, r->stmts[READ_AUDIT], add_audit);
}

int read_runs(struct reader *r, struct store_read *q)
{
    struct page p = {.reader = r, .read = q};
    const struct store_filter *f = &q->filter;
    bool has_index = f->has_outcome && f->outcome != RUN_SENT;
    sqlite3_stmt *s = r->stmts[has_index ? READ_ODD_RUNS : READ_EVENTS];
    bind_span(s, q);
    if (has_index) {
        bind_int(s, 3, f->outcome);
    }
    return fill_page(&p, s, add_runs);
}
