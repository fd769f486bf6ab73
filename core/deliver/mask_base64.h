// A secret in base64, wherever it begins in a group of three bytes: as the values of its
// characters, of which the first and the last may hold bits of what stands beside it. Any thread.
#ifndef DELIVER_MASK_BASE64_H
#define DELIVER_MASK_BASE64_H

#include <stdint.h>

#include "base/buf.h"

struct mask_base64 {
    unsigned char first; // the bits of the first character that are the secret's
    unsigned char last;  // and of the last one
};

// Appends the values (0 to 63) of the characters that a secret has a part in when `before` bytes of
// something else (0 to 2) stand ahead of it in its group. It is not empty.
void mask_base64_write(struct buf *values, struct mask_base64 *edges, struct str secret,
                       size_t before);

// How many bytes of text from `from` on are such characters, with the padding behind them; 0: they
// are not there. Each may be of either alphabet (RFC 4648 sections 4 and 5), and escaped as in JSON
// or a URL; lines may be broken between them. is_cut: where the text ends before they do is enough.
size_t mask_base64_match(struct str values, struct mask_base64 edges, struct str text, size_t from,
                         bool is_cut);

// Sets a bit for each byte with which the first (at 0) or the second (at 1) of the characters may
// begin. There are two at least.
void mask_base64_mark(struct str values, struct mask_base64 edges, size_t at, uint64_t bit,
                      uint64_t marks[256]);

#endif
