// How many deliveries are in each state that is owed: counted once, at the start, from an index,
// and then kept by the statements of the writer: moved() in statement.c, and accept.c and
// erase.c for the rows that come and go.
#include "store/sqlite/internal.h"

// moved(from, to): the state a delivery is to have, noted beside what it had.
static void on_moved(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct owed_counts *owed = sqlite3_user_data(context);
    int from = sqlite3_value_int(values[0]), to = sqlite3_value_int(values[1]);
    (void)count;
    owed->all += state_is_owed(to) - state_is_owed(from);
    owed->retrying += (to == DELIVERY_RETRYING) - (from == DELIVERY_RETRYING);
    owed->held += (to == DELIVERY_HELD) - (from == DELIVERY_HELD);
    owed->cancelled += to == DELIVERY_CANCELLED && from != to;
    owed->superseded += to == DELIVERY_SUPERSEDED && from != to;
    sqlite3_result_int(context, to);
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

int counts_function(sqlite3 *db, struct owed_counts *counts)
{
    return sqlite3_create_function(db, "moved", 2, SQLITE_UTF8 | SQLITE_DIRECTONLY, counts,
                                   on_moved, NULL, NULL);
}

int counts_begin(struct writer *w)
{
    int rc = counts_function(w->db, &w->owed);
    rc = rc == SQLITE_OK ? count_state(w->db, DELIVERY_RETRYING, &w->owed.retrying) : rc;
    return rc == SQLITE_OK ? count_state(w->db, DELIVERY_HELD, &w->owed.held) : rc;
}
