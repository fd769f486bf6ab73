// Webhooks as people compare them: as text, and two texts as a unified diff. Main thread.
#ifndef CLI_DIFF_TEXT_H
#define CLI_DIFF_TEXT_H

#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "store/store.h"

enum { DIFF_TEXT_MAX_BYTES = 64 * 1024 * 1024 };

// Whether both would send the same: each counted from its own `now`.
bool diff_text_is_same(const struct store_delivery *a, int64_t a_now_ms,
                       const struct store_delivery *b, int64_t b_now_ms);
// Method and URL, headers, what else is said of it, and the body; JSON in lines. Secrets are
// "****".
int diff_text_write(struct buf *out, const struct store_delivery *d, int64_t now_ms,
                    struct arena *arena);
// The lines that differ, with three around them, each behind `indent` spaces. What cannot be
// printed is escaped. ERR_NOMEM.
int diff_text_print(FILE *out, struct str before, struct str after, struct arena *arena);

#endif
