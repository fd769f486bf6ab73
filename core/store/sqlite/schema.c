#include "store/sqlite/schema.h"

#include "store/sqlite/database.h"
#include "store/sqlite/internal.h"

#include <stdio.h>
#include <stdlib.h>

// Those of an order that are owed.
#define ORDER_SQL                                                                                  \
    "CREATE INDEX delivery_order ON delivery (order_key, id)"                                      \
    " WHERE order_key IS NOT NULL AND state <= 2;"

#define SLOT_SQL                                                                                   \
    "CREATE TABLE slot ("                                                                          \
    " workflow TEXT PRIMARY KEY, schedule TEXT NOT NULL, done_ms INTEGER NOT NULL,"                \
    " under_way_ms INTEGER NOT NULL, last_record TEXT NOT NULL"                                    \
    ") STRICT, WITHOUT ROWID;"

// Rows are the cost of an event, so an ordinary one has a row in `event` (with its runs), one in
// `delivery` for each webhook (with its first attempt), and its record's pointer; all else is for
// what is not ordinary. Indexes are partial: an entry is there only while it is of use.
// Workflows that run from the texts of an older generation, since those of this one do not load.
#define GENERATION_BASE_SQL                                                                        \
    "CREATE TABLE generation_base ("                                                               \
    " generation INTEGER NOT NULL, path TEXT NOT NULL, base INTEGER NOT NULL,"                     \
    " PRIMARY KEY (generation, path)"                                                              \
    ") STRICT, WITHOUT ROWID;"

#define WORKFLOW_SQL                                                                               \
    "CREATE TABLE workflow ("                                                                      \
    " id TEXT PRIMARY KEY,"                                                                        \
    " started INTEGER NOT NULL,"                                                                   \
    " when_stopped INTEGER NOT NULL,"                                                              \
    " suspended_at_ms INTEGER NOT NULL,"                                                           \
    " suspended_text INTEGER NOT NULL,"                                                            \
    " suspended_reason TEXT,"                                                                      \
    " owed INTEGER NOT NULL,"                                                                      \
    " owed_since_ms INTEGER NOT NULL,"                                                             \
    " owed_reason TEXT,"                                                                           \
    " is_owed_done INTEGER NOT NULL"                                                               \
    ") STRICT, WITHOUT ROWID;"

// What people are still to be told by mail, for each target or workflow and kind of notice.
#define NOTICE_SQL                                                                                 \
    "CREATE TABLE notice ("                                                                        \
    " topic TEXT NOT NULL,"                                                                        \
    " kind INTEGER NOT NULL,"                                                                      \
    " is_open INTEGER NOT NULL,"                                                                   \
    " is_urgent INTEGER NOT NULL,"                                                                 \
    " count INTEGER NOT NULL,"                                                                     \
    " first_at_ms INTEGER NOT NULL,"                                                               \
    " last_at_ms INTEGER NOT NULL,"                                                                \
    " told_at_ms INTEGER NOT NULL,"                                                                \
    " text TEXT,"                                                                                  \
    " workflows TEXT,"                                                                             \
    " PRIMARY KEY (topic, kind)"                                                                   \
    ") STRICT, WITHOUT ROWID;"

// What operators did, for as long as retention says.
#define AUDIT_SQL                                                                                  \
    "CREATE TABLE audit ("                                                                         \
    " id INTEGER PRIMARY KEY,"                                                                     \
    " at_ms INTEGER NOT NULL,"                                                                     \
    " who TEXT NOT NULL,"                                                                          \
    " origin TEXT,"                                                                                \
    " act TEXT NOT NULL,"                                                                          \
    " subject TEXT,"                                                                               \
    " before TEXT,"                                                                                \
    " after TEXT"                                                                                  \
    ") STRICT;"
