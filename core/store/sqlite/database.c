#include "store/sqlite/database.h"

#include "store/sqlite/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

char *database_path(const char *dir, const char *name)
{
    char *path = NULL;
    return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

int database_integer(sqlite3 *db, const char *sql, int64_t *out)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(stmt);
        *out = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
        rc = rc == SQLITE_ROW ? SQLITE_OK : rc == SQLITE_DONE ? SQLITE_CORRUPT : rc;
    }
    sqlite3_finalize(stmt);
    return rc;
}

int database_open(const char *path, sqlite3 **db, struct err *e)
{
    errno = 0;
    if (access(path, F_OK) != 0) {
        return err_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path,
                       strerror(errno));
    }
    int rc = sqlite3_open_v2(path, db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_busy_timeout(*db, DATABASE_BUSY_MS);
        rc = sqlite3_exec(*db, "PRAGMA temp_store = MEMORY; BEGIN", NULL, NULL, NULL);
    }
    return rc == SQLITE_OK ? 0 : fault_set(e, *db, path, rc);
}

int database_version(sqlite3 *db, const char *path, int64_t *version, struct err *e)
{
    static const char sql[] = "SELECT v.user_version, a.application_id,"
                              " (SELECT count(*) FROM sqlite_schema) FROM pragma_user_version v,"
                              " pragma_application_id a";
    sqlite3_stmt *s = NULL;
    int64_t application = 0, tables = 0;
    int rc = sqlite3_prepare_v2(db, sql, -1, &s, NULL);
    if (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        *version = sqlite3_column_int64(s, 0);
        application = sqlite3_column_int64(s, 1);
        tables = sqlite3_column_int64(s, 2);
    }
    sqlite3_finalize(s);
    if (rc != SQLITE_ROW) {
        return fault_set(e, db, path, rc);
    }
    if (application == 0 && tables == 0) {
        return err_set(e, ERR_NOT_FOUND, "%s is empty: no host has been up on it yet", path);
    }
    if (application != SCHEMA_APPLICATION_ID) {
        return err_set(e, ERR_CORRUPT, "%s is not a database of hookline's", path);
    }
    return 0;
}

int database_check(sqlite3 *db, const char *path, struct err *e)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &s, NULL);
    int code = 0;
    if (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        const char *words = (const char *)sqlite3_column_text(s, 0);
        if (!words || strcmp(words, "ok") != 0) {
            code = err_set(e, ERR_CORRUPT, "%s is damaged: %s", path, words ? words : "?");
        }
    } else {
        code = fault_set(e, db, path, rc);
    }
    sqlite3_finalize(s);
    return code;
}

static int refuse_second(int fd, const char *dir, struct err *e)
{
    char pid[32] = "";
    ssize_t len = pread(fd, pid, sizeof pid - 1, 0);
    pid[len > 0 ? strcspn(pid, "\n") : 0] = '\0';
    return err_set(e, ERR_BUSY,
                   "another hookline (process %s) works on the data folder %s: stop it, or name "
                   "another folder with --data",
                   pid[0] ? pid : "unknown", dir);
}

// The kernel lets go of the lock when the process ends, however it ends; the file stays.
int database_lock(const char *dir, int *fd, struct err *e)
{
    char *path = database_path(dir, "lock");
    if (!path) {
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    int code = 0;
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0) {
        code = fault_of_path(e, "open", path);
    } else if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
        code = errno == EWOULDBLOCK ? refuse_second(*fd, dir, e) : fault_of_path(e, "lock", path);
    } else if (ftruncate(*fd, 0) == 0) {
        // The number is for people alone: a disk that is too full for it fails at its own place.
        dprintf(*fd, "%ld\n", (long)getpid());
    }
    free(path);
    return code;
}
