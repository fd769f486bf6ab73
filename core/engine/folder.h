// The files of a rules folder, as they stood at one moment: workflows (`*.lua` in the folder
// itself), and in its subfolders modules (`*.lua`), templates (any file of templates/), catalogues
// (types/) and adapters (sources/). `*_test.lua`, hidden files and what editors leave (`x~`) are no
// part of it. A link is followed within the folder; what lies outside could be anything, a secret
// too, and is refused. Immutable and shared: any thread.
#ifndef ENGINE_FOLDER_H
#define ENGINE_FOLDER_H

#include <stdatomic.h>

#include "base/err.h"
#include "script/rules.h"
#include "store/generations.h"

enum {
    FOLDER_FILE_MAX_BYTES = 1024 * 1024,       // of one file
    FOLDER_TOTAL_MAX_BYTES = 64 * 1024 * 1024, // of all
    FOLDER_FILES_MAX = 50000,
    FOLDER_DEPTH_MAX = 8 // subfolders within subfolders
};

struct folder_file {
    char *path; // relative to the rules folder
    char *text; // NULL: the file could not be read
    size_t len;
    char *fault; // then: why
};

struct folder {
    atomic_int refs;
    uint64_t generation;       // under which these texts were stored first; 0: not yet
    struct folder_file *files; // by path
    size_t count;
    size_t cap;
};

// Is told of each folder before it is read, by a path that leads to it.
struct folder_visitor {
    void (*on_folder)(void *ctx, const char *path); // NULL: nobody is told
    void *ctx;
};

// Reads them all. visitor may be NULL. Blocks. ERR_IO, ERR_NOMEM, ERR_TOO_LARGE with words. A file
// that vanishes meanwhile is left out; one that cannot be read is its own fault, not the others'.
int folder_read(struct folder **out, const char *dir, const struct folder_visitor *visitor,
                struct err *e);
// An empty one, to add to in the order of the paths, which are copied. NULL: out of memory.
struct folder *folder_new(void);
int folder_add(struct folder *f, struct str path, struct str text);

struct folder *folder_ref(struct folder *f);
void folder_unref(struct folder *f); // NULL is nothing

const struct folder_file *folder_find(const struct folder *f, const char *path); // or NULL
// Whether the path, relative to the folder, is a workflow's.
bool folder_is_workflow(const char *path);
// Whether they hold the same texts; with_faults: and the same faults.
bool folder_is_same(const struct folder *a, const struct folder *b, bool with_faults);

// What changed from `old` (NULL: nothing was there) to `now`, by path: a file that is gone has no
// text. Borrows from both. `out` has room for the files of both; returns how many there are.
size_t folder_changes(const struct folder *old, const struct folder *now, struct store_file *out);

// Gives the rules all texts but those of workflows: borrowed for the rules' life. 0 or ERR_NOMEM.
int folder_add_texts(const struct folder *f, struct rules *rules);

#endif