// Who may call the API (store/tokens.h).
#define TOKEN_SQL                                                                                  \
    "CREATE TABLE token ("                                                                         \
    " id INTEGER PRIMARY KEY,"                                                                     \
    " name TEXT NOT NULL,"                                                                         \
    " role INTEGER NOT NULL,"                                                                      \
    " hash BLOB NOT NULL,"                                                                         \
    " created_at_ms INTEGER NOT NULL,"                                                             \
    " expires_at_ms INTEGER NOT NULL,"                                                             \
    " last_used_at_ms INTEGER NOT NULL,"                                                           \
    " revoked_at_ms INTEGER NOT NULL,"                                                             \
    " rate_count INTEGER NOT NULL,"                                                                \
    " rate_ms INTEGER NOT NULL"                                                                    \
    ") STRICT;"                                                                                    \
    "CREATE UNIQUE INDEX token_hash ON token (hash);"                                              \
    "CREATE UNIQUE INDEX token_name ON token (name) WHERE revoked_at_ms = 0;"                      \
    "CREATE INDEX token_revoked ON token (revoked_at_ms) WHERE revoked_at_ms > 0;"

// What an operator has paused (store/targets.h).
#define PAUSE_COLUMN " pause INTEGER NOT NULL DEFAULT 0"
#define PAUSE_INDEX "CREATE INDEX target_pause ON target (pause) WHERE pause <> 0;"
#define PAUSED_AT_COLUMN " paused_at_ms INTEGER NOT NULL DEFAULT 0"
#define PAUSED_BY_COLUMN " paused_by TEXT"

// The running time and the wall time as they were stored last, and how long the host was down in
// all by the difference. 0: they have not begun.
#define RUNNING_COLUMN " running_ms INTEGER NOT NULL DEFAULT 0"
#define WALL_COLUMN " wall_ms INTEGER NOT NULL DEFAULT 0"
#define DOWN_COLUMN " down_ms INTEGER NOT NULL DEFAULT 0"
// Of a delayed delivery that waits for its first attempt: host.down_ms that its due time allows
// for.
#define DELAYED_COLUMN " delayed INTEGER"
#define DELAYED_INDEX                                                                              \
    "CREATE INDEX delivery_delayed ON delivery (delayed) WHERE delayed IS NOT NULL;"

// Up to when its breaker was open: what fell due until then counts from there (deliver/gate.c).
#define HELD_UP_COLUMN " held_up_ms INTEGER NOT NULL DEFAULT 0"

#define LAST_ERROR_COLUMN " last_error TEXT"
// The wall time of the first of the attempts that failed one after another up to now. NULL: it
// answers, or it is not known.
#define FAILING_SINCE_COLUMN " failing_since_ms INTEGER"
// How long it may be tried from its base, and by that what is over (store/store.h, store_due).
// NULL: by the default windows, and it was never tried.
#define WINDOW_COLUMN " window_ms INTEGER"
#define END_INDEX                                                                                  \
    "CREATE INDEX delivery_end ON delivery (target, " DELIVERY_END ")"                             \
    " WHERE window_ms IS NOT NULL AND state < 2;"

