// Copies of the database by SQLite's backup API, within one transaction of the source: what a host
// writes meanwhile is not in it and does not make it begin again. Until it is over the host's WAL
// grows.
#include "store/backup.h"

#include "base/file.h"
#include "store/sqlite/database.h"
#include "store/sqlite/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { STEP_PAGES = 256, NS_PER_S = 1000000000 };

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void rest(int64_t ns)
{
    struct timespec t = {.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};
    nanosleep(&t, NULL);
}

static int copy_pages(struct database_copy *c, sqlite3 *to)
{
    int64_t page = 0;
    int rc = database_integer(c->from, "PRAGMA page_size", &page);
    if (rc != SQLITE_OK) {
        return rc;
    }
    sqlite3_backup *b = sqlite3_backup_init(to, "main", c->from, "main");
    if (b == NULL) {
        return sqlite3_errcode(to);
    }
    do {
        int64_t began_ns = now_ns();
        rc = sqlite3_backup_step(b, STEP_PAGES);
        c->bytes = page * sqlite3_backup_pagecount(b);
        if (c->on_progress) {
            c->on_progress(c->ctx, c->bytes - page * sqlite3_backup_remaining(b), c->bytes);
        }
        if (c->is_gentle && rc == SQLITE_OK) {
            rest(now_ns() - began_ns);
        }
    } while (rc == SQLITE_OK);
    int finished = sqlite3_backup_finish(b);
    return rc == SQLITE_DONE ? finished : rc;
}

static int sync_file(const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int code = fd >= 0 && fsync(fd) == 0 ? 0 : fault_of_path(e, "sync", path);
    if (fd >= 0) {
        close(fd);
    }
    return code;
}

int database_copy(struct database_copy *c, struct err *e)
{
    sqlite3 *to = NULL;
    unlink(c->path); // of a copy that was broken off
    int fd = open(c->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return fault_of_path(e, "make", c->path);
    }
    close(fd);
    errno = 0;
    int rc = sqlite3_open_v2(c->path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) {
        rc = sqlite3_exec(to, "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF", NULL, NULL,
                          NULL);
    }
    rc = rc == SQLITE_OK ? copy_pages(c, to) : rc;
    if (rc == SQLITE_OK) { // one file, whatever the source has beside it
        rc = sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    }
    int code = rc == SQLITE_OK ? database_check(to, c->path, e) : fault_set(e, to, c->path, rc);
    sqlite3_close(to);
    code = code ? code : sync_file(c->path, e);
    if (code) {
        unlink(c->path);
    }
    return code;
}

static int give_name(const char *path, const struct store_copy *c, struct err *e)
{
    if (!c->is_forced && link(path, c->file) == 0) {
        unlink(path);
    } else if (!c->is_forced || rename(path, c->file) != 0) {
        return errno == EEXIST
                   ? err_set(e, ERR_CONFLICT, "%s is there already: --force replaces it", c->file)
                   : fault_of_path(e, "make", c->file);
    }
    return file_sync_folder_of(c->file, e);
}

int store_backup(struct store_copy *c, struct err *e)
{
    struct database_copy copy = {.is_gentle = true, .ctx = c->ctx, .on_progress = c->on_progress};
    int64_t version = 0;
    if (!c->is_forced && access(c->file, F_OK) == 0) {
        return err_set(e, ERR_CONFLICT, "%s is there already: --force replaces it", c->file);
    }
    char *path = database_path(c->dir, "hookline.db");
    char *part = NULL;
    if (path == NULL || asprintf(&part, "%s.part", c->file) < 0) {
        free(path);
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    copy.path = part;
    int code = database_open(path, &copy.from, e);
    code = code ? code : database_version(copy.from, path, &version, e);
    code = code ? code : database_copy(&copy, e);
    sqlite3_close(copy.from);
    if (code == 0 && (code = give_name(part, c, e)) != 0) {
        unlink(part);
    }
    c->bytes = copy.bytes;
    free(path);
    free(part);
    return code;
}
