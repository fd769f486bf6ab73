// The first token, DATA/admin.token. For the start; blocks.
#ifndef API_ADMIN_TOKEN_H
#define API_ADMIN_TOKEN_H

#include "base/err.h"
#include "base/str.h"

// The token in the file, which is made (0600) where it is not there; the caller frees it. ERR_IO,
// ERR_FULL, ERR_NOMEM; ERR_INVALID: it is too short to be one.
int admin_token_load(const char *data_dir, char **out, struct err *e);

#endif
