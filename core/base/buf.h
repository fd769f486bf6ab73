// A growing byte buffer that is born with its maximum. A failed append (out of memory, over the
// maximum) leaves the content as it was and sets `failed` for good, so that a writer of many pieces
// checks once at the end.
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/str.h"

struct buf {
    char *data;
    size_t len;
    size_t cap;
    size_t max;
    int failed; // 0, ERR_NOMEM or ERR_TOO_LARGE: sticky until buf_reset
};

void buf_init(struct buf *b, size_t max_bytes); // allocates nothing
void buf_fini(struct buf *b);
void buf_reset(struct buf *b); // empties it, keeps the memory, clears `failed`

// Each returns 0 or the error, which is also kept in b->failed.
int buf_append(struct buf *b, const void *data, size_t len);
int buf_append_str(struct buf *b, struct str s);
int buf_append_text(struct buf *b, const char *text); // NUL-terminated
int buf_append_char(struct buf *b, char c);
int buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Room for `len` more bytes: a pointer to write at (then add to b->len), or NULL.
char *buf_reserve(struct buf *b, size_t len);

// The content, borrowed until the next change.
static inline struct str buf_str(const struct buf *b)
{
    return (struct str){b->data, b->len};
}

// The content as a NUL-terminated text that the caller frees; b is empty after. NULL when memory is
// out.
char *buf_take(struct buf *b, size_t *len);

#endif
