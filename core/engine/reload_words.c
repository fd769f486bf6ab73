#include "engine/internal.h"

enum { NAMES_MAX = 20, NAMES_MAX_BYTES = 1600 };

enum change { CHANGE_ADDED, CHANGE_CHANGED, CHANGE_REMOVED, CHANGE_UNREADABLE, CHANGES };

static bool has_text(const struct folder *f, const char *path)
{
    const struct folder_file *file = f ? folder_find(f, path) : NULL;
    return file && file->text;
}

static enum change change_of(const struct folder *was, const struct folder *now,
                             const struct store_file *file)
{
    const char *path = file->path.data; // a whole text of one of the folders
    if (file->text.data) {
        return has_text(was, path) ? CHANGE_CHANGED : CHANGE_ADDED;
    }
    return folder_find(now, path) ? CHANGE_UNREADABLE : CHANGE_REMOVED;
}

void reload_words(const struct folder *was, const struct folder *now,
                  const struct store_file *changes, size_t count, struct buf *out)
{
    static const char *const words[CHANGES] = {"added", "changed", "removed", "cannot read"};
    size_t shown = 0;
    for (int kind = 0; kind < CHANGES; kind++) {
        size_t all = 0, named = 0;
        for (size_t i = 0; i < count; i++) {
            struct str path = changes[i].path;
            if ((int)change_of(was, now, &changes[i]) != kind) {
                continue;
            }
            all++;
            if (shown < NAMES_MAX && out->len + path.len < NAMES_MAX_BYTES) {
                buf_append_text(out, named ? ", " : out->len ? "; " : "");
                buf_printf(out, "%s%s" STR_FMT, named ? "" : words[kind], named ? "" : " ",
                           STR_ARG(path));
                named++;
                shown++;
            }
        }
        if (named && named < all) {
            buf_printf(out, " and %zu more", all - named);
        } else if (all > named) { // there was room for none
            buf_printf(out, "%s%s %zu %s", out->len ? "; " : "", words[kind], all,
                       all == 1 ? "file" : "files");
        }
    }
    if (count == 0) {
        buf_append_text(out, "no file has changed");
    }
}
