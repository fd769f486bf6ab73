// Base64 (RFC 4648), with padding. No line breaks.
#ifndef ENCODE_BASE64_H
#define ENCODE_BASE64_H

#include "base/buf.h"

// Appends s encoded.
void base64_encode(struct buf *out, struct str s);
// Appends s decoded. ERR_INVALID (nothing appended) where s is not canonical: a padding too few or
// too many, a character outside the alphabet, bits set that no byte takes.
int base64_decode(struct buf *out, struct str s);

#endif
