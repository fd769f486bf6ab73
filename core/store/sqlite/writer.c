// The writer thread: takes all that is queued, makes one transaction of it, and only when that is
// on disk tells the loop. This is the place where "persist, then answer" is kept.
#include "store/sqlite/internal.h"

#include <errno.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <time.h>

// With nothing to do for so long, a quarter of the frames is worth a checkpoint already.
enum { PAUSE_MS = 100, PAUSE_CHECKPOINT_SHARE = 4 };

// So many batches go before a step of retention while there is no pause for it.
enum { SPARE_EVERY_BATCHES = 16 };

static bool kind_writes(int kind)
{
    return kind == REQUEST_ACCEPT || kind == REQUEST_FINISH || kind == REQUEST_GENERATION_PUT ||
           kind == REQUEST_WORKFLOW_PUT || kind == REQUEST_WORKFLOW_STEP ||
           kind == REQUEST_MARK_FORGET || kind == REQUEST_ACT || kind == REQUEST_AUDIT_PUT ||
           kind == REQUEST_SLOTS_PUT || kind == REQUEST_NOTICE_PUT || kind == REQUEST_PAUSE_PUT ||
           kind == REQUEST_PAUSE_STEP || kind == REQUEST_RETAIN || kind == REQUEST_ERASE ||
           kind == REQUEST_TIME_MARK || kind == REQUEST_TIME_STEP || kind == REQUEST_TOKEN_PUT ||
           kind == REQUEST_TOKEN_REVOKE || kind == REQUEST_TOKEN_USED;
}

// What these may lose is done again, and nobody shall wait for its sync.
static bool kind_is_synced(int kind)
{
    return kind_writes(kind) && kind != REQUEST_RETAIN && kind != REQUEST_ERASE &&
           kind != REQUEST_TIME_MARK && kind != REQUEST_TIME_STEP && kind != REQUEST_TOKEN_USED;
}

static bool batch_is_synced(const struct store_item *item)
{
    while (item && !kind_is_synced(item->kind)) {
        item = item->next;
    }
    return item != NULL;
}

static bool batch_writes(const struct store_item *item)
{
    for (; item; item = item->next) {
        if (kind_writes(item->kind)) {
            return true;
        }
    }
    return false;
}

static int lease_run(struct writer *w, struct store_lease *l)
{
    l->code = 0;
    l->shards = (uint16_t)((1u << STORE_SHARDS) - 1); // the lock on the folder is the lease of all
    l->held_up_ms = 0;
    sqlite3_stmt *s = w->stmts[WRITE_TARGET_SAYS_OF];
    bind_text(s, 1, l->target);
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        l->held_up_ms = sqlite3_column_int64(s, 0);
        if (l->last_error) {
            struct str error = column_str(s, 1);
            snprintf(l->last_error, STORE_TARGET_ERROR_MAX, STR_FMT, STR_ARG(error));
        }
    }
    rc = statement_end(s, rc);
    return rc == SQLITE_OK ? pause_has(w, l->target, &l->is_paused) : rc;
}

static int write_host(struct writer *w)
{
    sqlite3_stmt *s = w->stmts[WRITE_HOST];
    bind_int(s, 1, w->owed.all);
    bind_int(s, 2, w->running_ms);
    bind_int(s, 3, w->wall_ms);
    return statement_run(s);
}

