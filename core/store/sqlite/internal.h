// What the files of the SQLite backend share. One writer thread with the only connection that
// writes, one reader thread with a connection of its own, and the loop thread, which queues and
// completes. The loop thread collects the requests of a turn and hands them over with one lock and
// one signal; the writer takes all that is queued, makes one transaction of it, and posts back
// once.
#ifndef STORE_SQLITE_INTERNAL_H
#define STORE_SQLITE_INTERNAL_H

#include "store/audit.h"
#include "store/erase.h"
#include "store/generations.h"
#include "store/retain.h"
#include "store/store.h"
#include "store/targets.h"
#include "store/time.h"
#include "store/tokens.h"

#include "base/buf.h"
#include "base/id.h"
#include "base/map.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/statement.h"

#include <pthread.h>
#include <sqlite3.h>

struct sqlite_options {
    int busy_ms;              // how long a lock of another program is waited for
    int64_t probe_ms;         // between two tries to write while writing fails
    int64_t probe_free_bytes; // that the disk must have for a try to count
    int checkpoint_frames;    // of the WAL, after which its pages go into the database file
    const struct schema *schema;
};
extern const struct sqlite_options SQLITE_OPTIONS_DEFAULT;

// store_open with other options (tests). They are copied; the schema is borrowed for the call.
int sqlite_store_open(struct store **out, const struct store_config *c,
                      const struct sqlite_options *options, struct err *e);

enum request_kind {
    REQUEST_ACCEPT,
    REQUEST_FINISH,
    REQUEST_LEASE,
    REQUEST_DUE,
    REQUEST_TARGETS,
    REQUEST_GENERATION_PUT,
    REQUEST_GENERATION_GET,
    REQUEST_WORKFLOW_PUT,
    REQUEST_WORKFLOWS,
    REQUEST_WORKFLOW_STEP,
    REQUEST_MARK_FORGET,
    REQUEST_ACT,
    REQUEST_AUDIT_PUT,
    REQUEST_SLOTS_PUT,
    REQUEST_SLOTS_GET,
    REQUEST_NOTICE_PUT,
    REQUEST_NOTICES,
    REQUEST_RETAIN,
    REQUEST_ERASE,
    REQUEST_SCRUB,
    REQUEST_PAUSE_PUT,
    REQUEST_PAUSE_STEP,
    REQUEST_PAUSES,
    REQUEST_TIME_MARK,
    REQUEST_TIME_STEP,
    REQUEST_TOKEN_PUT,
    REQUEST_TOKEN_REVOKE,
    REQUEST_TOKEN_USED,
    REQUEST_TOKENS,
    REQUEST_READ
};

struct item_list {
    struct store_item *first;
    struct store_item *last;
};
// Puts `more` behind what is there, in order.
void item_list_append(struct item_list *l, struct item_list more);

struct store_message {
    struct loop_message message; // first member
    struct store *store;
};

// Whether some workflow's webhooks are held back, so that new ones need a look.
enum stopped_workflows { STOPPED_UNKNOWN, STOPPED_NONE, STOPPED_SOME };

// Deliveries that are owed, and those that ended beside an attempt since the start (counts.c).
struct owed_counts {
    int64_t all; // pending, retrying or held
    int64_t retrying;
    int64_t held;
    int64_t cancelled;
    int64_t superseded;
};

struct writer { // the writer thread's alone
    sqlite3 *db;
    sqlite3_stmt *stmts[WRITE_STATEMENT_COUNT];
    struct map targets;      // text to struct target_entry
    struct owed_counts owed; // as the open transaction will leave it
    int64_t running_ms;      // what it says of the time
    int64_t wall_ms;
    int64_t down_ms;    // in all, of this host and those before it
    struct buf runs;    // the JSON of one event's runs
    struct buf scratch; // for reading JSON
    int wal_frames;     // in the WAL after the last commit
    enum stopped_workflows stopped;
    enum stopped_workflows paused; // the same of targets that are paused
    struct buf held_reason;        // of what is held back
    bool is_in_trouble;
    bool is_sync_off; // the last commit was not synced
    // A sync failed, so the file may have pages on disk that are not what is read (rewrite.c).
    bool is_wal_doubtful;
    bool is_database_doubtful;
    unsigned batches_since_spare;
};

struct reader { // the reader thread's alone
    sqlite3 *db;
    sqlite3_stmt *stmts[READ_STATEMENT_COUNT];
    struct buf scratch;
};

struct store {
    struct sqlite_options options;
    struct loop *loop;
    const struct log *log;
    char *dir;
    char *db_path;
    int lock_fd;
    uint64_t last_id;
    uint64_t epoch;
    int64_t opened_running_ms;

    // The loop thread's:
    struct item_list turn_writes;
    struct item_list turn_reads;
    struct item_list turn_spare; // of retention and erasing
    struct loop_flush flush;
    size_t unfinished_count; // requests without their on_done
    struct owed_counts owed_counts;
    char trouble[ERR_TEXT_MAX]; // empty: none
    bool is_free_known;
    int64_t free_looked_at_ms;
    int64_t free_bytes;
    int running_threads;
    void (*on_closed)(void *ctx);
    void *closed_ctx;

