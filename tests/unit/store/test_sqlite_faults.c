// What the SQLite backend does when a write fails: it acknowledges nothing that is not on disk,
// says what is wrong, and goes on by itself when the fault has gone.
#include "store/sqlite_harness.h"
#include "store/targets.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { BODY_BYTES = 20000 };

// --- a limit on the size of files
// --------------------------------------------------------------------

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void no_space_stops_acknowledging_until_there_is_some(void **state)
{
    struct fixture *f = *state;
    struct answered n = {.count = 0};
    signal(SIGXFSZ, SIG_IGN);
    fixture_open(f);
    for (int round = 0; round < 3; round++) {
        struct stat st;
        assert_int_equal(stat(path_in(f, "hookline.db-wal"), &st), 0);
        limit_files((rlim_t)st.st_size + (100 << 10));
        while (accept_and_note(f, &n, BODY_BYTES) == 0) {
        }
        assert_int_equal(n.all[n.count - 1].code, ERR_FULL);
        limit_files(1); // from here on not even a try of the writer itself goes well
        do {            // one that went well before is told once at most
            assert_int_equal(accept_and_note(f, &n, 100), ERR_FULL);
        } while (store_trouble(f->store) == NULL);
        assert_non_null(strstr(store_trouble(f->store), "free some space"));
        assert_int_equal(accept_and_note(f, &n, BODY_BYTES), ERR_FULL);
        struct store_event_row *row; // what is there can still be read
        assert_int_equal(read_event_of(f, STR("none"), &row), ERR_NOT_FOUND);
        limit_files(RLIM_INFINITY);
        wait_for_recovery(f);
        assert_int_equal(accept_and_note(f, &n, BODY_BYTES), 0);
    }
    assert_as_answered(f, &n);
    fixture_reopen(f);
    assert_as_answered(f, &n);
    fixture_close(f);
    assert_int_equal(
        query_integer(f,
                      "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"),
        0);
}

static void a_store_without_space_closes_and_opens_again(void **state)
{
    struct fixture *f = *state;
    struct answered n = {.count = 0};
    signal(SIGXFSZ, SIG_IGN);
    fixture_open(f);
    limit_files(256 << 10);
    while (accept_and_note(f, &n, BODY_BYTES) == 0) {
    }
    fixture_close(f);
    struct store_config c = fixture_config(f);
    struct err e;
    limit_files(4096);
    assert_int_equal(open_quick(&f->store, &c, &e), ERR_FULL);
    assert_non_null(strstr(e.text, "free some space"));
    limit_files(RLIM_INFINITY);
    fixture_open(f);
    assert_as_answered(f, &n);
}

// --- a small disk of our own
// ---------------------------------------------------------------------------

// In a child, since a mount of one's own is for a process: 0 for passed, 77 where it cannot be had.
static int small_disk_scenario(struct fixture *f)
{
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", f->dir, "tmpfs", 0, "size=1m,mode=0700") != 0) {
        return 77;
    }
    struct answered n = {.count = 0};
    fixture_open(f);
    const char *filler = path_in(f, "filler");
    for (int round = 0; round < 3; round++) {
        int fd = open(filler, O_WRONLY | O_CREAT, 0600);
        char zeros[4096] = {0};
        while (write(fd, zeros, sizeof zeros) > 0) {
        }
        close(fd);
        int code;
        do { // a try of the writer that went well before is told once at most
            code = accept_and_note(f, &n, BODY_BYTES);
        } while (code == 0 || store_trouble(f->store) == NULL);
        assert_int_equal(code, ERR_FULL);
        assert_true(store_free_bytes(f->store) < 65536);
        assert_int_equal(unlink(filler), 0);
        wait_for_recovery(f);
        assert_int_equal(accept_and_note(f, &n, 100), 0);
    }
    assert_as_answered(f, &n);
    fixture_reopen(f);
    assert_as_answered(f, &n);
    fixture_close(f);
    return 0;
}

