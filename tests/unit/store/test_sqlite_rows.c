// How the SQLite backend lays out its rows, and that no statement walks a table where an index is
// meant.
#include "store/retain_round.h"
#include "store/sqlite_harness.h"

#include <sys/stat.h>

// The statements that may walk what they read, each with its reason.
static bool may_scan(const char *sql)
{
    return strstr(sql, "UPDATE host") ||                    // one row
           strstr(sql, "FROM slot") ||                      // all of it, at the start
           strstr(sql, "FROM workflow ORDER BY id") ||      // for the start: those that
           strstr(sql, "EXISTS (SELECT 1 FROM workflow") || // something is said of
           strstr(sql, "FROM notice ORDER BY topic") ||     // for the start
           strstr(sql, "EXISTS (SELECT 1 FROM target") ||   // of the same index
           strstr(sql, "FROM target WHERE pause <> 0") ||   // for the start; a partial index
           strstr(sql, "FROM token WHERE revoked_at_ms = 0 ORDER") || // for the start
           strstr(sql, "AS MATERIALIZED (SELECT target") || // a page of targets: what is held
           strstr(sql, "FROM generation WHERE at_ms") ||    // its end alone
           strstr(sql, "FROM generation_file WHERE generation <="); // the changes up to one
}

static void assert_no_scan(sqlite3 *db, const char *sql)
{
    char explain[2048];
    snprintf(explain, sizeof explain, "EXPLAIN QUERY PLAN %s", sql);
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_prepare_v2(db, explain, -1, &s, NULL), SQLITE_OK);
    while (sqlite3_step(s) == SQLITE_ROW) {
        const char *detail = (const char *)sqlite3_column_text(s, 3);
        bool is_table = strncmp(detail, "SCAN (subquery", 14) != 0; // else a page of ids
        bool is_dear =
            (strncmp(detail, "SCAN", 4) == 0 && is_table) || strstr(detail, "TEMP B-TREE");
        if (is_dear && !may_scan(sql)) {
            fail_msg("%s: %s", detail, sql);
        }
    }
    sqlite3_finalize(s);
}

static void no_statement_walks_a_table(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    fixture_close(f);
    sqlite3 *db = connect_other(f);
    assert_int_equal(counts_function(db, NULL), SQLITE_OK);
    for (size_t i = 0; i < WRITE_STATEMENT_COUNT; i++) {
        assert_no_scan(db, WRITE_STATEMENTS[i]);
    }
    for (size_t i = 0; i < READ_STATEMENT_COUNT; i++) {
        assert_no_scan(db, READ_STATEMENTS[i]);
    }
    sqlite3_close(db);
}

static void an_ordinary_event_is_two_rows_and_a_pointer(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    uint64_t id = owe_one(f, "https://a.example:443", f->now_ms);
    struct store_finish end = {
        .delivery = id, .state = DELIVERY_DELIVERED, .attempt = {.number = 1, .status = 200}};
    assert_int_equal(do_finish(f, &end), 0);
    fixture_close(f);
    static const struct {
        const char *table;
        int64_t rows;
    } cases[] = {{"event", 1},      {"delivery", 1}, {"record", 1},     {"target", 1},
                 {"attempt", 0},    {"odd_run", 0},  {"large_body", 0}, {"mark", 0},
                 {"generation", 0}, {"rule_text", 0}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char sql[64];
        snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", cases[i].table);
        int64_t rows = query_integer(f, sql);
        if (rows != cases[i].rows) {
            fail_case(i, "%lld rows in %s", (long long)rows, cases[i].table);
        }
    }
    // A delivery that is no longer owed is in no index.
    static const char *const indexes[] = {"delivery_due", "delivery_state", "event_key"};
    for (size_t i = 0; i < COUNT_OF(indexes); i++) {
        char sql[96];
        snprintf(sql, sizeof sql, "SELECT sum(ncell) FROM dbstat WHERE name = '%s'", indexes[i]);
        assert_int_equal(query_integer(f, sql), 0);
    }
}

static void generation_ignore(struct store_generation *g)
{
    (void)g;
}

