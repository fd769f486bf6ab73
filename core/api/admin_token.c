// The first token: made at the first start, in DATA/admin.token, readable by its owner alone.
#include "api/admin_token.h"

#include <stdio.h>
#include <stdlib.h>

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

int admin_token_load(const char *data_dir, char **out, struct err *e)
{
    char made[TOKEN_BYTES * 2 + 5];
    char path[FILE_PATH_MAX];
    char *text = NULL;
    size_t len = 0;
    *out = NULL;
    snprintf(path, sizeof path, "%s/admin.token", data_dir);
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
    *out = str_dup(token);
    free(text);
    return *out ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}
