#include "engine/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"

struct folder_walk {
    const char *dir;
    char *root; // its path without links
    struct generation_file *files;
    size_t count;
    size_t cap;
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
    return strcmp(((const struct generation_file *)a)->path,
                  ((const struct generation_file *)b)->path);
}

void folder_free(struct generation_file *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(files[i].path);
        free(files[i].text);
        free(files[i].fault);
    }
    free(files);
}

static int folder_no_memory(struct folder_walk *w)
{
    return err_set(w->e, ERR_NOMEM, "out of memory");
}

static int folder_make_room(struct folder_walk *w)
{
    if (w->count < w->cap) {
        return 0;
    }
    if (w->count == FOLDER_FILES_MAX) {
        return err_set(w->e, ERR_TOO_LARGE, "the rules folder %s holds more than %d files", w->dir,
                       FOLDER_FILES_MAX);
    }
    size_t cap = w->cap ? 2 * w->cap : 64;
    cap = cap < FOLDER_FILES_MAX ? cap : FOLDER_FILES_MAX;
    struct generation_file *more = realloc(w->files, cap * sizeof *more);
    if (more == NULL) {
        return folder_no_memory(w);
    }
    w->files = more;
    w->cap = cap;
    return 0;
}

// Adds a file with its text, which it takes, or with its fault.
static int folder_add(struct folder_walk *w, const char *path, char *text, size_t len,
                      const char *fault)
{
    int code = folder_make_room(w);
    if (code == 0) {
        struct generation_file f = {
            .path = strdup(path), .text = text, .len = len, .fault = fault ? strdup(fault) : NULL};
        w->files[w->count++] = f;
        w->total_bytes += len;
        return f.path == NULL || (fault && f.fault == NULL) ? folder_no_memory(w) : 0;
    }
    free(text);
    return code;
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
    return folder_add(w, path, text, len, code ? why.text : NULL);
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
        return is_wanted ? folder_add(w, path, NULL, 0, "the path is too long") : 0;
    }
    if (lstat(full, &st)) {
        return 0; // it has vanished
    }
    if (S_ISLNK(st.st_mode)) {
        int code = folder_check_link(w, full, &why);
        if (code) { // a link to what is no workflow may stand there for anything else
            return code == ERR_NOT_FOUND || !is_wanted ? 0 : folder_add(w, path, NULL, 0, why.text);
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
            return folder_add(w, path, NULL, 0, "the folder lies too deep: its files are not read");
        }
        w->open[depth] = st;
        return folder_visit(w, path, depth + 1);
    }
    if (!is_wanted) {
        return 0;
    }
    if (!S_ISREG(st.st_mode)) { // reading anything else could wait for ever
        err_set(&why, ERR_INVALID, "%s: not a file", full);
        return folder_add(w, path, NULL, 0, why.text);
    }
    return folder_read_file(w, path, full);
}

// The folder at `path`, "" for the outermost, which is open already.
static int folder_visit(struct folder_walk *w, const char *path, size_t depth)
{
    char full[FILE_PATH_MAX];
    snprintf(full, sizeof full, "%s/%s", w->dir, path);
    DIR *d = opendir(full);
    if (d == NULL) {
        struct err why = {0};
        err_set(&why, ERR_IO, "%s: %s", full, strerror(errno));
        return errno == ENOENT ? 0 : folder_add(w, path, NULL, 0, why.text);
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

int folder_read(const char *dir, struct generation_file **files, size_t *count, struct err *e)
{
    struct folder_walk w = {.dir = dir, .e = e};
    DIR *d = opendir(dir);
    *files = NULL;
    *count = 0;
    if (d == NULL || stat(dir, &w.open[0]) || (w.root = realpath(dir, NULL)) == NULL) {
        if (d) {
            closedir(d);
        }
        return folder_no_access(dir, e);
    }
    closedir(d);
    int code = folder_visit(&w, "", 1);
    free(w.root);
    if (code) {
        folder_free(w.files, w.count);
        return code;
    }
    if (w.count) {
        qsort(w.files, w.count, sizeof *w.files, folder_by_path);
    }
    *files = w.files;
    *count = w.count;
    return 0;
}

int folder_add_texts(const struct generation_file *files, size_t count, struct rules *rules)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < count; i++) {
        if (files[i].text && !folder_is_workflow(files[i].path)) {
            code = rules_add_text(rules, str_from(files[i].path),
                                  (struct str){files[i].text, files[i].len});
        }
    }
    return code;
}
