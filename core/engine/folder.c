#include "engine/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"

static bool folder_is_workflow(const char *name)
{
    struct str s = str_from(name);
    return name[0] != '.' && str_ends_with(s, STR(".lua")) && !str_ends_with(s, STR("_test.lua"));
}

static int folder_by_name(const void *a, const void *b)
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

// Reading anything else could wait for ever.
static int folder_check_kind(const char *path, struct err *e)
{
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        return err_set(e, S_ISDIR(st.st_mode) ? ERR_NOT_FOUND : ERR_INVALID, "%s: not a file",
                       path);
    }
    return 0; // whatever else there is, reading it tells
}

static int folder_add(struct generation_file **files, size_t *count, const char *dir,
                      const char *name, struct err *e)
{
    char path[FILE_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    struct generation_file file = {0};
    int code = folder_check_kind(path, e);
    if (code == 0) {
        code = file_read(path, FOLDER_FILE_MAX_BYTES, &file.text, &file.len, e);
    }
    if (code == ERR_NOT_FOUND || code == ERR_NOMEM) {
        return code == ERR_NOT_FOUND ? 0 : code;
    }
    file.fault = code ? strdup(e->text) : NULL;
    struct generation_file *more = realloc(*files, (*count + 1) * sizeof **files);
    file.path = strdup(name);
    if (more == NULL || file.path == NULL || (code && file.fault == NULL)) {
        free(file.text);
        free(file.path);
        free(file.fault);
        *files = more ? more : *files;
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    *files = more;
    more[(*count)++] = file;
    return 0;
}

int folder_read(const char *dir, struct generation_file **files, size_t *count, struct err *e)
{
    *files = NULL;
    *count = 0;
    DIR *d = opendir(dir);
    if (d == NULL) {
        return err_set(
            e, ERR_IO,
            "the rules folder %s cannot be read: %s (make it, or name another with --rules DIR)",
            dir, strerror(errno));
    }
    int code = 0;
    struct dirent *entry;
    while (code == 0 && (entry = readdir(d)) != NULL) {
        if (folder_is_workflow(entry->d_name)) {
            code = folder_add(files, count, dir, entry->d_name, e);
        }
    }
    closedir(d);
    if (code) {
        folder_free(*files, *count);
        *files = NULL;
        *count = 0;
        return code;
    }
    if (*count) {
        qsort(*files, *count, sizeof **files, folder_by_name);
    }
    return 0;
}