static const char CREATE_SQL[] =
    "CREATE TABLE host ("
    " one INTEGER PRIMARY KEY CHECK (one = 1),"
    " epoch INTEGER NOT NULL,"
    " owed INTEGER NOT NULL," // deliveries pending, retrying or held
    PAUSED_AT_COLUMN "," PAUSED_BY_COLUMN "," RUNNING_COLUMN "," WALL_COLUMN "," DOWN_COLUMN
    ") STRICT;"
    "INSERT INTO host (one, epoch, owed) VALUES (1, 0, 0);"

    "CREATE TABLE target (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE," PAUSE_COLUMN
    "," PAUSED_AT_COLUMN "," HELD_UP_COLUMN "," LAST_ERROR_COLUMN "," FAILING_SINCE_COLUMN
    ") STRICT;" PAUSE_INDEX

    "CREATE TABLE event ("
    " id INTEGER PRIMARY KEY,"
    " key TEXT," // NULL: the host made one
    " digest INTEGER NOT NULL,"
    " type TEXT NOT NULL,"
    " record_type TEXT NOT NULL,"
    " record_id TEXT NOT NULL,"
    " time_ms INTEGER NOT NULL,"
    " received_at_ms INTEGER NOT NULL,"
    " runs TEXT,"    // store/runs.h; NULL: none
    " base INTEGER," // the event that it was compared with; NULL: it was not
    " payload TEXT"
    ") STRICT;"
    "CREATE UNIQUE INDEX event_key ON event (key) WHERE key IS NOT NULL;"

    // The events that have a run of an outcome other than `sent`.
    "CREATE TABLE odd_run ("
    " outcome INTEGER NOT NULL, event INTEGER NOT NULL, PRIMARY KEY (outcome, event)"
    ") STRICT, WITHOUT ROWID;"

    // A record's latest state: the event that holds it.
    "CREATE TABLE record ("
    " record_type TEXT NOT NULL, record_id TEXT NOT NULL,"
    " event INTEGER NOT NULL, time_ms INTEGER NOT NULL,"
    " PRIMARY KEY (record_type, record_id)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE mark ("
    " workflow TEXT NOT NULL, record_type TEXT NOT NULL, record_id TEXT NOT NULL,"
    " until_ms INTEGER NOT NULL,"
    " PRIMARY KEY (workflow, record_type, record_id)"
    ") STRICT, WITHOUT ROWID;"

    WORKFLOW_SQL SLOT_SQL NOTICE_SQL AUDIT_SQL TOKEN_SQL "CREATE TABLE delivery ("
    " id INTEGER PRIMARY KEY,"
    " event INTEGER NOT NULL,"
    " state INTEGER NOT NULL,"
    " target INTEGER NOT NULL,"
    " shard INTEGER NOT NULL,"
    " due_at_ms INTEGER," // NULL: it is owed no more
    " base_ms INTEGER NOT NULL,"
    " attempt_count INTEGER NOT NULL,"
    " action INTEGER NOT NULL,"
    " timeout_ms INTEGER NOT NULL,"
    " workflow TEXT NOT NULL,"
    " order_key TEXT,"
    " retry TEXT,"
    " reason TEXT,"
    " head BLOB NOT NULL,"
    " body BLOB," // NULL: in large_body
    // The first attempt; more have rows in `attempt`.
    " at_ms INTEGER,"
    " elapsed_ms INTEGER,"
    " status INTEGER,"
    " answer_is_cut INTEGER,"
    " error TEXT,"
    " detail TEXT,"
    " answer_headers BLOB,"
    " answer_body BLOB,"
    // To be judged again before its first attempt: the `previous` that the host found for its
    // event, or empty. NULL: not, or not any more.
    " recheck TEXT,"
    // It is held since another one of its order goes first: 1, until that has ended; 2, and those
    // before it are to be superseded.
    " waits INTEGER," DELAYED_COLUMN "," WINDOW_COLUMN ") STRICT;" DELAYED_INDEX END_INDEX
    "CREATE INDEX delivery_due ON delivery (target, due_at_ms) WHERE state < 2;"
    "CREATE INDEX delivery_state ON delivery (state) WHERE state <> 0 AND state <> 3;" ORDER_SQL

    // A body that would make each update of its delivery's row dear.
    "CREATE TABLE large_body (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;"

    "CREATE TABLE attempt ("
    " delivery INTEGER NOT NULL,"
    " number INTEGER NOT NULL,"
    " at_ms INTEGER NOT NULL,"
    " elapsed_ms INTEGER NOT NULL,"
    " status INTEGER NOT NULL,"
    " answer_is_cut INTEGER NOT NULL,"
    " error TEXT,"
    " detail TEXT,"
    " answer_headers BLOB,"
    " answer_body BLOB,"
    " PRIMARY KEY (delivery, number)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE generation (id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL) STRICT;"
    // The files that changed from one generation to the next; text 0: the file is gone.
    "CREATE TABLE generation_file ("
    " generation INTEGER NOT NULL, path TEXT NOT NULL, text INTEGER NOT NULL,"
    " PRIMARY KEY (generation, path)"
    ") STRICT, WITHOUT ROWID;" GENERATION_BASE_SQL "CREATE TABLE rule_text ("
    " id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, text BLOB NOT NULL"
    ") STRICT;"
    "CREATE INDEX rule_text_hash ON rule_text (hash);";

