#include "engine/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"

struct folder_walk {
    const char *dir;
    const struct folder_visitor *visitor; // NULL: none
    char *root;                           // its path without links
    struct folder *folder;
    size_t total_bytes;
    struct stat open[FOLDER_DEPTH_MAX + 1]; // the folders that are being read, the outermost first
    struct err *e;
};

static int folder_visit(struct folder_walk *w, const char *path, size_t depth);

bool folder_is_workflow(const char *path)
{
    return strchr(path, '/') == NULL && str_ends_with(str_from(path), STR(".lua"));
}

static bool folder_is_wanted(const char *path)
{
    struct str s = str_from(path);
    if (str_starts_with(s, STR("templates/"))) {
        return true;
    }
    return str_ends_with(s, STR(".lua")) && !str_ends_with(s, STR("_test.lua"));
}

static int folder_by_path(const void *a, const void *b)
{
    return strcmp(((const struct folder_file *)a)->path, ((const struct folder_file *)b)->path);
}

struct folder *folder_new(void)
{
    struct folder *f = calloc(1, sizeof *f);
    if (f) {
        atomic_init(&f->refs, 1);
    }
    return f;
}

struct folder *folder_ref(struct folder *f)
{
    atomic_fetch_add(&f->refs, 1);
    return f;
}

void folder_unref(struct folder *f)
{
    if (f == NULL || atomic_fetch_sub(&f->refs, 1) > 1) {
        return;
    }
    for (size_t i = 0; i < f->count; i++) {
        free(f->files[i].path);
        free(f->files[i].text);
        free(f->files[i].fault);
    }
    free(f->files);
    free(f);
}

const struct folder_file *folder_find(const struct folder *f, const char *path)
{
    struct folder_file key = {.path = (char *)path};
    return f->count ? bsearch(&key, f->files, f->count, sizeof key, folder_by_path) : NULL;
}

static bool folder_is_same_file(const struct folder_file *a, const struct folder_file *b,
                                bool with_faults)
{
    if (strcmp(a->path, b->path) != 0 || !a->text != !b->text) {
        return false;
    }
    return a->text ? a->len == b->len && memcmp(a->text, b->text, a->len) == 0
                   : !with_faults || strcmp(a->fault, b->fault) == 0;
}

// The next file that has a text, or any with its fault.
static size_t folder_skip(const struct folder *f, size_t at, bool with_faults)
{
    while (at < f->count && !f->files[at].text && !with_faults) {
        at++;
    }
    return at;
}

bool folder_is_same(const struct folder *a, const struct folder *b, bool with_faults)
{
    size_t i = folder_skip(a, 0, with_faults), j = folder_skip(b, 0, with_faults);
    while (i < a->count && j < b->count) {
        if (!folder_is_same_file(&a->files[i], &b->files[j], with_faults)) {
            return false;
        }
        i = folder_skip(a, i + 1, with_faults);
        j = folder_skip(b, j + 1, with_faults);
    }
    return i == a->count && j == b->count;
}

static struct store_file folder_row(const struct folder_file *f, bool is_gone)
{
    return (struct store_file){str_from(f->path),
                               is_gone ? (struct str){0} : (struct str){f->text, f->len}};
}

size_t folder_changes(const struct folder *old, const struct folder *now, struct store_file *out)
{
    static const struct folder none = {0};
    size_t count = 0;
    old = old ? old : &none;
    size_t i = folder_skip(old, 0, false), j = folder_skip(now, 0, false);
    while (i < old->count || j < now->count) {
        const struct folder_file *was = i < old->count ? &old->files[i] : NULL;
        const struct folder_file *is = j < now->count ? &now->files[j] : NULL;
        int order = was == NULL ? 1 : is == NULL ? -1 : strcmp(was->path, is->path);
        if (order < 0) {
            out[count++] = folder_row(was, true);
        } else if (order > 0 || !folder_is_same_file(was, is, false)) {
            out[count++] = folder_row(is, false);
        }
        i = order <= 0 ? folder_skip(old, i + 1, false) : i;
        j = order >= 0 ? folder_skip(now, j + 1, false) : j;
    }
    return count;
}