    // Shared, under `lock`:
    pthread_mutex_t lock;
    pthread_cond_t writes_wake;
    pthread_cond_t reads_wake;
    struct item_list writes;
    struct item_list reads;
    struct item_list spare; // for the writer when it has nothing else
    int64_t running_ms;     // when the loop handed over last
    int64_t wall_ms;
    bool is_closing;
    struct err damage;     // ERR_CORRUPT and words once the file was found damaged
    bool is_reader_gone;   // its connection is closed
    bool is_abandoned;     // the start failed: the writer ends without a message
    struct item_list done; // completed, not yet seen by the loop
    bool is_done_posted;
    bool has_trouble_news;
    struct histogram commits;
    struct owed_counts owed_news;
    int64_t writer_bytes; // of the connections' page caches
    int64_t reader_bytes;
    char trouble_news[ERR_TEXT_MAX];

    struct store_message done_message;
    struct store_message writer_end;
    struct store_message reader_end;
    pthread_t writer_thread;
    pthread_t reader_thread;
    struct writer writer;
    struct reader reader;
};

// counts.c: the function without which WRITE_STATEMENTS cannot be prepared; what they run is noted
// in counts, which the connection borrows; NULL: none is to be run. counts_begin: the same for the
// writer's, which are set to what is owed by state now. A code of SQLite.
int counts_function(sqlite3 *db, struct owed_counts *counts);
int counts_begin(struct writer *w);

// queue.c
int queue_start(struct store *s, struct err *e); // starts the threads
// From a worker: these requests are complete. news: NULL for none.
struct store_news {
    struct owed_counts owed;
    const char *trouble; // NULL: as it was; empty: none any more
    int64_t commit_us;   // how long the transaction took; negative: it wrote nothing
};
void queue_complete(struct store *s, struct item_list done, const struct store_news *news);

// From a worker before it completes a batch: *bytes, which is under the lock, becomes what the page
// cache of its connection holds.
void queue_note_cache(struct store *s, sqlite3 *db, int64_t *bytes);

// From a worker that found the file damaged: from now on nothing is written any more, until a
// restart.
void queue_set_damaged(struct store *s, const struct err *e);
// Whether one has; *e says how.
bool queue_is_damaged(struct store *s, struct err *e);
// From a worker, as its last act on the store.
void queue_thread_end(struct store *s, struct store_message *end);

// open.c: frees all but what the threads close themselves.
void sqlite_store_free(struct store *s);

// writer.c, reader.c: the threads' functions; they close their connections at the end.
void *writer_main(void *store);
void *reader_main(void *store);

// fault.c
// The code for SQLite's result `rc` on `db`, with words. Call it before another statement runs,
// with errno set to 0 before the one that failed.
int fault_set(struct err *e, sqlite3 *db, const char *path, int rc);
// The code for errno, with words: "cannot WHAT PATH: ...".
int fault_of_path(struct err *e, const char *what, const char *path);
// Whether `rc` tells of the disk, the file or the memory, and not of one request.
bool fault_is_general(int rc);

// rewrite.c
// What a commit or a checkpoint has come to: whether a sync of it failed.
void rewrite_note(struct writer *w, int rc, bool is_checkpoint);
// Before a transaction: what failed syncs leave in doubt is written again. SQLite's result.
int rewrite_doubtful(struct writer *w);

// target.c: the small number of a target, 0 where it is not known; or a new one. SQLite's result.
int target_find(struct writer *w, struct str text, int64_t *id);
int target_id(struct writer *w, struct str text, int64_t *id);
void target_forget_all(struct writer *w); // after a rollback

static inline bool state_is_owed(enum delivery_state state)
{
    return state <= DELIVERY_HELD;
}

// One request each, within the open transaction. SQLITE_OK: the request has its verdict (its code).
// Anything else: the transaction must be rolled back, at least to before the request.
int accept_run(struct writer *w, struct store_accept *a);
// An event that is known to be new: its runs with their deliveries, its row, its record's pointer.
// arena: for out values.
int accept_write(struct writer *w, struct store_event *ev, struct arena *arena);
int finish_run(struct writer *w, struct store_finish *f);
void finish_restore(struct store_finish *f); // its state and reason are as they were given
int due_run(struct writer *w, struct store_due *d);
int targets_run(struct writer *w, struct store_targets *t);
int generation_put_run(struct writer *w, struct store_generation *g);
int workflow_put_run(struct writer *w, struct store_workflow_put *p);
int workflows_run(struct writer *w, struct store_workflows *q);
int workflow_step_run(struct writer *w, struct store_workflow_step *q);
int mark_forget_run(struct writer *w, struct store_mark_forget *q);
int act_run(struct writer *w, struct store_act *a); // act.c
// time.c
int time_begin(struct store *s, struct clock *clock); // for the start
int time_step_run(struct store *s, struct store_time *t);
int audit_put_run(struct writer *w, struct store_audit_put *p); // audit.c
int notice_put_run(struct writer *w, struct store_notice_put *p);
int notices_run(struct writer *w, struct store_notices *q);
int retain_run(struct writer *w, struct store_retain *q);
// A delivery with its attempts and its body; what an event is listed for by its runs. SQLite's
// result.
int retain_drop_delivery(struct writer *w, uint64_t id);
int retain_drop_odd_runs(struct writer *w, uint64_t id, const struct store_run_row *runs,
                         size_t count);
