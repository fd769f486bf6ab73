// A secret in base64, wherever it begins in a group of three bytes: as the values (0 to 63) of its
// characters, of which the first and the last may hold bits of what stands beside it. Any thread.
#ifndef DELIVER_MASK_BASE64_H
#define DELIVER_MASK_BASE64_H

#include "base/buf.h"
#include "deliver/mask_reading.h"

enum { MASK_BASE64_BITS = 63, MASK_BASE64_PADDING = 64, MASK_BASE64_OTHER = 65 };

struct mask_base64 {
    unsigned char first; // the bits of the first character that are the secret's
    unsigned char last;  // and of the last one
};

// Appends the values of the characters, two or more, that a secret has a part in when `before`
// bytes of something else (0 to 2) stand ahead of it in its group. It is not empty.
void mask_base64_write(struct buf *values, struct mask_base64 *edges, struct str secret,
                       size_t before);

// The values of the characters of `in`, of either alphabet (RFC 4648 sections 4 and 5). The ends of
// lines, and blanks behind them, are left out. 0, ERR_NOMEM; fini anyway.
int mask_base64_read(struct mask_reading *r, const struct mask_reading *in);

#endif
