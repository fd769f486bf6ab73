// The statements of the SQLite backend, each prepared once for a connection, and the few helpers to
// bind values and to read columns. A statement belongs to its connection's thread.
#ifndef STORE_SQLITE_STATEMENT_H
#define STORE_SQLITE_STATEMENT_H

#include "base/arena.h"
#include "base/err.h"

#include <sqlite3.h>

enum write_statement {
    WRITE_BEGIN,      // for a batch that writes
    WRITE_BEGIN_READ, // for one that only looks
    WRITE_COMMIT,
    WRITE_ROLLBACK,
    WRITE_ITEM_SAVE,
    WRITE_ITEM_BACK,
    WRITE_ITEM_RELEASE,
    WRITE_BODY_SAVE,
    WRITE_BODY_BACK,
    WRITE_BODY_RELEASE,
    WRITE_HOST, // the count of what is owed, and the times
    WRITE_TIMES,
    WRITE_TIMES_BEGIN,
    WRITE_DELAYED,
    WRITE_EVENT,
    WRITE_EVENT_BY_KEY,
    WRITE_EVENT_BY_ID,
    WRITE_DELIVERY,
    WRITE_LARGE_BODY,
    WRITE_ODD_RUN,
    WRITE_RECORD,
    WRITE_RECORD_VERSION,
    WRITE_MARK,
    WRITE_SLOT,
    WRITE_SLOTS_CLEAR,
    WRITE_SLOTS,
    WRITE_TARGET,
    WRITE_TARGET_BY_TEXT,
    WRITE_TARGET_BY_ID,
    WRITE_TARGET_SAYS,
    WRITE_TARGET_SAYS_OF,
    WRITE_FIRST_ATTEMPT,
    WRITE_STATE,
    WRITE_ATTEMPT,
    WRITE_DUE,
    WRITE_OVER,
    WRITE_NEXT_TARGET,
    WRITE_GENERATION,
    WRITE_GENERATION_CLEAR,
    WRITE_GENERATION_FILE,
    WRITE_GENERATION_BASE,
    WRITE_RULE_TEXT,
    WRITE_RULE_TEXT_BY_HASH,
    WRITE_REPLAY,
    WRITE_RUNS_OF_EVENT,
    WRITE_STATE_NOW,
    WRITE_MARK_FORGET,
    WRITE_ORDER_ACTIVE,
    WRITE_ORDER_WAIT,
    WRITE_ORDER_NEXT,
    WRITE_ORDER_FREE,
    WRITE_ORDER_SUPERSEDE,
    WRITE_ORDER_NEWER,
    WRITE_ORDER_HURRY,
    WRITE_ORDER_KEY,
    WRITE_ACT_LOOK,
    WRITE_RESEND,
    WRITE_AUDIT,
    WRITE_WORKFLOW,
    WRITE_WORKFLOWS,
    WRITE_WORKFLOW_OWED,
    WRITE_ANY_STOPPED,
    WRITE_OWED_OF_ALL,
    WRITE_HELD_OF_ALL,
    WRITE_HOLD,
    WRITE_CANCEL,
    WRITE_RELEASE,
    WRITE_OWED_DONE,
    WRITE_NOTICE,
    WRITE_NOTICE_GONE,
    WRITE_NOTICES,
    WRITE_OLD_EVENT,
    WRITE_OLD_DELIVERY,
    WRITE_OLD_PAYLOAD,
    WRITE_EMPTY_EVENT,
    WRITE_EMPTY_DELIVERY,
    WRITE_EMPTY_ATTEMPTS,
    WRITE_NO_FIRST_ATTEMPT,
    WRITE_NO_ATTEMPTS,
    WRITE_NO_LARGE_BODY,
    WRITE_NO_DELIVERY,
    WRITE_NO_ODD_RUN,
    WRITE_NO_EVENT,
    WRITE_NO_AUDIT,
    WRITE_ERASE_NEXT,
    WRITE_ERASE_LOOK,
    WRITE_MARKS_NEXT,
    WRITE_HAS_MARK,
    WRITE_NO_RECORD,
    WRITE_PAGE_COUNT,
    WRITE_FREE_PAGES,
    WRITE_VACUUM,
    WRITE_PAUSE,
    WRITE_PAUSE_ALL,
    WRITE_PAUSE_OF_ALL,
    WRITE_PAUSE_OF,
    WRITE_PAUSES,
    WRITE_ANY_PAUSED,
    WRITE_OWED_OF_TARGET,
    WRITE_PAUSED_OF_ALL,
    WRITE_RELABEL,
    WRITE_ORDER_MOVE,
    WRITE_TOKEN,
    WRITE_TOKEN_BY_NAME,
    WRITE_TOKEN_REVOKE,
    WRITE_TOKEN_USED,
    WRITE_TOKENS,
    WRITE_NO_TOKEN,
    WRITE_STATEMENT_COUNT
};
extern const char *const WRITE_STATEMENTS[WRITE_STATEMENT_COUNT];

