// How the SQLite backend opens a folder: what it makes, what it migrates, what it refuses and in
// which words.
#include "store/schema_1.h"
#include "store/sqlite_harness.h"
#include "store/tokens_harness.h"

#include <sys/stat.h>
#include <sys/wait.h>

static int open_with(struct fixture *f, const struct schema *schema, struct err *e)
{
    struct sqlite_options o = SQLITE_OPTIONS_DEFAULT;
    o.schema = schema ? schema : o.schema;
    struct store_config c = fixture_config(f);
    return sqlite_store_open(&f->store, &c, &o, e);
}

static void assert_refused(struct fixture *f, const struct schema *schema, int code,
                           const char *words)
{
    struct err e;
    assert_int_equal(open_with(f, schema, &e), code);
    assert_null(f->store);
    if (!strstr(e.text, words)) {
        fail_msg("\"%s\" has not \"%s\"", e.text, words);
    }
}

static void overwrite(const char *path, long offset, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    char junk[4096];
    memset(junk, 'Z', sizeof junk);
    for (size_t done = 0; done < len; done += sizeof junk) {
        assert_int_equal(pwrite(fd, junk, sizeof junk, offset + (long)done), sizeof junk);
    }
    close(fd);
}

static void a_new_folder_is_made_for_its_owner_alone(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(rmdir(f->dir), 0);
    fixture_open(f);
    struct stat st;
    assert_int_equal(stat(f->dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    owe_one(f, "https://a.example:443", f->now_ms);
    static const char *const names[] = {"hookline.db", "hookline.db-wal", "hookline.db-shm",
                                        "lock"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_int_equal(stat(path_in(f, names[i]), &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    fixture_close(f);
    static const struct {
        const char *sql;
        int64_t wanted;
    } cases[] = {
        {"PRAGMA auto_vacuum", 2},
        {"PRAGMA application_id", SCHEMA_APPLICATION_ID},
        {"PRAGMA user_version", STORE_SCHEMA_VERSION},
        {"SELECT journal_mode = 'wal' FROM pragma_journal_mode", 1},
        {"SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'", 1},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t n = query_integer(f, cases[i].sql);
        if (n != cases[i].wanted) {
            fail_case(i, "%s: %lld", cases[i].sql, (long long)n);
        }
    }
}

static void the_writer_syncs_each_commit(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    sqlite3_stmt *s;
    static const struct {
        const char *sql;
        int wanted;
    } cases[] = {
        {"PRAGMA synchronous", 2}, {"PRAGMA wal_autocheckpoint", 0}, {"PRAGMA mmap_size", 0}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) { // the writer waits, so its connection is free
        assert_int_equal(sqlite3_prepare_v2(f->store->writer.db, cases[i].sql, -1, &s, NULL),
                         SQLITE_OK);
        assert_int_equal(sqlite3_step(s), SQLITE_ROW);
        assert_int_equal(sqlite3_column_int(s, 0), cases[i].wanted);
        sqlite3_finalize(s);
    }
}

static void a_second_opener_is_refused(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    struct store *first = f->store;
    f->store = NULL;
    char pid[32];
    snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    assert_refused(f, NULL, ERR_BUSY, pid);
    assert_refused(f, NULL, ERR_BUSY, f->dir);
    f->store = first;
    fixture_reopen(f);
}

static void a_newer_schema_is_refused(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    owe_one(f, "https://a.example:443", f->now_ms);
    fixture_close(f);
    exec_closed(f, "PRAGMA user_version = 99");
    assert_refused(f, NULL, ERR_VERSION, "newer hookline (schema 99, this one knows 6)");
    assert_int_equal(query_integer(f, "SELECT epoch FROM host"), 1); // it was left alone
    exec_closed(f, "PRAGMA user_version = 6");
    fixture_open(f);
    assert_int_equal(store_owed_count(f->store), 1);
}

#define BACK_TO_5 "ALTER TABLE target DROP COLUMN failing_since_ms; PRAGMA user_version = 5;"
#define BACK_TO_4                                                                                  \
    BACK_TO_5 "DROP INDEX delivery_end; ALTER TABLE delivery DROP COLUMN window_ms;"               \
              "ALTER TABLE target DROP COLUMN last_error; PRAGMA user_version = 4;"
#define BACK_TO_3 BACK_TO_4 "DROP TABLE token; PRAGMA user_version = 3;"
#define BACK_TO_2                                                                                  \
    BACK_TO_3                                                                                      \
    "DROP INDEX delivery_delayed; ALTER TABLE delivery DROP COLUMN delayed;"                       \
    "ALTER TABLE host DROP COLUMN running_ms; ALTER TABLE host DROP COLUMN wall_ms;"               \
    "ALTER TABLE host DROP COLUMN down_ms; ALTER TABLE host DROP COLUMN paused_at_ms;"             \
    "ALTER TABLE host DROP COLUMN paused_by;"                                                      \
    "ALTER TABLE target DROP COLUMN held_up_ms; PRAGMA user_version = 2;"

// As the first schema had it.
static const char BACK_TO_1[] =
    BACK_TO_2 "DROP TABLE generation_base;"
              "ALTER TABLE event DROP COLUMN base;"
              "DROP TABLE workflow; DROP TABLE notice; DROP TABLE audit;"
              "ALTER TABLE delivery DROP COLUMN recheck;"
              "DROP INDEX delivery_order;"
              "ALTER TABLE delivery DROP COLUMN waits;"
              "DROP TABLE slot;"
              "DROP INDEX target_pause;"
              "ALTER TABLE target DROP COLUMN pause;"
              "ALTER TABLE target DROP COLUMN paused_at_ms;"
              "PRAGMA user_version = 1;";

// A generation had all its files, not those alone that changed.
static const char GENERATIONS_OF_1[] =
    "INSERT INTO rule_text VALUES (1, 1, x'6f6e65'), (2, 2, x'74776f');"
    "INSERT INTO generation VALUES (1, 10), (2, 20), (3, 30);"
    "INSERT INTO generation_file VALUES (1, 'a.lua', 1), (1, 'b.lua', 1), (2, 'b.lua', 1),"
    " (3, 'b.lua', 2), (3, 'c.lua', 1);";

static void generation_ignore(struct store_generation *g)
{
    (void)g;
}

static void assert_generation(struct fixture *f, uint64_t id, const char *wanted)
{
    char got[128] = "";
    struct store_generation g = {.id = id, .arena = &f->arena, .on_done = generation_ignore};
    store_generation_get(f->store, &g);
    loop_run(f->loop);
    for (size_t i = 0; i < g.file_count; i++) {
        snprintf(got + strlen(got), sizeof got - strlen(got), STR_FMT " " STR_FMT ";",
                 STR_ARG(g.files[i].path), STR_ARG(g.files[i].text));
    }
    assert_string_equal(got, wanted);
}

static void a_file_of_the_first_schema_goes_on(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    uint64_t id = owe_one(f, "https://a.example:443", f->now_ms);
    fixture_close(f);
    int64_t tables = query_integer(f, "SELECT count(*) FROM sqlite_schema");
    exec_closed(f, BACK_TO_1);
    exec_closed(f, GENERATIONS_OF_1);
    fixture_open(f);
    assert_generation(f, 1, "a.lua one;b.lua one;");
    assert_generation(f, 2, "b.lua one;");
    assert_generation(f, 3, "b.lua two;c.lua one;");
    assert_int_equal(store_owed_count(f->store), 1);
    assert_int_equal(read_delivery_of(f, id)->owed.state, DELIVERY_PENDING);
    owe_one(f, "https://a.example:443", f->now_ms);
    fixture_close(f);
    assert_int_equal(query_integer(f, "PRAGMA user_version"), STORE_SCHEMA_VERSION);
    assert_int_equal(query_integer(f, "SELECT count(*) FROM sqlite_schema"), tables);
    struct store_slot slot = {
        .workflow = STR("w"), .schedule = STR("daily"), .last_record = STR("")};
    fixture_open(f);
    assert_int_equal(put_slots(f, &slot, 1), 0);
    assert_int_equal(get_slots(f).count, 1);
    fixture_close(f);
}

// What an older version owes is delivered by this one.
static void a_file_of_schema_1_goes_on_to_work(void **state)
{
    struct fixture *f = *state;
    exec_closed(f, SCHEMA_1);
    fixture_open(f);
    assert_int_equal(query_integer(f, "PRAGMA user_version"), STORE_SCHEMA_VERSION);
    assert_int_equal(store_owed_count(f->store), 1);
    struct store_event_row *ev;
    assert_int_equal(read_event_of(f, STR("crm-1"), &ev), 0);
    assert_true(ev->run_count == 1 && ev->runs[0].delivery_ids[0] == 10);
    struct store_due_target t = {
        .target = STR("https://a.example:443"), .shards = ALL_SHARDS, .quota = 9};
    struct store_due d = do_due(f, &t, 1, f->now_ms);
    assert_int_equal(d.owed_count, 1);
    assert_true(d.owed[0].id == 10 && !d.owed[0].wants_recheck);
    assert_int_equal(set_state(f, 10, DELIVERY_DELIVERED, 0), 0);
    owe_one(f, "https://a.example:443", f->now_ms);
    fixture_reopen(f);
    assert_int_equal(store_owed_count(f->store), 1);
}

// Due times were wall times: they stand as they stood when the older version was last at work.
static void a_file_of_schema_2_has_its_times_stand(void **state)
{
    struct fixture *f = *state;
    const int64_t day_ms = 24 * 60 * 60 * 1000;
    fixture_open(f);
    uint64_t id = owe_one(f, "https://a.example:443", f->now_ms + day_ms);
    struct store_finish failed = {.delivery = id,
                                  .state = DELIVERY_RETRYING,
                                  .due_at_ms = f->now_ms + day_ms,
                                  .base_ms = f->now_ms,
                                  .attempt = {.number = 1, .at_ms = f->now_ms + 7}};
    assert_int_equal(do_finish(f, &failed), 0);
    fixture_close(f);
    exec_closed(f, BACK_TO_2);
    clock_init_test(&f->clock); // days behind what is stored
    fixture_open(f);
    assert_int_equal(clock_running_ms(&f->clock), f->now_ms + 7);
    assert_int_equal(read_delivery_of(f, id)->owed.due_at_ms, f->now_ms + day_ms);
    fixture_close(f);

    // Nothing is due earlier where the clock was ahead then.
    exec_closed(f, BACK_TO_2);
    exec_closed(f, "UPDATE delivery SET at_ms = 4000000000000");
    clock_init_test(&f->clock);
    fixture_open(f);
    int64_t off_ms = clock_running_ms(&f->clock) - clock_wall_ms(&f->clock);
    assert_true(off_ms > -60 * 1000 && off_ms < 60 * 1000);
}

// It has no tokens, and takes some.
static void a_file_of_schema_3_takes_tokens(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    owe_one(f, "https://a.example:443", f->now_ms);
    fixture_close(f);
    exec_closed(f, BACK_TO_3);
    fixture_open(f);
    assert_int_equal(all_tokens(f).count, 0);
    assert_int_equal(put_token(f, next_id(f), "crm", STORE_ROLE_INGEST), 0);
    fixture_reopen(f);
    assert_int_equal(all_tokens(f).count, 1);
    assert_int_equal(store_owed_count(f->store), 1);
    fixture_close(f);
    assert_int_equal(query_integer(f, "PRAGMA user_version"), STORE_SCHEMA_VERSION);
}

static const struct schema_step STEPS[] = {
    {STORE_SCHEMA_VERSION,
     "ALTER TABLE event ADD COLUMN note TEXT; UPDATE event SET note = 'was ' || type;"},
    {STORE_SCHEMA_VERSION + 1,
     "CREATE TABLE later (id INTEGER PRIMARY KEY); INSERT INTO later VALUES (5);"},
};

static void an_older_schema_is_migrated(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    uint64_t id = owe_one(f, "https://a.example:443", f->now_ms);
    fixture_close(f);
    struct schema newest = {
        .version = STORE_SCHEMA_VERSION + 2, .create_sql = "", .steps = STEPS, .step_count = 2};
    for (int round = 0; round < 2; round++) {
        struct err e;
        if (open_with(f, &newest, &e) != 0) {
            fail_msg("%s", e.text);
        }
        assert_int_equal(read_delivery_of(f, id)->owed.state, DELIVERY_PENDING);
        owe_one(f, "https://a.example:443", f->now_ms);
        fixture_close(f);
    }
    assert_int_equal(query_integer(f, "PRAGMA user_version"), STORE_SCHEMA_VERSION + 2);
    assert_int_equal(query_integer(f, "SELECT id FROM later"), 5);
    assert_int_equal(query_integer(f, "SELECT count(*) FROM event WHERE note = 'was deal.updated'"),
                     1);
    assert_refused(f, NULL, ERR_VERSION, "schema 8");
}

static void a_migration_that_fails_changes_nothing(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    uint64_t id = owe_one(f, "https://a.example:443", f->now_ms);
    fixture_close(f);
    static const struct schema_step broken[] = {
        {STORE_SCHEMA_VERSION,
         "ALTER TABLE event ADD COLUMN note TEXT; DELETE FROM delivery; INSERT INTO nowhere "
         "VALUES (1);"},
    };
    struct schema newest = {
        .version = STORE_SCHEMA_VERSION + 1, .create_sql = "", .steps = broken, .step_count = 1};
    assert_refused(f, &newest, ERR_IO, "schema 6 to 7");
    struct schema gap = {
        .version = STORE_SCHEMA_VERSION + 2, .create_sql = "", .steps = STEPS + 1, .step_count = 1};
    assert_refused(f, &gap, ERR_VERSION, "no way from there to 8");
    fixture_open(f);
    assert_int_equal(read_delivery_of(f, id)->owed.state, DELIVERY_PENDING);
    fixture_close(f);
    assert_int_equal(query_integer(f, "PRAGMA user_version"), STORE_SCHEMA_VERSION);
}

static void a_damaged_file_is_refused(void **state)
{
    struct fixture *f = *state;
    overwrite(path_in(f, "hookline.db"), 0, 40960);
    assert_refused(f, NULL, ERR_CORRUPT, "restore the file from a backup");
    assert_int_equal(unlink(path_in(f, "hookline.db")), 0);

    // The header and the schema are whole, the tables are not.
    fixture_open(f);
    owe_one(f, "https://a.example:443", f->now_ms);
    fixture_close(f);
    struct stat st;
    assert_int_equal(stat(path_in(f, "hookline.db"), &st), 0);
    assert_in_range(st.st_size, 16384, 1 << 20);
    assert_int_equal(access(path_in(f, "hookline.db-wal"), F_OK), -1); // it was put in
    overwrite(path_in(f, "hookline.db"), 8192, (size_t)st.st_size - 8192);
    assert_refused(f, NULL, ERR_CORRUPT, "hookline.db is damaged");
}

static void the_database_of_another_program_is_refused(void **state)
{
    struct fixture *f = *state;
    exec_closed(f,
                "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1); PRAGMA user_version = 1;");
    assert_refused(f, NULL, ERR_CORRUPT, "not hookline's");
    assert_int_equal(query_integer(f, "SELECT count(*) FROM sqlite_schema"), 1);
}

static void a_folder_that_cannot_be_used_is_refused(void **state)
{
    struct fixture *f = *state;
    char whole[sizeof f->dir];
    snprintf(whole, sizeof whole, "%s", f->dir);
    snprintf(f->dir, sizeof f->dir, "%.40s/no/such", whole);
    assert_refused(f, NULL, ERR_IO, "No such file or directory");
    int fd = open("/dev/null", O_RDONLY);
    close(fd);
    snprintf(f->dir, sizeof f->dir, "/dev/null");
    assert_refused(f, NULL, ERR_IO, "Not a directory");
    snprintf(f->dir, sizeof f->dir, "%s", whole);
}

static void a_database_that_is_locked_is_refused(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    fixture_close(f);
    sqlite3 *other = connect_other(f);
    other_exec(other, "BEGIN IMMEDIATE");
    struct store_config c = fixture_config(f);
    struct err e;
    assert_int_equal(open_quick(&f->store, &c, &e), ERR_IO);
    assert_non_null(strstr(e.text, "locked by another program"));
    sqlite3_close(other);
    fixture_open(f);
}

// What a killed host had acknowledged is there, and its lock is not in the way.
struct child {
    struct fixture *f;
    int pipe;
};

static void child_accept(struct child *c);

static void child_accepted(struct store_accept *a)
{
    struct child *c = a->ctx;
    if (a->code != 0 || write(c->pipe, &a->events[0].id, sizeof(uint64_t)) != sizeof(uint64_t)) {
        _exit(1);
    }
    child_accept(c);
}

static void child_accept(struct child *c)
{
    struct store_accept *a = make_accept(c->f, 1);
    add_delivery(c->f, add_run(c->f, &a->events[0], "x"), "https://a.example:443");
    a->on_done = child_accepted;
    a->ctx = c;
    store_accept(c->f->store, a);
}

static void a_killed_host_loses_nothing(void **state)
{
    struct fixture *f = *state;
    enum { ACKNOWLEDGED = 200, IN_FLIGHT = 8 };
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct child c = {.f = f, .pipe = ends[1]};
        fixture_open(f);
        for (int i = 0; i < IN_FLIGHT; i++) {
            child_accept(&c);
        }
        loop_run(f->loop);
        _exit(1);
    }
    close(ends[1]);
    uint64_t ids[ACKNOWLEDGED];
    for (size_t i = 0; i < ACKNOWLEDGED; i++) {
        assert_int_equal(read(ends[0], &ids[i], sizeof ids[i]), sizeof ids[i]);
    }
    kill(pid, SIGKILL);
    int status;
    assert_true(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
    close(ends[0]);

    fixture_open(f);
    assert_true(store_epoch(f->store) == 2);
    assert_true(store_owed_count(f->store) >= ACKNOWLEDGED);
    for (size_t i = 0; i < ACKNOWLEDGED; i++) {
        char key[ID_SHOWN_LEN + 1];
        id_show(key, ID_EVENT, ids[i]);
        struct store_event_row *row;
        assert_int_equal(read_event_of(f, str_from(key), &row), 0);
        assert_true(row->id <= store_last_id(f->store));
    }
    int64_t owed = store_owed_count(f->store);
    fixture_close(f);
    assert_int_equal(query_integer(f, "SELECT count(*) FROM delivery"), owed);
}

#define OPEN_TEST(name) cmocka_unit_test_setup_teardown(name, sqlite_setup, sqlite_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPEN_TEST(a_new_folder_is_made_for_its_owner_alone),
        OPEN_TEST(the_writer_syncs_each_commit),
        OPEN_TEST(a_second_opener_is_refused),
        OPEN_TEST(a_newer_schema_is_refused),
        OPEN_TEST(a_file_of_the_first_schema_goes_on),
        OPEN_TEST(a_file_of_schema_1_goes_on_to_work),
        OPEN_TEST(a_file_of_schema_2_has_its_times_stand),
        OPEN_TEST(a_file_of_schema_3_takes_tokens),
        OPEN_TEST(an_older_schema_is_migrated),
        OPEN_TEST(a_migration_that_fails_changes_nothing),
        OPEN_TEST(a_damaged_file_is_refused),
        OPEN_TEST(the_database_of_another_program_is_refused),
        OPEN_TEST(a_folder_that_cannot_be_used_is_refused),
        OPEN_TEST(a_database_that_is_locked_is_refused),
        OPEN_TEST(a_killed_host_loses_nothing),
    };
    return cmocka_run_group_tests_name("store, SQLite: open", tests, NULL, NULL);
}
