// The admin's token: made at the first start, in DATA/admin.token, readable by its owner alone.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/internal.h"
#include "base/hash.h"

enum { TOKEN_BYTES = 24, TOKEN_MAX = 256 };

static void token_make(char out[TOKEN_BYTES * 2 + 4])
{
    unsigned char random[TOKEN_BYTES];
    random_bytes(random, sizeof random);
    int at = snprintf(out, 4, "hl_");
    for (size_t i = 0; i < sizeof random; i++) {
        at += snprintf(out + at, 3, "%02x", random[i]);
    }
}

// Written beside and renamed, so that no reader sees half of it.
static int token_write(const char *path, const char *token, struct err *e)
{
    char temporary[4200];
    snprintf(temporary, sizeof temporary, "%s.new", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return err_set(e, ERR_IO, "%s: %s", temporary, strerror(errno));
    }
    bool is_written = dprintf(fd, "%s\n", token) > 0 && fsync(fd) == 0;
    is_written = close(fd) == 0 && is_written;
    if (!is_written || rename(temporary, path)) {
        return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
    }
    return 0;
}

int api_token_load(struct api *a, struct err *e)
{
    char path[4200];
    char text[TOKEN_MAX + 1] = {0};
    snprintf(path, sizeof path, "%s/admin.token", a->config.data_dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        token_make(text);
        int code = token_write(path, text, e);
        if (code) {
            return code;
        }
    } else if (fd < 0) {
        return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
    } else {
        ssize_t got = read(fd, text, TOKEN_MAX);
        close(fd);
        text[got > 0 ? got : 0] = 0;
        text[strcspn(text, "\r\n")] = 0;
    }
    if (strlen(text) < 16) {
        return err_set(e, ERR_INVALID,
                       "%s: too short to be a token: remove the file, and the next start makes one",
                       path);
    }
    a->token = strdup(text);
    return a->token ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

bool api_token_is_good(const struct api *a, struct str authorization)
{
    const size_t len = sizeof "bearer " - 1;
    if (authorization.len <= len ||
        !str_eq_nocase((struct str){authorization.data, len}, STR("bearer "))) {
        return false;
    }
    struct str token = str_trim((struct str){authorization.data + len, authorization.len - len});
    return str_eq_constant_time(token, str_from(a->token));
}