// A generation had a row for each of its files; what was gone from one to the next had none.
#define GENERATION_GONE_SQL                                                                        \
    "INSERT INTO generation_file (generation, path, text)"                                         \
    " SELECT g.id, f.path, 0 FROM generation g JOIN generation_file f ON f.generation ="           \
    " (SELECT max(id) FROM generation WHERE id < g.id) WHERE NOT EXISTS (SELECT 1"                 \
    " FROM generation_file n WHERE n.generation = g.id AND n.path = f.path);"

// Due times were wall times. The running time begins at the last moment of which the file tells, so
// that an outage up to now moves nothing; not behind now, where the clock was set back.
#define RUNNING_SQL                                                                                \
    "UPDATE host SET running_ms = min(CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)," \
    " max(coalesce((SELECT max(id) FROM event) >> 21, 0),"                                         \
    " coalesce((SELECT max(id) FROM delivery) >> 21, 0),"                                          \
    " coalesce((SELECT max(at_ms) FROM delivery), 0),"                                             \
    " coalesce((SELECT max(at_ms) FROM attempt), 0),"                                              \
    " coalesce((SELECT max(at_ms) FROM generation), 0)));"                                         \
    "UPDATE host SET wall_ms = running_ms;"

static const struct schema_step STEPS[] = {
    {1, GENERATION_BASE_SQL GENERATION_GONE_SQL WORKFLOW_SQL SLOT_SQL NOTICE_SQL AUDIT_SQL
     "ALTER TABLE event ADD COLUMN base INTEGER;"
     "ALTER TABLE delivery ADD COLUMN recheck TEXT;"
     "ALTER TABLE target ADD COLUMN" PAUSE_COLUMN ";ALTER TABLE target ADD COLUMN" PAUSED_AT_COLUMN
     ";" PAUSE_INDEX "ALTER TABLE delivery ADD COLUMN waits INTEGER;" ORDER_SQL},
    {2,
     "ALTER TABLE host ADD COLUMN" PAUSED_AT_COLUMN ";ALTER TABLE host ADD COLUMN" PAUSED_BY_COLUMN
     ";ALTER TABLE host ADD COLUMN" RUNNING_COLUMN ";ALTER TABLE host ADD COLUMN" WALL_COLUMN
     ";ALTER TABLE host ADD COLUMN" DOWN_COLUMN ";ALTER TABLE delivery ADD COLUMN" DELAYED_COLUMN
     ";" DELAYED_INDEX "ALTER TABLE target ADD COLUMN" HELD_UP_COLUMN ";" RUNNING_SQL},
    {3, TOKEN_SQL},
    // The 49 hours of the default windows.
    {4, "ALTER TABLE target ADD COLUMN" LAST_ERROR_COLUMN
        ";ALTER TABLE delivery ADD COLUMN" WINDOW_COLUMN ";" END_INDEX
        "UPDATE delivery SET window_ms = 176400000"
        " WHERE state < 2 AND base_ms <> 0 AND retry IS NULL;"},
    {5, "ALTER TABLE target ADD COLUMN" FAILING_SINCE_COLUMN ";"},
};

const struct schema SCHEMA = {.version = STORE_SCHEMA_VERSION,
                              .create_sql = CREATE_SQL,
                              .steps = STEPS,
                              .step_count = sizeof STEPS / sizeof STEPS[0]};

// The text and the new version together, or neither.
static int step_apply(sqlite3 *db, const char *sql, int version)
{
    char pragmas[96];
    snprintf(pragmas, sizeof pragmas, "PRAGMA application_id = %d; PRAGMA user_version = %d;",
             SCHEMA_APPLICATION_ID, version);
    int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (rc == SQLITE_OK && (rc = sqlite3_exec(db, sql, NULL, NULL, NULL)) == SQLITE_OK &&
        (rc = sqlite3_exec(db, pragmas, NULL, NULL, NULL)) == SQLITE_OK) {
        rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    }
    return rc;
}

