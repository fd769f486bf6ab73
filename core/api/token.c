// The admin's token: made at the first start, in DATA/admin.token, readable by its owner alone.
#include <stdio.h>
#include <stdlib.h>

#include "api/internal.h"
#include "base/file.h"
#include "base/hash.h"

enum { TOKEN_BYTES = 24, TOKEN_LEAST = 16, TOKEN_MAX = 256 };

// "hl_", hexadecimal digits and a newline.
static void token_make(char out[TOKEN_BYTES * 2 + 5])
{
    unsigned char random[TOKEN_BYTES];
    random_bytes(random, sizeof random);
    int at = snprintf(out, 4, "hl_");
    for (size_t i = 0; i < sizeof random; i++) {
        at += snprintf(out + at, 3, "%02x", random[i]);
    }
    snprintf(out + at, 2, "\n");
}

int api_token_load(struct api *a, struct err *e)
{
    char made[TOKEN_BYTES * 2 + 5];
    char path[FILE_PATH_MAX];
    char *text = NULL;
    size_t len = 0;
    snprintf(path, sizeof path, "%s/admin.token", a->config.data_dir);
    int code = file_read(path, TOKEN_MAX, &text, &len, e);
    if (code == ERR_NOT_FOUND) {
        token_make(made);
        code = file_write(path, str_from(made), 0600, e);
        text = strdup(made);
    }
    if (code || text == NULL) {
        free(text);
        return code ? code : err_set(e, ERR_NOMEM, "out of memory");
    }
    text[strcspn(text, "\r\n")] = 0;
    struct str token = str_trim(str_from(text)); // as the one that a client sends is
    if (token.len < TOKEN_LEAST) {
        free(text);
        return err_set(e, ERR_INVALID,
                       "%s: too short to be a token: remove the file, and the next start makes one",
                       path);
    }
    a->token = str_dup(token);
    free(text);
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
