// HMAC-SHA256 (RFC 2104, FIPS 180-4), by libcrypto. Any thread.
#ifndef ENCODE_HMAC_H
#define ENCODE_HMAC_H

#include "base/str.h"

enum { HMAC_SHA256_LEN = 32 };

// 0 or ERR_NOMEM. A key may be empty.
int hmac_sha256(struct str key, struct str text, unsigned char out[HMAC_SHA256_LEN]);

#endif
