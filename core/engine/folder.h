// The files of a rules folder: `*.lua` in the folder itself, without `*_test.lua`.
#ifndef ENGINE_FOLDER_H
#define ENGINE_FOLDER_H

#include "engine/generation.h"

enum { FOLDER_FILE_MAX_BYTES = 1024 * 1024 }; // of one workflow file

// Reads them all, sorted by name. The caller frees with folder_free. ERR_IO, ERR_NOMEM with words.
// A file that vanishes meanwhile is left out, so is a folder by such a name; one that cannot be
// read is its own fault, not the others'.
int folder_read(const char *dir, struct generation_file **files, size_t *count, struct err *e);
void folder_free(struct generation_file *files, size_t count);

#endif
