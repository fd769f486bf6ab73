#include "script/files.h"

#include <luaconf.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"

void files_fini(struct files *f)
{
    free(f->texts);
    *f = (struct files){0};
}

static int files_compare(struct str a, struct str b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.data, b.data, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

size_t files_first(const struct files *f, struct str prefix)
{
    size_t low = 0, high = f->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (files_compare(f->texts[middle].path, prefix) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct files_text *files_find(const struct files *f, struct str path)
{
    size_t at = files_first(f, path);
    return at < f->count && str_eq(f->texts[at].path, path) ? &f->texts[at] : NULL;
}

static int files_make_room(struct files *f)
{
    if (f->count < f->cap)
        return 0;
    size_t cap = f->cap ? 2 * f->cap : 16;
    struct files_text *more = realloc(f->texts, cap * sizeof *more);
    if (!more)
        return ERR_NOMEM;
    f->texts = more;
    f->cap = cap;
    return 0;
}

int files_add(struct files *f, struct str path, struct str text)
{
    size_t at = files_first(f, path);
    if (at < f->count && str_eq(f->texts[at].path, path)) {
        f->texts[at].text = text;
        return 0;
    }
    if (files_make_room(f))
        return ERR_NOMEM;
    memmove(&f->texts[at + 1], &f->texts[at], (f->count - at) * sizeof f->texts[0]);
    f->texts[at] = (struct files_text){path, text};
    f->count++;
    return 0;
}

void files_name_chunk(const char *dir, const char *path, char out[FILES_CHUNK_MAX])
{
    const char *last = dir ? strrchr(dir, '/') : NULL;
    snprintf(out, FILES_CHUNK_MAX, "%s%s%s", dir ? dir : "", dir ? "/" : "", path);
    if (strlen(out) >= LUA_IDSIZE && last)
        snprintf(out, FILES_CHUNK_MAX, "%s/%s", last + 1, path);
    if (strlen(out) >= LUA_IDSIZE)
        snprintf(out, FILES_CHUNK_MAX, "%s", path);
    if (strlen(out) >= LUA_IDSIZE)
        snprintf(out, FILES_CHUNK_MAX, "...%s", path + strlen(path) - (LUA_IDSIZE - 4));
}
