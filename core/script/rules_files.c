// The texts beside the workflows, in sets: a workflow goes on with the set that it was loaded with.
#include <stdlib.h>

#include "script/rules_internal.h"

int rules_begin_texts(struct rules *r)
{
    struct files **more = realloc(r->files, (r->files_count + 1) * sizeof *more);
    struct files *set = calloc(1, sizeof *set);
    if (more)
        r->files = more;
    if (!more || !set) {
        free(set);
        return ERR_NOMEM;
    }
    set->dir = r->dir;
    r->files[r->files_count] = set;
    r->files_in_use = r->files_count++;
    return 0;
}

void rules_free_files(struct rules *r)
{
    for (size_t i = 0; i < r->files_count; i++) {
        files_fini(r->files[i]);
        free(r->files[i]);
    }
    free(r->files);
}

int rules_add_text(struct rules *r, struct str path, struct str text)
{
    return files_add(r->files[r->files_in_use], path, text);
}

void rules_use_texts(struct rules *r, size_t set)
{
    r->files_in_use = set;
}
