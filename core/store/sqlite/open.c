// The start of the SQLite backend: the folder and its lock, the database, its schema, the new
// epoch.
#include "store/sqlite/internal.h"

#include "base/file.h"
#include "store/sqlite/database.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RUNS_MAX_BYTES = 64 << 20, SCRATCH_MAX_BYTES = 16 << 20 };

const struct sqlite_options SQLITE_OPTIONS_DEFAULT = {.busy_ms = 1000,
                                                      .probe_ms = 250,
                                                      .probe_free_bytes = 4 << 20,
                                                      .checkpoint_frames = 4000,
                                                      .schema = &SCHEMA};

// auto_vacuum has an effect before the first table alone. No mmap: an I/O error of a mapped file is
// a signal that ends the host, not a code. Neither are deleted rows overwritten with zeros
// (Debian's default), nor foreign keys looked at: there are none.
static const char WRITER_PRAGMAS[] = "PRAGMA page_size = 4096;"
                                     "PRAGMA auto_vacuum = INCREMENTAL;"
                                     "PRAGMA journal_mode = WAL;"
                                     "PRAGMA synchronous = FULL;"
                                     "PRAGMA wal_autocheckpoint = 0;"
                                     "PRAGMA journal_size_limit = 67108864;"
                                     "PRAGMA cache_size = -10240;"
                                     "PRAGMA temp_store = MEMORY;"
                                     "PRAGMA secure_delete = OFF;"
                                     "PRAGMA foreign_keys = OFF;";
static const char READER_PRAGMAS[] = "PRAGMA query_only = ON;"
                                     "PRAGMA cache_size = -2048;"
                                     "PRAGMA temp_store = MEMORY;";

static int make_folder(const char *dir, struct err *e)
{
    if (mkdir(dir, 0700) != 0) {
        return errno == EEXIST ? 0 : fault_of_path(e, "make the data folder", dir);
    }
    char *parent = database_path(dir, "..");
    int rc = parent ? file_sync_folder(parent, e) : err_set(e, ERR_NOMEM, "out of memory");
    free(parent);
    return rc;
}

// Made here, so that the mode is ours; SQLite gives the same to the files beside it.
static int make_database(struct store *s, struct err *e)
{
    int fd = open(s->db_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fault_of_path(e, "open", s->db_path);
    }
    close(fd);
    return file_sync_folder(s->dir, e);
}

static int connect_to(struct store *s, int flags, const char *pragmas, sqlite3 **db, struct err *e)
{
    errno = 0;
    // Each connection is one thread's, so SQLite's mutexes are for nothing.
    int rc = sqlite3_open_v2(s->db_path, db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_extended_result_codes(*db, 1);
        sqlite3_busy_timeout(*db, s->options.busy_ms);
        rc = sqlite3_exec(*db, pragmas, NULL, NULL, NULL);
    }
    return rc == SQLITE_OK ? 0 : fault_set(e, *db, s->db_path, rc);
}

// A new epoch is also the proof that the disk can be written.
static int start_epoch(struct store *s, struct err *e)
{
    sqlite3 *db = s->writer.db;
    int64_t epoch = 0, owed = 0, last = 0;
    int rc;
    if ((rc = sqlite3_exec(db, "UPDATE host SET epoch = epoch + 1", NULL, NULL, NULL)) ||
        (rc = database_integer(db, "SELECT epoch FROM host", &epoch)) ||
        (rc = database_integer(db, "SELECT owed FROM host", &owed)) ||
        (rc = database_integer(db,
                               "SELECT max(coalesce((SELECT max(id) FROM event), 0),"
                               " coalesce((SELECT max(id) FROM delivery), 0),"
                               " coalesce((SELECT max(id) FROM audit), 0),"
                               " coalesce((SELECT max(id) FROM token), 0),"
                               " coalesce((SELECT max(id) FROM generation), 0))",
                               &last))) {
        return fault_set(e, db, s->db_path, rc);
    }
    s->epoch = (uint64_t)epoch;
    s->last_id = (uint64_t)last;
    s->writer.owed.all = owed;
    return 0;
}