// Takes f's texts, whatever it returns. 0 or ERR_NOMEM.
static int folder_put(struct folder *f, struct folder_file file, bool has_fault)
{
    if (f->count == f->cap) {
        size_t cap = f->cap ? 2 * f->cap : 64;
        struct folder_file *more = realloc(f->files, cap * sizeof *more);
        if (more == NULL) {
            free(file.path);
            free(file.text);
            free(file.fault);
            return ERR_NOMEM;
        }
        f->files = more;
        f->cap = cap;
    }
    f->files[f->count++] = file;
    return file.path == NULL || (has_fault ? file.fault : file.text) == NULL ? ERR_NOMEM : 0;
}

int folder_add(struct folder *f, struct str path, struct str text)
{
    struct folder_file file = {str_dup(path), str_dup(text), text.len, NULL};
    return folder_put(f, file, false);
}

// Adds a file with its text, which it takes, or with its fault.
static int folder_take_file(struct folder_walk *w, const char *path, char *text, size_t len,
                            const char *fault)
{
    if (w->folder->count == FOLDER_FILES_MAX) {
        free(text);
        return err_set(w->e, ERR_TOO_LARGE, "the rules folder %s holds more than %d files", w->dir,
                       FOLDER_FILES_MAX);
    }
    struct folder_file file = {strdup(path), text, len, fault ? strdup(fault) : NULL};
    w->total_bytes += len;
    return folder_put(w->folder, file, fault != NULL) ? err_set(w->e, ERR_NOMEM, "out of memory")
                                                      : 0;
}

// Whether the link at `full` ends inside the folder; ERR_NOT_FOUND where it ends nowhere.
static int folder_check_link(const struct folder_walk *w, const char *full, struct err *e)
{
    char *end = realpath(full, NULL);
    if (end == NULL) {
        return err_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", full,
                       strerror(errno));
    }
    size_t len = strcmp(w->root, "/") == 0 ? 0 : strlen(w->root);
    bool is_inside = strncmp(end, w->root, len) == 0 && (end[len] == '/' || end[len] == '\0');
    free(end);
    return is_inside ? 0
                     : err_set(e, ERR_INVALID,
                               "%s is a link out of the rules folder, which is not followed: put a "
                               "copy there",
                               full);
}

static int folder_read_file(struct folder_walk *w, const char *path, const char *full)
{
    struct err why = {0};
    char *text = NULL;
    size_t len = 0;
    int code = file_read(full, FOLDER_FILE_MAX_BYTES, &text, &len, &why);
    if (code == ERR_NOT_FOUND) {
        return 0;
    }
    if (code == 0 && len > FOLDER_TOTAL_MAX_BYTES - w->total_bytes) {
        free(text);
        return err_set(w->e, ERR_TOO_LARGE, "the files of the rules folder %s have over %d MiB",
                       w->dir, FOLDER_TOTAL_MAX_BYTES / 1024 / 1024);
    }
    return folder_take_file(w, path, text, len, code ? why.text : NULL);
}

static bool folder_is_open(const struct folder_walk *w, size_t depth, const struct stat *st)
{
    for (size_t i = 0; i < depth; i++) {
        if (w->open[i].st_dev == st->st_dev && w->open[i].st_ino == st->st_ino) {
            return true;
        }
    }
    return false;
}