static int item_run(struct store *s, struct store_item *item)
{
    struct writer *w = &s->writer;
    switch ((enum request_kind)item->kind) {
    case REQUEST_ACCEPT:
        return accept_run(w, (struct store_accept *)item);
    case REQUEST_FINISH:
        return finish_run(w, (struct store_finish *)item);
    case REQUEST_LEASE:
        return lease_run(w, (struct store_lease *)item);
    case REQUEST_DUE:
        return due_run(w, (struct store_due *)item);
    case REQUEST_TARGETS:
        return targets_run(w, (struct store_targets *)item);
    case REQUEST_GENERATION_PUT:
        return generation_put_run(w, (struct store_generation *)item);
    case REQUEST_WORKFLOW_PUT:
        return workflow_put_run(w, (struct store_workflow_put *)item);
    case REQUEST_WORKFLOWS:
        return workflows_run(w, (struct store_workflows *)item);
    case REQUEST_WORKFLOW_STEP:
        return workflow_step_run(w, (struct store_workflow_step *)item);
    case REQUEST_MARK_FORGET:
        return mark_forget_run(w, (struct store_mark_forget *)item);
    case REQUEST_ACT:
        return act_run(w, (struct store_act *)item);
    case REQUEST_AUDIT_PUT:
        return audit_put_run(w, (struct store_audit_put *)item);
    case REQUEST_SLOTS_PUT:
        return slots_put_run(w, (struct store_slots *)item);
    case REQUEST_SLOTS_GET:
        return slots_get_run(w, (struct store_slots *)item);
    case REQUEST_NOTICE_PUT:
        return notice_put_run(w, (struct store_notice_put *)item);
    case REQUEST_NOTICES:
        return notices_run(w, (struct store_notices *)item);
    case REQUEST_RETAIN:
        return retain_run(w, (struct store_retain *)item);
    case REQUEST_ERASE:
        return erase_run(w, (struct store_erase *)item);
    case REQUEST_SCRUB: // behind the transaction
        ((struct store_scrub *)item)->code = 0;
        return SQLITE_OK;
    case REQUEST_PAUSE_PUT:
        return pause_put_run(w, (struct store_pause_put *)item);
    case REQUEST_PAUSE_STEP:
        return pause_step_run(w, (struct store_pause_step *)item);
    case REQUEST_PAUSES:
        return pauses_run(w, (struct store_pauses *)item);
    case REQUEST_TIME_MARK:
        ((struct store_time *)item)->code = 0;
        return write_host(w);
    case REQUEST_TIME_STEP:
        return time_step_run(s, (struct store_time *)item);
    case REQUEST_TOKEN_PUT:
        return token_put_run(w, (struct store_token_put *)item);
    case REQUEST_TOKEN_REVOKE:
        return token_revoke_run(w, (struct store_token_revoke *)item);
    case REQUEST_TOKEN_USED:
        return token_used_run(w, (struct store_token_used *)item);
    case REQUEST_TOKENS:
        return tokens_run(w, (struct store_tokens *)item);
    case REQUEST_GENERATION_GET:
    case REQUEST_READ:
        break;
    }
    return SQLITE_MISUSE;
}

static void item_fail(struct store_item *item, const struct err *e)
{
    switch ((enum request_kind)item->kind) {
    case REQUEST_ACCEPT: {
        struct store_accept *a = (struct store_accept *)item;
        a->code = e->code;
        a->err = *e;
        break;
    }
    case REQUEST_FINISH:
        ((struct store_finish *)item)->code = e->code;
        finish_restore((struct store_finish *)item);
        break;
    case REQUEST_LEASE:
        ((struct store_lease *)item)->code = e->code;
        break;
    case REQUEST_DUE: {
        struct store_due *d = (struct store_due *)item;
        d->code = e->code;
        d->owed_count = 0;
        break;
    }
    case REQUEST_TARGETS: {
        struct store_targets *t = (struct store_targets *)item;
        t->code = e->code;
        t->target_count = 0;
        break;
    }
    case REQUEST_GENERATION_PUT:
        ((struct store_generation *)item)->code = e->code;
        break;
    case REQUEST_WORKFLOW_PUT:
        ((struct store_workflow_put *)item)->code = e->code;
        break;
    case REQUEST_WORKFLOWS:
        ((struct store_workflows *)item)->code = e->code;
        break;
    case REQUEST_WORKFLOW_STEP:
        ((struct store_workflow_step *)item)->code = e->code;
        break;
    case REQUEST_MARK_FORGET:
        ((struct store_mark_forget *)item)->code = e->code;
        break;
    case REQUEST_ACT:
        ((struct store_act *)item)->code = e->code;
        ((struct store_act *)item)->err = *e;
        break;
    case REQUEST_AUDIT_PUT:
        ((struct store_audit_put *)item)->code = e->code;
        break;
    case REQUEST_SLOTS_PUT:
    case REQUEST_SLOTS_GET:
        ((struct store_slots *)item)->code = e->code;
        break;
    case REQUEST_NOTICE_PUT:
        ((struct store_notice_put *)item)->code = e->code;
        break;
    case REQUEST_NOTICES:
        ((struct store_notices *)item)->code = e->code;
        break;
    case REQUEST_RETAIN:
        ((struct store_retain *)item)->code = e->code;
        break;
    case REQUEST_ERASE:
        ((struct store_erase *)item)->code = e->code;
        break;
    case REQUEST_SCRUB:
        ((struct store_scrub *)item)->code = e->code;
        break;
    case REQUEST_PAUSE_PUT:
        ((struct store_pause_put *)item)->code = e->code;
        break;
    case REQUEST_PAUSE_STEP:
        ((struct store_pause_step *)item)->code = e->code;
        break;
    case REQUEST_PAUSES:
        ((struct store_pauses *)item)->code = e->code;
        break;
    case REQUEST_TIME_MARK:
    case REQUEST_TIME_STEP:
        ((struct store_time *)item)->code = e->code;
        break;
    case REQUEST_TOKEN_PUT:
        ((struct store_token_put *)item)->code = e->code;
        break;
    case REQUEST_TOKEN_REVOKE:
        ((struct store_token_revoke *)item)->code = e->code;
        break;
    case REQUEST_TOKEN_USED:
        ((struct store_token_used *)item)->code = e->code;
        break;
    case REQUEST_TOKENS:
        ((struct store_tokens *)item)->code = e->code;
        break;
    case REQUEST_GENERATION_GET:
    case REQUEST_READ:
        break;
    }
}