static int open_writer(struct store *s, struct err *e)
{
    struct writer *w = &s->writer;
    int rc = connect_to(s, SQLITE_OPEN_READWRITE, WRITER_PRAGMAS, &w->db, e);
    if (rc == 0) {
        rc = schema_prepare(w->db, s->db_path, s->options.schema, s->log, e);
    }
    if (rc == 0) {
        rc = start_epoch(s, e);
    }
    if (rc == 0) {
        int sql_rc = counts_begin(w);
        s->owed_news = s->owed_counts = w->owed;
        sql_rc = sql_rc != SQLITE_OK ? sql_rc
                                     : statement_prepare_all(w->db, WRITE_STATEMENTS,
                                                             WRITE_STATEMENT_COUNT, w->stmts);
        if (sql_rc == SQLITE_OK) {
            sql_rc = time_begin(s, loop_clock(s->loop));
        }
        rc = sql_rc == SQLITE_OK ? 0 : fault_set(e, w->db, s->db_path, sql_rc);
    }
    return rc;
}

static int open_reader(struct store *s, struct err *e)
{
    struct reader *r = &s->reader;
    int rc = connect_to(s, SQLITE_OPEN_READONLY, READER_PRAGMAS, &r->db, e);
    if (rc == 0) {
        int sql_rc = statement_prepare_all(r->db, READ_STATEMENTS, READ_STATEMENT_COUNT, r->stmts);
        rc = sql_rc == SQLITE_OK ? 0 : fault_set(e, r->db, s->db_path, sql_rc);
    }
    return rc;
}

static struct store *store_make(const struct store_config *c, const struct sqlite_options *options)
{
    struct store *s = calloc(1, sizeof *s);
    if (!s) {
        return NULL;
    }
    s->options = *options;
    s->loop = c->loop;
    s->log = c->log;
    s->lock_fd = -1;
    s->dir = strdup(c->dir);
    s->db_path = database_path(c->dir, "hookline.db");
    static const int64_t bounds_us[] = {100,   250,   500,    1000,   2500,   5000,    10000,
                                        25000, 50000, 100000, 250000, 500000, 1000000, 5000000};
    histogram_init(&s->commits, bounds_us, sizeof bounds_us / sizeof bounds_us[0]);
    map_init(&s->writer.targets);
    buf_init(&s->writer.runs, RUNS_MAX_BYTES);
    buf_init(&s->writer.scratch, SCRATCH_MAX_BYTES);
    buf_init(&s->writer.held_reason, SCRATCH_MAX_BYTES);
    buf_init(&s->reader.scratch, SCRATCH_MAX_BYTES);
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&s->writes_wake, &monotonic);
    pthread_cond_init(&s->reads_wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return s;
}

void sqlite_store_free(struct store *s)
{
    statement_finalize_all(s->reader.stmts, READ_STATEMENT_COUNT);
    statement_finalize_all(s->writer.stmts, WRITE_STATEMENT_COUNT);
    sqlite3_close(s->reader.db);
    sqlite3_close(s->writer.db);
    target_forget_all(&s->writer);
    buf_fini(&s->writer.runs);
    buf_fini(&s->writer.scratch);
    buf_fini(&s->writer.held_reason);
    buf_fini(&s->reader.scratch);
    pthread_cond_destroy(&s->reads_wake);
    pthread_cond_destroy(&s->writes_wake);
    pthread_mutex_destroy(&s->lock);
    if (s->lock_fd >= 0) {
        close(s->lock_fd);
    }
    free(s->db_path);
    free(s->dir);
    free(s);
}

int sqlite_store_open(struct store **out, const struct store_config *c,
                      const struct sqlite_options *options, struct err *e)
{
    *out = NULL;
    // SQLite's count of its memory costs a lock for each allocation. Refused, without harm, when
    // the library is at work already.
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    struct store *s = store_make(c, options);
    if (!s || !s->dir || !s->db_path) {
        if (s) {
            sqlite_store_free(s);
        }
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    int rc;
    if ((rc = make_folder(s->dir, e)) || (rc = database_lock(s->dir, &s->lock_fd, e)) ||
        (rc = make_database(s, e)) || (rc = open_writer(s, e)) || (rc = open_reader(s, e)) ||
        (rc = queue_start(s, e))) {
        sqlite_store_free(s);
        return rc;
    }
    *out = s;
    return 0;
}

int store_open(struct store **out, const struct store_config *c, struct err *e)
{
    return sqlite_store_open(out, c, &SQLITE_OPTIONS_DEFAULT, e);
}
