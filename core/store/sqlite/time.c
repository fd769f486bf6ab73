// The running time, which goes on over restarts (base/clock.h), and what an outage moves by the
// wall clock all the same: the first attempts of delayed deliveries.
#include "base/rfc3339.h"
#include "store/sqlite/internal.h"

enum { STEP_ROWS = 500 }; // in one request: some milliseconds

// For whoever asks what an outage was: a host that has nothing to do stores nothing, so it may have
// been up for longer.
static void time_tell_outage(const struct store *s, int64_t last_ms, int64_t wall_ms)
{
    char since[RFC3339_LEN + 1], until[RFC3339_LEN + 1];
    rfc3339_format(since, last_ms);
    rfc3339_format(until, wall_ms);
    log_info(s->log, "the host was down: what it stored last is of %s, it is up again at %s", since,
             until);
}

int time_begin(struct store *s, struct clock *clock)
{
    struct writer *w = &s->writer;
    sqlite3_stmt *stmt = w->stmts[WRITE_TIMES];
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW) {
        int64_t running_ms = sqlite3_column_int64(stmt, 0);
        int64_t last_ms = sqlite3_column_int64(stmt, 1);
        if (clock->is_test && last_ms > clock_wall_ms(clock)) {
            clock_set_wall(clock, last_ms - clock_wall_ms(clock));
        }
        int64_t wall_ms = clock_wall_ms(clock);
        int64_t down_ms = wall_ms - last_ms;
        bool has_begun = running_ms > 0;
        w->down_ms = sqlite3_column_int64(stmt, 2) + (has_begun && down_ms > 0 ? down_ms : 0);
        s->running_ms = s->opened_running_ms = has_begun ? running_ms : wall_ms;
        s->wall_ms = wall_ms;
        if (has_begun && down_ms > 0) {
            time_tell_outage(s, last_ms, wall_ms);
        }
    }
    rc = statement_end(stmt, rc);
    if (rc == SQLITE_OK) {
        clock_set_running(clock, s->running_ms);
        stmt = w->stmts[WRITE_TIMES_BEGIN];
        bind_int(stmt, 1, s->running_ms);
        bind_int(stmt, 2, s->wall_ms);
        bind_int(stmt, 3, w->down_ms);
        rc = statement_run(stmt);
    }
    return rc;
}

int time_step_run(struct store *s, struct store_time *t)
{
    struct writer *w = &s->writer;
    sqlite3_stmt *stmt = w->stmts[WRITE_DELAYED];
    bind_int(stmt, 1, s->opened_running_ms);
    bind_int(stmt, 2, w->down_ms);
    bind_int(stmt, 3, STEP_ROWS);
    int rc = statement_run(stmt);
    t->code = 0;
    t->changed = rc == SQLITE_OK ? (size_t)sqlite3_changes(w->db) : 0;
    t->is_done = t->changed < STEP_ROWS;
    return rc;
}
