// Unicode simple case folding (statuses C and S of CaseFolding.txt), for comparisons without regard
// to case: one character becomes one character, so "ß" stays and "ẞ" becomes it. Any thread.
#ifndef BASE_CASEFOLD_H
#define BASE_CASEFOLD_H

#include "base/buf.h"

// Appends the folded s. Bytes that are not UTF-8 are copied. 0, ERR_NOMEM, ERR_TOO_LARGE.
int casefold_simple(struct buf *out, struct str s);

#endif