static void a_full_disk_loses_nothing(void **state)
{
    struct fixture *f = *state;
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        _exit(small_disk_scenario(f));
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        print_message("a mount of one's own cannot be had here: not tried\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

// --- every single write and sync fails once
// ------------------------------------------------------------

// SQLite's own file functions with a counter before those that write. The file's memory stays
// SQLite's; only its table of functions is exchanged for a copy.
static struct {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    struct faulty_methods {
        sqlite3_io_methods methods; // first member
        const sqlite3_io_methods *real;
        atomic_llong least; // the first byte that was written since it was set
    } database, wal;
    atomic_int sync_faults;     // so many syncs fail
    atomic_long calls_to_fault; // below 0: none to come
    atomic_int faults;          // how many then
    atomic_int write_result;
} faulty;

static bool is_to_fail(void)
{
    if (atomic_load(&faulty.faults) <= 0 || atomic_fetch_sub(&faulty.calls_to_fault, 1) > 0) {
        return false;
    }
    return atomic_fetch_sub(&faulty.faults, 1) > 0;
}

static const sqlite3_io_methods *real_methods(const sqlite3_file *file)
{
    return ((const struct faulty_methods *)file->pMethods)->real;
}

static int faulty_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 offset)
{
    if (is_to_fail()) {
        return atomic_load(&faulty.write_result);
    }
    struct faulty_methods *m =
        file->pMethods == &faulty.wal.methods ? &faulty.wal : &faulty.database;
    if (offset < atomic_load(&m->least)) {
        atomic_store(&m->least, offset);
    }
    return real_methods(file)->xWrite(file, data, len, offset);
}

static int faulty_sync(sqlite3_file *file, int flags)
{
    bool fails = is_to_fail() || (atomic_load(&faulty.sync_faults) > 0 &&
                                  atomic_fetch_sub(&faulty.sync_faults, 1) > 0);
    return fails ? SQLITE_IOERR_FSYNC : real_methods(file)->xSync(file, flags);
}

static int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    (void)vfs;
    int rc = faulty.real->xOpen(faulty.real, name, file, flags, out);
    if (rc == SQLITE_OK && flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) {
        struct faulty_methods *m = flags & SQLITE_OPEN_WAL ? &faulty.wal : &faulty.database;
        m->real = file->pMethods;
        m->methods = *file->pMethods;
        m->methods.xWrite = faulty_write;
        m->methods.xSync = faulty_sync;
        file->pMethods = &m->methods;
    }
    return rc;
}

static void faulty_install(void)
{
    faulty.real = sqlite3_vfs_find(NULL);
    faulty.vfs = *faulty.real;
    faulty.vfs.zName = "faulty";
    faulty.vfs.xOpen = faulty_open;
    assert_int_equal(sqlite3_vfs_register(&faulty.vfs, 1), SQLITE_OK);
}

static void faulty_remove(void)
{
    sqlite3_vfs_unregister(&faulty.vfs);
    sqlite3_vfs_register(faulty.real, 1);
}

static int open_with_checkpoints(struct store **out, const struct store_config *c, struct err *e)
{
    struct sqlite_options o = SQLITE_OPTIONS_DEFAULT;
    o.probe_ms = 1;
    o.checkpoint_frames = 24; // so that they fail too
    return sqlite_store_open(out, c, &o, e);
}

static size_t run_with_fault(long at, int faults, int write_result)
{
    struct fixture f;
    fixture_init(&f, open_with_checkpoints);
    fixture_open(&f);
    struct answered n = {.count = 0};
    atomic_store(&faulty.write_result, write_result);
    atomic_store(&faulty.calls_to_fault, at);
    atomic_store(&faulty.faults, faults);
    size_t failed = 0;
    for (int i = 0; i < 8; i++) {
        int code = accept_and_note(&f, &n, i % 3 == 0 ? BODY_BYTES : 100);
        assert_true(code == 0 || code == ERR_IO || code == ERR_FULL);
        failed += code != 0;
    }
    atomic_store(&faulty.faults, 0);
    wait_for_recovery(&f);
    assert_int_equal(accept_and_note(&f, &n, 100), 0);
    assert_as_answered(&f, &n);
    fixture_reopen(&f);
    assert_as_answered(&f, &n);
    fixture_fini(&f);
    return failed;
}

static void every_write_may_fail(void **state)
{
    (void)state;
    static const int results[] = {SQLITE_FULL, SQLITE_IOERR_WRITE};
    faulty_install();
    size_t failed = 0;
    for (long at = 0; at < 120; at++) {
        failed += run_with_fault(at, 1 + (int)(at % 3), results[at % 2]);
    }
    faulty_remove();
    assert_in_range(failed, 60, 400); // the faults were where they hurt
}

// --- a sync that failed
// ---------------------------------------------------------------------------------------------

// The kernel takes what a failed sync did not write for written, so all of the file is written
// again before anything is acknowledged.
static void what_a_failed_sync_may_have_lost_is_written_again(void **state)
{
    (void)state;
    struct fixture f;
    struct answered n = {.count = 0};
    faulty_install();
    fixture_init(&f, open_quick);
    fixture_open(&f);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(accept_and_note(&f, &n, 100), 0);
    }
    atomic_store(&faulty.wal.least, INT64_MAX);
    assert_int_equal(accept_and_note(&f, &n, 100), 0);
    assert_true(atomic_load(&faulty.wal.least) > 0); // a commit is put behind the others
    atomic_store(&faulty.sync_faults, 1);
    assert_int_equal(accept_and_note(&f, &n, 100), ERR_IO);
    atomic_store(&faulty.wal.least, INT64_MAX);
    assert_int_equal(accept_and_note(&f, &n, 100), 0);
    assert_int_equal(atomic_load(&faulty.wal.least), 0);

    assert_as_answered(&f, &n);
    fixture_fini(&f);
    faulty_remove();
}

