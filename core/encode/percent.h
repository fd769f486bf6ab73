// Percent-encoding (RFC 3986).
#ifndef ENCODE_PERCENT_H
#define ENCODE_PERCENT_H

#include "base/buf.h"

// Appends s with all but unreserved characters (A-Z a-z 0-9 - . _ ~) encoded.
void percent_encode(struct buf *out, struct str s);
// Appends s decoded; '+' stays '+'. ERR_INVALID (nothing appended) for a stray '%'.
int percent_decode(struct buf *out, struct str s);

#endif
