// The texts of a rules folder beside its workflows: modules, templates, catalogues, adapters. Rules
// and the library see one such set at a time, as core.files. The texts are borrowed: they outlive
// the state that is given them. Nothing here enters Lua.
#ifndef SCRIPT_FILES_H
#define SCRIPT_FILES_H

#include <stddef.h>

#include "base/str.h"

enum { FILES_CHUNK_MAX = 512 };

struct files_text {
    struct str path; // relative to the folder: "lib/money.lua"
    struct str text;
};

struct files {
    const char *dir;          // the folder, for words in messages; NULL: none; borrowed
    struct files_text *texts; // by path
    size_t count;
    size_t cap;
};

void files_fini(struct files *f);

// Adds a text, or puts it in the place of the one by that path; path and text are borrowed. 0 or
// ERR_NOMEM. Given in the order of their paths they are added at once.
int files_add(struct files *f, struct str path, struct str text);

// NULL: there is none by that path.
const struct files_text *files_find(const struct files *f, struct str path);

// The place of the first text whose path is not before `prefix`: those with it follow each other.
size_t files_first(const struct files *f, struct str prefix);

// The name that a text is compiled under, which its errors begin with: "rules/lib/money.lua". Lua
// cuts long names in front; the folder's own name is then enough, and what is still too long is cut
// here as Lua does it.
void files_name_chunk(const char *dir, const char *path, char out[FILES_CHUNK_MAX]);

#endif