int erase_run(struct writer *w, struct store_erase *q);
// scrub.c: outside of any transaction.
void scrub_run(struct store *s, struct store_scrub *q);
// pause.c
int pause_put_run(struct writer *w, struct store_pause_put *p);
int pause_step_run(struct writer *w, struct store_pause_step *q);
int pauses_run(struct writer *w, struct store_pauses *q);
// token.c
int token_put_run(struct writer *w, struct store_token_put *p);
int token_revoke_run(struct writer *w, struct store_token_revoke *q);
int token_used_run(struct writer *w, struct store_token_used *q);
int tokens_run(struct writer *w, struct store_tokens *q);
// Whether a target is paused, or everything. SQLite's result.
int pause_has(struct writer *w, struct str target, bool *is_paused);
int pause_is_of_all(struct writer *w, bool *is_paused);

// workflow.c: where the run's workflow is stopped, how what it makes owed is stored. *out stays as
// it is where not. SQLite's result.
struct held_back {
    enum delivery_state state;
    struct str reason; // until the next call
};
int workflow_hold_back(struct writer *w, struct store_run *run, struct held_back *out);
// order.c; SQLite's result each.
// Another delivery of that order than `but` that is owed and waits for none; 0: none.
int order_active(struct writer *w, struct str key, uint64_t but, uint64_t *id);
// It is held until that one has ended; is_latest: or is superseded.
int order_wait(struct writer *w, uint64_t id, uint64_t active, bool is_latest);
// A delivery that was stored just now takes its place: behind the one under way, where there is
// one. The out values of *out are filled; arena: for them.
int order_enter(struct writer *w, const struct store_delivery *d, struct arena *arena,
                struct store_delivery *out);
// One that failed, or is to be tried again, is superseded where a newer one waits for that: *f says
// so then.
int order_look_newer(struct writer *w, struct store_finish *f);
// One that was under way has ended: the next one goes.
int order_release(struct writer *w, struct str key, int64_t now_ms, struct arena *arena,
                  struct store_freed *freed);
// Whether the workflow is stopped so that nothing of it is sent. SQLite's result.
int workflow_is_held_back(struct writer *w, struct str workflow, bool *is_held_back);
// Those that waited for a delivery that was cancelled are cancelled with it, by the same rule.
int workflow_cancel_followers(struct writer *w, uint64_t id, int64_t now_ms);
int slots_put_run(struct writer *w, struct store_slots *q);
int slots_get_run(struct writer *w, struct store_slots *q);
// slot.c: of an accept. SQLite's result.
int slot_write(struct writer *w, const struct store_slot *slot);

// read_one.c, read_list.c: reads of one kind each. A code of err.h; SQLite's faults are ERR_IO,
// ERR_CORRUPT.
int read_event(struct reader *r, struct store_read *q);
int read_delivery(struct reader *r, struct store_read *q);
int read_records(struct reader *r, struct store_read *q);
int read_marks(struct reader *r, struct store_read *q);
int read_record_page(struct reader *r, struct store_read *q);
int read_deliveries(struct reader *r, struct store_read *q);
int read_events(struct reader *r, struct store_read *q);
int read_runs(struct reader *r, struct store_read *q);
int read_audits(struct reader *r, struct store_read *q);
int read_targets(struct reader *r, struct store_read *q); // pause.c
int read_tokens(struct reader *r, struct store_read *q);  // token.c
int read_oldest(struct reader *r, struct store_read *q);

int generation_read(struct reader *r, struct store_generation *g); // generation.c

// row.c
// An event's id as it is shown: its key, or "evt_" and its id. NULL data when the arena is out.
struct str row_event_key(sqlite3_stmt *s, int key_column, uint64_t id, struct arena *arena);
// Fills what OWED_COLUMNS gives. 0 or ERR_TOO_LARGE.
int row_owed(sqlite3_stmt *s, struct str target, struct arena *arena, struct store_owed *out);
// Fills payload, before and is_before_gone, of a row that has all EVENT_COLUMN_*. 0 or
// ERR_TOO_LARGE.
int row_event_payload(sqlite3_stmt *s, struct arena *arena, struct store_event_row *out);
// Fills what the EVENT_COLUMN_* give, without runs and payload. 0 or ERR_TOO_LARGE.
int row_event(sqlite3_stmt *s, struct arena *arena, struct store_event_row *out);
// Fills an attempt of what stands from the column `first` on: at_ms to answer_body. 0 or
// ERR_TOO_LARGE.
int row_attempt(sqlite3_stmt *s, int first, int number, struct arena *arena,
                struct store_attempt *out);

#endif
