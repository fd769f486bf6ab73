// What the tests of the SQLite backend's own promises share.
#ifndef TESTS_STORE_SQLITE_HARNESS_H
#define TESTS_STORE_SQLITE_HARNESS_H

#include "store/harness.h"
#include "store/sqlite/internal.h"

// Quick to give up on a lock and to try again, so that no test waits long.
static inline int open_quick(struct store **out, const struct store_config *c, struct err *e)
{
    struct sqlite_options o = SQLITE_OPTIONS_DEFAULT;
    o.busy_ms = 5;
    o.probe_ms = 2;
    o.probe_free_bytes = 100000;
    return sqlite_store_open(out, c, &o, e);
}

static inline int sqlite_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    fixture_init(f, open_quick);
    *state = f;
    return 0;
}

static inline int sqlite_teardown(void **state)
{
    struct fixture *f = *state;
    fixture_fini(f);
    free(f);
    return 0;
}

static inline const char *path_in(struct fixture *f, const char *name)
{
    char *path = zalloc(f, 128);
    snprintf(path, 128, "%s/%s", f->dir, name);
    return path;
}

// A connection of somebody else.
static inline sqlite3 *connect_other(struct fixture *f)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path_in(f, "hookline.db"), &db), SQLITE_OK);
    return db;
}

static inline void other_exec(sqlite3 *db, const char *sql)
{
    char *fault = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &fault) != SQLITE_OK) {
        fail_msg("%s: %s", sql, fault);
    }
}

static inline void exec_closed(struct fixture *f, const char *sql)
{
    sqlite3 *db = connect_other(f);
    other_exec(db, sql);
    sqlite3_close(db);
}

static inline int64_t query_integer(struct fixture *f, const char *sql)
{
    sqlite3 *db = connect_other(f);
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(db);
    return n;
}

struct recovery {
    struct fixture *f;
    struct loop_timer timer;
};

static inline void recovery_look(void *ctx)
{
    struct recovery *r = ctx;
    if (store_trouble(r->f->store)) {
        loop_timer_start(&r->timer, 1);
    } else {
        loop_expect(r->f->loop, -1);
    }
}

// Runs the loop until the writer has found out by itself that it can write again.
static inline void wait_for_recovery(struct fixture *f)
{
    struct recovery r = {.f = f};
    loop_timer_init(&r.timer, f->loop, LOOP_REAL_TIME, recovery_look, &r);
    loop_expect(f->loop, 1);
    recovery_look(&r);
    loop_run(f->loop);
}

// What an accept answered, to be held against what is there in the end.
struct answered {
    struct {
        uint64_t event;
        int code;
    } all[512];
    size_t count;
};

// One keyless event with one delivery whose body has `body_bytes`.
static inline int accept_and_note(struct fixture *f, struct answered *n, size_t body_bytes)
{
    struct store_accept *a = make_accept(f, 1);
    struct store_delivery *d =
        add_delivery(f, add_run(f, &a->events[0], "x"), "https://a.example:443");
    char *body = zalloc(f, body_bytes);
    memset(body, 'x', body_bytes);
    d->body = (struct str){body, body_bytes};
    int code = do_accept(f, a);
    assert_true(n->count < COUNT_OF(n->all));
    n->all[n->count].event = a->events[0].id;
    n->all[n->count++].code = code;
    return code;
}

// Exactly what was acknowledged is there, and the count of what is owed says the same.
static inline void assert_as_answered(struct fixture *f, const struct answered *n)
{
    int64_t owed = 0;
    for (size_t i = 0; i < n->count; i++) {
        char key[ID_SHOWN_LEN + 1];
        id_show(key, ID_EVENT, n->all[i].event);
        struct store_event_row *row;
        int code = read_event_of(f, str_from(key), &row);
        int wanted = n->all[i].code == 0 ? 0 : ERR_NOT_FOUND;
        if (code != wanted) {
            fail_case(i, "answered %d, and a read gives %d", n->all[i].code, code);
        }
        owed += code == 0;
        if (code == 0) {
            assert_int_equal(row->run_count, 1);
            read_delivery_of(f, row->runs[0].delivery_ids[0]);
        }
    }
    assert_int_equal(store_owed_count(f->store), owed);
}

#endif
