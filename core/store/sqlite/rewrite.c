// After a sync that failed the kernel takes the pages that it could not write for written: a later
// sync that goes well says nothing of them, though they are still to be read from memory. So before
// anything more is acknowledged every byte that they may be among is written again, and synced.
#include "store/sqlite/internal.h"

#include <stdlib.h>

enum { PIECE_BYTES = 64 * 1024 };

// `which`: SQLITE_FCNTL_FILE_POINTER or SQLITE_FCNTL_JOURNAL_POINTER (the WAL). The connection's
// own file: to open another one and close it would end the locks that it has.
static int rewrite_file(sqlite3 *db, int which, char *piece)
{
    sqlite3_file *file = NULL;
    sqlite3_int64 size = 0;
    int rc = sqlite3_file_control(db, "main", which, &file);
    if (rc != SQLITE_OK || !file || !file->pMethods) {
        return rc; // it is not open: there is nothing of it
    }
    rc = file->pMethods->xFileSize(file, &size);
    for (sqlite3_int64 at = 0; at < size && rc == SQLITE_OK; at += PIECE_BYTES) {
        int len = size - at < PIECE_BYTES ? (int)(size - at) : PIECE_BYTES;
        rc = file->pMethods->xRead(file, piece, len, at);
        rc = rc == SQLITE_OK ? file->pMethods->xWrite(file, piece, len, at) : rc;
    }
    return rc == SQLITE_OK ? file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) : rc;
}

void rewrite_note(struct writer *w, int rc, bool is_checkpoint)
{
    if (rc == SQLITE_IOERR_FSYNC) {
        w->is_wal_doubtful = true;
        w->is_database_doubtful |= is_checkpoint;
    }
}

int rewrite_doubtful(struct writer *w)
{
    if (!w->is_wal_doubtful) {
        return SQLITE_OK;
    }
    char *piece = malloc(PIECE_BYTES);
    int rc = piece ? rewrite_file(w->db, SQLITE_FCNTL_JOURNAL_POINTER, piece) : SQLITE_NOMEM;
    if (rc == SQLITE_OK && w->is_database_doubtful) {
        rc = rewrite_file(w->db, SQLITE_FCNTL_FILE_POINTER, piece);
    }
    if (rc == SQLITE_OK) {
        w->is_wal_doubtful = w->is_database_doubtful = false;
    }
    free(piece);
    return rc;
}
