#include "deliver/secrets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/map.h"

enum { SECRET_NAME_MAX = 64 };

struct secret {
    char name[SECRET_NAME_MAX + 1];
    char *value; // NUL-terminated
    size_t len;
};

struct secrets {
    char *data_dir;
    char *dir; // DATA/secrets
    struct map by_name;
    uint64_t forget_count;
};

int secrets_new(struct secrets **out, const char *data_dir, struct err *e)
{
    struct secrets *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    map_init(&s->by_name);
    s->data_dir = strdup(data_dir);
    if (s->data_dir == NULL || asprintf(&s->dir, "%s/secrets", data_dir) < 0) {
        s->dir = NULL;
        secrets_free(s);
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    *out = s;
    return 0;
}

static void secret_free(struct secret *one)
{
    if (one->value) {
        explicit_bzero(one->value, one->len);
    }
    free(one->value);
    free(one);
}

void secrets_forget(struct secrets *s)
{
    size_t at = 0;
    void *value;
    while (map_next(&s->by_name, &at, NULL, &value)) {
        secret_free(value);
    }
    map_fini(&s->by_name);
    map_init(&s->by_name);
    s->forget_count++;
}

uint64_t secrets_forget_count(const struct secrets *s)
{
    return s->forget_count;
}

void secrets_free(struct secrets *s)
{
    if (s == NULL) {
        return;
    }
    secrets_forget(s);
    map_fini(&s->by_name);
    free(s->data_dir);
    free(s->dir);
    free(s);
}

bool secrets_are_readable(const struct secrets *s)
{
    if (access(s->dir, X_OK) == 0) {
        return true;
    }
    return errno == ENOENT && access(s->data_dir, X_OK) == 0; // none was set yet
}

bool secrets_is_name(struct str name)
{
    if (name.len == 0 || name.len > SECRET_NAME_MAX || name.data[0] < 'A' || name.data[0] > 'Z') {
        return false;
    }
    for (size_t i = 1; i < name.len; i++) {
        char c = name.data[i];
        if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '_') {
            return false;
        }
    }
    return true;
}

// A value goes into headers and URLs: no control characters, whoever wrote the file.
// And not nothing, whose signatures and passwords everybody has.
static int secret_check(struct secret *one, struct err *e)
{
    if (one->len == 0) {
        return err_set(e, ERR_NOT_FOUND,
                       "the secret %s is empty: set it again with `hookline secrets set %s`",
                       one->name, one->name);
    }
    for (size_t i = 0; i < one->len; i++) {
        unsigned char c = (unsigned char)one->value[i];
        if (c < 0x20 || c == 0x7f) {
            return err_set(e, ERR_NOT_FOUND,
                           "the secret %s has a control character: set it again with `hookline "
                           "secrets set %s`",
                           one->name, one->name);
        }
    }
    return 0;
}

// DATA/secrets/NAME; one trailing newline is dropped.
static int secret_read_file(const struct secrets *s, struct secret *one, struct err *e)
{
    char path[FILE_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", s->dir, one->name);
    int code = file_read(path, SECRET_MAX_BYTES, &one->value, &one->len, e);
    if (code == 0 && one->len && one->value[one->len - 1] == '\n') {
        one->value[--one->len] = 0;
    }
    return code;
}

static int secret_read_environment(struct secret *one, struct err *e)
{
    char variable[SECRET_NAME_MAX + 32];
    snprintf(variable, sizeof variable, "HOOKLINE_SECRET_%s", one->name);
    const char *value = getenv(variable);
    if (value == NULL) {
        return err_set(e, ERR_NOT_FOUND,
                       "the secret %s is not set: run `hookline secrets set %s` or set %s, then "
                       "`hookline reload`",
                       one->name, one->name, variable);
    }
    one->value = strdup(value);
    one->len = strlen(value);
    return one->value ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

bool secrets_is_missing(int code)
{
    return code == ERR_NOT_FOUND || code == ERR_IO;
}

int secrets_get(struct secrets *s, struct str name, struct str *value, struct err *e)
{
    struct secret *one = map_get(&s->by_name, name);
    if (one) {
        *value = (struct str){one->value, one->len};
        return 0;
    }
    if (!secrets_is_name(name)) {
        return err_set(e, ERR_INVALID, "a secret's name is capital letters, digits and '_'");
    }
    one = calloc(1, sizeof *one);
    if (one == NULL) {
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    memcpy(one->name, name.data, name.len);
    int code = secret_read_file(s, one, e);
    if (code == ERR_NOT_FOUND) {
        code = secret_read_environment(one, e);
    }
    if (code == 0) {
        code = secret_check(one, e);
    }
    if (code == 0 && map_put(&s->by_name, (struct str){one->name, name.len}, one)) {
        code = err_set(e, ERR_NOMEM, "out of memory");
    }
    if (code) {
        secret_free(one);
        return code;
    }
    *value = (struct str){one->value, one->len};
    return 0;
}