// What is there by a name: a folder, a file, or a fault. `depth` folders are open.
static int folder_take(struct folder_walk *w, const char *path, size_t depth)
{
    char full[FILE_PATH_MAX];
    struct err why = {0};
    struct stat st;
    int n = snprintf(full, sizeof full, "%s/%s", w->dir, path);
    bool is_wanted = folder_is_wanted(path);
    if (n < 0 || (size_t)n >= sizeof full) {
        return is_wanted ? folder_take_file(w, path, NULL, 0, "the path is too long") : 0;
    }
    if (lstat(full, &st)) {
        return 0; // it has vanished
    }
    if (S_ISLNK(st.st_mode)) {
        int code = folder_check_link(w, full, &why);
        if (code) { // a link to what is no workflow may stand there for anything else
            return code == ERR_NOT_FOUND || !is_wanted
                       ? 0
                       : folder_take_file(w, path, NULL, 0, why.text);
        }
        if (stat(full, &st)) {
            return 0;
        }
    }
    if (S_ISDIR(st.st_mode)) {
        if (folder_is_open(w, depth, &st)) {
            return 0;
        }
        if (depth > FOLDER_DEPTH_MAX) {
            return folder_take_file(w, path, NULL, 0,
                                    "the folder lies too deep: its files are not read");
        }
        w->open[depth] = st;
        return folder_visit(w, path, depth + 1);
    }
    if (!is_wanted) {
        return 0;
    }
    if (!S_ISREG(st.st_mode)) { // reading anything else could wait for ever
        err_set(&why, ERR_INVALID, "%s: not a file", full);
        return folder_take_file(w, path, NULL, 0, why.text);
    }
    return folder_read_file(w, path, full);
}

// The folder at `path`, "" for the outermost, which is open already.
static int folder_visit(struct folder_walk *w, const char *path, size_t depth)
{
    char full[FILE_PATH_MAX];
    snprintf(full, sizeof full, "%s/%s", w->dir, path);
    if (w->visitor &&
        w->visitor->on_folder) { // before it is read: what changes later is then known of
        w->visitor->on_folder(w->visitor->ctx, full);
    }
    DIR *d = opendir(full);
    if (d == NULL) {
        struct err why = {0};
        err_set(&why, ERR_IO, "%s: %s", full, strerror(errno));
        return errno == ENOENT ? 0 : folder_take_file(w, path, NULL, 0, why.text);
    }
    int code = 0;
    struct dirent *entry;
    while (code == 0 && (entry = readdir(d)) != NULL) {
        char inner[FILE_PATH_MAX];
        struct str name = str_from(entry->d_name);
        bool is_passed_over = name.data[0] == '.' || str_ends_with(name, STR("~"));
        int n = snprintf(inner, sizeof inner, "%s%s%s", path, path[0] ? "/" : "", entry->d_name);
        if (!is_passed_over && n > 0 && (size_t)n < sizeof inner) {
            code = folder_take(w, inner, depth);
        }
    }
    closedir(d);
    return code;
}

static int folder_no_access(const char *dir, struct err *e)
{
    return err_set(
        e, ERR_IO,
        "the rules folder %s cannot be read: %s (make it, or name another with --rules DIR)", dir,
        strerror(errno));
}

int folder_read(struct folder **out, const char *dir, const struct folder_visitor *visitor,
                struct err *e)
{
    struct folder_walk w = {.dir = dir, .visitor = visitor, .e = e};
    DIR *d = opendir(dir);
    *out = NULL;
    if (d == NULL || stat(dir, &w.open[0]) || (w.root = realpath(dir, NULL)) == NULL) {
        if (d) {
            closedir(d);
        }
        return folder_no_access(dir, e);
    }
    closedir(d);
    w.folder = folder_new();
    int code = w.folder ? folder_visit(&w, "", 1) : err_set(e, ERR_NOMEM, "out of memory");
    free(w.root);
    if (code) {
        folder_unref(w.folder);
        return code;
    }
    if (w.folder->count) {
        qsort(w.folder->files, w.folder->count, sizeof *w.folder->files, folder_by_path);
    }
    *out = w.folder;
    return 0;
}

int folder_add_texts(const struct folder *f, struct rules *rules)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < f->count; i++) {
        const struct folder_file *file = &f->files[i];
        if (file->text && !folder_is_workflow(file->path)) {
            code = rules_add_text(rules, str_from(file->path), (struct str){file->text, file->len});
        }
    }
    return code;
}
