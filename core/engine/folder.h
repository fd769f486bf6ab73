// The files of a rules folder: workflows (`*.lua` in the folder itself), and in its subfolders
// modules (`*.lua`), templates (any file of templates/), catalogues (types/) and adapters
// (sources/). `*_test.lua`, hidden files and what editors leave (`x~`) are no part of it. A link is
// followed within the folder; what lies outside could be anything, a secret too, and is refused.
#ifndef ENGINE_FOLDER_H
#define ENGINE_FOLDER_H

#include "engine/generation.h"

enum {
    FOLDER_FILE_MAX_BYTES = 1024 * 1024,       // of one file
    FOLDER_TOTAL_MAX_BYTES = 64 * 1024 * 1024, // of all
    FOLDER_FILES_MAX = 50000,
    FOLDER_DEPTH_MAX = 8 // subfolders within subfolders
};

// Reads them all, sorted by path. The caller frees with folder_free. ERR_IO, ERR_NOMEM,
// ERR_TOO_LARGE with words. A file that vanishes meanwhile is left out; one that cannot be read is
// its own fault, not the others'.
int folder_read(const char *dir, struct generation_file **files, size_t *count, struct err *e);
void folder_free(struct generation_file *files, size_t count);

// Whether the path, relative to the folder, is a workflow's.
bool folder_is_workflow(const char *path);

// Gives the rules all texts but those of workflows: borrowed for the rules' life. 0 or ERR_NOMEM.
int folder_add_texts(const struct generation_file *files, size_t count, struct rules *rules);

#endif