static const struct schema_step *step_find(const struct schema *schema, int64_t from)
{
    for (size_t i = 0; i < schema->step_count; i++) {
        if (schema->steps[i].from == from) {
            return &schema->steps[i];
        }
    }
    return NULL;
}

static int fault_and_rollback(sqlite3 *db, const char *path, int rc, struct err *e)
{
    int code = fault_set(e, db, path, rc);
    if (!sqlite3_get_autocommit(db)) {
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    return code;
}

// The file as it is, for whoever has to go back to the older version.
static int keep_copy(sqlite3 *db, const char *path, const struct schema *schema, int64_t version,
                     const struct log *log, struct err *e)
{
    char *kept = NULL, *part = NULL;
    int code = 0;
    if (asprintf(&kept, "%s.schema-%lld", path, (long long)version) < 0 ||
        asprintf(&part, "%s.part", kept) < 0) {
        code = err_set(e, ERR_NOMEM, "out of memory");
    } else {
        struct database_copy copy = {.from = db, .path = part};
        code = database_copy(&copy, e);
        if (code == 0 && rename(part, kept) != 0) {
            code = fault_of_path(e, "make", kept);
        }
    }
    if (code == 0) {
        log_info(log,
                 "%s is taken from schema %lld to %d; as it was it is kept as %s: remove that once "
                 "the new version has shown itself",
                 path, (long long)version, schema->version, kept);
    } else {
        err_context(e, "a copy before the schema moves from %lld to %d", (long long)version,
                    schema->version);
    }
    free(kept);
    free(part);
    return code;
}

static int migrate(sqlite3 *db, const char *path, const struct schema *schema, int64_t version,
                   struct err *e)
{
    while (version < schema->version) {
        const struct schema_step *step = step_find(schema, version);
        if (!step) {
            return err_set(e, ERR_VERSION,
                           "%s has schema %lld, and this hookline knows no way from there to %d: "
                           "migrate it with an older version first",
                           path, (long long)version, schema->version);
        }
        int rc = step_apply(db, step->sql, (int)version + 1);
        if (rc != SQLITE_OK) {
            fault_and_rollback(db, path, rc, e);
            return err_context(e, "schema %lld to %lld", (long long)version,
                               (long long)version + 1);
        }
        version++;
    }
    return 0;
}

int schema_prepare(sqlite3 *db, const char *path, const struct schema *schema,
                   const struct log *log, struct err *e)
{
    int64_t version = 0, application = 0, tables = 0;
    int rc;
    if ((rc = database_integer(db, "PRAGMA user_version", &version)) != SQLITE_OK ||
        (rc = database_integer(db, "PRAGMA application_id", &application)) != SQLITE_OK ||
        (rc = database_integer(db, "SELECT count(*) FROM sqlite_schema", &tables)) != SQLITE_OK) {
        return fault_set(e, db, path, rc);
    }
    if (tables == 0 && version == 0) {
        rc = step_apply(db, schema->create_sql, schema->version);
        return rc == SQLITE_OK ? 0 : fault_and_rollback(db, path, rc, e);
    }
    if (application != SCHEMA_APPLICATION_ID) {
        return err_set(
            e, ERR_CORRUPT,
            "%s is a database, but not hookline's: name another data folder, or move the "
            "file away",
            path);
    }
    if (version > schema->version) {
        return err_set(e, ERR_VERSION,
                       "%s was written by a newer hookline (schema %lld, this one knows %d): "
                       "install that version, or name another data folder",
                       path, (long long)version, schema->version);
    }
    int code = 0;
    if (version < schema->version && step_find(schema, version)) {
        code = keep_copy(db, path, schema, version, log, e);
    }
    return code ? code : migrate(db, path, schema, version, e);
}