static void roll_back(struct writer *w, struct owed_counts owed_before)
{
    if (!sqlite3_get_autocommit(w->db)) { // some faults have rolled back already
        statement_run(w->stmts[WRITE_ROLLBACK]);
    }
    w->owed = owed_before;
    w->stopped = STOPPED_UNKNOWN;
    w->paused = STOPPED_UNKNOWN;
    target_forget_all(w);
}

// Runs one request between savepoints, so that its own fault is its alone.
static int item_run_alone(struct store *s, struct store_item *item)
{
    struct writer *w = &s->writer;
    struct owed_counts owed_before = w->owed;
    int rc = statement_run(w->stmts[WRITE_ITEM_SAVE]);
    if (rc != SQLITE_OK) {
        return rc;
    }
    rc = item_run(s, item);
    if (rc != SQLITE_OK && !fault_is_general(rc) && !sqlite3_get_autocommit(w->db)) {
        struct err e;
        fault_set(&e, w->db, s->db_path, rc);
        item_fail(item, &e);
        rc = statement_run(w->stmts[WRITE_ITEM_BACK]);
        w->owed = owed_before;
        w->stopped = STOPPED_UNKNOWN;
        w->paused = STOPPED_UNKNOWN;
        target_forget_all(w);
    }
    return rc == SQLITE_OK ? statement_run(w->stmts[WRITE_ITEM_RELEASE]) : rc;
}

static int set_sync(struct writer *w, bool is_off)
{
    if (w->is_sync_off == is_off) {
        return SQLITE_OK;
    }
    int rc =
        sqlite3_exec(w->db, is_off ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL",
                     NULL, NULL, NULL);
    w->is_sync_off = rc == SQLITE_OK ? is_off : w->is_sync_off;
    return rc;
}

static int batch_body(struct store *s, struct store_item *first, bool alone)
{
    struct writer *w = &s->writer;
    bool is_writing = batch_writes(first);
    int changes_before = sqlite3_total_changes(w->db);
    errno = 0;
    int rc = is_writing ? rewrite_doubtful(w) : SQLITE_OK;
    if (rc == SQLITE_OK && is_writing) {
        rc = set_sync(w, !batch_is_synced(first));
    }
    if (rc == SQLITE_OK) {
        rc = statement_run(w->stmts[is_writing ? WRITE_BEGIN : WRITE_BEGIN_READ]);
    }
    for (struct store_item *item = first; item && rc == SQLITE_OK; item = item->next) {
        rc = alone ? item_run_alone(s, item) : item_run(s, item);
    }
    if (rc == SQLITE_OK && sqlite3_total_changes(w->db) != changes_before) {
        rc = write_host(w);
    }
    if (rc == SQLITE_OK) {
        rc = statement_run(w->stmts[WRITE_COMMIT]);
        rewrite_note(w, rc, false);
    }
    return rc;
}

