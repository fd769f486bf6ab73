#include "engine/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

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
    }
    free(files);
}

int folder_read_file(const char *path, char **text, size_t *len, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return err_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path,
                       strerror(errno));
    }
    struct buf b;
    buf_init(&b, FOLDER_FILE_MAX_BYTES);
    int code = 0;
    for (;;) {
        char piece[16384];
        ssize_t got = read(fd, piece, sizeof piece);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            code = err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
        }
        if (got <= 0) {
            break;
        }
        if (buf_append(&b, piece, (size_t)got)) {
            code = err_set(e, b.failed, "%s: over %d KiB: a workflow file must be smaller", path,
                           FOLDER_FILE_MAX_BYTES / 1024);
            break;
        }
    }
    close(fd);
    *text = code ? NULL : buf_take(&b, len);
    if (code == 0 && *text == NULL) {
        code = err_set(e, ERR_NOMEM, "%s: out of memory", path);
    }
    buf_fini(&b);
    return code;
}

static int folder_add(struct generation_file **files, size_t *count, const char *dir,
                      const char *name, struct err *e)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    struct generation_file file = {0};
    int code = folder_read_file(path, &file.text, &file.len, e);
    if (code) {
        return code == ERR_NOT_FOUND ? 0 : code;
    }
    struct generation_file *more = realloc(*files, (*count + 1) * sizeof **files);
    file.path = strdup(name);
    if (more == NULL || file.path == NULL) {
        free(file.text);
        free(file.path);
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