enum read_statement {
    READ_BEGIN,
    READ_COMMIT,
    READ_EVENT_BY_KEY,
    READ_EVENT_BY_ID,
    READ_DELIVERY,
    READ_ATTEMPTS,
    READ_FIRST_ATTEMPT, // these two: of a list, without the answer
    READ_LAST_ATTEMPT,
    READ_RECORD,
    READ_MARK,
    READ_RECORD_PAGE,
    READ_TARGETS,
    READ_OLDEST,
    READ_TARGET_BY_TEXT,
    READ_DELIVERIES,
    READ_DELIVERIES_BY_STATE,
    READ_DELIVERY_EVENT,
    READ_EVENTS,
    READ_EVENTS_OLDEST,
    READ_EVENTS_SENT,
    READ_EVENTS_SENT_OLDEST,
    READ_ODD_RUNS,
    READ_AUDIT,
    READ_TOKENS,
    READ_GENERATION,
    READ_GENERATION_AT,
    READ_GENERATION_FILES,
    READ_GENERATION_BASES,
    READ_STATEMENT_COUNT
};
extern const char *const READ_STATEMENTS[READ_STATEMENT_COUNT];

// The columns that row_owed reads, in its order; `d` is the delivery, `e` its event.
// When a delivery is over that has a window of its own: the index delivery_end has it as a column.
#define DELIVERY_END "iif(base_ms, base_ms, due_at_ms) + window_ms"

#define OWED_COLUMNS                                                                               \
    "d.id, d.event, e.key, d.workflow, e.record_type, e.record_id, d.action, d.state,"             \
    " d.due_at_ms, d.base_ms, d.attempt_count, d.head,"                                            \
    " coalesce(d.body, (SELECT b.body FROM large_body b WHERE b.id = d.id)), d.retry,"             \
    " d.timeout_ms, d.recheck, d.order_key"
enum { OWED_COLUMN_COUNT = 17 };

// The columns of the statements that read events.
enum {
    EVENT_COLUMN_ID,
    EVENT_COLUMN_KEY,
    EVENT_COLUMN_TYPE,
    EVENT_COLUMN_RECORD_TYPE,
    EVENT_COLUMN_RECORD_ID,
    EVENT_COLUMN_TIME_MS,
    EVENT_COLUMN_RECEIVED_AT_MS,
    EVENT_COLUMN_RUNS,
    EVENT_COLUMN_PAYLOAD,
    EVENT_COLUMN_BEFORE, // where the payload is wanted
    EVENT_COLUMN_BASE
};

// SQLite's result; all that were prepared are to be finalized whatever it is.
int statement_prepare_all(sqlite3 *db, const char *const *texts, size_t count, sqlite3_stmt **out);
void statement_finalize_all(sqlite3_stmt **stmts, size_t count);

// Steps a statement that gives no row, and resets it. SQLITE_OK or the fault.
int statement_run(sqlite3_stmt *s);
// Resets a statement whose last step gave `rc`: SQLITE_OK for a row or the end, else the fault.
int statement_end(sqlite3_stmt *s, int rc);

// Values are borrowed until the statement is bound anew. An empty text is NULL where `_or_null`.
void bind_text(sqlite3_stmt *s, int at, struct str text);
void bind_text_or_null(sqlite3_stmt *s, int at, struct str text);
void bind_blob(sqlite3_stmt *s, int at, struct str bytes);
static inline void bind_int(sqlite3_stmt *s, int at, int64_t n)
{
    sqlite3_bind_int64(s, at, n);
}
static inline void bind_int_or_null(sqlite3_stmt *s, int at, int64_t n) // 0: NULL
{
    if (n) {
        bind_int(s, at, n);
    } else {
        sqlite3_bind_null(s, at);
    }
}
static inline void bind_id(sqlite3_stmt *s, int at, uint64_t id)
{
    sqlite3_bind_int64(s, at, (int64_t)id);
}

// Borrowed until the statement moves. NULL gives an empty text.
struct str column_str(sqlite3_stmt *s, int at);
static inline uint64_t column_id(sqlite3_stmt *s, int at)
{
    return (uint64_t)sqlite3_column_int64(s, at);
}
// A copy on the arena; {NULL, 0} when it is out.
struct str column_dup(sqlite3_stmt *s, int at, struct arena *arena);

#endif
