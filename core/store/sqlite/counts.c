// How many deliveries are in each state that is owed: counted once, at the start, from an index,
// and then kept by a trigger of the writer's connection alone.
#include "store/sqlite/internal.h"

static void on_moved(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct writer *w = sqlite3_user_data(context);
    int from = sqlite3_value_int(values[0]), to = sqlite3_value_int(values[1]);
    (void)count;
    w->owed.retrying += (to == DELIVERY_RETRYING) - (from == DELIVERY_RETRYING);
    w->owed.held += (to == DELIVERY_HELD) - (from == DELIVERY_HELD);
    w->owed.cancelled += to == DELIVERY_CANCELLED;
    w->owed.superseded += to == DELIVERY_SUPERSEDED;
}

static int count_state(sqlite3 *db, enum delivery_state state, int64_t *out)
{
    static const char sql[] = "SELECT count(*) FROM delivery INDEXED BY delivery_state"
                              " WHERE state = ?1 AND state <> 0 AND state <> 3";
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &s, NULL);
    if (rc == SQLITE_OK) {
        bind_int(s, 1, state);
        rc = sqlite3_step(s);
        *out = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
        rc = rc == SQLITE_ROW ? SQLITE_OK : rc;
    }
    sqlite3_finalize(s);
    return rc;
}

// The states as numbers: a trigger takes no parameters.
static const char TRIGGER_SQL[] =
    "CREATE TEMP TRIGGER delivery_moved AFTER UPDATE OF state ON main.delivery"
    " WHEN old.state <> new.state AND (old.state IN (1, 2) OR new.state IN (1, 2, 6, 7))"
    " BEGIN SELECT hookline_moved(old.state, new.state); END";

int counts_begin(struct writer *w)
{
    int rc =
        sqlite3_create_function(w->db, "hookline_moved", 2, SQLITE_UTF8, w, on_moved, NULL, NULL);
    rc = rc == SQLITE_OK ? sqlite3_exec(w->db, "PRAGMA temp_store = MEMORY", NULL, NULL, NULL) : rc;
    rc = rc == SQLITE_OK ? sqlite3_exec(w->db, TRIGGER_SQL, NULL, NULL, NULL) : rc;
    rc = rc == SQLITE_OK ? count_state(w->db, DELIVERY_RETRYING, &w->owed.retrying) : rc;
    return rc == SQLITE_OK ? count_state(w->db, DELIVERY_HELD, &w->owed.held) : rc;
}
