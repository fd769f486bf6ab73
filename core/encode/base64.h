// Base64 (RFC 4648), with padding. No line breaks.
#ifndef ENCODE_BASE64_H
#define ENCODE_BASE64_H

#include "base/buf.h"

void base64_encode(struct buf *out, struct str s);
int base64_decode(struct buf *out, struct str s); // ERR_INVALID: not canonical base64

#endif
