// The database file as what stands beside the host sees it: verify, backup, restore.
#ifndef STORE_SQLITE_DATABASE_H
#define STORE_SQLITE_DATABASE_H

#include "base/err.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum { DATABASE_BUSY_MS = 5000 };

// "DIR/NAME", which the caller frees; NULL: out of memory.
char *database_path(const char *dir, const char *name);

// The number that a statement of one row and column gives. SQLite's result; SQLITE_CORRUPT: no row.
int database_integer(sqlite3 *db, const char *sql, int64_t *out);

// Opens it to read, in a transaction that sees one moment of it. *db is to be closed whatever it
// returned. ERR_NOT_FOUND, ERR_IO, with words.
int database_open(const char *path, sqlite3 **db, struct err *e);
// Which schema it has. ERR_NOT_FOUND (it is empty), ERR_CORRUPT (not hookline's, damaged).
int database_version(sqlite3 *db, const char *path, int64_t *version, struct err *e);
// SQLite's own look through all pages. ERR_CORRUPT.
int database_check(sqlite3 *db, const char *path, struct err *e);

// Takes the folder for this process, for as long as *fd is open. ERR_BUSY: another one has it.
int database_lock(const char *dir, int *fd, struct err *e);

// backup.c: copies what `from` sees to a new file of that path, syncs and checks it. is_gentle:
// with pauses. Where it fails there is no such file.
struct database_copy {
    sqlite3 *from;
    const char *path;
    bool is_gentle;
    void *ctx;
    void (*on_progress)(void *ctx, int64_t done_bytes, int64_t all_bytes);
    int64_t bytes; // out
};
int database_copy(struct database_copy *c, struct err *e);

#endif
