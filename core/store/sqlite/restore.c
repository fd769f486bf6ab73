#include "store/backup.h"

#include "base/file.h"
#include "store/sqlite/database.h"
#include "store/sqlite/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PAUSE_SCHEMA = 3 }; // the first that can pause everything

// The store of a folder that no host works on.
struct restore {
    struct store_copy *request;
    char *path; // of the store
    char *part; // of the copy that takes its place
    int lock_fd;
};

// What stands in the WAL goes into the file, where that can be done: a damaged one keeps its WAL.
static void close_old(const char *path)
{
    sqlite3 *db = NULL;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ==
        SQLITE_OK) {
        sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
    }
    sqlite3_close(db);
}

// A WAL belongs to the file whose name it has, so it goes with it. "-shm" is made anew from it.
static int move_beside_files(const char *from, const char *to, struct err *e)
{
    char *wal = NULL, *wal_to = NULL, *shm = NULL;
    int code = 0;
    if (asprintf(&wal, "%s-wal", from) < 0 || asprintf(&wal_to, "%s-wal", to) < 0 ||
        asprintf(&shm, "%s-shm", from) < 0) {
        code = err_set(e, ERR_NOMEM, "out of memory");
    } else if (rename(wal, wal_to) != 0 && errno != ENOENT) {
        code = fault_of_path(e, "move", wal);
    } else {
        unlink(shm);
    }
    free(wal);
    free(wal_to);
    free(shm);
    return code;
}

static int keep_old(struct restore *r, struct err *e)
{
    char stamp[32];
    struct tm tm;
    time_t now = time(NULL);
    if (access(r->path, F_OK) != 0) {
        return 0;
    }
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
    if (asprintf(&r->request->kept, "%s.before-%s", r->path, stamp) < 0) {
        r->request->kept = NULL;
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    close_old(r->path);
    if (rename(r->path, r->request->kept) != 0) {
        return fault_of_path(e, "move", r->path);
    }
    return move_beside_files(r->path, r->request->kept, e);
}

static int pause_everything(const char *path, struct err *e)
{
    static const char sql[] = "UPDATE host SET paused_at_ms = max(running_ms, 1),"
                              " paused_by = 'restore' WHERE paused_at_ms = 0";
    sqlite3 *db = NULL;
    errno = 0;
    int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) {
        rc = sqlite3_exec(db, "PRAGMA synchronous = FULL", NULL, NULL, NULL);
    }
    if (rc == SQLITE_OK) {
        rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    }
    int code = rc == SQLITE_OK ? 0 : fault_set(e, db, path, rc);
    sqlite3_close(db);
    return code;
}

static int look_at(sqlite3 *db, const struct store_copy *c, struct err *e)
{
    int64_t version = 0;
    int code = database_version(db, c->file, &version, e);
    if (code == ERR_CORRUPT) {
        code =
            err_set(e, ERR_CORRUPT,
                    "%s is no backup of hookline's, or a damaged one: nothing is changed; give a "
                    "file that `hookline backup` wrote",
                    c->file);
    }
    if (code == 0 && version > STORE_SCHEMA_VERSION) {
        code = err_set(e, ERR_VERSION,
                       "%s was written by a newer hookline (schema %lld, this one knows %d): "
                       "install that version",
                       c->file, (long long)version, STORE_SCHEMA_VERSION);
    }
    if (code == 0 && version < PAUSE_SCHEMA && c->is_paused) {
        code = err_set(e, ERR_VERSION,
                       "%s is of an older hookline, which could not pause everything: restore it "
                       "without --paused",
                       c->file);
    }
    return code ? code : database_check(db, c->file, e);
}

static int copy_in(struct restore *r, struct err *e)
{
    struct store_copy *c = r->request;
    struct database_copy copy = {.path = r->part, .ctx = c->ctx, .on_progress = c->on_progress};
    int code = database_open(c->file, &copy.from, e);
    code = code ? code : look_at(copy.from, c, e);
    code = code ? code : database_copy(&copy, e);
    sqlite3_close(copy.from);
    c->bytes = copy.bytes;
    if (code == 0 && c->is_paused && (code = pause_everything(r->part, e)) != 0) {
        unlink(r->part);
    }
    return code;
}

static int take_place(struct restore *r, struct err *e)
{
    int code = keep_old(r, e);
    if (code == 0 && rename(r->part, r->path) != 0) {
        code = fault_of_path(e, "put the copy in the place of", r->path);
    }
    return code ? code : file_sync_folder(r->request->dir, e);
}

int store_restore(struct store_copy *c, struct err *e)
{
    struct restore r = {.request = c, .lock_fd = -1};
    c->kept = NULL;
    r.path = database_path(c->dir, "hookline.db");
    r.part = database_path(c->dir, "hookline.db.restored");
    int code = r.path && r.part ? 0 : err_set(e, ERR_NOMEM, "out of memory");
    if (code == 0 && mkdir(c->dir, 0700) != 0 && errno != EEXIST) {
        code = fault_of_path(e, "make", c->dir);
    }
    code = code ? code : database_lock(c->dir, &r.lock_fd, e);
    code = code ? code : copy_in(&r, e);
    code = code ? code : take_place(&r, e);
    if (r.lock_fd >= 0) {
        close(r.lock_fd);
    }
    free(r.path);
    free(r.part);
    return code;
}