// 0, or the code that every request of the batch has. A fault of one request alone is rare, so
// savepoints are made only when one has happened, in a second run.
static int batch_run(struct store *s, struct store_item *first, struct err *e)
{
    struct writer *w = &s->writer;
    struct owed_counts owed_before = w->owed;
    int rc = batch_body(s, first, false);
    if (rc != SQLITE_OK && !fault_is_general(rc)) {
        roll_back(w, owed_before);
        rc = batch_body(s, first, true);
    }
    if (rc == SQLITE_OK) {
        return 0;
    }
    fault_set(e, w->db, s->db_path, rc);
    roll_back(w, owed_before);
    return e->code;
}

// What queue_complete shall say of trouble: NULL where nothing has changed.
static const char *trouble_news(struct store *s, int code, const struct err *e)
{
    struct writer *w = &s->writer;
    if (code != 0) {
        if (!w->is_in_trouble) {
            log_error(s->log, "the store cannot write: %s", e->text);
        }
        w->is_in_trouble = true;
        return e->text;
    }
    if (!w->is_in_trouble) {
        return NULL;
    }
    log_info(s->log, "the store writes again");
    w->is_in_trouble = false;
    return "";
}

static void serve_batch(struct store *s, struct item_list batch)
{
    struct err e;
    bool is_writing = batch_writes(batch.first);
    // A damaged file is read as far as it goes, but to write into it could only make it worse.
    int64_t from_us = clock_real_us();
    int code = is_writing && queue_is_damaged(s, &e) ? ERR_CORRUPT : batch_run(s, batch.first, &e);
    for (struct store_item *item = batch.first; code != 0 && item; item = item->next) {
        item_fail(item, &e);
    }
    for (struct store_item *item = batch.first; code == 0 && item; item = item->next) {
        if (item->kind == REQUEST_SCRUB) {
            scrub_run(s, (struct store_scrub *)item);
        }
    }
    if (code == ERR_CORRUPT) {
        queue_set_damaged(s, &e);
    }
    // A look that went well says nothing of the next write.
    bool is_telling = code != 0 || is_writing;
    bool is_commit = is_writing && code == 0;
    struct store_news news = {.owed = s->writer.owed,
                              .commit_us = is_commit ? clock_real_us() - from_us : -1};
    news.trouble = is_telling ? trouble_news(s, code, &e) : NULL;
    queue_note_cache(s, s->writer.db, &s->writer_bytes);
    queue_complete(s, batch, &news);
}

// A small write may find room in the WAL where the next event's would not, so there must be some to
// spare.
static int check_space(struct store *s, struct err *e)
{
    struct statvfs fs;
    if (statvfs(s->dir, &fs) == 0 &&
        (int64_t)fs.f_bavail * (int64_t)fs.f_frsize < s->options.probe_free_bytes) {
        errno = ENOSPC;
        return fault_set(e, s->writer.db, s->db_path, SQLITE_FULL);
    }
    return 0;
}

// A write with all that makes writes fail: a page, the WAL, its sync.
static int write_probe(struct store *s, struct err *e)
{
    struct writer *w = &s->writer;
    errno = 0;
    int rc = rewrite_doubtful(w);
    if (rc == SQLITE_OK) {
        rc = set_sync(w, false);
    }
    if (rc == SQLITE_OK) {
        rc = statement_run(w->stmts[WRITE_BEGIN]);
    }
    if (rc == SQLITE_OK) {
        rc = write_host(w);
    }
    if (rc == SQLITE_OK) {
        rc = statement_run(w->stmts[WRITE_COMMIT]);
        rewrite_note(w, rc, false);
    }
    if (rc == SQLITE_OK) {
        return 0;
    }
    int code = fault_set(e, w->db, s->db_path, rc);
    roll_back(w, w->owed);
    return code;
}

static void probe(struct store *s)
{
    struct err e;
    if (queue_is_damaged(s, &e)) {
        return;
    }
    int code = check_space(s, &e);
    if (code == 0) {
        code = write_probe(s, &e);
    }
    struct store_news news = {
        .owed = s->writer.owed, .trouble = trouble_news(s, code, &e), .commit_us = -1};
    queue_complete(s, (struct item_list){NULL, NULL}, &news);
}

static struct timespec in_ms(int64_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t ns = t.tv_nsec + ms % 1000 * 1000000;
    t.tv_sec += ms / 1000 + ns / 1000000000;
    t.tv_nsec = ns % 1000000000;
    return t;
}