// --- a step that failed
// ---------------------------------------------------------------------------------------------

static void workflow_put_ignore(struct store_workflow_put *p)
{
    (void)p;
}

static void say_stop(struct fixture *f, struct str workflow, enum when_stopped owed)
{
    struct store_workflow_put p = {.row = {.id = workflow,
                                           .owed = owed,
                                           .owed_since_ms = f->now_ms,
                                           .owed_reason = STR("it is stopped")},
                                   .on_done = workflow_put_ignore,
                                   .code = 1};
    store_workflow_put(f->store, &p);
    loop_run(f->loop);
    assert_int_equal(p.code, 0);
}

static void workflow_step_ignore(struct store_workflow_step *q)
{
    (void)q;
}

static int step_stop(struct fixture *f, struct store_workflow_step *q)
{
    q->now_ms = f->now_ms;
    q->on_done = workflow_step_ignore;
    q->code = 1;
    store_workflow_step(f->store, q);
    loop_run(f->loop);
    return q->code;
}

static void let_one_write_fail(void)
{
    atomic_store(&faulty.write_result, SQLITE_IOERR_WRITE);
    atomic_store(&faulty.calls_to_fault, 0);
    atomic_store(&faulty.faults, 1);
}

// What a step held or released is undone where its commit fails: made again, it begins where it
// began, and not behind what it had been through.
static void a_step_whose_write_fails_is_made_again_from_where_it_began(void **state)
{
    (void)state;
    struct fixture f;
    const struct str target = STR("https://a.example:443");
    faulty_install();
    fixture_init(&f, open_quick);
    fixture_open(&f);
    uint64_t id = owe_one(&f, target.data, f.now_ms);
    struct str workflow = read_delivery_of(&f, id)->owed.workflow;

    struct store_pause_step pause = {.target = target}, resume = pause;
    say_pause(&f, target, true);
    assert_int_equal(step_pause(&f, &pause), 0);
    assert_int_equal(read_delivery_of(&f, id)->owed.state, DELIVERY_HELD);
    say_pause(&f, target, false);
    let_one_write_fail();
    assert_int_equal(step_pause(&f, &resume), ERR_IO);
    wait_for_recovery(&f);
    assert_int_equal(step_pause(&f, &resume), 0);
    assert_int_equal(read_delivery_of(&f, id)->owed.state, DELIVERY_PENDING);

    struct store_workflow_step stop = {.workflow = workflow}, start = stop;
    say_stop(&f, workflow, WHEN_STOPPED_HOLD);
    let_one_write_fail();
    assert_int_equal(step_stop(&f, &stop), ERR_IO);
    wait_for_recovery(&f);
    assert_int_equal(step_stop(&f, &stop), 0);
    assert_int_equal(read_delivery_of(&f, id)->owed.state, DELIVERY_HELD);
    say_stop(&f, workflow, WHEN_STOPPED_FINISH);
    let_one_write_fail();
    assert_int_equal(step_stop(&f, &start), ERR_IO);
    wait_for_recovery(&f);
    assert_int_equal(step_stop(&f, &start), 0);
    assert_int_equal(read_delivery_of(&f, id)->owed.state, DELIVERY_PENDING);
    fixture_fini(&f);
    faulty_remove();
}

// An attempt that fails while its target is being paused leaves its delivery held, as the pause has
// it: also where that could not be stored at once, since then it has to be let go by the resume.
static void what_a_failed_attempt_leaves_held_is_let_go_later(void **state)
{
    (void)state;
    struct fixture f;
    const struct str target = STR("https://a.example:443");
    faulty_install();
    fixture_init(&f, open_quick);
    fixture_open(&f);
    uint64_t id = owe_one(&f, target.data, f.now_ms);
    struct store_pause_step pause = {.target = target}, resume = pause;
    say_pause(&f, target, true);
    assert_int_equal(step_pause(&f, &pause), 0);

    struct store_finish failed = {.delivery = id,
                                  .state = DELIVERY_RETRYING,
                                  .due_at_ms = f.now_ms + 15000,
                                  .base_ms = f.now_ms,
                                  .attempt = {.number = 1, .at_ms = f.now_ms}};
    let_one_write_fail();
    assert_int_equal(do_finish(&f, &failed), ERR_IO);
    assert_int_equal(failed.state, DELIVERY_RETRYING);
    wait_for_recovery(&f);
    assert_int_equal(do_finish(&f, &failed), 0);
    assert_int_equal(failed.state, DELIVERY_HELD);
    assert_int_equal(read_delivery_of(&f, id)->owed.state, DELIVERY_HELD);
    assert_int_equal(read_delivery_of(&f, id)->owed.attempt_count, 1);

    say_pause(&f, target, false);
    assert_int_equal(step_pause(&f, &resume), 0);
    assert_int_equal(read_delivery_of(&f, id)->owed.state, DELIVERY_RETRYING);
    fixture_fini(&f);
    faulty_remove();
}

