// HMAC-SHA256 (RFC 2104, FIPS 180-4), by libcrypto. Any thread.
#ifndef ENCODE_HMAC_H
#define ENCODE_HMAC_H

#include "base/buf.h"
#include "base/str.h"

enum { HMAC_SHA256_LEN = 32 };

// 0 or ERR_NOMEM. A key may be empty.
int hmac_sha256(struct str key, struct str text, unsigned char out[HMAC_SHA256_LEN]);

// Appends the key that a secret of Standard Webhooks 1.0.0 stands for: what base64 behind "whsec_"
// says, of any other its bytes. 0; ERR_INVALID (nothing appended) where it is no base64 or
// nothing; what out says when it is full.
int hmac_webhook_key(struct buf *out, struct str secret);

#endif
