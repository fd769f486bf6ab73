// SHA-256 (FIPS 180-4), by libcrypto. One thread at a time.
#ifndef ENCODE_SHA256_H
#define ENCODE_SHA256_H

#include "base/str.h"

enum { SHA256_LEN = 32 };

// A context that is kept, so that a digest looks nothing up. NULL: no memory.
struct sha256;
struct sha256 *sha256_new(void);
void sha256_free(struct sha256 *s); // NULL is fine
// 0, or ERR_NOMEM: libcrypto may allocate a little for each.
int sha256_digest(struct sha256 *s, struct str text, unsigned char out[SHA256_LEN]);

#endif
