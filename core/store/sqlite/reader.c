// The reader thread: what is queued for it is served in one read transaction, so that one lock pays
// for all.
#include "store/sqlite/internal.h"

#include <errno.h>

static int read_serve(struct reader *r, struct store_read *q)
{
    q->events = NULL;
    q->deliveries = NULL;
    q->runs = NULL;
    q->audits = NULL;
    q->targets = NULL;
    q->tokens = NULL;
    q->count = 0;
    q->next = 0;
    if (q->limit > STORE_PAGE_MAX) {
        q->limit = STORE_PAGE_MAX;
    }
    switch (q->kind) {
    case STORE_READ_EVENT:
        return read_event(r, q);
    case STORE_READ_DELIVERY:
        return read_delivery(r, q);
    case STORE_READ_DELIVERIES:
        return read_deliveries(r, q);
    case STORE_READ_EVENTS:
        return read_events(r, q);
    case STORE_READ_OLDEST:
        return read_oldest(r, q);
    case STORE_READ_TARGETS:
        return read_targets(r, q);
    case STORE_READ_RUNS:
        return read_runs(r, q);
    case STORE_READ_AUDIT:
        return read_audits(r, q);
    case STORE_READ_TOKENS:
        return read_tokens(r, q);
    case STORE_READ_RECORDS:
        return read_records(r, q);
    case STORE_READ_MARKS:
        return read_marks(r, q);
    case STORE_READ_RECORD_PAGE:
        return read_record_page(r, q);
    }
    return ERR_INVALID;
}

static int item_serve(struct reader *r, struct store_item *item)
{
    if (item->kind == REQUEST_GENERATION_GET) {
        struct store_generation *g = (struct store_generation *)item;
        return g->code = generation_read(r, g);
    }
    struct store_read *q = (struct store_read *)item;
    return q->code = read_serve(r, q);
}

static void tell_fault(struct store *s, int code)
{
    struct err e;
    fault_set(&e, s->reader.db, s->db_path, code == ERR_CORRUPT ? SQLITE_CORRUPT : SQLITE_IOERR);
    log_error(s->log, "a read failed: %s", e.text);
    if (code == ERR_CORRUPT) {
        queue_set_damaged(s, &e);
    }
}

static void serve_all(struct store *s, struct item_list reads)
{
    struct reader *r = &s->reader;
    errno = 0;
    statement_run(r->stmts[READ_BEGIN]); // should it fail, each read meets the fault itself
    for (struct store_item *item = reads.first; item; item = item->next) {
        int code = item_serve(r, item);
        if (code == ERR_IO || code == ERR_CORRUPT) {
            tell_fault(s, code);
        }
    }
    if (!sqlite3_get_autocommit(r->db)) {
        statement_run(r->stmts[READ_COMMIT]);
    }
    queue_note_cache(s, r->db, &s->reader_bytes);
    queue_complete(s, reads, NULL);
}

static struct item_list take_reads(struct store *s, bool *must_end)
{
    pthread_mutex_lock(&s->lock);
    while (!s->reads.first && !s->is_closing) {
        pthread_cond_wait(&s->reads_wake, &s->lock);
    }
    struct item_list reads = s->reads;
    s->reads = (struct item_list){NULL, NULL};
    *must_end = s->is_closing && !reads.first;
    pthread_mutex_unlock(&s->lock);
    return reads;
}

void *reader_main(void *store)
{
    struct store *s = store;
    struct reader *r = &s->reader;
    pthread_setname_np(pthread_self(), "store-reader");
    for (;;) {
        bool must_end;
        struct item_list reads = take_reads(s, &must_end);
        if (must_end) {
            break;
        }
        serve_all(s, reads);
    }
    statement_finalize_all(r->stmts, READ_STATEMENT_COUNT);
    sqlite3_close(r->db);
    r->db = NULL;
    pthread_mutex_lock(&s->lock);
    s->is_reader_gone = true;
    pthread_mutex_unlock(&s->lock);
    pthread_cond_signal(&s->writes_wake);
    queue_thread_end(s, &s->reader_end);
    return NULL;
}
