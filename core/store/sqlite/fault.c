#include "store/sqlite/internal.h"

#include <errno.h>

bool fault_is_general(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
    case SQLITE_ERROR:
        return false;
    default:
        return true;
    }
}

// A quota and a file's size limit end a write as a full disk does, but SQLite calls them I/O
// errors.
static bool is_no_space(int rc, int system_errno)
{
    return (rc & 0xff) == SQLITE_FULL ||
           ((rc & 0xff) == SQLITE_IOERR &&
            (system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EFBIG));
}

int fault_set(struct err *e, sqlite3 *db, const char *path, int rc)
{
    // SQLite does not keep the error of a write in a COMMIT, so the thread's own comes first.
    int system_errno = errno ? errno : sqlite3_system_errno(db);
    int extended = sqlite3_extended_errcode(db);
    const char *words = sqlite3_errmsg(db);
    if (is_no_space(rc, system_errno)) {
        return err_set(e, ERR_FULL,
                       "no space to write %s: free some space on its disk (or raise its quota); "
                       "writing goes on by itself then",
                       path);
    }
    switch (rc & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return err_set(
            e, ERR_CORRUPT,
            "%s is damaged (%s): stop the host and restore the file from a backup, or move "
            "it away to start with an empty one",
            path, words);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_set(e, ERR_IO,
                       "%s is locked by another program: close it (writing goes on by itself then)",
                       path);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return err_set(e, ERR_IO,
                       "%s cannot be written (%s): see to the owner and mode of the file and its "
                       "folder, and that the disk is not mounted read-only",
                       path, words);
    case SQLITE_CANTOPEN:
        return err_set(e, ERR_IO, "%s cannot be opened (%s): see to its owner and mode", path,
                       system_errno ? strerror(system_errno) : words);
    case SQLITE_NOMEM:
        return err_set(e, ERR_NOMEM, "%s: out of memory", path);
    case SQLITE_TOOBIG:
        return err_set(e, ERR_TOO_LARGE, "%s: %s", path, words);
    case SQLITE_CONSTRAINT:
        return err_set(e, ERR_CONFLICT, "%s: %s", path, words);
    case SQLITE_IOERR:
        return err_set(e, ERR_IO, "%s: %s (%s, %d): look at the disk", path, words,
                       system_errno ? strerror(system_errno) : "no system error", extended);
    default:
        return err_set(e, ERR_IO, "%s: %s (%d)", path, words, extended);
    }
}

int fault_of_path(struct err *e, const char *what, const char *path)
{
    int code = errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
    return err_set(e, (enum err_code)code, "cannot %s %s: %s", what, path, strerror(errno));
}
