// Small files as a whole: read with a bound, written so that no reader ever sees half of one. Any
// thread.
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/err.h"
#include "base/str.h"

enum { FILE_PATH_MAX = 4096 };

// The text, NUL-terminated, which the caller frees. ERR_NOT_FOUND, ERR_IO, ERR_TOO_LARGE (over
// max_bytes), ERR_NOMEM, with words that name the path.
int file_read(const char *path, size_t max_bytes, char **text, size_t *len, struct err *e);

// Writes a file beside it, syncs it, puts it in the old one's place, and syncs the folder, so that
// a power loss leaves the one or the other whole. mode as open(2) takes it.
int file_write(const char *path, struct str text, unsigned mode, struct err *e);

// A name in a folder is safe on disk only once the folder is synced. ERR_FULL, ERR_IO.
int file_sync_folder(const char *path, struct err *e);
// The same of the folder that a file is in.
int file_sync_folder_of(const char *path, struct err *e);

#endif
