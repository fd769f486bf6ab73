// Whether a text is legal JSON, with the place of the fault as an editor shows it. Any thread.
#ifndef ENCODE_JSON_CHECK_H
#define ENCODE_JSON_CHECK_H

#include "base/buf.h"
#include "base/err.h"

// 0; ERR_INVALID, ERR_TOO_LARGE (deeper than max_depth) and ERR_NOMEM with "line 2, column 7: ...";
// columns are counted in characters, from 1. scratch is for the reader.
int json_check(struct str text, unsigned max_depth, struct buf *scratch, struct err *e);

#endif
