#include "cli/test_paths.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"

bool test_paths_is_test(const char *name)
{
    return name[0] != '.' && str_ends_with(str_from(name), STR("_test.lua"));
}

static int add(struct test_paths *p, const char *dir, const char *name, struct err *e)
{
    struct test_path *more = realloc(p->list, (p->count + 1) * sizeof(*more));

    if (!more)
        return err_set(e, ERR_NOMEM, "out of memory");
    p->list = more;
    more += p->count++;
    *more = (struct test_path){.dir = str_dup(str_from(dir)), .name = str_dup(str_from(name))};
    return more->dir && more->name ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct test_path *)a)->name, ((const struct test_path *)b)->name);
}

int test_paths_add_folder(struct test_paths *p, const char *dir, struct err *e)
{
    DIR *d = opendir(dir);
    size_t from = p->count;
    int code = 0;
    struct dirent *entry;

    if (!d)
        return err_set(e, ERR_IO, "%s: %s", dir, strerror(errno));
    while (code == 0 && (entry = readdir(d)))
        if (test_paths_is_test(entry->d_name))
            code = add(p, dir, entry->d_name, e);
    closedir(d);
    if (code == 0 && p->count > from)
        qsort(p->list + from, p->count - from, sizeof(*p->list), by_name);
    return code;
}

int test_paths_add(struct test_paths *p, const char *path, struct err *e)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    struct str stem = str_from(name);
    char dir[FILE_PATH_MAX];
    char test[FILE_PATH_MAX];
    struct stat st;

    if (stat(path, &st) != 0)
        return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return test_paths_add_folder(p, path, e);
    if (!str_ends_with(stem, STR(".lua")))
        return err_set(e, ERR_INVALID, "%s is no test file: its name ends in _test.lua", path);
    stem.len -= strlen(".lua");
    snprintf(dir, sizeof(dir), "%.*s",
             slash == path ? 1
             : slash       ? (int)(slash - path)
                           : 1,
             slash ? path : ".");
    if (test_paths_is_test(name))
        return add(p, dir, name, e);
    snprintf(test, sizeof(test), STR_FMT "_test.lua", STR_ARG(stem));
    return add(p, dir, test, e);
}

void test_paths_fini(struct test_paths *p)
{
    for (size_t i = 0; i < p->count; i++) {
        free(p->list[i].dir);
        free(p->list[i].name);
    }
    free(p->list);
}