// --- a lock of somebody else
// -----------------------------------------------------------------------------

static void a_locked_database_is_waited_for(void **state)
{
    struct fixture *f = *state;
    struct answered n = {.count = 0};
    fixture_open(f);
    assert_int_equal(accept_and_note(f, &n, 100), 0);
    sqlite3 *other = connect_other(f);
    other_exec(other, "BEGIN IMMEDIATE");
    assert_int_equal(accept_and_note(f, &n, 100), ERR_IO);
    assert_non_null(strstr(store_trouble(f->store), "locked by another program"));
    struct store_finish end = {.delivery = 1, .state = DELIVERY_DELIVERED};
    assert_int_equal(do_finish(f, &end), ERR_IO);
    // To look is allowed meanwhile, and says nothing of the next write.
    struct store_due_target t = {
        .target = STR("https://a.example:443"), .shards = ALL_SHARDS, .quota = 9};
    struct store_due d = do_due(f, &t, 1, f->now_ms);
    assert_int_equal(d.code, 0);
    assert_int_equal(d.owed_count, 1);
    assert_non_null(store_trouble(f->store));
    other_exec(other, "COMMIT");
    sqlite3_close(other);
    wait_for_recovery(f);
    assert_int_equal(accept_and_note(f, &n, 100), 0);
    assert_as_answered(f, &n);
}

// --- damage under a running host
// --------------------------------------------------------------------

// Overwrites every leaf page of the table of events.
static void damage_events(struct fixture *f)
{
    sqlite3 *db = connect_other(f);
    sqlite3_stmt *s;
    int fd = open(path_in(f, "hookline.db"), O_WRONLY);
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT pgoffset FROM dbstat WHERE name = 'event'"
                                        " AND pagetype = 'leaf'",
                                        -1, &s, NULL),
                     SQLITE_OK);
    char junk[4096];
    memset(junk, 'Z', sizeof junk);
    int pages = 0;
    while (sqlite3_step(s) == SQLITE_ROW) {
        assert_int_equal(pwrite(fd, junk, sizeof junk, sqlite3_column_int64(s, 0)), sizeof junk);
        pages++;
    }
    assert_true(pages > 3);
    sqlite3_finalize(s);
    sqlite3_close(db);
    close(fd);
}

static void a_damaged_page_stops_the_writing(void **state)
{
    struct fixture *f = *state;
    struct answered n = {.count = 0};
    fixture_open(f);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(accept_and_note(f, &n, 100), 0);
    }
    fixture_reopen(f); // neither connection has the pages in memory
    damage_events(f);
    char key[ID_SHOWN_LEN + 1];
    id_show(key, ID_EVENT, n.all[50].event);
    struct store_event_row *row;
    assert_int_equal(read_event_of(f, str_from(key), &row), ERR_CORRUPT);
    struct store_read r = {.kind = STORE_READ_EVENTS, .limit = 10};
    assert_int_equal(do_read(f, &r), ERR_CORRUPT);
    struct store_due_target t = {
        .target = STR("https://a.example:443"), .shards = ALL_SHARDS, .quota = 9};
    assert_int_equal(do_due(f, &t, 1, f->now_ms).code, ERR_CORRUPT);
    // The page that the next event would go to is whole, but nobody knows what else is not.
    assert_int_equal(accept_and_note(f, &n, 100), ERR_CORRUPT);
    assert_non_null(strstr(store_trouble(f->store), "is damaged"));
    assert_int_equal(set_state(f, 1, DELIVERY_DELIVERED, 0), ERR_CORRUPT);
}

#define FAULT_TEST(name) cmocka_unit_test_setup_teardown(name, sqlite_setup, sqlite_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAULT_TEST(no_space_stops_acknowledging_until_there_is_some),
        FAULT_TEST(a_store_without_space_closes_and_opens_again),
        FAULT_TEST(a_full_disk_loses_nothing),
        cmocka_unit_test(every_write_may_fail),
        cmocka_unit_test(what_a_failed_sync_may_have_lost_is_written_again),
        cmocka_unit_test(a_step_whose_write_fails_is_made_again_from_where_it_began),
        cmocka_unit_test(what_a_failed_attempt_leaves_held_is_let_go_later),
        FAULT_TEST(a_locked_database_is_waited_for),
        FAULT_TEST(a_damaged_page_stops_the_writing),
    };
    return cmocka_run_group_tests_name("store, SQLite: faults", tests, NULL, NULL);
}