static void texts_are_shared_by_generations(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    struct store_file files[] = {
        {STR("a.lua"), STR("one")}, {STR("b.lua"), STR("two")}, {STR("c.lua"), STR("one")}};
    for (uint64_t id = 1; id <= 3; id++) {
        files[1].text = id == 3 ? STR("three") : files[1].text;
        struct store_generation g = {
            .id = id, .files = files, .file_count = 3, .on_done = generation_ignore};
        store_generation_put(f->store, &g);
        loop_run(f->loop);
        assert_int_equal(g.code, 0);
    }
    fixture_close(f);
    assert_int_equal(query_integer(f, "SELECT count(*) FROM rule_text"), 3);
    assert_int_equal(query_integer(f, "SELECT count(*) FROM generation_file"), 9);
}

static int open_with_checkpoints(struct store **out, const struct store_config *c, struct err *e)
{
    struct sqlite_options o = SQLITE_OPTIONS_DEFAULT;
    o.checkpoint_frames = 100;
    return sqlite_store_open(out, c, &o, e);
}

static void the_wal_does_not_grow_for_ever(void **state)
{
    struct fixture *f = *state;
    f->open_backend = open_with_checkpoints;
    fixture_open(f);
    for (int i = 0; i < 500; i++) {
        owe_one(f, "https://a.example:443", f->now_ms);
    }
    struct stat st;
    assert_int_equal(stat(path_in(f, "hookline.db-wal"), &st), 0);
    assert_in_range(st.st_size, 1, 200 * 4200);
}

// Many targets go through the bounded cache of the writer, and a rolled back one leaves no number
// behind.
static void targets_beyond_the_cache_keep_their_numbers(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    enum { MANY = 5000 };
    char(*targets)[40] = zalloc(f, MANY * sizeof *targets);
    struct store_accept *a = make_accept(f, MANY);
    for (size_t i = 0; i < MANY; i++) {
        snprintf(targets[i], sizeof targets[i], "https://t%zu.example:443", i);
        add_delivery(f, add_run(f, &a->events[i], "x"), targets[i]);
        a->events[i].key = str_from(targets[i]);
    }
    a->events[MANY - 1].key = a->events[0].key;
    a->events[MANY - 1].digest = 2;
    assert_int_equal(do_accept(f, a), ERR_CONFLICT);
    owe_one(f, targets[3000], f->now_ms);
    a->events[MANY - 1].key = str_from(targets[MANY - 1]);
    assert_int_equal(do_accept(f, a), 0);
    for (size_t i = 0; i < MANY; i += 333) {
        struct store_due_target t = {
            .target = str_from(targets[i]), .shards = ALL_SHARDS, .quota = 9};
        struct store_due d = do_due(f, &t, 1, f->now_ms);
        assert_int_equal(d.owed_count, 1);
        assert_true(d.owed[0].id == a->events[i].runs[0].deliveries[0].id);
        assert_str(read_delivery_of(f, d.owed[0].id)->owed.target, t.target);
    }
}

static int64_t database_bytes(struct fixture *f)
{
    char path[128];
    struct stat st;
    snprintf(path, sizeof path, "%s/hookline.db", f->dir);
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

static void the_file_shrinks_when_retention_has_emptied_it(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    retain_fill(f);
    fixture_reopen(f);
    assert_true(database_bytes(f) > 40000000);
    f->now_ms += 31 * (int64_t)RETAIN_DAY_MS;
    retain_round(f, retain_days(f, 30, 30, 30), NULL);
    fixture_close(f); // which puts the WAL into the file
    assert_true(database_bytes(f) < 4000000);
    fixture_open(f);
    retain_event(f, "1", "crm-1");
}

#define ROW_TEST(name) cmocka_unit_test_setup_teardown(name, sqlite_setup, sqlite_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW_TEST(no_statement_walks_a_table),
        ROW_TEST(an_ordinary_event_is_two_rows_and_a_pointer),
        ROW_TEST(texts_are_shared_by_generations),
        ROW_TEST(the_wal_does_not_grow_for_ever),
        ROW_TEST(targets_beyond_the_cache_keep_their_numbers),
        ROW_TEST(the_file_shrinks_when_retention_has_emptied_it),
    };
    return cmocka_run_group_tests_name("store, SQLite: rows", tests, NULL, NULL);
}