// How long to wait for requests before the pause is used; below 0: for ever.
static int64_t pause_ms(const struct store *s)
{
    const struct writer *w = &s->writer;
    if (w->is_in_trouble) {
        return s->options.probe_ms;
    }
    bool is_worth_it = w->wal_frames >= s->options.checkpoint_frames / PAUSE_CHECKPOINT_SHARE;
    return is_worth_it ? PAUSE_MS : -1;
}

// The next batch: all that is queued, or what has waited for a pause.
static struct item_list next_batch(struct store *s)
{
    struct writer *w = &s->writer;
    bool is_spare =
        s->spare.first && (!s->writes.first || w->batches_since_spare >= SPARE_EVERY_BATCHES);
    struct item_list *from = is_spare ? &s->spare : &s->writes;
    struct item_list batch = *from;
    *from = (struct item_list){NULL, NULL};
    w->batches_since_spare = is_spare ? 0 : w->batches_since_spare + 1;
    return batch;
}

// All that is queued; nothing where a pause is to be used, or the thread to end (`must_end`).
static struct item_list take_batch(struct store *s, bool *must_end)
{
    int64_t wait_ms = pause_ms(s);
    struct timespec until = in_ms(wait_ms);
    int rc = 0;
    pthread_mutex_lock(&s->lock);
    while (!s->writes.first && !s->spare.first && !s->is_closing && rc != ETIMEDOUT) {
        rc = wait_ms < 0 ? pthread_cond_wait(&s->writes_wake, &s->lock)
                         : pthread_cond_timedwait(&s->writes_wake, &s->lock, &until);
    }
    struct item_list batch = next_batch(s);
    s->writer.running_ms = s->running_ms;
    s->writer.wall_ms = s->wall_ms;
    *must_end = s->is_closing && !batch.first;
    pthread_mutex_unlock(&s->lock);
    return batch;
}

// Not left to SQLite's own checkpoint in the COMMIT: here what was committed has been told already.
// One that fails or meets a reader loses nothing: the next commit counts the frames anew.
static void checkpoint(struct writer *w)
{
    if (rewrite_doubtful(w) == SQLITE_OK) {
        int rc = sqlite3_wal_checkpoint_v2(w->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        rewrite_note(w, rc, true);
    }
    w->wal_frames = 0;
}

static int on_wal(void *ctx, sqlite3 *db, const char *name, int frames)
{
    (void)db;
    (void)name;
    ((struct writer *)ctx)->wal_frames = frames;
    return SQLITE_OK;
}

// The last connection to close puts the WAL into the database and removes it, which the reader's
// may not.
static void wait_for_reader(struct store *s)
{
    pthread_mutex_lock(&s->lock);
    while (!s->is_reader_gone) {
        pthread_cond_wait(&s->writes_wake, &s->lock);
    }
    pthread_mutex_unlock(&s->lock);
}

// The time at which the host ends. Where it cannot be stored, what waits goes a little late.
static void write_last(struct store *s)
{
    struct err e;
    pthread_mutex_lock(&s->lock);
    bool is_abandoned = s->is_abandoned;
    pthread_mutex_unlock(&s->lock);
    if (!is_abandoned && !queue_is_damaged(s, &e)) {
        write_probe(s, &e);
    }
}

void *writer_main(void *store)
{
    struct store *s = store;
    struct writer *w = &s->writer;
    pthread_setname_np(pthread_self(), "store-writer");
    sqlite3_wal_hook(w->db, on_wal, w);
    for (;;) {
        bool must_end;
        struct item_list batch = take_batch(s, &must_end);
        if (must_end) {
            write_last(s);
            break;
        }
        if (batch.first) {
            serve_batch(s, batch);
        } else if (w->is_in_trouble) {
            probe(s);
        }
        if (!batch.first || w->wal_frames >= s->options.checkpoint_frames) {
            checkpoint(w);
        }
    }
    statement_finalize_all(w->stmts, WRITE_STATEMENT_COUNT);
    wait_for_reader(s);
    if (rewrite_doubtful(w) != SQLITE_OK) { // the WAL stays: the next start goes on from it
        sqlite3_db_config(w->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    }
    sqlite3_close(w->db);
    w->db = NULL;
    queue_thread_end(s, &s->writer_end);
    return NULL;
}
